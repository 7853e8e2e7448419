"""The exported layer, imported as a package with torch alone, against the mixer that it was made from."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from types import ModuleType

import pytest
import torch
from torch import Tensor

from asi_arch.agents.composer import Composer
from asi_arch.domain.ports import Brief
from asi_arch.domain.profile import ModelSpec
from asi_arch.lab.adapters import load_adapted
from asi_arch.mixers import baselines
from asi_arch.mixers.model import build_mixer
from asi_arch.report.export.folder import export_files, write_export

from .conftest import MakeSubject
from .designs import BUFFERS, FLA, RECURRENT, adapter_of

pytestmark = pytest.mark.torch

WIDTH, HEADS, TIME = 32, 2, 21
SHIPPED = {
    name: baselines.load(name).source for name in ("gated_delta_net", "delta_window", "softmax_attention", "retnet")
}
SOURCES = {**SHIPPED, "recurrent": RECURRENT, "buffers": BUFFERS, "fla": FLA}


def composed() -> str:
    """A design of the composer's own."""
    import asyncio

    return asyncio.run(Composer().propose(Brief(None, (), None, (), {}), Random(5))).source


@pytest.fixture(params=[*SOURCES, "composed"])
def source(request: pytest.FixtureRequest) -> str:
    return composed() if request.param == "composed" else SOURCES[request.param]


@pytest.fixture
def package(source: str, make_subject: MakeSubject, tmp_path: Path) -> Iterator[ModuleType]:
    """The module `layer` of an export, which can't see this program's own modules by their names."""
    name = f"exported_{abs(hash(source))}"
    write_export(tmp_path / name, export_files(make_subject(source, adapter=adapter_of(source))), is_forced=False)
    sys.path.insert(0, str(tmp_path))
    try:
        yield importlib.import_module(f"{name}.layer")
    finally:
        sys.path.remove(str(tmp_path))
        for each in [each for each in sys.modules if each.startswith(name)]:
            del sys.modules[each]


def own(source: str, x: Tensor, layer: int = 1) -> Tensor:
    mixed = build_mixer(
        load_adapted(source, adapter_of(source)), ModelSpec(depth=2, width=WIDTH, heads=HEADS), layer, 0
    )(x)
    return mixed[0] if isinstance(mixed, tuple) else mixed


def hidden(rows: int = 3) -> Tensor:
    return torch.randn(rows, TIME, WIDTH, generator=torch.Generator().manual_seed(0))


def close(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_it_computes_what_the_mixer_does_and_padding_and_cache_change_nothing(source: str, package: ModuleType) -> None:
    layer, x = package.MixerLayer(WIDTH, HEADS, 1).eval(), hidden()
    expected = own(source, x)
    out, attention, cache = layer(x)
    assert attention is None
    assert cache is None
    assert torch.equal(out, expected)
    _padding(layer, x, expected)
    _cache(layer, x, expected)
    _padding_and_cache(layer, x, expected)


def _padding(layer: torch.nn.Module, x: Tensor, expected: Tensor) -> None:
    """Noise before, behind and within the rows, where the mask is 0."""
    noise, mask = torch.full_like(x, 7.0), torch.zeros(3, 2 * TIME)
    padded = torch.cat([noise, noise], dim=1)
    places = [torch.arange(TIME, 2 * TIME), torch.arange(TIME), torch.arange(0, 2 * TIME, 2)]
    for row, where in enumerate(places):
        padded[row, where], mask[row, where] = x[row], 1
    out = layer(padded, attention_mask=mask)[0]
    close(torch.stack([out[row, where] for row, where in enumerate(places)]), expected)
    assert not out[mask == 0].any()


def _cache(layer: torch.nn.Module, x: Tensor, expected: Tensor) -> None:
    """A beginning at once, then token by token, then several."""
    out, _, cache = layer(x[:, :5], use_cache=True)
    parts = [out, *(layer(x[:, t : t + 1], past_key_values=cache)[0] for t in range(5, 9))]
    parts.append(layer(x[:, 9:], past_key_values=cache)[0])
    close(torch.cat(parts, dim=1), expected)
    assert cache.get_seq_length(1) == TIME


def _padding_and_cache(layer: torch.nn.Module, x: Tensor, expected: Tensor) -> None:
    """Rows of different length, padded on the left, continued together and reordered as beam search does."""
    mask, padded = torch.ones(3, TIME), x.clone()
    for row, lead in enumerate((0, 3, 6)):
        padded[row, lead:], padded[row, :lead], mask[row, :lead] = x[row, : TIME - lead], 7.0, 0
    first, _, cache = layer(padded[:, :10], attention_mask=mask[:, :10], use_cache=True)
    order = torch.tensor([2, 0, 2])
    cache.reorder_cache(order)
    rest = layer(padded[order][:, 10:], attention_mask=mask[order], past_key_values=cache)[0]
    for row, (source, lead) in enumerate(zip((2, 0, 2), (6, 0, 6), strict=True)):
        close(rest[row], expected[source, 10 - lead : TIME - lead])
        close(first[source, lead:], expected[source, : 10 - lead])


@pytest.mark.parametrize("source", [RECURRENT], indirect=False)
def test_a_step_is_used_where_there_is_one_and_the_loss_is_known(package: ModuleType) -> None:
    layer = package.MixerLayer(WIDTH, HEADS, 0)
    _, _, cache = layer(hidden(), use_cache=True)
    assert layer.has_step
    assert cache.inputs == {}
    assert [state[1] for state in cache.states[0]] == [TIME] * 3
    layer(hidden())
    assert layer.auxiliary_loss is not None
    assert layer.auxiliary_loss.requires_grad


@pytest.mark.parametrize("source", [SHIPPED["gated_delta_net"]], indirect=False)
def test_a_part_that_is_called_step_is_none(package: ModuleType) -> None:
    assert not package.MixerLayer(WIDTH, HEADS, 0).has_step


@pytest.mark.parametrize("source", [BUFFERS], indirect=False)
def test_buffers_survive_loaders_that_empty_them_or_make_them_floats(source: str, package: ModuleType) -> None:
    layer = package.MixerLayer(WIDTH, HEADS, 1)
    mixer = layer.mixer
    mixer.order, mixer.is_kept = mixer.order.float(), mixer.is_kept.float()
    mixer.scale = torch.empty_like(mixer.scale)
    package.restore_buffers(mixer)
    assert torch.equal(layer(hidden())[0], own(source, hidden()))


@pytest.mark.parametrize("source", [SHIPPED["delta_window"]], indirect=False)
def test_building_a_layer_leaves_the_random_state_and_the_precision_asked_for(package: ModuleType) -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    with torch.device("meta"):
        layer = package.MixerLayer(WIDTH, HEADS, 0)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(parameter.device.type == "cpu" for parameter in layer.parameters())
    torch.set_default_dtype(torch.float64)
    try:
        assert {p.dtype for p in package.MixerLayer(WIDTH, HEADS, 0).parameters()} == {torch.float64}
        assert torch.get_default_dtype() is torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
