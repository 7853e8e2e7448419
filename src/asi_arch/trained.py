"""A trained model of a campaign: which of its runs, with which weights, and how its tokens are read."""

from pathlib import Path
from typing import NamedTuple

from asi_arch.domain.campaign import Campaign
from asi_arch.domain.errors import StoreMismatch, UserError
from asi_arch.domain.experiment import Experiment
from asi_arch.domain.outcome import Measured, Run
from asi_arch.domain.ports import Store
from asi_arch.domain.profile import StageName
from asi_arch.report.words import outcome_sentence


class TrainedModel(NamedTuple):
    """One language model, trained from one seed."""

    campaign: Campaign
    experiment: Experiment
    run: Run
    weights: bytes
    """safetensors, with the names of `mixers.model.LanguageModel`."""


def trained_model(
    store: Store, campaign: Campaign, index: int, seed: int | None, *, option: str = "--seed"
) -> TrainedModel:
    """The language model of an experiment; of the campaign's first seed that has one where none is named.

    Raises `UserError` where there is none, and says why; `option` is how the user names a seed.
    """
    experiment = store.experiment(index)
    if experiment is None:
        raise UserError(f"experiment {index} is not finished; 'asi-arch tree' lists those that are")
    title = f"#{index} {experiment.proposal.name}"
    runs = {run.key.seed: run for run in experiment.runs if run.key.stage is StageName.LANGUAGE}
    kept = {each: run for each, run in runs.items() if run.weights}
    if not kept:
        raise UserError(f"{title} has no trained weights: {_why(experiment, runs)}")
    chosen = next(each for each in (*campaign.profile.seeds, *kept) if each in kept) if seed is None else seed
    if chosen not in kept:
        there = ", ".join(map(str, sorted(kept)))
        raise UserError(f"{title} has no trained weights of seed {chosen}; {option} may be {there}")
    return TrainedModel(campaign, experiment, kept[chosen], store.blob(kept[chosen].weights))


def _why(experiment: Experiment, runs: dict[int, Run]) -> str:
    if experiment.published is not None:
        return (
            "it was imported, and no weights were published with it. Save its program with `asi-arch show ID --json`,"
            " and have it trained here: asi-arch import gallery FILE --state FOLDER, then asi-arch run --state FOLDER"
        )
    if any(isinstance(run.outcome, Measured) for run in runs.values()):
        return (
            "this campaign holds its runs without them, as older versions stored it. Start a new campaign with --state,"
            " where the trainings are done again and weights are kept"
        )
    return (
        f"{outcome_sentence(experiment.outcome)} Weights are kept of trainings that were measured;"
        " `asi-arch best` lists some"
    )


def tokenizer_model(campaign: Campaign, cache: Path) -> str:
    """The campaign's BPE in the JSON form of the `tokenizers` package; empty for bytes.

    It is made from the data, so these must be as they were. Raises `StoreMismatch` where they are not.
    """
    if campaign.profile.language.vocabulary == "bytes":
        return ""
    from asi_arch.tasks.catalog import build_tasks, data_fingerprint
    from asi_arch.tasks.language import LanguageTask

    tasks = build_tasks(campaign.profile, cache)
    if data_fingerprint(tasks) != campaign.data_fingerprint:
        raise StoreMismatch(
            f"the data have changed under this campaign, which was started on {campaign.data_description}; its tokens"
            " are made from the data and can't be read without them"
        )
    language = tasks[StageName.LANGUAGE]
    assert isinstance(language, LanguageTask)
    return language.tokenizer_model
