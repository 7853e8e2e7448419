import json
import subprocess
import sys
from pathlib import Path

import pytest

from asi_arch.domain.errors import StoreLocked
from asi_arch.store import lock as locks
from asi_arch.store.lock import FolderLock, holder

HOLD = """
import sys
from pathlib import Path
from asi_arch.store.lock import FolderLock
lock = FolderLock(Path(sys.argv[1]), owner="process 12 on a host", at=3.0)
sys.stdout.write("held\\n")
sys.stdout.flush()
sys.stdin.read()
"""


def test_the_lock_file_says_who_holds_it(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path, owner="process 12", at=3.0)
    assert json.loads((tmp_path / "lock").read_text()) == {"owner": "process 12", "since": 3.0}
    lock.release()
    lock.release()
    FolderLock(tmp_path, owner="b", at=4.0).release()
    assert json.loads((tmp_path / "lock").read_text()) == {"owner": "b", "since": 4.0}


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdin=pipe, stdout=pipe, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StoreLocked, match="process 12 on a host"):
            FolderLock(tmp_path, owner="another", at=4.0)
        holder.kill()
        holder.wait()
        FolderLock(tmp_path, owner="another", at=5.0).release()


def test_a_program_started_by_the_holder_does_not_hold_the_lock(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path, owner="a", at=3.0)
    pipe, program = subprocess.PIPE, "print('started', flush=True); input()"
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, close_fds=False) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"started\n"
        lock.release()
        FolderLock(tmp_path, owner="b", at=4.0).release()
        child.communicate(b"\n")


def test_an_unsigned_lock_is_still_refused(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path, owner="a", at=3.0)
    (tmp_path / "lock").write_text("not JSON")
    with pytest.raises(StoreLocked, match="another process"):
        FolderLock(tmp_path, owner="b", at=4.0)
    lock.release()


@pytest.mark.parametrize("has_list", [True, False])
def test_who_writes_is_seen_without_the_lock(tmp_path: Path, has_list: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not has_list:
        monkeypatch.setattr(locks, "LOCKS", tmp_path / "none")
    assert holder(tmp_path) is None
    lock = FolderLock(tmp_path, owner="process 12", at=3.0)
    assert holder(tmp_path) == "process 12"
    lock.release()
    assert holder(tmp_path) is None
