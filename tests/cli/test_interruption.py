"""Whatever stops the controller, nothing finished is lost or done twice, and the same command ends the same story."""

import ctypes
import os
import re
import resource
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from asi_arch.folders import opened_store
from asi_arch.lab import processes
from asi_arch.settings import PROFILES

from .conftest import Run
from .controller import Controller, Story, assert_gone, assert_nothing_was_done_twice, finished_runs, search, story

pytestmark = pytest.mark.torch

FINISHING = "Finishing what is running"
STOPPED = "Stopped. What was finished is stored"
PR_CAPBSET_DROP = 24


@pytest.fixture(scope="module")
def whole(undisturbed: Path) -> Story:
    """What a campaign tells that nothing has disturbed."""
    found = story(undisturbed)
    assert len(found.experiments) == len(found.proposals) == 6
    return found


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def resume(state: Path, *options: str, profile: str | Path = "smoke") -> None:
    """The same command again, to its end."""
    with search(state, *options, profile=profile) as run:
        assert run.wait() == 0, run.text


def assert_ends_like(state: Path, whole: Story, *, profile: str | Path = "smoke") -> None:
    """Resumed, the campaign ends like the undisturbed one, with every training that was finished taken as it was."""
    before = finished_runs(state) if (state / "campaign.sqlite3").exists() else {}
    resume(state, profile=profile)
    assert story(state) == whole
    assert before.items() <= finished_runs(state).items()
    assert_nothing_was_done_twice(state)


def kill_at(state: Path, word: str, *, workers: int = 2, profile: str | Path = "smoke") -> None:
    """SIGKILL as soon as a line with this word is printed."""
    with search(state, "--workers", str(workers), profile=profile) as run:
        run.wait_for(word)
        run.kill()


@pytest.mark.slow
def test_a_killed_controller_resumes_to_the_same_story(state: Path, whole: Story) -> None:
    kill_at(state, "#2 language")
    assert_ends_like(state, whole)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_controller_killed_again_and_again_resumes_to_the_same_story(state: Path, whole: Story) -> None:
    for word in (" opening", " checking", " language", " recall", " judging", " measured: ", " recall", " language"):
        kill_at(state, word)
    assert_ends_like(state, whole)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("finished", [1, 2, 3, 7])
def test_a_controller_killed_between_two_trainings_repeats_none_of_them(
    state: Path, whole: Story, finished: int
) -> None:
    with search(state, "--workers", "1") as run:
        run.wait_for("0 done")
        while len(finished_runs(state)) < finished:
            assert run.process.poll() is None, run.text
        run.kill()
    assert len(finished_runs(state)) >= finished
    assert_ends_like(state, whole)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_several_experiments_killed_at_once_are_all_resumed(state: Path, whole: Story) -> None:
    for word in (" from 0: ", " language", " measured: ", " recall"):
        kill_at(state, word, workers=4)
    assert_ends_like(state, whole)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_early_stops_are_the_same_in_a_killed_campaign(tmp_path: Path) -> None:
    profile = tmp_path / "strict.toml"
    rungs = "[watch]\nrungs = [{ fraction = 0.34, margin = -0.2 }]"
    profile.write_text((PROFILES / "smoke.toml").read_text().replace("[watch]", rungs))
    resume(tmp_path / "whole", profile=profile)
    whole = story(tmp_path / "whole")
    assert "stopped_early" in {experiment["outcome"]["kind"] for experiment in whole.experiments}
    assert any(run["would_stop"] for experiment in whole.experiments for run in experiment["runs"])
    for word in ("#1 language", " stopped early: ", " language"):
        kill_at(tmp_path / "killed", word, profile=profile)
    assert_ends_like(tmp_path / "killed", whole, profile=profile)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_kill_between_a_baseline_and_the_fitness_that_waited_for_it_is_mended(state: Path, whole: Story) -> None:
    with search(state, experiments=3) as run:
        assert run.wait() == 0
    with opened_store(state, read_only=False) as store:
        store.set_fitness({0: None, 1: None})
    assert_ends_like(state, whole)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_one_and_four_workers_tell_the_same_story(state: Path, whole: Story) -> None:
    with search(state, "--workers", "4") as run:
        assert run.wait() == 0
    assert story(state) == whole
    assert_nothing_was_done_twice(state)


