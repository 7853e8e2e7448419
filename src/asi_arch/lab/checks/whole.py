"""The whole model as trainer and scorer call it: on tokens, in their batch sizes and modes, through every layer."""

# R rows, L length, D width, V vocabulary

from typing import NamedTuple

import torch
from torch import Tensor

from asi_arch.domain.outcome import Finding
from asi_arch.lab.checks.comparing import Difference, difference
from asi_arch.lab.checks.findings import error
from asi_arch.lab.checks.probe import ROUNDED_TOLERANCE, Probe, Reply, backward, candidate_code, take_state
from asi_arch.lab.checks.setting import SCORE_TOKENS, Shape, scored_rows
from asi_arch.mixers.model import LanguageModel, seed_cpu

_NAME = "model"
_DEFAULT_ROWS = 8
_NUDGE = 2**-22
_OTHER_SEED = 1
_ENTRIES = 256
"""Of the vocabulary that are looked at as the last token before a change."""
_SHORT = 16
_CUT = 12
_MEND = "the output may depend on this sample's tokens so far only, in any mode and any size of batch"


class _Seen(NamedTuple):
    """Hidden states of one pair of calls, and where tokens begin to differ inside each pair of rows."""

    scored: Tensor
    trained: Tensor
    cuts: Tensor


def check_model(probe: Probe) -> list[Finding]:
    """Rows that share a prefix share its hidden states, in a scoring batch and in a training batch, and across them."""
    model = probe.model(is_shaken=True)
    limit = _tolerance(probe, model)
    for shape in probe.setting.batches or (Shape(rows=_DEFAULT_ROWS, length=probe.setting.context),):
        found = _looked_at(probe, model, shape, limit, seed=0)
        # In float32 a choice between two near-equal scores may fall otherwise for rounding; not twice.
        if found and _looked_at(probe, model, shape, limit, seed=1):
            return found
    found = _after_each_token(probe, model, limit, seed=6)
    if found and _after_each_token(probe, model, limit, seed=8):
        return found
    return _written(model, probe) if not probe.weights else []


def check_weights(probe: Probe) -> list[Finding]:
    """Trained weights, put into a new model as the scorer does it, must fit and give the same hidden states."""
    model = probe.model(is_shaken=True).eval()
    twin = probe.model(seed=_OTHER_SEED).eval()
    arrays = {name: value.detach().float().numpy() for name, value in model.state_dict().items()}
    try:
        take_state(twin, arrays)
    except RuntimeError as problem:
        message = f"Trained weights don't fit a new model: {str(problem).splitlines()[-1].strip()[:200]}"
        return [error("weights", f"{message}; give every layer the same parameters and buffers each time.")]
    tokens = _tokens(probe, 2, min(64, probe.setting.context), seed=2)
    expected, seen = _hidden(model, tokens), _hidden(twin, tokens)
    worst = difference(expected, seen, ROUNDED_TOLERANCE[1])
    if worst is None:
        return []
    message = (
        "A new model with the same weights computes something else: what it needs is drawn or counted outside of them;"
        " keep it in parameters or in persistent buffers."
    )
    return [error("weights", message, measured=worst.size, limit=worst.limit, position=worst.position)]


def _looked_at(probe: Probe, model: LanguageModel, shape: Shape, limit: float, *, seed: int) -> list[Finding]:
    seen = _seen(probe, model, shape, seed=seed)
    rows, common = len(seen.scored), min(len(seen.scored), len(seen.trained))
    pairs: list[tuple[str, Difference | None, int]] = [
        ("in a scoring batch when later tokens changed", _within(seen.scored, seen.cuts, limit), rows),
    ]
    if not probe.is_stochastic:
        worst = difference(seen.scored[:common], seen.trained[:common], limit)
        pairs += [
            ("in a training batch when later tokens changed", _within(seen.trained, seen.cuts, limit), shape.rows),
            ("between a scoring batch and a training batch of the same tokens", worst, shape.rows),
        ]
    for what, worst, batch in pairs:
        if worst:
            message = f"The whole model's output at position {worst.position} differed {what}; {_MEND}."
            sizes = {"batch": batch, "length": shape.length}
            return [
                error(_NAME, message, measured=worst.size, limit=worst.limit, position=worst.position, **sizes),
            ]
    return []


