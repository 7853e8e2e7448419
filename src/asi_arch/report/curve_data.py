"""Training curves thinned for plain data and the terminal."""

import math
from collections.abc import Sequence

from asi_arch.domain.experiment import Experiment
from asi_arch.domain.profile import StageName

CURVE_POINTS = 64
"""A training curve is thinned to at most this many means: in characters, it fits a terminal of 80 columns."""


def curves(
    stage: StageName, found: Experiment, reference: Experiment | None, parent: Experiment | None
) -> dict[str, list[float]]:
    """'step', 'loss', 'reference' and 'parent': means over seeds on the steps of the longest, thinned alike."""
    whole = {"loss": _mean_curve(found, stage)}
    whole |= {"reference": _mean_curve(reference, stage), "parent": _mean_curve(parent, stage)}
    longest = max(len(curve) for curve in whole.values())
    size = max(1, math.ceil(longest / CURVE_POINTS))
    steps = [float(min(start + size, longest)) for start in range(0, longest, size)]
    thin = {name: thinned(curve, math.ceil(len(curve) / size)) if curve else [] for name, curve in whole.items()}
    return {"step": steps, **thin}


def thinned(losses: Sequence[float], points: int = CURVE_POINTS) -> list[float]:
    """Means over equal stretches of a training curve, at most `points` of them."""
    size = max(1, math.ceil(len(losses) / points))
    stretches = [losses[start : start + size] for start in range(0, len(losses), size)]
    return [sum(stretch) / len(stretch) for stretch in stretches]


def _mean_curve(experiment: Experiment | None, stage: StageName) -> list[float]:
    """Mean over the seeds, as far as all of them got; stops before the first loss that is not finite."""
    if experiment is None:
        return []
    runs = [run.losses for run in experiment.runs if run.key.stage is stage]
    curve = [sum(step) / len(step) for step in zip(*runs, strict=False)]
    broken = next((i for i, loss in enumerate(curve) if not math.isfinite(loss)), len(curve))
    return curve[:broken]
