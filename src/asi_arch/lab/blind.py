"""Blind scoring: the score is asked for again where nobody can know the answer.

The scorer of all rows sees whole rows, and with them each position's target as the next input. Here another fresh
scorer gets rows whose tokens after a chosen position are another row's, or that end there. A model that can't see the
future gives the same loss at that position. One that does, however rarely, is found where it gains: a leak at a share f
of the positions escapes K random ones with probability (1 - f)^K. Free of torch; runs in the controller.
"""

# N questions, R rows, T time

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from asi_arch.domain.outcome import BlindCheck, Leaking
from asi_arch.domain.ports import NO_TARGET, Batch
from asi_arch.domain.profile import BlindSpec, Split, StageName

CONFIDENCE = 0.95


class Question(NamedTuple):
    """Ask again here. `is_gain` where it was chosen because the candidate gains there, not at random."""

    row: int
    position: int
    is_gain: bool


class Answer(NamedTuple):
    """Loss in nats at a question's position, as it was in the parallel score and as it is blind."""

    question: Question
    parallel: float
    blind: float


def generator(*words: object) -> np.random.Generator:
    """Of random choices that follow from these words, and from nothing else."""
    digest = hashlib.sha256("\0".join(map(str, words)).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))


def questions(
    losses: NDArray[np.float64],
    batch: Batch,
    *,
    count: int,
    rng: np.random.Generator,
    baseline: NDArray[np.float32] | None = None,
) -> list[Question]:
    """At most one per row: half at random, half where the gain is largest.

    `losses` [R, T] are the candidate's. The gain is over the `baseline`'s losses [R, T]. Without one it is over the
    candidate's own mean loss at the same target: a position where it knows what it usually does not.
    """
    gains = (_expected(losses, batch) if baseline is None else baseline) - losses
    allowed = (batch.targets != NO_TARGET) & (np.arange(losses.shape[1]) < losses.shape[1] - 1)
    gains = np.where(allowed, gains, -np.inf)
    rows = np.flatnonzero(allowed.any(axis=1))
    count = min(count, len(rows))
    best_first = rows[np.argsort(-gains[rows].max(axis=1), kind="stable")]
    chosen = [Question(int(row), int(gains[row].argmax()), True) for row in best_first[: count // 2]]
    others = rng.permutation(best_first[count // 2 :])[: count - count // 2]
    chosen += [Question(int(row), int(rng.choice(np.flatnonzero(allowed[row]))), False) for row in others]
    return chosen


def disguised(batch: Batch, asked: Sequence[Question]) -> NDArray[np.int32]:
    """Inputs [N, T]: each question's row up to its position, and then the tokens of another row."""
    inputs = np.stack([batch.inputs[question.row] for question in asked])
    for place, question in enumerate(asked):
        other = batch.inputs[(question.row + 1 + place % max(len(batch.inputs) - 1, 1)) % len(batch.inputs)]
        inputs[place, question.position + 1 :] = other[question.position + 1 :]
    return inputs


def finding(stage: StageName, answers: Sequence[Answer], spec: BlindSpec) -> BlindCheck | Leaking:
    """All answers agree, or the worst disagreement. NaN never agrees."""
    worst = max(answers, key=lambda answer: _difference(answer))
    if not _difference(worst) <= spec.tolerance_nats:
        return Leaking(
            stage=stage,
            row=worst.question.row,
            position=worst.question.position,
            loss_nats=worst.parallel,
            blind_loss_nats=worst.blind,
            limit_nats=spec.tolerance_nats,
            positions=len(answers),
        )
    at_random = sum(not answer.question.is_gain for answer in answers)
    return BlindCheck(
        positions=len(answers),
        largest_difference_nats=_difference(worst),
        leak_bound=leak_bound(at_random),
    )


def leak_bound(count: int) -> float:
    """The largest share of leaking positions that `count` random ones miss with a probability of at least 5%."""
    return 1 - (1 - CONFIDENCE) ** (1 / count) if count else 1.0


def wanted(spec: BlindSpec, split: Split) -> int:
    """How many questions are asked about a run scored on this split."""
    return {
        Split.VALIDATION: spec.positions,
        Split.FRESH: spec.fresh_positions,
        Split.VAULT: spec.vault_positions,
    }[split]


def _difference(answer: Answer) -> float:
    found = abs(answer.parallel - answer.blind)
    return found if found == found else float("inf")


def _expected(losses: NDArray[np.float64], batch: Batch) -> NDArray[Any]:
    """[R, T]: the mean loss over all positions with the same target."""
    targets = np.where(batch.targets == NO_TARGET, 0, batch.targets)
    weights = (batch.targets != NO_TARGET).astype(np.float64)
    counts = np.bincount(targets.ravel(), weights=weights.ravel())
    totals = np.bincount(targets.ravel(), weights=(losses * weights).ravel())
    return (totals / np.maximum(counts, 1.0))[targets]
