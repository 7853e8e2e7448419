"""Records for tests: every argument has a plausible default, so that a test names only what it is about."""

import math
from collections.abc import Sequence
from random import Random

from asi_arch.domain.campaign import Campaign
from asi_arch.domain.candidate import Author, Proposal, fingerprint
from asi_arch.domain.experiment import MQAR, Analysis, Cost, Experiment, Judgement, Mark
from asi_arch.domain.outcome import (
    CheckReport,
    Crashed,
    Finding,
    Footprint,
    GroupScore,
    Measured,
    Outcome,
    Rejected,
    Run,
    RunKey,
    Severity,
    StageScore,
)
from asi_arch.domain.profile import LanguageStage, ModelSpec, Profile, RecallStage, SearchSpec, Split, StageName

TASKS = (MQAR, "noisy_recall", "selective_copy", "state_tracking")
UNTRAINED = 5.55
"""Loss of a byte model before its first step, in nats."""

SOURCE = '''"""{name}: a mixer that averages what it has seen."""

import torch
from torch import nn


class Mixer(nn.Module):
    """Exponential averages with a learned decay per channel."""

    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int):
        super().__init__()
        self.value = nn.Linear(hidden_size, hidden_size, bias=False)
        self.decay = nn.Parameter(torch.full((hidden_size,), {decay}))

    def forward(self, x):
        value, kept = self.value(x), torch.sigmoid(self.decay)
        state, outputs = torch.zeros_like(value[:, 0]), []
        for step in range(x.shape[1]):
            state = kept * state + (1 - kept) * value[:, step]
            outputs.append(state)
        return torch.stack(outputs, dim=1)
'''


def make_profile(**changes: object) -> Profile:
    """A small profile with four baselines."""
    profile = Profile(
        name="test",
        description="Records for tests",
        model=ModelSpec(depth=2),
        language=LanguageStage(steps=500),
        recall=RecallStage(tasks=dict.fromkeys(TASKS, 1.0), steps=800),
        search=SearchSpec(
            baselines=("delta_net", "linear_attention", "gated_delta_net", "mamba2"),
            pool_size=20,
            parent_ranks=(1, 5),
            reference_ranks=(6, 20),
            cold_start=8,
            update_every=4,
        ),
    )
    return profile.model_copy(update=changes)


def make_campaign(profile: Profile | None = None, *, seed: int = 0) -> Campaign:
    """A campaign that begins at Unix time 1,800,000,000."""
    return Campaign(
        profile=profile or make_profile(),
        seed=seed,
        data_fingerprint="d" * 64,
        data_description="a corpus for tests, 1.0 MB",
        version="0.1.0",
        created_at=1_800_000_000.0,
    )


def make_proposal(name: str = "decay_mixer", *, author: Author = Author.COMPOSER, **changes: object) -> Proposal:
    """A proposal whose program differs for every name."""
    source = SOURCE.format(name=name, decay=round(Random(name).uniform(0.5, 4.0), 6))
    proposal = Proposal(
        author=author,
        name=name,
        motivation="Averages with several decays keep both recent and old tokens, which should help recall.",
        expectation="recall accuracy up, language loss unchanged",
        change="one decay for every channel instead of one for all",
        source=source,
        fingerprint=fingerprint(source),
        mechanisms=("channel_decay", "output_gate"),
    )
    return proposal.model_copy(update=changes)


def make_run(
    proposal: Proposal, stage: StageName, seed: int, *, loss: float, accuracy: float, outcome: Outcome | None = None
) -> Run:
    """A run with a smooth loss curve; scored only when it was measured."""
    outcome = outcome or Measured()
    steps = int(getattr(outcome, "step", 500 if stage is StageName.LANGUAGE else 800))
    is_measured = isinstance(outcome, Measured)
    return Run(
        key=RunKey(sha=proposal.sha, protocol="p" * 64, stage=stage, seed=seed),
        outcome=outcome,
        losses=_curve(loss, steps, Random(f"{proposal.sha}:{stage.value}:{seed}")),
        score=make_score(loss, accuracy) if is_measured else None,
        steps=steps,
        tokens=2048 * steps,
        parameters=97_000,
        mlp_width=128,
        cpu_s=0.04 * steps,
        wall_s=0.045 * steps,
        peak_mib=410.0,
    )


