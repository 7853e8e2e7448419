"""`asi-arch run --track` with a library of ours in the place of TensorBoard's; the real ones: tests/trackers."""

from pathlib import Path

import pytest

from .conftest import Run

pytestmark = pytest.mark.torch

LIBRARY = """
import os
class Writer:
    def __init__(self, folder):
        os.makedirs(folder, exist_ok=True)
        self.path = os.path.join(folder, "told")
    def add_scalar(self, tag, value, step, wall_time):
        with open(self.path, "a") as file:
            file.write(f"{tag} {step}\\n")
    def flush(self): pass
    def close(self): pass
"""


@pytest.fixture
def library(environment: dict[str, str], tmp_path: Path) -> None:
    package = tmp_path / "lib" / "tensorboard"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "summary.py").write_text(LIBRARY)
    environment["PYTHONPATH"] = str(tmp_path / "lib")


@pytest.mark.slow
@pytest.mark.usefixtures("library")
def test_a_campaign_is_told_from_its_first_experiment_on(asi_arch: Run, tmp_path: Path) -> None:
    done = asi_arch("run", "-n", "1", "--profile", "smoke", "--state", "state", "--track", "tensorboard:runs")
    assert done.returncode == 0, done.stderr
    assert f"tensorboard:{tmp_path / 'runs'} is told of every recorded experiment" in done.stdout
    (search,) = tmp_path.glob("runs/smoke-seed0-*/search/told")
    assert "measured/is_measured 0" in search.read_text().splitlines()
    (curve,) = tmp_path.glob("runs/smoke-seed0-*/0000-DeltaNet-measured/told")
    assert "loss/language/seed0 1" in curve.read_text().splitlines()


@pytest.mark.usefixtures("library")
def test_a_folder_that_can_not_be_written_ends_the_command_before_anything_is_made(
    asi_arch: Run, tmp_path: Path
) -> None:
    (tmp_path / "runs").touch()
    done = asi_arch("run", "--state", "state", "--track", "tensorboard:runs")
    assert done.returncode == 2
    assert f"the folder {tmp_path / 'runs'} can't be written (File exists); choose another" in done.stderr
    assert not (tmp_path / "state").exists()