def interrupt_once(state: Path, *parts: str, by: signal.Signals = signal.SIGINT) -> None:
    """The running experiment is finished, no other one begun."""
    with search(state) as run:
        run.wait_for(*parts)
        run.send(by)
        run.wait_for(FINISHING)
        family = run.family()
        assert run.wait() == 0, run.text
        assert_gone(family)
        cut = next(place for place, line in enumerate(run.lines) if FINISHING in line)
        assert mentioned(run.lines[cut:]) <= mentioned(run.lines[:cut])
        assert any(f"stored in {state}" in line for line in run.lines[cut:])
    found = story(state)
    assert set(found.proposals) == {experiment["index"] for experiment in found.experiments}


def mentioned(lines: list[str]) -> set[str]:
    """Numbers of the experiments that these lines are about."""
    return {found[1] for line in lines if (found := re.match(r"\[[\d:]+\] #(\d+) ", line))}


def interrupt_twice(state: Path, *parts: str, by: signal.Signals = signal.SIGINT) -> None:
    """It stops at once, in the middle of an experiment: the lab's children are held, so that it can't end meanwhile."""
    with search(state) as run:
        run.wait_for(*parts)
        signal_children(run, signal.SIGSTOP)
        run.send(by)
        run.wait_for(FINISHING)
        family = run.family()
        run.send(by)
        assert run.wait() == 130, run.text
        assert_gone(family)
        assert STOPPED in run.lines[-1]
        assert "Traceback" not in run.text
    found = story(state)
    assert len(found.proposals) == len(found.experiments) + 1


def signal_children(run: Controller, number: signal.Signals) -> None:
    """To every process below the warm parent."""
    (parent,) = [pid for pid, up in processes.parents().items() if up == run.process.pid]
    for pid in processes.descendants(parent):
        with suppress(ProcessLookupError):
            os.kill(pid, number)


@pytest.mark.slow
def test_ctrl_c_finishes_what_is_running(state: Path) -> None:
    interrupt_once(state, "#1 language")
    assert 2 <= len(story(state).experiments) < 6


def test_ctrl_c_twice_stops_at_once(state: Path) -> None:
    interrupt_twice(state, "#0 checking")


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_in_any_stage_loses_nothing(state: Path, whole: Story, by: signal.Signals) -> None:
    for stage in ("checking", "language", "recall"):
        interrupt_twice(state, "#", f" {stage}", by=by)
        interrupt_once(state, "#", f" {stage}", by=by)
    assert_ends_like(state, whole)


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_before_the_search_ends_it_at_once(state: Path, by: signal.Signals) -> None:
    with search(state) as run:
        run.wait_for("opening")
        while not (family := run.family()).pids:
            assert run.process.poll() is None, run.text
        run.send(by)
        assert run.wait() == 130
        assert run.text.splitlines()[1:] == [f"{STOPPED}; the same command resumes."]
        assert_gone(family)