def make_score(loss: float, accuracy: float, *, mqar: float | None = None) -> StageScore:
    """A held-out score whose groups all have the same accuracy, unless multi-query recall is given its own."""
    groups = {name: GroupScore(loss_nats=loss, accuracy=accuracy, targets=1024) for name in TASKS}
    if mqar is not None:
        groups[MQAR] = GroupScore(loss_nats=loss, accuracy=mqar, targets=1024)
    return StageScore(split=Split.VALIDATION, loss_nats=loss, accuracy=accuracy, groups=groups, rows=(loss,) * 4)


def make_checks(proposal: Proposal, findings: tuple[Finding, ...] = ()) -> CheckReport:
    """A report that passes unless `findings` hold an error."""
    footprint = Footprint(
        parameters=16_700,
        model_parameters=97_000,
        mlp_width=128,
        aten_calls=160,
        flops=38_000_000,
        elements=1_900_000,
        growth=1.02,
        memory_growth=1.0,
        code_lines=len(proposal.source.splitlines()),
    )
    passed = ("interface", "finite", "causality", "batch_independence", "growth")
    return CheckReport(sha=proposal.sha, findings=findings, passed_checks=passed, footprint=footprint, cpu_s=0.9)


def make_experiment(
    index: int = 0,
    proposal: Proposal | None = None,
    *,
    language: Sequence[float] = (1.66, 1.67),
    recall: Sequence[float] = (0.60, 0.62),
    outcome: Outcome | None = None,
) -> Experiment:
    """A finished experiment with one run per stage and seed; `language` holds losses, `recall` accuracies.

    An outcome other than `Measured` ends the runs at the outcome's stage; one without a stage has none at all.
    """
    proposal, outcome = proposal or make_proposal(f"mixer_{index}"), outcome or Measured()
    runs = _runs(proposal, language, recall, outcome)
    train_s, started = sum(run.cpu_s for run in runs), 1_800_000_000.0 + 70.0 * index
    findings: tuple[Finding, ...] = ()
    if isinstance(outcome, Rejected):
        findings = (Finding(check=outcome.check, severity=Severity.ERROR, message=outcome.reason, position=31),)
    return Experiment(
        index=index,
        proposal=proposal,
        protocol="p" * 64,
        containment="process",
        checks=make_checks(proposal, findings),
        runs=runs,
        outcome=outcome,
        judgement=make_judgement(Random(proposal.sha).uniform(0.35, 0.75)),
        analysis=make_analysis(),
        cost=Cost(
            check_cpu_s=0.9, train_cpu_s=train_s, score_cpu_s=0.6 * len(runs), propose_s=0.02, wall_s=train_s / 2
        ),
        started_at=started,
        finished_at=started + train_s / 2 + 2.0,
    )


def make_judgement(score: float) -> Judgement:
    """Three marks whose weighted mean is `score`."""
    marks = (
        Mark(name="efficiency", value=score, weight=0.4, reason="fewer operations than the reference"),
        Mark(name="simplicity", value=score, weight=0.3, reason="21 lines, one loop"),
        Mark(name="novelty", value=score, weight=0.3, reason="nearest relative shares 3 of 5 mechanisms"),
    )
    return Judgement(judge="rubric", marks=marks, score=score)


def make_analysis() -> Analysis:
    """Five short paragraphs."""
    return Analysis(
        design="One decay for every channel replaces the parent's single decay.",
        results="Language loss fell by 0.021 nats against the parent, twice the seed noise of 0.010.",
        expectation="Recall was expected to rise; it rose by 0.04.",
        mechanism="Slow channels keep what fast ones forget.",
        lessons="A spread of decays is worth more than their learning rate.",
    )


def _runs(proposal: Proposal, language: Sequence[float], recall: Sequence[float], outcome: Outcome) -> tuple[Run, ...]:
    stage = getattr(outcome, "stage", None)
    if isinstance(outcome, Rejected | Crashed) and stage is None:
        return ()
    end = None if isinstance(outcome, Measured) else outcome
    first = end if stage is StageName.LANGUAGE else None
    runs = [
        make_run(proposal, StageName.LANGUAGE, seed, loss=loss, accuracy=0.5, outcome=first)
        for seed, loss in enumerate(language)
    ]
    if first is None:
        runs += [
            make_run(proposal, StageName.RECALL, seed, loss=2.5 * (1 - share), accuracy=share, outcome=end)
            for seed, share in enumerate(recall)
        ]
    return tuple(runs)


def _curve(final: float, steps: int, rng: Random) -> tuple[float, ...]:
    """A power law from the untrained loss to `final`, with noise from batch to batch."""
    scale = UNTRAINED - final
    return tuple(final + scale * math.exp(-(step**0.55) / 7) + rng.gauss(0, 0.05) for step in range(steps))
