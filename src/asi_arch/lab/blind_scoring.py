"""A score that is blind and nothing else: for the vault, whose rows no scorer sees with their futures.

Every asked position has its row in the scorer's inputs up to there, and behind it another row of the validation split,
which holds nothing of what is asked. Rows with several positions are asked in ascending order, in different batches: no
earlier question shows what is the answer to a later one. Free of torch; runs in the controller.
"""

# N positions, R rows, T time

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load

from asi_arch.domain.outcome import Crashed, Outcome, TimedOut
from asi_arch.domain.ports import NO_TARGET, BlindScores, RunOrder, Task
from asi_arch.domain.profile import Profile, Split
from asi_arch.lab.blind import generator, wanted
from asi_arch.lab.checks.setting import scored_rows
from asi_arch.lab.contract import Load
from asi_arch.lab.conversation import ChildFailed, Conversation, Stalled, conversation
from asi_arch.lab.hidden_states import hidden_states
from asi_arch.lab.parent import WarmParentHandle
from asi_arch.lab.referee import BadHidden, Referee
from asi_arch.lab.running import score_job


class Places(NamedTuple):
    """Where to ask, in the order of asking: [N] rows and [N] positions in them."""

    rows: NDArray[np.int64]
    positions: NDArray[np.int64]


async def score_blind(
    parent: WarmParentHandle, profile: Profile, task: Task, order: RunOrder, weights: bytes
) -> BlindScores | Outcome:
    """Losses and hits of trained weights at the places of (protocol, stage, split); a failing candidate's outcome."""
    key, limit = order.key, profile.watch.stall_s
    batch, arrays = task.held_out(key.split), load(weights)
    rng = generator("blind only", key.protocol, key.stage.value, key.split.value)
    places = drawn(batch.targets, count=wanted(profile.blind, key.split), rng=rng)
    inputs = blinded(batch.inputs, task.held_out(Split.VALIDATION).inputs, places)
    referee = Referee(arrays, batch, task.groups)
    targets = batch.targets[places.rows, places.positions]
    async with conversation(parent, limit) as talk:
        try:
            await talk.say(score_job(profile, task, order))
            await talk.say(Load(), arrays)
            states = await _states(talk, profile, inputs, places)
            losses, hits = referee.marks_at(states, targets)
        except Stalled:
            return TimedOut(stage=key.stage, step=0, used_s=limit, limit_s=limit)
        except ChildFailed as failure:
            return Crashed(stage=key.stage, reason=f"scoring: {failure.reason}", log=failure.log)
        except BadHidden as bad:
            return Crashed(stage=key.stage, reason=f"scoring: {bad}")
        talk.dismiss()
    if not np.isfinite(losses).all():
        return Crashed(stage=key.stage, reason="scoring: the loss is not finite")
    return BlindScores(task.documents(key.split)[places.rows], losses, hits)


def drawn(targets: NDArray[np.int32], *, count: int, rng: np.random.Generator) -> Places:
    """At most `count` different places where something is asked [R, T], spread over all rows as evenly as can be.

    They come in rounds: no row has two places in one round, and its places ascend from round to round.
    """
    order = rng.permutation(len(targets))
    each = -(-count // len(targets))
    columns = np.full((len(targets), each), NO_TARGET)
    for rank, row in enumerate(order):
        share = count // len(targets) + (rank < count % len(targets))
        allowed = rng.permutation(np.flatnonzero(targets[row] != NO_TARGET))[:share]
        columns[row, : len(allowed)] = np.sort(allowed)
    rounds, rows = np.nonzero(columns.T != NO_TARGET)
    return Places(rows, columns[rows, rounds])


def blinded(
    inputs: NDArray[np.int32], others: NDArray[np.int32], places: Places
) -> list[tuple[NDArray[np.int32], Places]]:
    """Batches of inputs [N, T] with their places: each row up to its position, then a row of `others` [R, T]."""
    length, start = inputs.shape[1], 0
    found: list[tuple[NDArray[np.int32], Places]] = []
    while start < len(places.rows):
        end = min(start + scored_rows(length), start + _round(places.rows[start:]))
        part = Places(places.rows[start:end], places.positions[start:end])
        foreign = others[(part.rows + 1 + start) % len(others)]
        is_known = np.arange(length) <= part.positions[:, None]
        found.append((np.where(is_known, inputs[part.rows], foreign), part))
        start = end
    return found


def _round(rows: NDArray[np.int64]) -> int:
    """How many of these come before the first that is not larger than the one before it: a new round."""
    falls = np.flatnonzero(np.diff(rows) <= 0)
    return int(falls[0]) + 1 if len(falls) else len(rows)


async def _states(
    talk: Conversation, profile: Profile, pieces: list[tuple[NDArray[np.int32], Places]], places: Places
) -> NDArray[Any]:
    """Hidden states [N, D] at the places."""
    width, found = profile.model.width, 0
    states = np.empty((len(places.rows), width), dtype=np.float32)
    inputs = [inputs for inputs, _ in pieces]
    parts = iter(part for _, part in pieces)
    async for hidden in hidden_states(talk, inputs, width=width, patience_s=profile.watch.stall_s):
        part = next(parts)
        states[found : found + len(part.rows)] = hidden[np.arange(len(part.rows)), part.positions]
        found += len(part.rows)
    return states
