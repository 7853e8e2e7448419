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
    "gpu_leftovers": (
        "`os` is left out, nothing uses it",
        "`triton` is not there",
        "a setting of torch that acts on more than the layer is left out",
        "a setting of torch that acts on more than the layer is left out",
        "the hard-coded bfloat16 is read as the precision of the input",
        "the hard-coded bfloat16 is read as the precision of the input",
        "the autocast is left out, the model chooses the precision",
        "the hard-coded bfloat16 is read as the precision of the input",
    ),
    "schedules": (
        "'self.router.calls' moves on once for each training step",
        "'self.floor' moves on once for each training step",
        "'self._step' moves on once for each training step",
    ),
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
        (layer("os.getcwd()", top="import os\n"), "`os` may not be imported", 1),
        (
            layer("GatedMLP(8)", top="from fla.modules import GatedMLP\n"),
            "`GatedMLP` from `fla.modules` has no stand-in",
            1,
        ),
        (
            layer("fla", top="from fla.models.utils import Cache\nimport fla.ops.nsa\n"),
            "`fla.ops.nsa` has no stand-in",
            2,
        ),
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


@pytest.mark.parametrize(
    "counter",
    [
        "self.step += 1",
        "self.step = self.step + 1",
        "self.step.add_(1)",
        "self.step.data.add_(1).clamp_(max=9)",
        "self.step[...] += 1",
        "self.step = self.step + int(self.training or True)",
    ],
)
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


@pytest.mark.parametrize(
    "made",
    [
        "self.register_buffer('calls', torch.zeros(1, dtype=torch.long), persistent=False)",
        "self.calls = torch.zeros(())",
    ],
)
def test_a_counter_that_is_not_stored_by_its_program_travels_with_the_weights(made: str) -> None:
    import torch

    from asi_arch.lab.adapters.fla import load_layer

    source = layer("self.calls += 1\ny = y / (1 + self.calls)", init=made)
    trained = load_layer(source)(8, 2, 0)
    x = torch.randn(2, 5, 8)
    for _ in range(3):
        trained(x).sum().backward()
    fresh = load_layer(source)(8, 2, 0)
    fresh.load_state_dict(trained.state_dict(), strict=True)
    assert torch.equal(fresh.eval()(x), trained.eval()(x))
    assert fresh.layer.calls == 3


def test_a_constructor_updates_its_attributes_and_parameters_at_once() -> None:
    from asi_arch.lab.adapters.fla import load_layer
    from asi_arch.lab.adapters.rewriting import notes
    from asi_arch.lab.imports import ALLOWED_IMPORTS

    init = (
        "self.paths = 2\nself.paths += 1\nself.gate = nn.Parameter(torch.ones(2))\nself.gate.data *= 0.5\nself.grow()"
    )
    source = layer("y = y * self.gate[0]\n\ndef grow(self):\n    self.paths += 1", init=init)
    source = source.replace("        def grow(self):\n            ", "    def grow(self):\n        ")
    source = source.replace("        return self.out(y), None, past_key_values\n", "")
    source = source.replace("\n        \n    def grow", "\n        return self.out(y)\n\n    def grow")
    made = load_layer(source)(8, 2, 0).layer
    assert made.paths == 4
    assert made.gate.tolist() == [0.5, 0.5]
    assert [note.text for note in notes(source, ALLOWED_IMPORTS)] == [
        "the counter 'self.paths' moves on once for each training step and not with each call"
    ]


def test_what_follows_an_input_is_no_schedule(setting: CheckSetting) -> None:
    """The update by itself names nothing but the layer, and yet carries the last batch on."""
    body = "self.last = v.mean().item()\nself.seen = 0.9 * self.seen + 0.1 * self.last\ny = y + self.seen"
    report = run_checks(layer(body, init="self.seen = self.last = 0.0"), setting, Adapter.FLA)
    assert any("keep nothing between calls" in finding.message for finding in report.findings)
    assert [finding.position for finding in report.findings if finding.check == "adapter"] == [19]


@pytest.mark.parametrize(
    "body", ["self.seen += v.mean()", "self.seen = 0.9 * self.seen + v.mean()", "self.seen.mul_(0.9).add_(v.mean())"]
)
def test_the_line_that_keeps_what_follows_an_input_is_named(body: str) -> None:
    from asi_arch.lab.adapters.rewriting import notes
    from asi_arch.lab.imports import ALLOWED_IMPORTS

    source = layer(f"with torch.no_grad():\n    {body}", init="self.register_buffer('seen', torch.zeros(()))")
    (note,) = notes(source, ALLOWED_IMPORTS | {"fla"})
    assert "'self.seen' keeps what was computed from an input" in note.text
    assert source.splitlines()[note.line - 1].strip() == body


