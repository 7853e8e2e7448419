"""The report itself: what is skipped, what is counted, and what is left as it was."""

import random
import subprocess
import sys
from collections.abc import Callable

import pytest
import torch

from asi_arch.domain.outcome import CheckReport
from asi_arch.domain.record import sha256
from asi_arch.lab.checks import CheckSetting, run_checks
from asi_arch.lab.checks.registry import CHECKS, Check
from asi_arch.lab.checks.running import report_on
from asi_arch.mixers import baselines
from asi_arch.mixers.model import LanguageModel

pytestmark = pytest.mark.torch

Source = Callable[..., str]


@pytest.mark.parametrize(
    ("source", "check", "words", "line"),
    [
        ("def f(:\n", "load", "not valid Python", 1),
        ("import os\n", "static", "`os` may not be imported", 1),
        ("x = 1\n", "load", "no class `Mixer`", None),
        ("\n\nx = 1 / 0\n\nclass Mixer: ...", "load", "ZeroDivisionError", 3),
        ("raise SystemExit(3)\nclass Mixer: ...", "static", "define and name constants", 1),
        ("class Mixer:\n    pass\n", "load", "torch.nn.Module", 1),
    ],
)
def test_a_source_that_does_not_load_is_one_finding_and_nothing_else_runs(
    source: str, check: str, words: str, line: int | None, setting: CheckSetting
) -> None:
    report = run_checks(source, setting)
    (finding,) = report.findings
    assert (finding.check, finding.position) == (check, line)
    assert words in finding.message
    assert not report.is_passed and report.footprint is None


def test_an_error_in_the_constructor_is_found_for_the_layer_that_raises(
    setting: CheckSetting, mixer_source: Source
) -> None:
    report = run_checks(mixer_source(init="assert layer_idx == 0, 'first layer only'"), setting)
    (finding,) = report.findings
    assert finding.check == "construct" and "first layer only" in finding.message
    assert finding.sizes["layer"] == 1 and finding.position is not None


def test_a_lazy_module_is_refused_with_the_name_of_its_parameter(setting: CheckSetting, mixer_source: Source) -> None:
    report = run_checks(mixer_source("y = self.late(y)", "self.late = nn.LazyLinear(hidden_size)"), setting)
    assert [finding.check for finding in report.findings] == ["construct"]
    assert "late.weight" in report.findings[0].message


def test_checks_that_depend_on_a_failed_one_are_skipped(setting: CheckSetting, mixer_source: Source) -> None:
    report = run_checks(mixer_source("y = y + v.roll(1, 0)"), setting)
    assert [finding.check for finding in report.findings] == ["batch"]
    assert not {"batch", "future", "length"} & set(report.passed_checks)
    assert {"finite", "growth", "parameters"} <= set(report.passed_checks)


def test_all_checks_are_named_when_they_passed(setting: CheckSetting, mixer_source: Source) -> None:
    assert run_checks(mixer_source(), setting).passed_checks == (*(check.name for check in CHECKS), "tampering")


def test_a_check_needs_only_checks_before_it() -> None:
    names = [check.name for check in CHECKS]
    assert len(set(names)) == len(names)
    assert all(set(check.needs) <= set(names[:place]) for place, check in enumerate(CHECKS))


def test_a_report_is_the_same_every_time(setting: CheckSetting, mixer_source: Source) -> None:
    def without_time(report: CheckReport) -> CheckReport:
        return report.model_copy(update={"cpu_s": 0.0, "wall_s": 0.0, "speeds": ()})

    source = mixer_source("y = y + v.mean(1, keepdim=True)")
    assert without_time(run_checks(source, setting)) == without_time(run_checks(source, setting))


def test_random_states_settings_and_functions_of_torch_are_left_as_they_were(
    setting: CheckSetting, mixer_source: Source
) -> None:
    before = torch.random.get_rng_state(), random.getstate(), torch.nn.functional.relu
    body = "t, f = torch, F\nt.set_default_dtype(t.float64)\ntorch.set_grad_enabled(False)\nf.relu = None"
    report = run_checks(mixer_source(body), setting)
    assert [finding.check for finding in report.findings][-1] == "tampering"
    assert torch.equal(torch.random.get_rng_state(), before[0])
    assert (random.getstate(), torch.nn.functional.relu) == before[1:]
    assert torch.get_default_dtype() is torch.float32 and torch.is_grad_enabled()


