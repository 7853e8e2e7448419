"""Experiments side by side: every number of theirs, with its difference to the first."""

import math
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import NamedTuple

from asi_arch.domain.experiment import Experiment, Summary
from asi_arch.domain.outcome import Footprint, Speed
from asi_arch.domain.profile import StageName
from asi_arch.report.digest import seed_accuracies, seed_losses
from asi_arch.report.words import MISSING, Reading, duration, number, reading
from asi_arch.search.fitness import FitnessParts
from asi_arch.stats.paired import Noise, mean_interval, screening_difference

LONGER = 8
"""Times the training length: for it the work is told that the counted growth would make."""


class Side(NamedTuple):
    """One experiment."""

    experiment: Experiment
    summary: Summary
    parts: FitnessParts | None
    tone: str


class Cell(NamedTuple):
    """A number with its difference to the first experiment's."""

    text: str
    difference: str = ""
    tone: str = "quiet"
    """A class of the style sheet: 'better', 'worse', or 'quiet' where noise can explain it or nothing is better."""


class Row(NamedTuple):
    """One quantity; a cell for each experiment."""

    name: str
    cells: tuple[Cell, ...]


class Seeds(NamedTuple):
    """How much seeds differ, as far as that is known."""

    language: Noise | None
    recall: Noise | None


Value = Callable[[Side], float | None]
Text = Callable[[float], str]


def results(sides: Sequence[Side], seeds: Seeds) -> list[Row]:
    """Fitness with its parts, and what was measured or published."""
    rows = [
        _measured("language loss, nats", [seed_losses(s.experiment) for s in sides], seeds.language, is_lower=True),
        _measured("recall accuracy", [seed_accuracies(s.experiment) for s in sides], seeds.recall, is_lower=False),
        _plain("multi-query recall", sides, lambda s: s.summary.mqar_accuracy),
        _plain("fitness", sides, lambda s: None if s.experiment.published else s.summary.fitness),
        _plain("… its loss part", sides, lambda s: s.parts.loss if s.parts else None),
        _plain("… its recall part", sides, lambda s: s.parts.recall if s.parts else None),
        _plain("… its judge part", sides, lambda s: s.parts.judge if s.parts else None),
        _plain("score as published", sides, lambda s: s.experiment.published.score if s.experiment.published else None),
    ]
    return _known(rows)


def tasks(sides: Sequence[Side]) -> list[Row]:
    """Held-out accuracy in every task of the recall stage; of imported ones the published results."""
    measured = {
        name: None
        for side in sides
        for run in side.experiment.runs
        if run.key.stage is StageName.RECALL and run.score is not None
        for name in run.score.groups
    }
    published = {n: None for s in sides for n in (s.experiment.published.tasks if s.experiment.published else ())}
    rows = [_plain(_spaced(name), sides, _accuracy(name)) for name in measured]
    return _known(rows + [_plain(_spaced(name), sides, _benchmark(name)) for name in published])


def costs(sides: Sequence[Side]) -> list[Row]:
    """What it took: time, speed of training and memory."""
    is_timed = any(side.experiment.cost.wall_s for side in sides)
    rows = [
        _times("wall time", sides, lambda s: s.experiment.cost.wall_s, duration),
        _times("CPU, checks", sides, lambda s: s.experiment.cost.check_cpu_s, duration),
        _times("CPU, training", sides, lambda s: s.experiment.cost.train_cpu_s, duration),
        _times("CPU, scoring", sides, lambda s: s.experiment.cost.score_cpu_s, duration),
    ]
    rows = rows if is_timed else []
    rows += [_times(f"{stage.value}: tokens per CPU second", sides, _speed(stage), _whole) for stage in StageName]
    for length in _lengths(sides):
        rows.append(_times(f"one layer, tokens per CPU second at length {length}", sides, _layer(length), _whole))
    return _known([*rows, _times("largest memory, MiB", sides, _memory, _whole)])


