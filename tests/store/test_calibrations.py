from pathlib import Path

import pytest

from asi_arch.domain.calibration import Calibration
from asi_arch.stats.promotion import proportion
from asi_arch.store.calibrations import CalibrationCache


def calibration(protocol: str = "p", machine: str = "this one") -> Calibration:
    return Calibration(
        protocol=protocol, baseline="DeltaNet", trials=3, seeds=8, noise=(), promoted=0, rate=proportion(0, 3),
        comparisons=(), at=7.0, machine=machine,
    )  # fmt: skip


@pytest.fixture
def warnings() -> list[str]:
    return []


@pytest.fixture
def cache(tmp_path: Path, warnings: list[str]) -> CalibrationCache:
    return CalibrationCache(tmp_path / "calibrations", "this one", warnings.append)


def test_what_is_kept_is_known_to_others_on_the_same_class_of_machines(
    cache: CalibrationCache, tmp_path: Path, warnings: list[str]
) -> None:
    assert cache.known("p") is None
    cache.keep(calibration())
    folder = tmp_path / "calibrations"
    assert CalibrationCache(folder, "this one", warnings.append).known("p") == calibration()
    assert CalibrationCache(folder, "another one", warnings.append).known("p") is None
    assert cache.known("another protocol") is None
    (path,) = folder.iterdir()
    assert path.name.startswith("p-") and path.suffix == ".json"
    assert warnings == []


def test_the_latest_takes_the_place_of_the_one_before(cache: CalibrationCache) -> None:
    cache.keep(calibration())
    later = calibration().model_copy(update={"trials": 5})
    cache.keep(later)
    assert cache.known("p") == later


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff\xfe", b'{"protocol": "p"}', b"[]"])
def test_a_damaged_file_is_ignored_with_a_warning(
    cache: CalibrationCache, tmp_path: Path, warnings: list[str], damage: bytes
) -> None:
    cache.keep(calibration())
    (path,) = (tmp_path / "calibrations").iterdir()
    path.write_bytes(damage)
    assert cache.known("p") is None
    assert warnings == [f"the calibration in {path} can't be read and is ignored; `asi-arch calibrate` writes it anew"]


def test_a_file_that_was_renamed_is_not_taken_for_another_protocols(
    cache: CalibrationCache, tmp_path: Path, warnings: list[str]
) -> None:
    cache.keep(calibration())
    (path,) = (tmp_path / "calibrations").iterdir()
    path.rename(path.with_name(path.name.replace("p-", "q-")))
    assert cache.known("q") is None
    assert "another protocol or machine" in warnings[0]


def test_a_folder_that_can_not_be_written_is_a_warning(tmp_path: Path, warnings: list[str]) -> None:
    (tmp_path / "file").write_text("in the way")
    CalibrationCache(tmp_path / "file", "this one", warnings.append).keep(calibration())
    assert "can't be kept for other campaigns" in warnings[0]
