"""Calibrations kept in memory."""

from asi_arch.domain.calibration import Calibration


class FakeCalibrations:
    """`domain.ports.Calibrations` of a machine that is the same for all."""

    machine = "a machine for tests"

    def __init__(self) -> None:
        self._kept: dict[str, Calibration] = {}

    def known(self, protocol: str) -> Calibration | None:
        """The latest under this protocol."""
        return self._kept.get(protocol)

    def keep(self, calibration: Calibration) -> None:
        """Remember it in place of an earlier one."""
        self._kept[calibration.protocol] = calibration