def footprints(sides: Sequence[Side]) -> list[Row]:
    """What the checks counted on one layer, and the parameters."""

    def counted(value: Callable[[Footprint], float]) -> Value:
        def of(side: Side) -> float | None:
            checks = side.experiment.checks
            return value(checks.footprint) if checks and checks.footprint else None

        return of

    def published(side: Side) -> float | None:
        return side.experiment.published.parameters if side.experiment.published else None

    rows = [
        _times("parameters of the model, as published", sides, published, _whole),
        _times("parameters of the model", sides, counted(lambda f: f.model_parameters), _whole),
        _times("parameters of one mixer", sides, counted(lambda f: f.parameters), _whole),
        _times("operations", sides, counted(lambda f: f.flops), _whole),
        _times("calls", sides, counted(lambda f: f.aten_calls), _whole),
        _times("numbers written", sides, counted(lambda f: f.elements), _whole),
        _plain("work grows as length to the power", sides, counted(lambda f: f.growth)),
        _plain("memory grows as length to the power", sides, counted(lambda f: f.memory_growth)),
        _times(f"so, work at {LONGER} times the length, times", sides, counted(lambda f: LONGER**f.growth), _tenths),
        _times("lines of code", sides, counted(lambda f: f.code_lines), _whole),
    ]
    return _known(rows)


def _accuracy(task: str) -> Value:
    return lambda side: side.experiment.mean_accuracy(task)


def _benchmark(task: str) -> Value:
    return lambda side: side.experiment.published.tasks.get(task) if side.experiment.published else None


def _speed(stage: StageName) -> Value:
    def of(side: Side) -> float | None:
        runs = [run for run in side.experiment.runs if run.key.stage is stage]
        cpu_s = sum(run.cpu_s for run in runs)
        return sum(run.tokens for run in runs) / cpu_s if cpu_s > 0 else None

    return of


def _lengths(sides: Sequence[Side]) -> list[int]:
    """At which layers were timed."""
    return sorted({speed.length for side in sides for speed in _speeds(side)})


def _layer(length: int) -> Value:
    return lambda side: next((speed.tokens_per_s for speed in _speeds(side) if speed.length == length), None)


def _speeds(side: Side) -> Sequence[Speed]:
    return side.experiment.checks.speeds if side.experiment.checks else ()


def _memory(side: Side) -> float | None:
    return max((run.peak_mib for run in side.experiment.runs), default=0.0) or None


def _measured(name: str, values: Sequence[Sequence[float]], noise: Noise | None, *, is_lower: bool) -> Row:
    """With intervals from the seeds' noise, where that is known."""

    def mean(found: Sequence[float]) -> Reading | None:
        if not found:
            return None
        return Reading(fmean(found)) if noise is None else Reading.of(mean_interval(found, noise))

    def difference(found: Sequence[float]) -> Reading | None:
        if not found or not values[0]:
            return None
        if noise is None:
            return Reading(fmean(found) - fmean(values[0]))
        return Reading.of(screening_difference(found, values[0], noise))

    cells = [Cell(reading(mean(values[0])))]
    for found in values[1:]:
        gap = difference(found)
        tone = "quiet"
        if gap is not None and gap.is_clear:
            tone = "better" if (gap.estimate < 0) is is_lower else "worse"
        cells.append(Cell(reading(mean(found)), reading(gap, is_signed=True) if gap else "", tone))
    return Row(name, tuple(cells))


def _plain(name: str, sides: Sequence[Side], value: Value) -> Row:
    """A number with its plain difference."""

    def gap(mine: float, first: float) -> str:
        return reading(Reading(round(mine - first, 3) + 0.0), is_signed=True)

    return _row(name, [value(side) for side in sides], number, gap)


def _times(name: str, sides: Sequence[Side], value: Value, text: Text) -> Row:
    """A number, and how many times the first one it is."""

    def ratio(mine: float, first: float) -> str:
        return f"{mine / first:.3g}\u00d7" if first > 0 else ""

    return _row(name, [value(side) for side in sides], text, ratio)


def _row(name: str, values: Sequence[float | None], text: Text, gap: Callable[[float, float], str]) -> Row:
    found = [None if value is None or not math.isfinite(value) else value for value in values]
    first = found[0]
    return Row(
        name,
        tuple(
            Cell(MISSING if v is None else text(v), gap(v, first) if i and v is not None and first is not None else "")
            for i, v in enumerate(found)
        ),
    )


def _known(rows: Sequence[Row]) -> list[Row]:
    """Those of which at least one experiment has a number."""
    return [row for row in rows if any(cell.text != MISSING for cell in row.cells)]


def _whole(value: float) -> str:
    return f"{value:,.0f}"


def _tenths(value: float) -> str:
    return f"{value:,.1f}"


def _spaced(name: str) -> str:
    return name.replace("_", " ")
