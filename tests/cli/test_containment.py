"""Who runs strangers' code is told what keeps it in, or has to say that nothing need."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from asi_arch import doctor
from asi_arch.app import chosen_tier, require_containment
from asi_arch.domain.errors import UserError
from asi_arch.lab.launching import Launched
from asi_arch.lab.sandbox import bubblewrap, container, landlock
from asi_arch.lab.sandbox.name_spaces import way_to_name_spaces
from asi_arch.lab.sandbox.tier import Tier, best_offer, complaint_about
from asi_arch.mixers import baselines
from asi_arch.settings import Settings

from .conftest import Run

pytestmark = pytest.mark.torch

NOTHING = Settings(containment="process")


def test_code_of_unknown_origin_needs_a_tier_that_contains() -> None:
    with pytest.raises(UserError, match=r"nothing here can contain code.*files and your.*--without-containment"):
        require_containment(NOTHING)


def test_a_missing_bubblewrap_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bubblewrap, "_executable", lambda: None)
    bubblewrap.complaint.cache_clear()
    best_offer.cache_clear()
    try:
        assert "apt install bubblewrap" in complaint_about(Tier.BUBBLEWRAP)
        assert best_offer().tier is Tier.LANDLOCK
        assert "apt install bubblewrap" in best_offer().missing[0]
        with pytest.raises(UserError, match=r"containment 'bubblewrap' can't be had here: .*apt install"):
            chosen_tier(Settings(containment="bubblewrap"))
    finally:
        monkeypatch.undo()
        bubblewrap.complaint.cache_clear()
        best_offer.cache_clear()


def test_a_bubblewrap_that_the_kernel_forbids_is_not_relied_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(bubblewrap, "_executable", lambda: str(broken))
    bubblewrap.complaint.cache_clear()
    try:
        assert "does not work here: bwrap: No permissions to create new namespace (the kernel" in bubblewrap.complaint()
    finally:
        monkeypatch.undo()
        bubblewrap.complaint.cache_clear()


@pytest.fixture
def no_landlock(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """A machine whose kernel has no Landlock."""
    _forget()
    monkeypatch.setattr(landlock, "version", lambda: 0)
    yield monkeypatch
    monkeypatch.undo()
    _forget()


def _forget() -> None:
    for known in (best_offer, container.complaint, container._runtime):
        known.cache_clear()


def test_without_landlock_a_container_is_the_next_best(no_landlock: pytest.MonkeyPatch) -> None:
    no_landlock.setattr(container, "complaint", lambda: "")
    assert best_offer().tier is Tier.CONTAINER
    assert len(best_offer().missing) == 1
    assert "no Landlock" in best_offer().missing[0]
    require_containment(Settings())


def test_without_landlock_and_podman_nothing_is_contained_and_both_are_named(no_landlock: pytest.MonkeyPatch) -> None:
    no_landlock.setattr(container, "_executable", lambda: None)
    assert best_offer().tier is Tier.NONE
    with pytest.raises(UserError, match=r"no Landlock.*; podman is not installed .*apt install podman"):
        require_containment(Settings())


def test_a_podman_that_does_not_work_is_not_relied_on(no_landlock: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "podman"
    broken.write_text("#!/bin/sh\necho 'Error: no subuid ranges found' >&2\nexit 125\n")
    broken.chmod(0o755)
    no_landlock.setattr(container, "_executable", lambda: str(broken))
    no_landlock.setattr(container.shutil, "which", lambda name: f"/usr/bin/{name}")
    assert container.complaint() == "podman does not work here: Error: no subuid ranges found"


def test_a_podman_of_which_half_is_missing_names_the_other_half(
    no_landlock: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "podman"
    broken.write_text("#!/bin/sh\necho 'Error: exec: newuidmap: executable file not found' >&2\nexit 125\n")
    broken.chmod(0o755)
    no_landlock.setattr(container, "_executable", lambda: str(broken))
    no_landlock.setattr(container.shutil, "which", lambda name: None if name == "newuidmap" else f"/usr/bin/{name}")
    no_landlock.setattr(container.os, "geteuid", lambda: 1000)
    assert container.complaint().endswith("(half of it is missing; Debian, Ubuntu: apt install uidmap)")
    container.complaint.cache_clear()
    no_landlock.setattr(container.shutil, "which", lambda _: None)
    assert container.complaint().endswith("apt install crun uidmap)")


def test_where_crun_refuses_mixed_cgroups_runc_is_named(no_landlock: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "podman"
    broken.write_text("#!/bin/sh\necho 'Error: crun: cgroups in hybrid mode not supported' >&2\nexit 126\n")
    broken.chmod(0o755)
    no_landlock.setattr(container, "_executable", lambda: str(broken))
    no_landlock.setattr(container.shutil, "which", lambda name: None if name == "runc" else f"/usr/bin/{name}")
    assert container.complaint().endswith("(runc does not mind; Debian, Ubuntu: apt install runc)")


@pytest.mark.parametrize(
    ("switch", "value", "words"),
    [
        (
            "kernel/apparmor_restrict_unprivileged_userns",
            "1",
            "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
        ),
        ("kernel/unprivileged_userns_clone", "0", "sysctl -w kernel.unprivileged_userns_clone=1"),
        ("user/max_user_namespaces", "0", "sysctl -w user.max_user_namespaces=10000"),
        ("user/max_user_namespaces", "777", "or a container that this machine is, forbids it"),
        ("nothing", "0", "or a container that this machine is, forbids it"),
    ],
)
def test_where_the_kernel_forbids_name_spaces_the_switch_is_named(
    tmp_path: Path, switch: str, value: str, words: str
) -> None:
    (tmp_path / switch).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / switch).write_text(f"{value}\n")
    assert words in way_to_name_spaces("bwrap: No permissions to create new namespace", tmp_path)
    assert way_to_name_spaces("bwrap: unknown option", tmp_path) == ""


def test_another_runtime_is_used_where_the_one_that_is_set_up_fails(
    no_landlock: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    choosy = tmp_path / "podman"
    choosy.write_text('#!/bin/sh\n[ "$1" = --runtime=runc ]\n')
    choosy.chmod(0o755)
    no_landlock.setattr(container, "_executable", lambda: str(choosy))
    assert container.complaint() == ""
    shell = container.Shell()
    words = container.command(["true"], {"A": "B"}, shell, connection=9)
    shell.remove()
    assert "--runtime=runc" in words
    assert words[-4:] == ["/usr/bin/env", "-i", "A=B", "true"]
    assert not shell.root.exists()


def test_a_container_has_no_gpu() -> None:
    with pytest.raises(UserError, match="runs on the CPU only"):
        Launched("cuda", Tier.CONTAINER, 1000)


@pytest.mark.slow
def test_foreign_files_are_refused_uncontained_and_run_when_that_is_accepted(
    asi_arch: Run, environment: dict[str, str], tmp_path: Path
) -> None:
    environment["ASI_ARCH_CONTAINMENT"] = "process"
    (tmp_path / "mine.py").write_text(baselines.load("gla").source)
    for command in ("check", "train"):
        refused = asi_arch(command, "mine.py", "--profile", "smoke")
        assert refused.returncode == 2
        assert "--without-containment" in refused.stderr
    accepted = asi_arch("check", "mine.py", "--profile", "smoke", "--without-containment", "--json")
    assert json.loads(accepted.stdout)[0]["verdict"] == "passed"


@pytest.mark.slow
def test_a_campaign_without_containment_says_so_and_stores_it(asi_arch: Run, environment: dict[str, str]) -> None:
    environment["ASI_ARCH_CONTAINMENT"] = "process"
    done = asi_arch("run", "--profile", "smoke", "-n", "1", "--plain")
    assert done.returncode == 0, done.stderr
    assert "containment process" in done.stdout
    shown = json.loads(asi_arch("show", "0", "--json").stdout)
    assert shown["containment"] == "process"


def test_the_doctor_calls_an_uncontained_machine_ill() -> None:
    findings = list(doctor._containment(NOTHING))
    assert [(f.what, f.state) for f in findings] == [
        ("tier", doctor.State.BAD),
        ("memory and process limits", doctor.State.GOOD),
    ]
    assert findings[1].detail.startswith(("cgroup v2 (", "watched by the parent ("))


def test_the_doctor_looks_at_torch_and_the_disk(tmp_path: Path) -> None:
    found = {f.what: f for f in [*doctor._torch(Settings()), doctor._disk(tmp_path / "not" / "there")]}
    assert found["import"].state is doctor.State.GOOD
    assert "GiB free" in found["disk"].detail


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_doctor_finds_a_sound_machine_sound(asi_arch: Run) -> None:
    done = asi_arch("doctor", "--json", timeout=380)
    findings = json.loads(done.stdout)
    assert [finding for finding in findings if finding["state"] == "bad"] == []
    assert done.returncode == 0
    assert "the end is the same" in next(f["detail"] for f in findings if f["what"] == "kill -9 and resume")
