import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from asi_arch.lab import leftovers, processes
from asi_arch.lab.leftovers import own_folder, remove_abandoned

LEAVES_ONE = """
import os, signal
from asi_arch.lab.leftovers import own_folder
folder = own_folder("lab")
os.makedirs(os.path.join(folder.name, "job-1", "deep"))
print(folder.name, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """In place of the machine's folder for temporary files."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def left_by_a_killed_process() -> Path:
    done = subprocess.run([sys.executable, "-c", LEAVES_ONE], capture_output=True, text=True, check=False)
    assert done.returncode == -9, done.stderr
    return Path(done.stdout.strip())


def test_what_a_killed_process_left_is_removed() -> None:
    left = left_by_a_killed_process()
    assert (left / "job-1" / "deep").is_dir()
    remove_abandoned()
    assert not left.exists()


def test_the_folders_of_the_living_stay() -> None:
    with own_folder("lab") as name, own_folder("container") as other:
        remove_abandoned()
        assert os.path.isdir(name) and os.path.isdir(other)
    assert not os.path.exists(name)


def test_a_number_that_is_used_again_does_not_protect_what_its_former_owner_left(place: Path) -> None:
    space = leftovers._space()
    own, start = os.getpid(), processes.started(os.getpid())
    assert start is not None
    (place / f"asi-arch-lab-{own}-{start - 1}-{space}-abc").mkdir()
    (place / f"asi-arch-lab-{own}-{start}-{space}-abc").mkdir()
    remove_abandoned()
    assert [path.name for path in place.iterdir()] == [f"asi-arch-lab-{own}-{start}-{space}-abc"]


@pytest.mark.parametrize(
    "name", ["asi-arch-lab-abcdefgh", "asi-arch-lab-1-2-3-abc", "asi-arch-lab-999999999-1-{space}", "other-999999999-1"]
)
def test_what_is_not_surely_ours_stays(place: Path, name: str) -> None:
    folder = place / name.format(space=leftovers._space())
    folder.mkdir()
    remove_abandoned()
    assert folder.is_dir()


def test_links_and_files_stay_and_so_does_what_a_link_leads_to(place: Path) -> None:
    target = place / "mine"
    target.mkdir()
    prefix = f"asi-arch-lab-999999999-1-{leftovers._space()}"
    (place / f"{prefix}-link").symlink_to(target)
    (place / f"{prefix}-file").write_text("mine")
    remove_abandoned()
    assert len(list(place.iterdir())) == 3


def test_another_users_folder_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    left = left_by_a_killed_process()
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    remove_abandoned()
    assert left.is_dir()


def test_a_folder_with_something_mounted_in_it_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    left = left_by_a_killed_process()
    monkeypatch.setattr(leftovers, "_mount_points", lambda: [f"{left.resolve()}/mounted/usr"])
    remove_abandoned()
    assert left.is_dir()


@pytest.mark.torch
async def test_the_next_warm_parent_removes_them(place: Path) -> None:
    from asi_arch.lab.parent import WarmParentHandle

    left = left_by_a_killed_process()
    handle = await WarmParentHandle.start("cpu")
    assert not left.exists()
    assert [path.name.startswith(f"asi-arch-lab-{os.getpid()}-") for path in place.iterdir()] == [True]
    await handle.close()
    assert list(place.iterdir()) == []
