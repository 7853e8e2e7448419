"""Settings say where and with which services; profiles say what is measured. There is no third kind of configuration.

Settings come from `settings.toml` in the user's configuration folder, then from the environment (`ASI_ARCH_STATE`,
`ASI_ARCH_CACHE`, `ASI_ARCH_PAPERS`, `ASI_ARCH_WORKERS`, `ASI_ARCH_CONTAINMENT`); command-line options come last. They
are never part of a result's identity.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from asi_arch.domain.errors import ProfileError, UserError
from asi_arch.domain.profile import Profile
from asi_arch.domain.record import Record

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROFILES = Path(__file__).parent / "profiles"


class Settings(Record):
    """Where things are, how many processes may train at the same time, and what keeps candidates in."""

    state: Path = Path("campaigns/default")
    cache: Path = Path.home() / ".cache" / "asi-arch"
    papers: Path = Path.home() / ".local" / "share" / "asi-arch" / "papers"
    """The user's own papers, beside those that ship."""
    workers: int = Field(default_factory=lambda: len(_usable_cores()), ge=1)
    containment: Literal["auto", "bubblewrap", "landlock", "container", "process"] = "auto"
    """A tier of `lab.sandbox.tier`, or the best that this machine offers."""


def load_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings file and the environment. Raises `UserError` naming the key that is wrong."""
    config = Path(environment.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "asi-arch" / "settings.toml"
    values: dict[str, Any] = _read_toml(config) if config.is_file() else {}
    if cache := environment.get("XDG_CACHE_HOME"):
        values.setdefault("cache", Path(cache) / "asi-arch")
    if data := environment.get("XDG_DATA_HOME"):
        values.setdefault("papers", Path(data) / "asi-arch" / "papers")
    for key in Settings.model_fields:
        if value := environment.get(f"ASI_ARCH_{key.upper()}"):
            values[key] = value
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise UserError(f"settings ({config} and ASI_ARCH_* variables): {_readable(error)}") from error


def profile_names() -> list[str]:
    """Names of the profiles that ship."""
    return sorted(path.stem for path in PROFILES.glob("*.toml"))


def load_profile(name_or_path: str) -> Profile:
    """A profile that ships, by name, or one of the user's, by the path of its TOML file."""
    path = PROFILES / f"{name_or_path}.toml"
    if not path.is_file():
        path = Path(name_or_path)
    if path.suffix != ".toml" or not path.is_file():
        raise ProfileError(
            f"no profile {name_or_path!r}: give one of {', '.join(profile_names())} or the path of a .toml file"
        )
    try:
        return Profile.model_validate(_read_toml(path))
    except ValidationError as error:
        raise ProfileError(f"profile {name_or_path!r}: {_readable(error)}") from error


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ProfileError(f"{path} can't be read as TOML: {error}") from error


def _readable(error: ValidationError) -> str:
    """One clause per mistake: where, what, and the value."""
    clauses: list[str] = []
    for item in error.errors(include_url=False):
        place = ".".join(str(part) for part in item["loc"]) or "profile"
        if item["type"] == "extra_forbidden":
            clauses.append(f"unknown key '{place}'; remove it or correct its spelling")
        else:
            clauses.append(
                f"{place}: {item['msg']}" + ("" if isinstance(item["input"], dict) else f" (got {item['input']!r})")
            )
    return "; ".join(clauses)


def _usable_cores() -> set[int]:
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
