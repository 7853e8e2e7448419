"""MLflow: a campaign is an MLflow experiment with one run per experiment and one for the series of the search.

A run that is there and ended is not told again; one that a kill left open is replaced. Times are the records' own.
"""

import importlib
from collections.abc import Iterable, Mapping
from itertools import islice
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

_TAG = "asi_arch.experiment"
_SEARCH = "search"
_RUNNING = "RUNNING"
_AT_ONCE = 1000
"""Metrics that MLflow takes in one call."""


class MlflowRuns:
    """`Tracker` for a tracking server, a database, or a folder, in which a SQLite database is made."""

    def __init__(self, place: str, campaign: Campaign) -> None:
        mlflow: Any = importlib.import_module("mlflow")
        self._entities: Any = importlib.import_module("mlflow.entities")
        uri, artifacts = _addresses(place)
        self._client: Any = mlflow.MlflowClient(tracking_uri=uri)
        self._started = campaign.created_at
        self._place = self._mlflow_experiment(campaign_name(campaign), artifacts)
        self._search = self._known(_SEARCH) or self._new(_SEARCH, f"search {campaign_name(campaign)}", self._started)
        self._describe(self._search.info.run_id, campaign_facts(campaign))

    def tell(self, experiment: Experiment) -> None:
        """A run of its own with words, numbers and curves, and one point in each series of the search."""
        known, at = self._known(str(experiment.index)), experiment.finished_at
        if known is not None and known.info.status == _RUNNING:
            self._client.delete_run(known.info.run_id)
        if known is None or known.info.status == _RUNNING:
            self._tell_run(experiment)
        measured = {f"measured/{name}": value for name, value in numbers(experiment).items()}
        self._log(self._search.info.run_id, self._metrics(measured, at, experiment.index))

    def score(self, scored: Scored) -> None:
        """In the experiment's own run, and as a point of the search."""
        known = self._known(str(scored.index))
        if scored.fitness is not None and known is not None:
            self._log(known.info.run_id, self._metrics({"fitness": scored.fitness}, scored.at, 0))
        series = {"fitness/of_experiment": scored.fitness, "fitness/best_so_far": scored.best}
        there = {name: value for name, value in series.items() if value is not None}
        self._log(self._search.info.run_id, self._metrics(there, scored.at, scored.index))

    def close(self) -> None:
        """Mark the series as at rest; a resumed campaign adds to them all the same."""
        self._client.set_terminated(self._search.info.run_id)

    def _tell_run(self, experiment: Experiment) -> None:
        at = experiment.finished_at
        run_id = self._new(str(experiment.index), experiment_name(experiment), experiment.started_at).info.run_id
        self._describe(run_id, facts(experiment))
        for run in experiment.runs:
            name = f"{curve_name(run)}/training_loss"
            self._log(run_id, [self._metric(name, loss, at, step) for step, loss in points(run.losses)])
        self._log(run_id, self._metrics({**numbers(experiment), **final_scores(experiment)}, at, 0))
        status = "FINISHED" if experiment.outcome.kind == "measured" else "FAILED"
        self._client.set_terminated(run_id, status, end_time=_milliseconds(at))

    def _mlflow_experiment(self, name: str, artifacts: str | None) -> str:
        known = self._client.get_experiment_by_name(name)
        return known.experiment_id if known else self._client.create_experiment(name, artifact_location=artifacts)

    def _known(self, which: str) -> Any:
        """The run of an experiment, or None."""
        found = self._client.search_runs([self._place], filter_string=f"tags.`{_TAG}` = '{which}'", max_results=1)
        return found[0] if found else None

    def _new(self, which: str, name: str, at: float) -> Any:
        return self._client.create_run(self._place, start_time=_milliseconds(at), tags={_TAG: which}, run_name=name)

    def _describe(self, run_id: str, words: Mapping[str, str]) -> None:
        parameters = [self._entities.Param(name, text) for name, text in words.items()]
        self._client.log_batch(run_id, params=parameters)

    def _metrics(self, values: Mapping[str, float], at: float, step: int) -> list[Any]:
        return [self._metric(name, value, at, step) for name, value in values.items()]

    def _metric(self, name: str, value: float, at: float, step: int) -> Any:
        return self._entities.Metric(name, value, _milliseconds(at), step)

    def _log(self, run_id: str, metrics: Iterable[Any]) -> None:
        rest = iter(metrics)
        while batch := list(islice(rest, _AT_ONCE)):
            self._client.log_batch(run_id, metrics=batch)


def _addresses(place: str) -> tuple[str, str | None]:
    """Tracking URI, and where artifacts would lie; MLflow's default for a server."""
    if "://" in place or place == "databricks":
        return place, None
    folder = Path(place)
    return f"sqlite:///{folder / 'mlflow.db'}", (folder / "artifacts").as_uri()


def _milliseconds(at: float) -> int:
    return round(at * 1000)
