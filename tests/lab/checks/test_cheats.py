"""Small cheats, each with the check that must refuse it."""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from asi_arch.domain.outcome import CheckReport, Severity
from asi_arch.lab.checks import CheckSetting, run_checks

pytestmark = pytest.mark.torch

_LEAK = "y = y + v.mean(1, keepdim=True)"


class Cheat(NamedTuple):
    check: str
    body: str
    init: str = ""


_CHEATS = {
    "off_by_one_mask": Cheat(
        "future",
        """
c = 16
pad = -time % c
q = F.pad(v, (0, 0, 0, pad)).view(batch, -1, c, width)
mask = torch.ones(c, c, dtype=torch.bool).tril(1)
scores = (q @ q.mT / 8).masked_fill(~mask, -math.inf).softmax(-1)
y = (scores @ q).reshape(batch, -1, width)[:, :time]""",
    ),
    "mask_after_softmax": Cheat(
        "future",
        """
c = 16
pad = -time % c
q = F.pad(v, (0, 0, 0, pad)).view(batch, -1, c, width)
y = ((q @ q.mT).softmax(-1).tril() @ q).reshape(batch, -1, width)[:, :time]""",
    ),
    "mean_over_time": Cheat("future", _LEAK),
    "maximum_over_time": Cheat("future", "y = y + v.amax(1, keepdim=True)"),
    "softmax_over_time": Cheat("future", "y = y * v.softmax(1)"),
    "sorted_time": Cheat("future", "y = y + v.sort(1).values"),
    "chunk_mean": Cheat(
        "future",
        """
chunks = F.pad(v, (0, 0, 0, -time % 8)).view(batch, -1, 8, width)
y = y + chunks.mean(2, keepdim=True).expand_as(chunks).reshape(batch, -1, width)[:, :time]""",
    ),
    "reverse_scan": Cheat("future", "y = y + v.flip(1).cumsum(1).flip(1) / 256"),
    "circular_convolution": Cheat(
        "future",
        """
kernel = F.pad(torch.ones(4, dtype=v.dtype), (0, max(0, time - 4)))[:time]
y = torch.fft.irfft(torch.fft.rfft(v, dim=1) * torch.fft.rfft(kernel)[:, None], n=time, dim=1)""",
    ),
    "next_token_shift": Cheat("future", "y = y + v.roll(-1, 1)"),
    "far_ahead": Cheat("future", "if time > 100:\n    y = y + v.roll(-100, 1)"),
    "long_inputs_only": Cheat("future", f"if time >= 200:\n    {_LEAK}"),
    "longer_than_training_only": Cheat("future", f"if time >= 500:\n    {_LEAK}"),
    "training_mode_only": Cheat("future", f"if self.training:\n    {_LEAK}"),
    "batch_of_one_only": Cheat("batch", f"if batch == 1:\n    {_LEAK}"),
    "float32_only": Cheat("future", f"if x.dtype == torch.float32:\n    {_LEAK}"),
    "second_layer_only": Cheat("future", f"if self.layer_idx == 1:\n    {_LEAK}"),
    "behind_a_closed_gate": Cheat(
        "future", "y = y + self.gate * v.mean(1, keepdim=True)", "self.gate = nn.Parameter(torch.zeros(()))"
    ),
    "behind_an_almost_closed_gate": Cheat(
        "future",
        "y = y + self.gate.sigmoid() * v.mean(1, keepdim=True)",
        "self.gate = nn.Parameter(torch.full((hidden_size,), -40.0))",
    ),
    "through_a_threshold": Cheat("future", "y = y * (v.amax((1, 2), keepdim=True) > 3).to(v.dtype)"),
    "without_gradients_only": Cheat("modes", "if not torch.is_grad_enabled():\n    y = 2 * y"),
    "other_output_in_training": Cheat("modes", "if self.training:\n    y = 2 * y"),
    "statistics_over_the_batch": Cheat("batch", "y = (y - y.mean(0)) / (1 + y.var(0, unbiased=False))"),
    "mixing_across_the_batch": Cheat("batch", "y = y + v.roll(1, 0)"),
    "mixing_in_large_batches_only": Cheat("batch", "if batch >= 4:\n    y = y + v.roll(1, 0)"),
    "cached_previous_call": Cheat(
        "repeatable", "y = y + self.last\nself.last = v.detach().mean((0, 1))", "self.last = 0.0"
    ),
    "buffer_of_statistics": Cheat(
        "repeatable",
        "self.seen.mul_(0.9).add_(0.1 * v.detach().mean((0, 1)))\ny = y + self.seen",
        "self.register_buffer('seen', torch.zeros(hidden_size))",
    ),
    "learning_in_forward": Cheat("repeatable", "with torch.no_grad():\n    self.out.weight.mul_(0.999)"),
    "input_in_place": Cheat("repeatable", "x.data.mul_(2)"),
    "noise": Cheat("repeatable", "y = y + torch.randn_like(y)"),
    "divided_by_the_length": Cheat("length", "y = y / time"),
    "position_from_the_end": Cheat("length", "y = y * torch.arange(time, 0, -1, dtype=v.dtype)[:, None].rsqrt()"),
    "all_pairs": Cheat("growth", "y = (v @ v.mT / 64).tril() @ v"),
    "all_pairs_in_chunks": Cheat(
        "growth",
        """
parts = []
for start in range(0, time, 32):
    q, past = v[:, start:start + 32], v[:, :start + 32]
    mask = torch.ones(q.shape[1], past.shape[1], dtype=torch.bool).tril(start)
    parts.append((q @ past.mT / 8).masked_fill(~mask, -math.inf).softmax(-1) @ past)
y = torch.cat(parts, 1)""",
    ),
    "all_pairs_read_through_views": Cheat("growth", "y = y + v[:, :, None].expand(-1, -1, time, -1).amax(2)"),
    "lazily_created_parameter": Cheat(
        "parameters",
        """
if not hasattr(self, 'late'):
    self.late = nn.Parameter(torch.ones(width))
y = y * self.late.to(y.dtype)""",
    ),
    "parameters_in_a_list": Cheat(
        "parameters", "y = y * self.scales[0].to(y.dtype)", "self.scales = [nn.Parameter(torch.ones(hidden_size))]"
    ),
    "weights_as_constants": Cheat(
        "parameters", "y = y + v @ self.table.to(v.dtype)", "self.table = torch.randn(hidden_size, hidden_size)"
    ),
    "too_many_parameters": Cheat(
        "parameters",
        "y = y + self.big(v)",
        "self.big = nn.Sequential(nn.Linear(hidden_size, 2000), nn.Linear(2000, hidden_size))",
    ),
    "patched_torch": Cheat("tampering", "torch.nn.functional.cross_entropy = torch.nn.functional.mse_loss"),
    "changed_default": Cheat("tampering", "torch.set_default_dtype(torch.float64)"),
    "input_without_gradient": Cheat("gradient", "y = y.detach() * self.value.weight.sum()"),
    "infinite_output": Cheat("finite", "y = y / (v - v).abs().sum()"),
    "exploding_exponent": Cheat("finite", "y = y * (v.abs() * 20).cumsum(1).exp()"),
    "wrong_shape": Cheat("shape", "y = y[:, 1:]"),
    "wrong_length_of_one_chunk": Cheat("shape", "y = y.view(batch, time // 16, 16, width).flatten(1, 2)"),
    "auxiliary_loss_per_token": Cheat("shape", "return y, y"),
    "returns_three_things": Cheat("shape", "return self.out(y), None, None"),
    "sparse_output": Cheat("shape", "return y.to_sparse()"),
    "half_precision_output": Cheat("shape", "return self.out(y).bfloat16()"),
    "raises": Cheat("shape", "raise SystemExit('out of here')"),
}


def _errors(report: CheckReport) -> set[str]:
    return {finding.check for finding in report.findings if finding.severity is Severity.ERROR}


@pytest.mark.parametrize("name", _CHEATS)
def test_a_cheat_is_refused_by_the_check_that_is_meant_for_it(
    name: str, setting: CheckSetting, mixer_source: Callable[..., str]
) -> None:
    cheat = _CHEATS[name]
    report = run_checks(mixer_source(cheat.body, cheat.init), setting)
    assert cheat.check in _errors(report)
    assert cheat.check not in report.passed_checks


@pytest.mark.parametrize("name", ["divided_by_the_length", "all_pairs", "weights_as_constants", "mean_over_time"])
def test_no_other_check_complains_about_a_cheat(
    name: str, setting: CheckSetting, mixer_source: Callable[..., str]
) -> None:
    report = run_checks(mixer_source(_CHEATS[name].body, _CHEATS[name].init), setting)
    assert _errors(report) == {_CHEATS[name].check}
