"""No output may depend on a later token, nor on how many tokens follow.

Whole futures and single tokens are replaced, many at once as the rows of one batch (that rows are independent was
shown before), at lengths around the edges of chunks and at the training length, in both modes and precisions, for
every layer, with initial and with moved parameters. The gradient of past outputs is looked at as well.
"""

# R rows, L length, D width

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from asi_arch.domain.outcome import Finding
from asi_arch.lab.checks.comparing import Difference, difference
from asi_arch.lab.checks.findings import error
from asi_arch.lab.checks.probe import Probe, Variant, backward, forward

_FUTURE = "future"
_LENGTH = "length"
_LARGE = 8.0
_FACTORS = {"zeros": 0.0, "large": _LARGE, "uniform": _LARGE, "opposite": -_LARGE}
"""By which the tokens put in are multiplied, where it is not 1."""
_CUT_EDGES = (31, 33, 64)
_TOKEN_EDGES = (65, 127)
_LONG = 512
"""Longer inputs are changed in fewer ways, to keep the checks of a large profile short."""
_MEND = "a token may see itself and earlier ones only, in masks, means, normalisations, shifts and convolutions alike"


class Change(NamedTuple):
    """Replace the tokens from `first` on, or only that one."""

    first: int
    how: str
    """'noise', 'large', 'zeros', 'uniform', 'opposite' or 'token'."""

    def __str__(self) -> str:
        match self.how:
            case "token":
                return f"token {self.first} alone was replaced"
            case "zeros":
                return f"all tokens from {self.first} on were set to zero"
            case "large":
                return f"all tokens from {self.first} on were replaced by large ones"
            case "uniform" | "opposite":
                return f"all tokens from {self.first} on were replaced by one and the same large one"
            case _:
                return f"all tokens from {self.first} on were replaced"


class _Sweep(NamedTuple):
    variant: Variant
    length: int
    is_dense: bool
    """Many changes, or a handful."""


