"""Settings say where and with which services; profiles say what is measured. There is no third kind of configuration.

Settings come from `settings.toml` in the user's configuration folder, then from the environment (`ASI_ARCH_STATE`,
`ASI_ARCH_CACHE`, `ASI_ARCH_PAPERS`, `ASI_ARCH_WORKERS`, `ASI_ARCH_CONTAINMENT`, `ASI_ARCH_MINDS` for the mind of all
roles without one of their own, `OPENAI_BASE_URL` for that service's address); command-line options come last. They are
never part of a result's identity. Keys are no settings: see `asi_arch.keys`.
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
from asi_arch.llm.plan import MindPlan
from asi_arch.trackers.targets import Trackers

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROFILES = Path(__file__).parent / "profiles"

_UNSHOWN = (("key_variable",), ("url",))
"""Where a key may have been written by mistake."""


class Settings(Record):
    """Where things are, how many processes may train at the same time, and what keeps candidates in."""

    state: Path = Path("campaigns/default")
    cache: Path = Path.home() / ".cache" / "asi-arch"
    papers: Path = Path.home() / ".local" / "share" / "asi-arch" / "papers"
    """The user's own papers, beside those that ship."""
    workers: int = Field(default_factory=lambda: len(_usable_cores()), ge=1)
    containment: Literal["auto", "bubblewrap", "landlock", "container", "process"] = "auto"
    """A tier of `lab.sandbox.tier`, or the best that this machine offers."""
    minds: MindPlan = MindPlan()
    """Which language models answer, and what they may cost."""
    trackers: Trackers = Trackers()
    """Who else is told what a campaign records; by default nobody."""


def load_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings file and the environment. Raises `UserError` naming the key that is wrong."""
    config = Path(environment.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "asi-arch" / "settings.toml"
    values: dict[str, Any] = _read_toml(config) if config.is_file() else {}
    if cache := environment.get("XDG_CACHE_HOME"):
        values.setdefault("cache", Path(cache) / "asi-arch")
    if data := environment.get("XDG_DATA_HOME"):
        values.setdefault("papers", Path(data) / "asi-arch" / "papers")
    for key in Settings.model_fields:
        if key not in ("minds", "trackers") and (value := environment.get(f"ASI_ARCH_{key.upper()}")):
            values[key] = value
    try:
        return _with_environment(Settings.model_validate(values), environment)
    except ValidationError as error:
        raise UserError(f"settings ({config} and ASI_ARCH_* variables): {_readable(error)}") from error


def _with_environment(settings: Settings, environment: Mapping[str, str]) -> Settings:
    """What the environment says of minds, put in."""
    minds = settings.minds.model_dump(exclude_unset=True)
    if mind := environment.get("ASI_ARCH_MINDS"):
        minds["default"] = mind
    if url := environment.get("OPENAI_BASE_URL"):
        services = minds.get("services", {})
        minds["services"] = {**services, "openai": {"url": url, **services.get("openai", {})}}
    return settings.model_copy(update={"minds": MindPlan.model_validate(minds)})


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
            is_shown = not isinstance(item["input"], dict) and item["loc"][-1:] not in _UNSHOWN
            clauses.append(f"{place}: {item['msg']}" + (f" (got {item['input']!r})" if is_shown else ""))
    return "; ".join(clauses)


def _usable_cores() -> set[int]:
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
