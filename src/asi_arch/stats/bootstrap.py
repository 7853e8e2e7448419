"""Held-out rows of one document resemble each other: whole documents are drawn again, not rows."""

from collections.abc import Sequence

import numpy as np

from asi_arch.domain.errors import UserError
from asi_arch.domain.verdict import Interval


def clustered_difference(
    candidate: Sequence[float],
    reference: Sequence[float],
    clusters: Sequence[int],
    rng: np.random.Generator,
    *,
    draws: int = 2000,
    confidence: float = 0.95,
) -> Interval:
    """Mean of candidate minus reference over rows, with the percentile interval of the cluster bootstrap.

    `candidate` and `reference` hold losses of the same rows in the same order, `clusters` the document of every row.
    Each draw takes as many documents as there are, with replacement, and all rows of each (pairs cluster bootstrap;
    Cameron, Gelbach & Miller 2008). It says how much the *choice of text* matters for two trained models; the noise
    between trainings is not in it. Raises `UserError` for sequences of different lengths and fewer than two documents.
    """
    if not len(candidate) == len(reference) == len(clusters):
        raise UserError(
            f"rows need one value each: {len(candidate)} of the candidate, {len(reference)} of the baseline,"
            f" {len(clusters)} documents"
        )
    names, places = np.unique(np.asarray(clusters), return_inverse=True)
    if len(names) < 2:
        raise UserError(f"a bootstrap over documents needs at least 2 of them, got {len(names)}")
    differences = np.asarray(candidate, dtype=float) - np.asarray(reference, dtype=float)
    sums, sizes = np.bincount(places, weights=differences), np.bincount(places)
    times = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)
    means = (times @ sums) / (times @ sizes)
    low, high = np.quantile(means, [0.5 - confidence / 2, 0.5 + confidence / 2])
    return Interval(estimate=float(differences.mean()), low=float(low), high=float(high), confidence=confidence)
