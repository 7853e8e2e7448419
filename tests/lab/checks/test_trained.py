"""Checks on trained weights, and those that look at more than one call or layer."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from asi_arch.domain.outcome import CheckReport, Severity
from asi_arch.lab.checks import CheckSetting, check_trained, run_checks
from asi_arch.lab.checks.registry import CHECKS, TRAINED_CHECKS
from asi_arch.lab.checks.running import needed_for, report_on
from asi_arch.lab.loading import load_mixer
from asi_arch.mixers import baselines
from asi_arch.mixers.model import LanguageModel

pytestmark = pytest.mark.torch

Source = Callable[..., str]
Weights = dict[str, NDArray[np.float32]]

_GATED = ("y = y + (self.gate.mean() > 0.5) * v.mean(1, keepdim=True)", "self.gate = nn.Parameter(torch.zeros(64))")


def _weights(source: str, setting: CheckSetting, vocabulary: int = 64) -> Weights:
    with torch.random.fork_rng(devices=[]):
        model = LanguageModel(load_mixer(source), setting.model, vocabulary=vocabulary, mlp_width=16, seed=3)
    return {name: value.numpy() for name, value in model.state_dict().items()}


def _errors(report: CheckReport) -> list[str]:
    return [finding.check for finding in report.findings if finding.severity is Severity.ERROR]


@pytest.mark.parametrize("name", ["delta_net", "retnet"])
def test_trained_weights_of_an_honest_model_pass_whatever_their_vocabulary(name: str, setting: CheckSetting) -> None:
    source = baselines.load(name).source
    report = check_trained(source, setting, _weights(source, setting))
    assert report.findings == () and report.footprint is None
    assert report.passed_checks == (*(check.name for check in TRAINED_CHECKS), "tampering")


def test_a_gate_that_training_opened_is_found_again(setting: CheckSetting, mixer_source: Source) -> None:
    source = mixer_source(*_GATED)
    weights = _weights(source, setting)
    assert _errors(report_on(source, setting, until="future")) == []
    assert _errors(check_trained(source, setting, weights)) == []
    opened = {name: value + ("gate" in name) for name, value in weights.items()}
    assert "future" in _errors(check_trained(source, setting, opened))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda weights: weights.pop("blocks.0.mixer.out.weight"), "don't fit"),
        (lambda weights: weights.update({"blocks.1.mixer.more": np.ones(1, np.float32)}), "don't fit"),
        (lambda weights: weights.update({"norm.weight": np.ones(1, np.float32)}), "don't fit"),
        (lambda weights: weights.pop("embedding.weight"), "embedding.weight"),
    ],
)
def test_weights_that_belong_to_another_model_are_one_finding(
    spoil: Callable[[Weights], object], words: str, setting: CheckSetting, mixer_source: Source
) -> None:
    source = mixer_source()
    weights = _weights(source, setting)
    spoil(weights)
    (finding,) = check_trained(source, setting, weights).findings
    assert finding.check == "weights" and words in finding.message


def test_the_call_that_differs_and_the_counter_are_named(setting: CheckSetting, mixer_source: Source) -> None:
    counted = mixer_source("self.calls += 1\ny = y * (1 + (self.calls > 5000))", "self.calls = 0")
    message = run_checks(counted, setting).findings[-1].message
    assert "attribute calls, which counts calls, stood at 1000000" in message
    listed = mixer_source("self.calls.append(1)\ny = y * (1 + (len(self.calls) > 30))", "self.calls = []")
    assert "of the same input" in run_checks(listed, setting).findings[-1].message


def test_a_counter_without_effect_is_only_mentioned(setting: CheckSetting, mixer_source: Source) -> None:
    report = run_checks(mixer_source("self.calls += 1", "self.calls = 0"), setting)
    assert report.is_passed
    assert ["calls" in finding.message for finding in report.findings] == [True]


_STEP = """
    def step(self, x_t, state):
        v = self.value(x_t)
        past = torch.zeros_like(v) if state is None else state[-1]
        return {result}
"""


@pytest.mark.parametrize(
    ("result", "severities"),
    [
        ("self.out(v + past), (v,)", []),
        ("self.out(v), (v,)", [Severity.ERROR]),
        ("(self.out(v + past), (v,), None)", [Severity.ERROR]),
        ("None, (v,)", [Severity.ERROR]),
        ("self.out(v + past), (*(state or ()), v)", [Severity.WARNING]),
    ],
)
def test_stepping_must_give_what_forward_gives(
    result: str, severities: list[Severity], setting: CheckSetting, mixer_source: Source
) -> None:
    report = report_on(mixer_source() + _STEP.format(result=result), setting, until="step")
    assert [finding.severity for finding in report.findings] == severities
    assert {finding.check for finding in report.findings} <= {"step"}


def test_a_look_ahead_at_one_place_is_reported_there(setting: CheckSetting, mixer_source: Source) -> None:
    body = "y = torch.cat([y[:, :20], y[:, 20:21] + v[:, 21:22], y[:, 21:]], 1) if time > 21 else y"
    (finding,) = report_on(mixer_source(body), setting, until="future").findings
    assert (finding.position, finding.sizes["changed_from"]) == (20, 21)


def test_only_what_a_check_needs_is_run_before_it() -> None:
    assert [check.name for check in needed_for("growth", CHECKS)] == [
        "static", "load", "construct", "shape", "finite", "growth",
    ]  # fmt: skip
    assert needed_for("", CHECKS) == CHECKS