def changes(length: int, *, is_dense: bool) -> list[Change]:
    """Where the future is replaced and how; all `first` lie in 1..length-1."""
    if length < 2:
        return []
    cuts = {1, length // 2, length - 1}
    tokens = {length // 2 + 1, length - 1}
    if is_dense:
        cuts |= set(_CUT_EDGES)
        tokens |= {2, *(length * part // 5 for part in range(1, 5)), *_TOKEN_EDGES}
    found = [Change(cut, "noise") for cut in sorted(cuts) if cut < length]
    found += [Change(max(1, length // 3), "large"), Change(max(1, 2 * length // 3), "zeros")]
    # A threshold on a mean over everything is crossed by what does not cancel out, to one side or the other.
    found += [Change(max(1, length // 3), how) for how in ("uniform", "opposite")]
    return found + [Change(token, "token") for token in sorted(tokens) if 0 < token < length]


def check_future(probe: Probe) -> list[Finding]:
    """Replace the future in every way there is; the first sweep in which the past changes is reported."""
    for sweep in _sweeps(probe):
        found = _look_ahead(probe, sweep)
        if found:
            return found
    return _every_cut(probe) or _alone(probe) or _gradient(probe)


def check_length(probe: Probe) -> list[Finding]:
    """The output for a prefix must be the prefix of the output."""
    evaluation = Variant(probe.exact, is_shaken=True)
    training = evaluation._replace(is_training=True, is_shaken=False)
    context = probe.setting.context
    lengths = sorted({1, 2, *probe.setting.spec.lengths, context // 2 + 1, context - 1})
    for variant in [evaluation] if probe.is_stochastic else [evaluation, training]:
        x = _base(probe, context, variant.dtype)
        whole = probe.call(variant, x)
        for length in (length for length in lengths if length < context):
            worst = difference(whole[:, :length], probe.call(variant, x[:, :length]), probe.tolerance(variant))
            if worst:
                return [_length_error(worst, variant, length, context)]
    return []


def _length_error(worst: Difference, variant: Variant, length: int, context: int) -> Finding:
    return error(
        _LENGTH,
        f"The output at position {worst.position} is another for {length} tokens than for the same tokens as the start"
        f" of {context} ({variant}); divide by the number of tokens so far, not by the length, and pad at the end.",
        measured=worst.size,
        limit=worst.limit,
        position=worst.position,
        length=length,
        context=context,
    )


def _sweeps(probe: Probe) -> Iterator[_Sweep]:
    """Dense ones in exact arithmetic, thin ones for the other precision, layers and lengths."""
    spec, context, last = probe.setting.spec, probe.setting.context, probe.setting.model.depth - 1
    exact = Variant(probe.exact)
    moved = Variant(probe.exact, is_training=True, is_shaken=True, layer=last)
    for length in (*spec.lengths, context):
        yield _Sweep(exact, length, is_dense=length <= _LONG)
        yield _Sweep(moved, length, is_dense=length <= _LONG)
    if probe.is_stochastic:
        yield _Sweep(Variant(probe.exact, is_shaken=True, layer=last), context, is_dense=context <= _LONG)
    for layer in range(last):
        yield _Sweep(moved._replace(layer=layer), min(context, _LONG), is_dense=False)
    for length in sorted({*spec.growth_lengths, context}):
        yield _Sweep(Variant(torch.float32, is_training=True, is_shaken=True), length, is_dense=False)


def _base(probe: Probe, length: int, dtype: torch.dtype) -> Tensor:
    """[1, L, D]: the same tokens for every length, up to where they end."""
    longest = max(length, probe.setting.context, *probe.setting.spec.growth_lengths)
    return probe.normal(1, longest, probe.width, stream=9, dtype=dtype)[:, :length]


def _rows(probe: Probe, sweep: _Sweep, planned: list[Change]) -> Tensor:
    """[R, L, D]: row 0 is unchanged, row i has change i-1."""
    base = _base(probe, sweep.length, sweep.variant.dtype)
    other = probe.normal(1, sweep.length, probe.width, stream=10, dtype=sweep.variant.dtype)[0]
    x = base.repeat(1 + len(planned), 1, 1)
    for row, change in enumerate(planned, start=1):
        end = change.first + 1 if change.how == "token" else sweep.length
        tokens = other[-1:] if change.how in ("uniform", "opposite") else other[change.first : end]
        x[row, change.first : end] = _FACTORS.get(change.how, 1.0) * tokens
    return x


def _every_cut(probe: Probe) -> list[Finding]:
    """Each position in turn as the first one of the future: a look-ahead may sit at a single place of each chunk."""
    length = max(probe.setting.spec.lengths)
    sweep = _Sweep(Variant(probe.exact, is_shaken=True), length, is_dense=True)
    return _compared(probe, sweep, [Change(cut, "noise") for cut in range(1, length)])


def _look_ahead(probe: Probe, sweep: _Sweep) -> list[Finding]:
    return _compared(probe, sweep, changes(sweep.length, is_dense=sweep.is_dense))


def _compared(probe: Probe, sweep: _Sweep, planned: list[Change]) -> list[Finding]:
    if not planned:
        return []
    x = _rows(probe, sweep, planned)
    y = probe.call(sweep.variant, x)
    base = y[:1].expand_as(y[1:])
    if sweep.variant.is_training and probe.is_stochastic:
        base = probe.call(sweep.variant, x[:1].expand_as(x).clone())[1:]
    worst = _worst(probe, sweep.variant, (base, y[1:]), planned)
    return [_future_error(worst, planned[worst.row], sweep, batch=len(x))] if worst else []


def _worst(probe: Probe, variant: Variant, outputs: tuple[Tensor, Tensor], planned: list[Change]) -> Difference | None:
    """Rounding grows with the size of what was put in."""
    sizes = torch.tensor([max(1.0, abs(_FACTORS.get(change.how, 1.0))) for change in planned], dtype=torch.float64)
    firsts = torch.tensor([change.first for change in planned])
    return difference(*outputs, probe.tolerance(variant) * sizes, until=firsts)


def _future_error(worst: Difference, change: Change, sweep: _Sweep, *, batch: int) -> Finding:
    return error(
        _FUTURE,
        f"The output at position {worst.position} changed when {change} ({sweep.variant}); {_MEND}.",
        measured=worst.size,
        limit=worst.limit,
        position=worst.position,
        batch=batch,
        length=sweep.length,
        changed_from=change.first,
    )


def _alone(probe: Probe) -> list[Finding]:
    """Batches of one, as in generation: a leak may hide from large batches."""
    variant = Variant(torch.float32, is_shaken=True)
    length = probe.setting.context
    planned = [Change(length // 3, "noise")]
    sweep = _Sweep(variant, length, is_dense=False)
    x = _rows(probe, sweep, planned)
    worst = _worst(probe, variant, (probe.call(variant, x[:1]), probe.call(variant, x[1:])), planned)
    return [_future_error(worst, planned[0], sweep, batch=1)] if worst else []


def _gradient(probe: Probe) -> list[Finding]:
    """Outputs before a cut, weighted at random, must have no gradient at inputs from the cut on."""
    variant = Variant(probe.exact, is_training=True, is_shaken=True)
    length = probe.setting.context
    cuts = torch.tensor([1, length // 3, length // 2, length - 1])
    x = _base(probe, length, variant.dtype).repeat(len(cuts), 1, 1).requires_grad_()
    is_past = torch.arange(length) < cuts[:, None]
    mixer = probe.mixer(variant)
    reply = forward(mixer, x)._replace(auxiliary=None)
    backward(reply, probe.normal(*x.shape, stream=11, dtype=variant.dtype) * is_past[..., None])
    mixer.zero_grad(set_to_none=True)
    if x.grad is None:
        return []
    ahead = x.grad.masked_fill(is_past[..., None], 0.0).abs().amax(-1) / x.grad.abs().amax().clamp_min(1e-300)
    limit = probe.tolerance(variant)
    if ahead.amax() <= limit:
        return []
    row, position = (int(index) for index in (ahead > limit).nonzero()[0])
    return [
        error(
            _FUTURE,
            f"Outputs before position {int(cuts[row])} depend on the later input {position}, as their gradient shows"
            f" ({variant}); {_MEND}.",
            measured=ahead.amax().item(),
            limit=limit,
            position=position,
            batch=len(cuts),
            length=length,
        )
    ]