def test_our_own_mistake_is_raised_and_not_blamed_on_the_candidate(
    setting: CheckSetting, mixer_source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_probe: object) -> list[object]:
        raise KeyError("ours")

    monkeypatch.setattr("asi_arch.lab.checks.running.CHECKS", (Check("broken", broken, ()),))  # pyright: ignore
    with pytest.raises(KeyError, match="ours"):
        run_checks(mixer_source(), setting)


def test_the_footprint_says_what_training_will_use(setting: CheckSetting) -> None:
    source = baselines.load("delta_net").source
    report = run_checks(source, setting)
    footprint = report.footprint
    assert footprint is not None and report.sha == sha256(source)
    assert abs(footprint.model_parameters / 97_000 - 1) < 0.02
    assert 0.9 < footprint.growth < 1.1 and footprint.memory_growth <= 1.01
    assert footprint.aten_calls < 1000 and footprint.flops > footprint.elements > 0


def test_the_model_that_is_trained_has_the_parameters_of_the_footprint(setting: CheckSetting) -> None:
    from asi_arch.lab.loading import load_mixer

    source = baselines.load("mamba2").source
    footprint = run_checks(source, setting).footprint
    assert footprint is not None
    model = LanguageModel(
        load_mixer(source), setting.model, vocabulary=setting.vocabulary, mlp_width=footprint.mlp_width, seed=0
    )
    assert sum(parameter.numel() for parameter in model.parameters()) == footprint.model_parameters


def test_the_reference_is_only_counted(setting: CheckSetting, mixer_source: Source) -> None:
    alone = setting.model_copy(update={"target_parameters": None})
    footprint = run_checks(mixer_source(), alone).footprint
    assert footprint is not None and footprint.mlp_width == setting.model.mlp_width


def test_parameters_that_do_nothing_are_warned_of(setting: CheckSetting, mixer_source: Source) -> None:
    report = run_checks(mixer_source(init="self.idle = nn.Parameter(torch.ones(3))"), setting)
    assert report.is_passed and "gradient" in report.passed_checks
    assert ["idle" in finding.message for finding in report.findings] == [True]


def test_the_cpu_time_is_read_from_the_given_clock(setting: CheckSetting) -> None:
    ticks = iter([10.0, 12.5])
    assert report_on("x = 1", setting, cpu_clock=lambda: next(ticks)).cpu_s == 2.5


def test_the_setting_can_be_named_without_torch() -> None:
    code = "import sys; from asi_arch.lab.checks import CheckSetting; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_checks_do_not_import_the_compiler(setting: CheckSetting) -> None:
    code = (
        "import sys\nfrom asi_arch.lab.checks import CheckSetting, run_checks\nfrom asi_arch.mixers import baselines\n"
        f"setting = CheckSetting.model_validate_json({setting.model_dump_json()!r})\n"
        "report = run_checks(baselines.load('delta_net').source, setting)\n"
        "sys.exit(not report.is_passed or 'torch._dynamo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_one_layer_is_timed_at_the_lengths_of_the_check_of_growth(setting: CheckSetting, mixer_source: Source) -> None:
    seconds = iter(range(10_000))
    report = report_on(mixer_source(), setting, cpu_clock=lambda: next(seconds) / 100)
    assert [(speed.length, speed.batch) for speed in report.speeds] == [(64, 8), (128, 4), (256, 2), (512, 1)]
    assert all(speed.tokens_per_s == pytest.approx(512 / 0.01) for speed in report.speeds)
    refused = run_checks(mixer_source("y = y + v.roll(1, 0)"), setting)
    assert refused.footprint is not None and refused.speeds == ()


def test_of_a_slow_layer_the_longer_lengths_are_not_timed(setting: CheckSetting, mixer_source: Source) -> None:
    seconds = iter(range(10_000))
    report = report_on(mixer_source(), setting, cpu_clock=lambda: float(next(seconds)))
    assert [speed.length for speed in report.speeds] == [64]
