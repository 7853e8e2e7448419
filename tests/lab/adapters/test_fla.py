"""Layers of flash-linear-attention as mixers."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from asi_arch.domain.candidate import Adapter, candidate_sha
from asi_arch.domain.outcome import Severity
from asi_arch.lab.checks import CheckSetting, run_checks

from .conftest import PROGRAMS, layer

pytestmark = pytest.mark.torch

EXPECTED_REMARKS = {
    "chunk_loop": ("torch.compile is left out",),
    "fir_branches": ("torch.compile is left out",),
    "gate_floor": ("'self.step' moves on once for each training step",),
    "half_precision": ("the hard-coded bfloat16 is read as the precision of the input",) * 4,
    "item_schedule": ("'self._calls' moves on once for each training step",),
}


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_an_honest_program_passes_every_check_and_what_was_changed_is_said(path: Path, setting: CheckSetting) -> None:
    source = path.read_text()
    report = run_checks(source, setting, Adapter.FLA)
    assert report.is_passed, report.findings
    remarks = EXPECTED_REMARKS.get(path.stem, ())
    said = [finding for finding in report.findings if finding.check == "adapter"]
    assert len(said) == len(remarks)
    for finding, text in zip(said, remarks, strict=True):
        assert finding.severity is Severity.WARNING
        assert text in finding.message
        assert finding.position is not None
        assert finding.message.startswith(f"Line {finding.position}:")
    assert report.sha == candidate_sha(source, Adapter.FLA)


@pytest.mark.parametrize(
    "leak",
    [
        "y = y + reduce(v, 'b t d -> b 1 d', 'mean')",
        "chunks = F.pad(v, (0, 0, 0, -v.shape[1] % 16)).unflatten(1, (-1, 16))\n"
        "y = y + chunks.mean(2, keepdim=True).expand_as(chunks).flatten(1, 2)[:, : v.shape[1]]",
        "y = y + F.pad(v, (0, 0, 0, 1))[:, 1:]",
        "y = (y + F.pad(v, (0, 0, 0, 1))[:, 1:].to(torch.bfloat16)).to(v)",
    ],
    ids=["mean over time", "chunk mean", "next token", "next token in half precision"],
)
def test_a_program_that_sees_the_future_is_rejected(leak: str, setting: CheckSetting) -> None:
    errors = [f.check for f in run_checks(layer(leak), setting, Adapter.FLA).findings if f.severity is Severity.ERROR]
    assert set(errors) & {"future", "length"}


def test_a_program_that_keeps_more_than_a_counter_is_rejected(setting: CheckSetting) -> None:
    source = layer("y = y + self.seen\nself.seen = 0.9 * self.seen + v.mean().item()", init="self.seen = 0.0")
    report = run_checks(source, setting, Adapter.FLA)
    assert any("keep nothing between calls" in f.message for f in report.findings)
    assert not report.is_passed


def test_a_program_that_is_too_large_is_rejected_with_the_numbers(setting: CheckSetting) -> None:
    source = layer(init="self.idle = nn.Parameter(torch.randn(300, 300))", body="y = y + self.idle.sum() * 0.0")
    (finding,) = [f for f in run_checks(source, setting, Adapter.FLA).findings if f.check == "parameters"]
    assert "can't be matched to 97000" in finding.message


def test_constants_outside_the_layer_are_still_found(setting: CheckSetting) -> None:
    source = layer("y = y + TABLE.sum()", top="import torch\n\nTABLE = torch.ones(1000)\n")
    report = run_checks(source, setting, Adapter.FLA)
    assert any("Module variable TABLE holds 1000 constants" in f.message for f in report.findings)


@pytest.mark.parametrize(
    ("source", "message", "line"),
    [
        ("x = 1\n", "there is no class `DeltaNet`", None),
        ("def broken(:\n", "not valid Python", 1),
        ("class DeltaNet:\n    pass\n", "must be a class derived from torch.nn.Module", 1),
        (layer() + layer(), "there are 2 classes `DeltaNet`", 27),
        (layer(extra=", window_rank=None, *, strange"), "requires `strange`, which is not known here", 9),
        (layer().replace("hidden_size=8, ", "").replace("hidden_size", "8"), "neither `hidden_size` nor `d_model`", 9),
        (layer().replace("attention_mask=None", "rotary_phase"), "`forward` of `DeltaNet` requires `rotary_phase`", 15),
        (layer(top="import os\n"), "`os` may not be imported", 1),
        (layer(top="from fla.modules import GatedMLP\n"), "`GatedMLP` from `fla.modules` has no stand-in", 1),
        (layer(top="from fla.models.utils import Cache\nimport fla.ops.nsa\n"), "`fla.ops.nsa` has no stand-in", 2),
        (
            layer().replace("DeltaNet", "One") + layer().replace("DeltaNet", "Two"),
            "several classes take `hidden_states`: `One`, `Two`",
            None,
        ),
    ],
)
def test_a_program_that_can_not_be_adapted_is_refused_in_a_sentence(
    source: str, message: str, line: int | None, setting: CheckSetting
) -> None:
    from asi_arch.lab.adapters.fla import load_layer
    from asi_arch.lab.loading import LoadFailure

    with pytest.raises(LoadFailure) as failure:
        load_layer(source)
    assert message in str(failure.value)
    assert failure.value.line == line
    report = run_checks(source, setting, Adapter.FLA)
    assert [finding.check for finding in report.findings] == ["load"]


def test_nothing_is_left_in_the_process() -> None:
    from asi_arch.lab.adapters.fla import load_layer

    before = {name for name in sys.modules if name.split(".")[0] in ("fla", "transformers")}
    load_layer(layer(top="from fla.modules import RMSNorm\nfrom transformers.utils import Unpack\n"))
    assert {name for name in sys.modules if name.split(".")[0] in ("fla", "transformers")} == before


@pytest.mark.parametrize("counter", ["self.step += 1", "self.step = self.step + 1", "self.step.add_(1)"])
@pytest.mark.parametrize("where", ["if self.training:\n    {}", "with torch.no_grad():\n    {}", "{}"])
def test_a_counter_moves_on_with_the_gradient_and_not_with_the_call(counter: str, where: str) -> None:
    import torch

    from asi_arch.lab.adapters.fla import load_layer

    body = where.format(counter) + "\ny = y / (1 + self.step.item())"
    mixer = load_layer(layer(body, init="self.register_buffer('step', torch.zeros((), dtype=torch.long))"))(8, 2, 0)
    x = torch.randn(2, 5, 8)
    first = mixer(x)
    assert torch.equal(first, mixer(x))
    assert mixer.get_buffer("layer.step").item() == 0
    first.sum().backward()
    assert mixer.get_buffer("layer.step").item() == 1
    torch.testing.assert_close(mixer(x), first / 2)
    mixer.eval()
    mixer(x).sum().backward()
    assert mixer.get_buffer("layer.step").item() == 1


def test_a_counter_that_is_a_python_number_travels_with_the_weights() -> None:
    import torch

    from asi_arch.lab.adapters.fla import load_layer

    source = layer("self.calls += 1\ny = y / (1 + self.calls)", init="self.calls = 0")
    trained = load_layer(source)(8, 2, 0)
    x = torch.randn(2, 5, 8)
    for _ in range(3):
        trained(x).sum().backward()
    fresh = load_layer(source)(8, 2, 0)
    fresh.load_state_dict(trained.state_dict(), strict=True)
    assert torch.equal(fresh.eval()(x), trained.eval()(x))
    assert fresh.layer.calls == 3


def test_the_second_output_is_a_loss_only_when_it_is_one_number() -> None:
    import torch

    from asi_arch.lab.adapters.fla import load_layer

    def called(second: str) -> object:
        source = layer().replace("self.out(y), None,", f"self.out(y), {second},")
        return load_layer(source)(8, 2, 0)(torch.randn(2, 5, 8))

    y, loss = called("y.square().mean(-1, keepdim=True).mean().reshape(1)")
    assert y.shape == (2, 5, 8)
    assert loss.shape == ()
    for other in ("None", "0.0", "y"):
        assert isinstance(called(other), torch.Tensor)


def test_half_precision_is_that_of_the_input_and_others_stay() -> None:
    import torch

    from asi_arch.lab.adapters.fla import load_layer

    body = "assert y.to(torch.bfloat16).dtype is y.half().dtype is hidden_states.dtype\nassert y.float().dtype is FULL"
    source = layer(body, top="import torch\n\nFULL = torch.float32\n")
    mixer = load_layer(source)(8, 2, 0)
    for dtype in (torch.float32, torch.float64):
        assert mixer.to(dtype)(torch.randn(1, 3, 8, dtype=dtype)).dtype is dtype


@pytest.mark.parametrize("form", ["@torch.compile", "@torch.compile(mode='max-autotune')"])
def test_a_compiled_function_runs_as_it_is(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from asi_arch.lab.adapters.fla import load_layer

    def refuse(*_: object, **__: object) -> Callable[..., object]:
        raise AssertionError("compiled")

    monkeypatch.setattr(torch, "compile", refuse)
    source = layer("y = twice(y)", top=f"import torch\n\n\n{form}\ndef twice(x):\n    return 2 * x\n")
    assert load_layer(source)(8, 2, 0)(torch.randn(1, 3, 8)).shape == (1, 3, 8)


LOOP = """pieces = []
for i in range(v.shape[1]):
    pieces.append(v[:, i] * i)