def test_an_interruption_while_the_data_are_read_ends_it_at_once(state: Path) -> None:
    with search(state) as run:
        run.wait_for("opening")
        run.send(signal.SIGINT)
        assert run.wait() == 130
        assert run.text.splitlines()[1:] == [f"{STOPPED}; the same command resumes."]


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_verification_that_was_interrupted_takes_its_trainings_again(undisturbed: Path, state: Path) -> None:
    shutil.copytree(undisturbed, state)
    searched = len(finished_runs(state))
    command = ("verify", "best", "--seeds", "2", "--against", "delta_net", "--workers", "1", "--state", state)
    with Controller(*command) as run:
        while len(finished_runs(state)) < searched + 2:
            assert run.process.poll() is None, run.text
        family = run.family()
        run.send(signal.SIGINT)
        assert run.wait() == 130
        assert run.lines[-1] == "asi-arch: stopped; finished work is stored"
        assert "Traceback" not in run.text
        assert_gone(family)
    before = finished_runs(state)
    with Controller(*command) as run:
        assert run.wait() == 0, run.text
    assert before.items() <= finished_runs(state).items()
    assert len(finished_runs(state)) == searched + 8
    assert_nothing_was_done_twice(state)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_ctrl_c_in_a_check_is_no_rejection(tmp_path: Path) -> None:
    endless = tmp_path / "endless.py"
    endless.write_text("class Mixer:\n    while True:\n        pass\n")
    with Controller("check", endless, "--profile", "smoke") as run:
        while len((family := run.family()).pids) < 2:
            assert run.process.poll() is None, run.text
        run.send(signal.SIGINT)
        assert run.wait() == 130
        assert run.lines[-1] == "asi-arch: stopped; finished work is stored"
        assert "Traceback" not in run.text
        assert_gone(family)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_baseline_whose_process_was_killed_is_tried_again(state: Path, whole: Story) -> None:
    with search(state) as run:
        run.wait_for("#0 language")
        signal_children(run, signal.SIGKILL)
        assert run.wait() == 2, run.text
        assert "the baseline DeltaNet could not be measured" in run.text
        assert "Traceback" not in run.text
    assert_ends_like(state, whole)


def limit_file_size() -> None:
    """What the shell's `ulimit -S -f` does: no file may grow over 300 KiB."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (300 << 10, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


def acknowledged(run: Controller) -> set[int]:
    """Numbers of the experiments that it has reported as recorded."""
    recorded = [line.split("#")[1] for line in run.lines if ": language " in line and ", fitness " in line]
    return {int(words.split()[0]) for words in recorded}


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_limit_on_the_size_of_files_ends_the_run_with_advice(state: Path, whole: Story) -> None:
    with search(state, before=limit_file_size) as run:
        assert run.wait() == 2
        assert str(state) in run.lines[-1]
        assert "give the same command again" in run.lines[-1]
        assert "Traceback" not in run.text
        assert acknowledged(run)
        assert acknowledged(run) <= {experiment["index"] for experiment in story(state).experiments}
    assert_ends_like(state, whole)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 800 KiB; where none can be mounted the test is skipped, under CI it fails."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=800k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        give_up("NOT TESTED: a full disk, because that needs root's right to mount a tmpfs")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_full_disk_ends_the_run_with_advice(small_disk: Path, whole: Story, asi_arch: Run) -> None:
    state = small_disk / "state"
    with search(state) as run:
        assert run.wait() == 2
        assert f"no space left for state folder {state}" in run.lines[-1]
        assert "Free some space" in run.lines[-1]
        assert "Traceback" not in run.text
        assert acknowledged(run)
        assert acknowledged(run) <= {experiment["index"] for experiment in story(state).experiments}
    assert asi_arch("status", "--state", state).returncode == 0
    subprocess.run(["mount", "-o", "remount,size=64m", small_disk], check=True)
    assert_ends_like(state, whole)


def become_ordinary() -> None:
    """Give up root's right to write what is not to be written; who is not root has none to lose."""
    libc = ctypes.CDLL(None)
    for capability in range(64):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


def set_writable(folder: Path, *, is_writable: bool) -> None:
    """All of a folder."""
    for path in [folder, *folder.rglob("*")]:
        mode = path.stat().st_mode
        path.chmod(mode | 0o200 if is_writable else mode & ~0o222)


def test_a_folder_made_read_only_is_refused_but_can_be_read(undisturbed: Path, state: Path, asi_arch: Run) -> None:
    shutil.copytree(undisturbed, state)
    set_writable(state, is_writable=False)
    try:
        with search(state, experiments=7, before=become_ordinary) as run:
            assert run.wait() == 2
            assert f"state folder {state} can't be used" in run.lines[-1]
            assert "choose one that can be written" in run.lines[-1]
        for command in ("status", "tree"):
            done = asi_arch(command, "--state", state, before=become_ordinary)
            assert done.returncode == 0, done.stderr
            assert "DeltaNet" in done.stdout
    finally:
        set_writable(state, is_writable=True)
