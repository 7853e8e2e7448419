"""Campaigns with a planted good and a planted bad mechanism, made of records; nothing is trained."""

from collections.abc import Mapping
from random import Random

from asi_arch.agents.composer import BASELINE_DESIGNS, Design
from asi_arch.agents.composer.design import part_of, settle
from asi_arch.domain.candidate import Author
from asi_arch.domain.experiment import Experiment
from asi_arch.domain.outcome import Outcome
from asi_arch.domain.reflection import Hindsight, Result
from asi_arch.testing.records import make_experiment, make_judgement, make_proposal

GOOD, BAD = "channel_decay", "rotary"
OTHERS = ("window_branch", "value_residual", "token_shift", "short_convolution", "complementary_keys")
BATCH = 8
NOISE = 0.01


def designed(index: int, design: Design, *, parent: int | None = 0, **changes: object) -> Experiment:
    author = Author.BASELINE if parent is None else Author.COMPOSER
    extra = {"parent": parent, "mechanisms": design.keys, "design": design.model_dump_json()}
    return make_experiment(index, make_proposal(f"m{index}", author=author, **{**extra, **changes}))


def planted(inventions: int = 30, *, seed: int = 0, effects: Mapping[str, float] | None = None) -> Hindsight:
    """Children of one baseline that each add two mechanisms; `effects` on the gain, GOOD and BAD by default."""
    effects = {GOOD: 0.12, BAD: -0.12} if effects is None else effects
    rng, start = Random(seed), BASELINE_DESIGNS["delta_net"]
    experiments, results = [designed(0, start, parent=None)], {0: Result(0.5, 1.66, 0.6, 0.01)}
    for index in range(1, inventions + 1):
        added = rng.sample([GOOD, BAD, *OTHERS], 2)
        design = settle([*(part_of(key) for key in added), *start.parts])
        gain = sum(effects.get(key, 0.0) for key in design.keys) + rng.gauss(0, 0.02)
        experiments.append(designed(index, design))
        results[index] = Result(0.5 + gain, 1.66 - 0.2 * gain, 0.6 + 0.5 * gain, 0.01)
    return Hindsight(inventions + 1, BATCH, experiments, results, NOISE)


def with_outcome(seen: Hindsight, index: int, outcome: Outcome) -> Hindsight:
    """The same, but that one experiment ended otherwise, without a result."""
    changed = [e if e.index != index else make_experiment(index, e.proposal, outcome=outcome) for e in seen.experiments]
    return seen._replace(experiments=changed, results={i: r for i, r in seen.results.items() if i != index})


def judged_wrongly(seen: Hindsight) -> Hindsight:
    """The same with a judge that gives most to what gains least."""
    changed = [
        e.model_copy(update={"judgement": make_judgement(1 - seen.results[e.index].gain)}) for e in seen.experiments
    ]
    return seen._replace(experiments=changed)
