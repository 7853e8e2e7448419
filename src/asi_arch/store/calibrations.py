"""A/A calibrations in the user's cache folder: what is known of a protocol on a class of machines is known to all.

A cache may vanish, be unwritable or be damaged: then a calibration is not known, and a sentence says so.
"""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from asi_arch.domain.calibration import Calibration
from asi_arch.domain.record import sha256


class CalibrationCache:
    """`domain.ports.Calibrations` as files `<protocol>-<hash of the machine class>.json` in a folder."""

    def __init__(self, folder: Path, machine: str, warn: Callable[[str], None]) -> None:
        """`warn` is told, in a sentence, what can't be read or written."""
        self._folder = folder
        self._machine = machine
        self._warn = warn

    @property
    def machine(self) -> str:
        """The class of machines, in words."""
        return self._machine

    def known(self, protocol: str) -> Calibration | None:
        """The latest under this protocol; None where there is none that can be read."""
        path = self._path(protocol)
        try:
            found = Calibration.model_validate_json(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            self._warn(f"the calibration in {path} can't be read and is ignored; `asi-arch calibrate` writes it anew")
            return None
        if (found.protocol, found.machine) != (protocol, self._machine):
            self._warn(f"the calibration in {path} is of another protocol or machine and is ignored")
            return None
        return found

    def keep(self, calibration: Calibration) -> None:
        """Write it beside and rename, so that another process never sees half a file."""
        path = self._path(calibration.protocol)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, beside = tempfile.mkstemp(dir=self._folder, prefix=f"{path.name}.")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(calibration.model_dump_json(indent=2))
            os.replace(beside, path)
        except OSError as error:
            self._warn(f"the calibration can't be kept for other campaigns in {self._folder} ({error.strerror})")

    def _path(self, protocol: str) -> Path:
        return self._folder / f"{protocol}-{sha256(self._machine)[:16]}.json"
