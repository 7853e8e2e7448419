"""Weights & Biases: a campaign is a group with one run per experiment and one for the series of the search.

An experiment's run stays open until its fitness is known, so that its summary has both; where the campaign is stopped
before that, the fitness is in the search's run only. Without a network, with WANDB_MODE=offline, the runs lie in
FOLDER/wandb until `wandb sync` sends them. Neither code nor machine, packages or output are sent.
"""

import importlib
from collections import defaultdict
from pathlib import Path
from typing import Any

from asi_arch.domain.campaign import Campaign
from asi_arch.domain.experiment import Experiment
from asi_arch.trackers.port import (
    Scored,
    campaign_facts,
    campaign_name,
    curve_name,
    experiment_name,
    facts,
    final_scores,
    numbers,
    points,
)


class WandbRuns:
    """`Tracker` for PROJECT or ENTITY/PROJECT; the library keeps its files in FOLDER/wandb."""

    def __init__(self, place: str, campaign: Campaign, folder: Path) -> None:
        self._wandb: Any = importlib.import_module("wandb")
        self._entity, _, self._project = place.rpartition("/")
        self._folder = folder
        self._group = campaign_name(campaign)
        is_online = self._wandb.setup().settings.mode not in ("offline", "dryrun")
        # A run that was not sent yet can't be resumed: each session has its own then.
        self._search = self._run(
            f"search {self._group}",
            f"{self._group}-search" if is_online else None,
            {"job_type": "search", "config": campaign_facts(campaign)},
        )
        self._search.define_metric("experiment")
        self._search.define_metric("*", step_metric="experiment")
        self._unscored: dict[int, Any] = {}

    def tell(self, experiment: Experiment) -> None:
        """A run of its own with words, numbers and curves, and a row of the search."""
        words = facts(experiment)
        run = self._run(
            experiment_name(experiment),
            f"{self._group}-{experiment.index:04}",
            {"job_type": words["author"], "config": words},
        )
        run.define_metric("step")
        run.define_metric("*", step_metric="step")
        for step, losses in _rows(experiment).items():
            run.log({"step": step, **losses})
        run.summary.update({"outcome": words["outcome"], **numbers(experiment), **final_scores(experiment)})
        self._unscored[experiment.index] = run
        measured = {f"measured/{name}": value for name, value in numbers(experiment).items()}
        self._search.log({"experiment": experiment.index, **measured})

    def score(self, scored: Scored) -> None:
        """In the summary of the experiment's run, which ends, and as a row of the search."""
        if (run := self._unscored.pop(scored.index, None)) is not None:
            if scored.fitness is not None:
                run.summary["fitness"] = scored.fitness
            run.finish()
        series = {"fitness/of_experiment": scored.fitness, "fitness/best_so_far": scored.best}
        there = {name: value for name, value in series.items() if value is not None}
        if there:
            self._search.log({"experiment": scored.index, **there})

    def close(self) -> None:
        """Send the rest of all open runs."""
        for run in (*self._unscored.values(), self._search):
            run.finish()
        self._unscored.clear()

    def _run(self, name: str, run_id: str | None, described: dict[str, Any]) -> Any:
        settings = self._wandb.Settings(
            console="off",
            host="",
            silent=True,
            reinit="create_new",
            disable_git=True,
            disable_code=True,
            x_disable_meta=True,
            x_disable_stats=True,
            x_disable_machine_info=True,
            x_save_requirements=False,
        )
        return self._wandb.init(
            entity=self._entity or None,
            project=self._project,
            dir=str(self._folder),
            group=self._group,
            name=name,
            id=run_id,
            resume="allow" if run_id is not None else None,
            settings=settings,
            **described,
        )


def _rows(experiment: Experiment) -> dict[int, dict[str, float]]:
    """The training losses of all runs, by step."""
    rows: defaultdict[int, dict[str, float]] = defaultdict(dict)
    for run in experiment.runs:
        for step, loss in points(run.losses):
            rows[step][f"{curve_name(run)}/training_loss"] = loss
    return dict(sorted(rows.items()))
