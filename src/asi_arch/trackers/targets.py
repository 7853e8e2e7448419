"""Which trackers the user wants, as 'tensorboard:DIR', 'wandb:PROJECT' or 'mlflow:URI', and whether they can be had."""

import re
import tempfile
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from asi_arch.domain.errors import UserError
from asi_arch.domain.extras import how_to_install, is_installed
from asi_arch.domain.record import Record

NONE = "none"
"""Turns off what the settings turned on."""


class Kind(str, Enum):
    """The trackers there are, by the name of the extra that brings the library."""

    TENSORBOARD = "tensorboard"
    WANDB = "wandb"
    MLFLOW = "mlflow"


_FORMS = {
    Kind.TENSORBOARD: "tensorboard:DIR",
    Kind.WANDB: "wandb:PROJECT or wandb:ENTITY/PROJECT",
    Kind.MLFLOW: "mlflow:DIR, mlflow:sqlite:///FILE or mlflow:https://SERVER",
}


class Target(NamedTuple):
    """A tracker and where it writes: a folder, a project, or a tracking URI."""

    kind: Kind
    place: str

    def __str__(self) -> str:
        return f"{self.kind.value}:{self.place}"


class Trackers(Record):
    """The settings' section `[trackers]`; what is empty is off."""

    tensorboard: str = ""
    wandb: str = ""
    mlflow: str = ""

    def targets(self) -> tuple[Target, ...]:
        """Those that are on. Raises `UserError` for a place that can't be one."""
        places = {Kind.TENSORBOARD: self.tensorboard, Kind.WANDB: self.wandb, Kind.MLFLOW: self.mlflow}
        return tuple(_sound(kind, place) for kind, place in places.items() if place)


def parsed(texts: Sequence[str]) -> Trackers:
    """What `--track` names, each tracker once. Raises `UserError` saying what would be right."""
    if list(texts) == [NONE]:
        return Trackers()
    found: dict[str, str] = {}
    for text in texts:
        kind, place = _split(text)
        if kind.value in found:
            raise UserError(f"--track {kind.value} was given twice; a tracker writes to one place")
        found[kind.value] = _sound(kind, place).place
    return Trackers(**found)


def require_trackers(targets: Sequence[Target]) -> None:
    """Raises `UserError` for an unwritable folder, and for a missing library with the command to install it."""
    for target in targets:
        for module in _modules(target):
            if not is_installed(module):
                raise UserError(
                    f"tracker {target} needs the package {module}, which is not installed;"
                    f" run: {how_to_install(target.kind.value)}"
                )
        if (folder := local_folder(target)) is not None:
            _require_writable(target, folder)


def local_folder(target: Target) -> Path | None:
    """The folder that it writes to; None where it writes to a server, or into the state folder."""
    if target.kind is Kind.WANDB:
        return None
    if target.place.startswith("sqlite:///"):
        return Path(target.place.removeprefix("sqlite:///")).parent
    return None if "://" in target.place else Path(target.place)


def _split(text: str) -> tuple[Kind, str]:
    word, _, place = text.partition(":")
    if word not in [kind.value for kind in Kind]:
        raise UserError(f"--track must be one of {', '.join(_FORMS.values())}, got {text!r}")
    kind = Kind(word)
    if not place.strip():
        raise UserError(f"--track {text} does not say where to; give {_FORMS[kind]}")
    return kind, place.strip()


def _sound(kind: Kind, place: str) -> Target:
    if kind is Kind.WANDB and not re.fullmatch(r"([\w.-]+/)?[\w.-]+", place):
        raise UserError(f"tracker wandb:{place} is no project; give {_FORMS[kind]}")
    if kind is Kind.MLFLOW and "://" in place:
        return Target(kind, _sound_uri(place))
    if kind is Kind.TENSORBOARD and "://" in place:
        raise UserError(f"tracker tensorboard:{place} must name a folder of this machine")
    return Target(kind, place if kind is Kind.WANDB else str(Path(place).expanduser().absolute()))


def _sound_uri(uri: str) -> str:
    """A tracking URI with a file's path made absolute. Never shows a password."""
    if uri.startswith("file:"):
        raise UserError("tracker mlflow:file:... is not kept up by MLflow any more; give a folder: mlflow:DIR")
    if uri.startswith("sqlite:///"):
        path = Path(uri.removeprefix("sqlite:///")).expanduser().absolute()
        return f"sqlite:///{path}"
    if urlsplit(uri).password is not None:
        raise UserError(
            "tracker mlflow:... has a password in its address; leave it out and set MLFLOW_TRACKING_USERNAME and"
            " MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, in the environment"
        )
    return uri


def _modules(target: Target) -> tuple[str, ...]:
    if target.kind is Kind.MLFLOW and not target.place.startswith(("http://", "https://", "databricks")):
        return ("mlflow", "sqlalchemy", "alembic")
    return (target.kind.value,)


def _require_writable(target: Target, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UserError(
            f"tracker {target}: the folder {folder} can't be written ({error.strerror}); choose another"
        ) from None
