"""The samples of a batch must not know of each other."""

# B batch, T time, D width

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from torch import Tensor

from asi_arch.domain.outcome import Finding
from asi_arch.lab.checks.comparing import Difference, difference
from asi_arch.lab.checks.findings import error
from asi_arch.lab.checks.probe import Probe, Variant

_NAME = "batch"
_LARGEST = 9
_SHORT = 33
_MEND = "compute every sample from itself alone: no statistics, sorting or cumulative sums over the batch"


class _Trial(NamedTuple):
    what: str
    x: Tensor
    rows: list[int]
    """Rows of the whole batch's output that must be found again."""
    places: list[int]
    """Where in this output they must be found, in the same order."""


def check_batch(probe: Probe) -> list[Finding]:
    """Other samples replaced, the batch permuted, and every smaller batch: each sample's output stays the same.

    The training length is tried as well, in fewer ways, against mixing that waits for long inputs.
    """
    evaluation = Variant(probe.exact, is_shaken=True)
    modes = [evaluation] if probe.is_stochastic else [evaluation, evaluation._replace(is_training=True)]
    for variant in modes:
        short = probe.normal(_LARGEST, _SHORT, probe.width, stream=8, dtype=variant.dtype)
        long = probe.normal(3, probe.setting.context, probe.width, stream=8, dtype=variant.dtype)
        sizes = (2, 3, 4, 5, *probe.setting.spec.batch_sizes) if not variant.is_training else ()
        found = _mixing(probe, variant, short, _trials(short, sizes)) or _mixing(
            probe, variant, long, _few_trials(long)
        )
        if found:
            return found
    return []


def _mixing(probe: Probe, variant: Variant, x: Tensor, trials: Iterable[_Trial]) -> list[Finding]:
    y = probe.call(variant, x)
    for trial in trials:
        seen = probe.call(variant, trial.x)[trial.places]
        worst = difference(y[trial.rows], seen, probe.tolerance(variant))
        if worst:
            return [_error(trial, worst, variant)]
    return []


def _error(trial: _Trial, worst: Difference, variant: Variant) -> Finding:
    return error(
        _NAME,
        f"The output of a sample changed at position {worst.position} when {trial.what} ({variant}); {_MEND}.",
        measured=worst.size,
        limit=worst.limit,
        position=worst.position,
        batch=trial.x.shape[0],
        length=trial.x.shape[1],
    )


def _trials(x: Tensor, batch_sizes: tuple[int, ...]) -> Iterator[_Trial]:
    count = x.shape[0]
    yield _replacing(x, 0)
    yield _replacing(x, count - 1)
    order = list(range(count))[::-1]
    yield _Trial("the batch was reordered", x[order], order, list(range(count)))
    for size in sorted({1, *batch_sizes}):
        if size < count:
            yield _first(x, size)


def _few_trials(x: Tensor) -> Iterator[_Trial]:
    yield _replacing(x, x.shape[0] - 1)
    yield _first(x, 1)


def _replacing(x: Tensor, replaced: int) -> _Trial:
    others = [row for row in range(x.shape[0]) if row != replaced]
    changed = x.clone()
    changed[replaced] = 3 * x[replaced].flip(0) + 1
    return _Trial("another sample was replaced", changed, others, others)


def _first(x: Tensor, size: int) -> _Trial:
    rows = list(range(size))
    return _Trial(f"it was computed in a batch of {size} instead of {x.shape[0]}", x[:size], rows, rows)
