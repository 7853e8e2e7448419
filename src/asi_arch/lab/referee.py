"""The trusted side of scoring: from hidden states to losses, in float64, with NumPy. The candidate never gets here.

Legend: N positions, B rows, T time, D width, V vocabulary.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asi_arch.domain.outcome import GroupScore, StageScore
from asi_arch.domain.ports import NO_TARGET, Batch
from asi_arch.domain.profile import Split
from asi_arch.lab.contract import Arrays

NORM_EPS = 1e-5
"""Of the model's final norm."""
_BLOCK = 8192
"""Positions at a time, to bound memory."""


class BadHidden(Exception):
    """A scorer's answer that can't be scored; the message says why."""


class Referee:
    """Collects rows of hidden states and computes a stage's score at the end."""

    def __init__(self, weights: Arrays, batch: Batch, groups: Sequence[str]) -> None:
        """Take the head and the final norm out of the trained weights."""
        self._head = np.asarray(weights["embedding.weight"], dtype=np.float64).T
        self._gain = np.asarray(weights["norm.weight"], dtype=np.float64)
        self._batch = batch
        self._groups = groups
        self._losses: list[NDArray[np.float64]] = []
        self._hits: list[NDArray[np.bool_]] = []
        self._rows = 0

    def take(self, hidden: NDArray[Any]) -> None:
        """Score the next rows, [B, T, D] before the final norm. Raises `BadHidden`."""
        targets = self._batch.targets[self._rows : self._rows + len(hidden)]
        expected = (*targets.shape, self._gain.shape[0])
        if hidden.shape != expected:
            raise BadHidden(f"hidden states have the shape {hidden.shape}, not {expected}")
        if not np.isfinite(hidden).all():
            raise BadHidden("hidden states are not finite")
        losses = np.zeros(targets.shape)
        hits = np.zeros(targets.shape, dtype=bool)
        places = np.flatnonzero(targets.ravel() != NO_TARGET)
        flat, wanted = hidden.reshape(-1, hidden.shape[-1]), targets.ravel()
        for start in range(0, len(places), _BLOCK):
            block = places[start : start + _BLOCK]
            loss, hit = self._score(flat[block], wanted[block])
            losses.ravel()[block] = loss
            hits.ravel()[block] = hit
        self._losses.append(losses)
        self._hits.append(hits)
        self._rows += len(hidden)

    @property
    def losses(self) -> NDArray[np.float64]:
        """[R, T] in nats of the rows taken so far; 0 where nothing is asked."""
        return np.concatenate(self._losses)

    def loss_at(self, hidden: NDArray[Any], targets: NDArray[Any]) -> NDArray[np.float64]:
        """Losses [N] of single hidden states [N, D]. Raises `BadHidden` for what can't be scored."""
        return self.marks_at(hidden, targets)[0]

    def marks_at(self, hidden: NDArray[Any], targets: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """The same with whether each likeliest token is the target [N]."""
        if hidden.shape != (len(targets), self._gain.shape[0]):
            raise BadHidden(f"hidden states have the shape {hidden.shape}, not {(len(targets), self._gain.shape[0])}")
        return self._score(hidden, targets)

    def result(self, split: Split) -> StageScore:
        """The score of all rows. Raises `BadHidden` when rows are missing or the loss is not finite."""
        if self._rows != len(self._batch.targets):
            raise BadHidden(f"{self._rows} of {len(self._batch.targets)} rows were scored")
        losses, hits = np.concatenate(self._losses), np.concatenate(self._hits)
        is_asked = self._batch.targets != NO_TARGET
        if not np.isfinite(losses).all():
            raise BadHidden("the loss is not finite")
        scores = {
            name: _group(losses, hits, is_asked & (self._batch.groups == place)[:, None])
            for place, name in enumerate(self._groups)
        }
        counts = np.maximum(is_asked.sum(axis=1), 1)
        return StageScore(
            split=split,
            loss_nats=float(losses[is_asked].mean()),
            accuracy=sum(score.accuracy for score in scores.values()) / len(scores),
            groups=scores,
            rows=tuple(float(f"{value:.6g}") for value in losses.sum(axis=1) / counts),
        )

    def _score(self, hidden: NDArray[Any], targets: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Loss and hit of [N, D] hidden states: RMSNorm, head, log-softmax."""
        logits = logits_of(hidden, self._gain, self._head)
        logits -= logits.max(axis=1, keepdims=True)
        # argmax, not "as high as the maximum": a model whose logits are all equal must not hit everything.
        hits = logits.argmax(axis=1) == targets
        chosen = logits[np.arange(len(targets)), targets]
        return np.log(np.exp(logits, out=logits).sum(axis=1)) - chosen, hits


def logits_of(hidden: NDArray[Any], gain: NDArray[np.float64], head: NDArray[np.float64]) -> NDArray[np.float64]:
    """RMSNorm and head: hidden states [N, D], gain [D], head [D, V] -> [N, V]."""
    x = hidden.astype(np.float64)
    x *= gain / np.sqrt(np.square(x).mean(axis=1, keepdims=True) + NORM_EPS)
    return x @ head


def _group(losses: NDArray[np.float64], hits: NDArray[np.bool_], where: NDArray[np.bool_]) -> GroupScore:
    count = int(where.sum())
    if count == 0:
        raise BadHidden("a group has no targets")
    return GroupScore(loss_nats=float(losses[where].mean()), accuracy=float(hits[where].mean()), targets=count)
