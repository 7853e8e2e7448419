"""TensorBoard's event files, written by TensorBoard's own writer, which needs neither torch nor TensorFlow.

DIR/CAMPAIGN/search/                        step = experiment: measured/..., fitness/...
DIR/CAMPAIGN/0017-gated_mixer-measured/     step = training step: loss/language/seed0, ...
"""

import importlib
from pathlib import Path
from typing import Any

from asi_arch.domain.campaign import Campaign
from asi_arch.domain.experiment import Experiment
from asi_arch.trackers.port import Scored, campaign_name, curve_name, experiment_name, final_scores, numbers, points

_EVENT_FILES = "events.out.tfevents.*"


class TensorBoardFiles:
    """`Tracker` for a folder that `tensorboard --logdir DIR` shows."""

    def __init__(self, folder: Path, campaign: Campaign) -> None:
        self._folder = folder / campaign_name(campaign)
        summary: Any = importlib.import_module("tensorboard.summary")
        self._open: Any = summary.Writer
        search = self._folder / "search"
        self._last = _last_steps(search)
        self._search = self._open(str(search))

    def tell(self, experiment: Experiment) -> None:
        """Its curves as a run of its own, then one point in each series of the search."""
        self._write_curves(experiment)
        for name, value in numbers(experiment).items():
            self._add(f"measured/{name}", value, experiment.index, experiment.finished_at)
        self._search.flush()

    def score(self, scored: Scored) -> None:
        """One point in the series of fitness, none where there is no fitness."""
        for name, value in (("fitness/of_experiment", scored.fitness), ("fitness/best_so_far", scored.best)):
            if value is not None:
                self._add(name, value, scored.index, scored.at)
        self._search.flush()

    def close(self) -> None:
        """Close the series; each experiment's file is closed already."""
        self._search.close()

    def _add(self, tag: str, value: float, step: int, at: float) -> None:
        """A point that is not there yet."""
        if step > self._last.get(tag, -1):
            self._search.add_scalar(tag, value, step, wall_time=at)
            self._last[tag] = step

    def _write_curves(self, experiment: Experiment) -> None:
        """One file, in place of one that a kill may have left half written."""
        if not experiment.runs:
            return
        folder = self._folder / f"{experiment_name(experiment)}-{experiment.outcome.kind}"
        for left in folder.glob(_EVENT_FILES):
            left.unlink()
        writer = self._open(str(folder))
        try:
            for run in experiment.runs:
                for step, loss in points(run.losses):
                    writer.add_scalar(f"loss/{curve_name(run)}", loss, step, wall_time=experiment.finished_at)
            for name, value in final_scores(experiment).items():
                writer.add_scalar(f"scored/{name}", value, 0, wall_time=experiment.finished_at)
        finally:
            writer.close()


def _last_steps(folder: Path) -> dict[str, int]:
    """The last experiment that each series of an earlier session has; a record that was cut off is not counted."""
    if not folder.is_dir():
        return {}
    reading: Any = importlib.import_module("tensorboard.backend.event_processing.event_accumulator")
    known = reading.EventAccumulator(str(folder), size_guidance={reading.TENSORS: 0, reading.SCALARS: 0})
    known.Reload()
    found = {tag: known.Tensors(tag)[-1].step for tag in known.Tags()[reading.TENSORS]}
    found.update({tag: known.Scalars(tag)[-1].step for tag in known.Tags()[reading.SCALARS]})
    return found
