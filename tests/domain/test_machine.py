from pathlib import Path

import pytest

from asi_arch import machine
from asi_arch.machine import machine_class


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose processor and GPU are told by files."""
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: A  Processor 9000\nmodel name\t: another\n")
    (tmp_path / "gpus" / "0000:01").mkdir(parents=True)
    (tmp_path / "gpus" / "0000:01" / "information").write_text("Model: \t\t A GPU\nIRQ: 7\n")
    monkeypatch.setattr(machine, "_CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(machine, "_GPUS", tmp_path / "gpus")
    monkeypatch.setattr(machine, "version", lambda _: "2.9.0")
    return tmp_path


def test_a_class_is_processor_torch_and_gpu(told: Path) -> None:
    assert machine_class("cpu") == "A Processor 9000, torch 2.9.0"
    assert machine_class("cuda") == "A Processor 9000, torch 2.9.0, A GPU"


def test_a_gpu_that_no_file_names_is_asked_for_and_may_stay_unknown(
    told: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "_GPUS", told / "nothing")
    monkeypatch.setattr(machine, "_NAME_GPUS", ("echo", "B GPU"))
    assert machine_class("cuda").endswith(", B GPU")
    monkeypatch.setattr(machine, "_NAME_GPUS", (str(told / "no-such-tool"),))
    assert machine_class("cuda").endswith(", unknown GPU")


def test_this_machine_has_a_class() -> None:
    assert "torch " in machine_class("cpu")
