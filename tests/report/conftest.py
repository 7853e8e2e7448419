from collections.abc import Callable, Sequence
from typing import Any

import pytest

from asi_arch.domain.candidate import Author
from asi_arch.domain.experiment import Experiment
from asi_arch.domain.outcome import Measured
from asi_arch.domain.published import CurvePoint, Origin, Published
from asi_arch.testing.fake_store import FakeStore
from asi_arch.testing.records import make_campaign, make_experiment, make_profile, make_proposal
from asi_arch.testing.synthetic import add_verdict, synthetic_store


@pytest.fixture(scope="session")
def campaign() -> FakeStore:
    """Forty experiments; read only."""
    return synthetic_store(40)


@pytest.fixture(scope="session")
def verified() -> FakeStore:
    """The same with its fittest verified; read only."""
    store = synthetic_store(40)
    add_verdict(store, store.pool(1, 1000)[0].index)
    return store


@pytest.fixture(params=[0, 1, 2, 9])
def young(request: pytest.FixtureRequest) -> FakeStore:
    """Nothing, one baseline, one candidate without fitness, and the first refresh of the pool."""
    return synthetic_store(request.param)


@pytest.fixture
def store_of() -> Callable[..., FakeStore]:
    """Makes a store of a reference, a recall floor at 0.3, and the given experiments; fitness by index."""

    def make(
        *experiments: Experiment,
        fitness: dict[int, float] | None = None,
        names: Sequence[str] = ("delta_net", "linear_attention"),
    ) -> FakeStore:
        store = FakeStore()
        store.create(make_campaign())
        for index, name in zip((0, 2), names, strict=True):
            proposal = make_proposal(name, author=Author.BASELINE)
            store.record(make_experiment(index, proposal, language=(1.66, 1.67), recall=(0.3, 0.3)), 0.5)
        for experiment in experiments:
            store.record(experiment, (fitness or {}).get(experiment.index))
        return store

    return make


@pytest.fixture
def with_verdict() -> Callable[..., FakeStore]:
    """Makes a campaign whose fittest was verified with these differences to delta_net (language, recall)."""

    def make(estimates: tuple[float, float], *, others: dict[str, float] | None = None) -> FakeStore:
        store = synthetic_store(20)
        verdict = add_verdict(store, store.pool(1, 100)[0].index)
        wanted = list(zip(verdict.comparisons, ("delta_net", "delta_net"), estimates, strict=True))
        wanted += [(verdict.comparisons[0], name, estimate) for name, estimate in (others or {}).items()]
        comparisons = [
            c.model_copy(
                update={
                    "baseline": baseline,
                    "difference": c.difference.model_copy(update={"estimate": e, "low": e - 0.02, "high": e + 0.02}),
                    "p_value": 0.001 if abs(e) > 0.02 else 0.6,
                }
            )
            for c, baseline, e in wanted
        ]
        store.save_verdict(verdict.model_copy(update={"comparisons": tuple(comparisons), "vault_looks": 2}))
        return store

    return make


@pytest.fixture
def imported_of() -> Callable[..., FakeStore]:
    """Makes an imported campaign of (number, parent, score) rows; what else was published by number."""

    def make(rows: Sequence[tuple[int, int | None, float | None]], **published: dict[int, Any]) -> FakeStore:
        store = FakeStore()
        origin = Origin(
            format="tables", title="a published tree", files={"tree.tsv": "0" * 64}, score="higher is better"
        )
        store.create(make_campaign(make_profile(name="imported")).model_copy(update={"origin": origin}))
        for index, parent, score in rows:
            proposal = make_proposal(f"design_{index}", author=Author.IMPORTED, parent=parent, mechanisms=(), source="")
            facts = {name: values[index] for name, values in published.items() if index in values}
            experiment = Experiment(
                index=index,
                proposal=proposal,
                protocol="",
                containment="",
                outcome=Measured(),
                published=Published(label=proposal.name, score=score, **facts),
            )
            store.record(experiment, score)
        return store

    return make


@pytest.fixture
def imported(imported_of: Callable[..., FakeStore]) -> FakeStore:
    """A root, sixty descendants with scores, two of them with everything that was published; read only."""
    rows = [(1, None, 1.6), *((i, 1 + i // 7, 1.0 + (i * 37 % 100) / 60) for i in range(2, 62))]
    curve = tuple(CurvePoint(step=step, loss_nats=11.0 / (1 + step / 300)) for step in (1, 100, 1000, 2000))
    return imported_of(
        rows,
        parameters={40: 495_730_000, 52: 817_010_000},
        curve={40: curve, 52: curve},
        tasks={40: {"arc_easy": 0.49, "lambada perplexity": 38.7}, 52: {"arc_easy": 0.48}},
    )