y = torch.stack(pieces, 1)
{write}
y = y + torch.stack([y[:, i] for i in range(v.shape[1])], 1)
for i in range(2):
    y = y + y[:, i, None] + v[:, i : i + 1]"""


@pytest.mark.parametrize("write", ["", "y[:, 1] = 3.0", "pieces = y[:, 1]\ny = y.clone()\ny[0] = 0.0"])
def test_a_loop_over_pieces_gives_the_values_and_gradients_of_indexing(write: str) -> None:
    import torch

    from asi_arch.lab.adapters.fla import load_layer
    from asi_arch.lab.loading import load_mixer

    source = layer(LOOP.format(write=write))
    as_written = source.replace("return self.out(y), None, past_key_values", "return self.out(y)")
    plain, adapted = load_mixer(as_written.replace("DeltaNet", "Mixer"))(8, 2, 0), load_layer(source)(8, 2, 0)
    adapted.layer.load_state_dict(plain.state_dict())
    x = torch.randn(2, 5, 8)
    one, other = x.clone().requires_grad_(), x.clone().requires_grad_()
    plain(one).square().sum().backward()
    adapted(other).square().sum().backward()
    torch.testing.assert_close(plain(x), adapted(x))
    torch.testing.assert_close(one.grad, other.grad)


def test_the_same_text_read_in_another_way_is_another_candidate() -> None:
    source = layer()
    assert candidate_sha(source, Adapter.FLA) != candidate_sha(source)
