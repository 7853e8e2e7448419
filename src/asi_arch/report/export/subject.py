"""What an export is made from: one trained model, and what the campaign knows about its design."""

from typing import NamedTuple

from asi_arch.domain.campaign import Campaign
from asi_arch.domain.candidate import Author
from asi_arch.domain.experiment import Experiment, Summary
from asi_arch.domain.lineage import Lineage
from asi_arch.domain.outcome import Run
from asi_arch.domain.ports import Store
from asi_arch.domain.verdict import Verdict


class Source(NamedTuple):
    """A paper."""

    arxiv: str
    """Its arXiv id, or the id of a document that has none."""
    name: str
    """Empty where the base of papers does not have it any more."""


class Subject(NamedTuple):
    """Everything that the files of an export say."""

    campaign: Campaign
    experiment: Experiment
    run: Run
    """The training whose weights these are."""
    weights: bytes
    """safetensors, with the names of `mixers.model.LanguageModel`."""
    tokenizer: str
    """A BPE in the JSON form of the `tokenizers` package; empty for bytes."""
    verdict: Verdict | None
    """The latest; None where nobody verified it."""
    ancestors: tuple[Summary, ...]
    """From the root to the parent."""
    baselines: tuple[Summary, ...]
    papers: tuple[Source, ...]
    """Whose passages its author was given."""
    version: str
    """Of the program that writes the export."""


def subject(
    store: Store,
    campaign: Campaign,
    experiment: Experiment,
    run: Run,
    *,
    tokenizer: str,
    papers: tuple[Source, ...],
    version: str,
) -> Subject:
    """Collect it from the campaign. Raises `StoreError` where the weights are missing or damaged."""
    summaries = store.summaries()
    lineage = Lineage(summaries)
    verdicts = [verdict for verdict in store.verdicts() if verdict.sha == experiment.proposal.sha]
    return Subject(
        campaign=campaign,
        experiment=experiment,
        run=run,
        weights=store.blob(run.weights),
        tokenizer=tokenizer,
        verdict=verdicts[-1] if verdicts else None,
        ancestors=tuple(lineage.nodes[index] for index in lineage.path(experiment.index)[:-1]),
        baselines=tuple(summary for summary in summaries if summary.author is Author.BASELINE),
        papers=papers,
        version=version,
    )