def _after_each_token(probe: Probe, model: LanguageModel, limit: float, *, seed: int) -> list[Finding]:
    """Each entry of the vocabulary once as the last token before a change: a look-ahead may wait for a certain one.

    Behind every other entry it has been repeated before, since it may wait for a repetition too.
    """
    tokens = _endings(probe, seed)
    sizes = {"batch": max(2, 2 * (scored_rows(_SHORT) // 2)), "length": _SHORT}
    for start in range(0, len(tokens), sizes["batch"]):
        rows = tokens[start : start + sizes["batch"]]
        worst = _within(_hidden(model.eval(), rows), torch.full((len(rows) // 2,), _CUT), limit)
        if worst:
            last = int(rows[2 * worst.row, _CUT - 1])
            message = (
                f"The whole model's output at position {worst.position} differed when the tokens after entry {last} of"
                f" the vocabulary changed; {_MEND}."
            )
            position, measured = worst.position, worst.size
            return [error(_NAME, message, measured=measured, limit=worst.limit, position=position, **sizes)]
    return []


def _endings(probe: Probe, seed: int) -> Tensor:
    """[R, 16]: pairs of rows that share 12 tokens."""
    vocabulary = _vocabulary(probe)
    entries = torch.arange(min(_ENTRIES, vocabulary)) * max(1, vocabulary // _ENTRIES)
    tokens = _tokens(probe, 2 * len(entries), _SHORT, seed=seed)
    pasts = tokens[::2, :_CUT]
    pasts[:, -1] = entries
    pasts[1::2] = entries[1::2, None]
    tokens[1::2, :_CUT] = pasts
    return tokens


def _vocabulary(probe: Probe) -> int:
    return len(probe.weights["embedding.weight"]) if probe.weights else probe.setting.vocabulary


def _seen(probe: Probe, model: LanguageModel, shape: Shape, *, seed: int) -> _Seen:
    rows = max(2, scored_rows(shape.length))
    trained_rows = min(max(2, shape.rows), max(2, SCORE_TOKENS // shape.length))
    tokens = _tokens(probe, max(rows, trained_rows), shape.length, seed=seed)
    pairs = len(tokens) // 2
    cuts = 1 + torch.arange(pairs) * 7919 % max(1, shape.length - 1)
    is_past = torch.arange(shape.length) < cuts[:, None]
    tokens[1 : 2 * pairs : 2] = torch.where(is_past, tokens[: 2 * pairs : 2], tokens[1 : 2 * pairs : 2])
    return _Seen(
        _hidden(model.eval(), tokens[:rows]), _hidden(model.train(), tokens[:trained_rows], is_recorded=True), cuts
    )


def _within(hidden: Tensor, cuts: Tensor, limit: float) -> Difference | None:
    """Rows 2i and 2i+1 have the same tokens before cut i."""
    pairs = len(hidden) // 2
    return difference(hidden[: 2 * pairs : 2], hidden[1 : 2 * pairs : 2], limit, until=cuts[:pairs])


def _hidden(model: LanguageModel, tokens: Tensor, *, is_recorded: bool = False) -> Tensor:
    seed_cpu(0)
    sizes = {"batch": tokens.shape[0], "length": tokens.shape[1]}
    with torch.set_grad_enabled(is_recorded), candidate_code("the whole model", sizes):
        return model.hidden(tokens)[0].detach()


def _tokens(probe: Probe, rows: int, length: int, *, seed: int) -> Tensor:
    """[R, L], with few frequent and many rare ones, and now and then one twice in a row, as in text."""
    generator = torch.Generator().manual_seed(7 + seed)
    drawn = (torch.rand(rows, length, generator=generator) ** 3 * _vocabulary(probe)).long()
    is_repeated = torch.rand(rows, length, generator=generator) < 0.1
    return torch.where(is_repeated, drawn.roll(1, 1), drawn)


def _tolerance(probe: Probe, model: LanguageModel) -> float:
    """Eight times the effect of changing the embedding by one part in four million, within bounds."""
    tokens = _tokens(probe, 2, probe.setting.context, seed=3)
    expected = _hidden(model.eval(), tokens)
    weight = model.embedding.weight
    start = weight.detach().clone()
    signs = torch.randn(weight.shape, generator=torch.Generator().manual_seed(5)).sign()
    with torch.no_grad():
        weight.mul_(1 + _NUDGE * signs)
    nudged = _hidden(model, tokens)
    with torch.no_grad():
        weight.copy_(start)
    effect = ((expected - nudged).abs().amax() / expected.abs().amax().clamp_min(1e-30)).item()
    low, high = ROUNDED_TOLERANCE
    return min(max(8 * effect, low), high) if effect == effect else high


def _counters(model: LanguageModel) -> frozenset[str]:
    """Names of what an adapter, and not the candidate, moves on once for each training step."""
    from asi_arch.lab.adapters.fla import Adapted

    return frozenset(
        f"{path}.{name}"
        for path, module in model.named_modules()
        if isinstance(module, Adapted)
        for name in module.counters
    )


def _written(model: LanguageModel, probe: Probe) -> list[Finding]:
    """Neither a training call in full size nor its backward pass may write to a parameter or buffer."""
    tokens = _tokens(probe, _DEFAULT_ROWS, probe.setting.context, seed=4)
    before = {name: value.detach().clone() for name, value in model.state_dict().items()}
    sizes = {"batch": tokens.shape[0], "length": tokens.shape[1]}
    with torch.enable_grad(), candidate_code("the whole model", sizes):
        reply = Reply(*model.train().hidden(tokens))
    backward(reply, probe.normal(*reply.y.shape, stream=16, dtype=reply.y.dtype))
    counters = _counters(model)
    for name, value in model.state_dict().items():
        if name not in counters and (name not in before or not torch.equal(before[name], value)):
            return [
                error(_NAME, f"Training writes to {name!r}, forward or backward; only the optimizer may change it.")
            ]
    return []