def test_a_parameter_is_not_moved_on() -> None:
    import torch

    from asi_arch.lab.adapters.fla import load_layer

    source = layer("self.gate.data.mul_(0.9)\ny = y * self.gate", init="self.gate = nn.Parameter(torch.ones(1))")
    with pytest.raises(TypeError, match="the parameter 'gate' can't be used as a counter"):
        load_layer(source)(8, 2, 0)(torch.randn(1, 3, 8))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "body",
    [
        "y = self.value(y.float())",
        "y = self.value(y.to(torch.float32))",
        "y = self.value(y.to(HALF)).to(y.dtype)",
        "y = self.value(y.to(getattr(torch, 'bfloat16')))",
        "y = self.value(y.to(self.kind))",
        "y = self.value(y.cuda())",
        "y = y + torch.arange(8, device='cuda')",
        "y = y.to('cuda:0')",
    ],
)
def test_precision_and_device_are_those_of_the_input_however_they_are_named(body: str, dtype: str) -> None:
    import torch

    from asi_arch.lab.adapters.fla import load_layer

    kind = getattr(torch, dtype)
    source = layer(body, init="self.kind = torch.float16", top="import torch\n\nHALF = torch.bfloat16\n")
    x = torch.randn(1, 3, 8, dtype=kind)
    assert load_layer(source)(8, 2, 0).to(kind)(x).dtype is kind


@pytest.mark.parametrize(
    "top",
    ["import torch\n", "import torch\nfrom torch.cuda.amp import autocast\n", "import torch\nfrom torch import amp\n"],
)
def test_an_autocast_of_its_own_is_left_out(top: str) -> None:
    import torch

    from asi_arch.lab.adapters.fla import load_layer

    name = "autocast" if "autocast" in top else "torch.autocast"
    given = "" if "autocast" in top else "'cpu', dtype=torch.bfloat16"
    body = f"with {name}({given}):\n    y = self.value(y)\nassert y.dtype is torch.float32"
    body += f"\nwith {name}({given or 'enabled=False'}):\n    y = self.value(y)"
    assert load_layer(layer(body, top=top))(8, 2, 0)(torch.randn(1, 3, 8)).dtype is torch.float32


def test_asking_for_a_precision_changes_nothing() -> None:
    import torch

    from asi_arch.lab.adapters.fla import load_layer

    body = "y = y * 2 if y.dtype == torch.bfloat16 or y.device.type in ('cuda', 'mps') else y * 3"
    plain, asking = load_layer(layer("y = y * 3"))(8, 2, 0), load_layer(layer(body))(8, 2, 0)
    asking.load_state_dict(plain.state_dict())
    x = torch.randn(1, 3, 8)
    assert torch.equal(plain(x), asking(x))


def test_a_checkpoint_runs_again_in_the_precision_of_its_pass() -> None:
    import torch

    from asi_arch.lab.adapters.fla import load_layer

    top = "import torch\nfrom torch.utils.checkpoint import checkpoint\n"
    body = "y = checkpoint(lambda x: self.value(x.to(torch.bfloat16)), y, use_reentrant=False)"
    mixer = load_layer(layer(body, top=top))(8, 2, 0).double()
    mixer(torch.randn(1, 3, 8, dtype=torch.float64)).sum().backward()
    assert mixer.layer.value.weight.grad.dtype is torch.float64


def test_random_numbers_of_python_follow_the_seed_of_torch() -> None:
    import torch

    from asi_arch.lab.adapters.fla import load_layer

    mixer = load_layer(layer("y = y * random.random()", top="import random\n"))(8, 2, 0)
    x = torch.randn(1, 3, 8)

    def called(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return mixer(x)

    assert torch.equal(called(1), called(1))
    assert not torch.equal(called(1), called(2))


@pytest.mark.parametrize(
    "top",
    [
        "try:\n    import triton\nexcept ImportError:\n    triton = None\n",
        "try:\n    from causal_conv1d import causal_conv1d_fn\nexcept (ImportError, OSError):\n    pass\n",
        "try:\n    from fla.ops.nsa import parallel_nsa\nexcept ImportError:\n    pass\n",
        "from fla.modules import GatedMLP, RMSNorm\nfrom fla.ops.nsa import parallel_nsa\nimport fla.ops.nsa as nsa\n",
        "import os\nimport numpy as np\nfrom json import dumps\n",
        "import torch._dynamo\ntorch._dynamo.config.suppress_errors = True\n",
    ],
)
def test_imports_that_a_program_can_do_without_are_no_reason_to_refuse_it(top: str) -> None:
    from asi_arch.lab.adapters.fla import load_layer

    assert load_layer(layer(top=top))(8, 2, 0) is not None


def test_a_loss_may_come_after_the_cache() -> None:
    import torch

    from asi_arch.lab.adapters.fla import load_layer

    source = layer().replace("past_key_values\n", "past_key_values, y.square().mean()\n")
    _, loss = load_layer(source)(8, 2, 0)(torch.randn(2, 5, 8))
    assert loss.shape == ()


def test_another_name_of_the_layer_is_followed() -> None:
    from asi_arch.lab.adapters.fla import load_layer

    source = layer().replace("DeltaNet", "PathNet") + "\n\nDeltaNet = PathNet\n"
    assert type(load_layer(source)(8, 2, 0).layer).__name__ == "PathNet"


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


def test_half_precision_is_that_of_the_input_and_float64_stays() -> None:
    import torch

    from asi_arch.lab.adapters.fla import load_layer

    body = "assert y.to(torch.bfloat16).dtype is y.half().dtype is hidden_states.dtype\nassert y.double().dtype is FULL"
    source = layer(body, top="import torch\n\nFULL = torch.float64\n")
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
