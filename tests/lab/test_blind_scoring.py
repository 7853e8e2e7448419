from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load

from asi_arch.domain.outcome import Crashed
from asi_arch.domain.ports import NO_TARGET, BlindScores, RunOrder, Task
from asi_arch.domain.profile import Profile, Split, StageName
from asi_arch.lab.blind import generator, wanted
from asi_arch.lab.blind_scoring import Places, blinded, drawn
from asi_arch.lab.checks.setting import SCORE_TOKENS
from asi_arch.lab.client import LocalLab
from asi_arch.lab.referee import Referee
from asi_arch.lab.running import score_job
from asi_arch.mixers import baselines
from asi_arch.tasks.catalog import build_tasks

from .conftest import MakeOrder, mixer

RNG = np.random.default_rng(0)


def targets_of(rows: int, length: int, *, asked: int) -> np.ndarray:
    targets = RNG.integers(0, 50, (rows, length)).astype(np.int32)
    targets[:, : length - asked] = NO_TARGET
    return targets


@given(count=st.integers(1, 200), rows=st.integers(1, 12), asked=st.integers(1, 9), seed=st.integers(0, 3))
def test_places_are_different_asked_about_and_spread_over_all_rows(
    count: int, rows: int, asked: int, seed: int
) -> None:
    targets = targets_of(rows, 10, asked=asked)
    places = drawn(targets, count=count, rng=generator("a", seed))
    pairs = set(zip(places.rows.tolist(), places.positions.tolist(), strict=True))
    assert len(pairs) == len(places.rows) == sum(min(asked, share) for share in shares(count, rows))
    assert all(targets[row, position] != NO_TARGET for row, position in pairs)
    times = np.bincount(places.rows, minlength=rows)
    assert times.max() - times.min() <= 1


def shares(count: int, rows: int) -> list[int]:
    return [count // rows + (place < count % rows) for place in range(rows)]


def test_the_same_words_give_the_same_places_and_others_do_not() -> None:
    targets = targets_of(8, 30, asked=20)
    first, same, other = (drawn(targets, count=40, rng=generator("p", word)) for word in ("a", "a", "b"))
    assert all(np.array_equal(left, right) for left, right in zip(first, same, strict=True))
    assert not np.array_equal(first.positions, other.positions)


@pytest.mark.parametrize(("rows", "length"), [(6, 12), (1, 12), (5, SCORE_TOKENS // 2)])
def test_no_batch_and_no_earlier_batch_shows_what_follows_an_asked_position(rows: int, length: int) -> None:
    inputs, others = (base + np.arange(rows * length).reshape(rows, length) for base in (0, 10**6))
    targets = np.full((rows, length), 7, dtype=np.int32)
    places = drawn(targets, count=3 * rows, rng=generator("a"))
    seen: set[int] = set()
    found: list[tuple[int, int]] = []
    for batch, part in blinded(inputs.astype(np.int32), others.astype(np.int32), places):
        assert batch.size <= SCORE_TOKENS
        seen |= set(batch[batch < 10**6].tolist())
        for line, row, position in zip(batch, part.rows, part.positions, strict=True):
            assert (line[: position + 1] == inputs[row, : position + 1]).all()
            assert (line[position + 1 :] >= 10**6).all()
            assert not seen & set(inputs[row, position + 1 :].tolist())
            found.append((int(row), int(position)))
    assert found == list(zip(places.rows.tolist(), places.positions.tolist(), strict=True))


def test_a_row_is_never_disguised_as_itself_by_the_tail_it_should_not_have() -> None:
    inputs = np.arange(40, dtype=np.int32).reshape(4, 10)
    others = inputs + 1000
    places = Places(np.array([0, 1, 2, 3]), np.array([2, 2, 2, 2]))
    ((batch, _),) = blinded(inputs, others, places)
    assert len({int(line[-1]) for line in batch}) == 4


LEAKY = mixer("return self.project(x) + 1000 * x.roll(-1, 1) * (not self.training)")
HONEST = mixer("return self.project(x)")


@pytest.mark.torch
class TestWithChildren:
    pytestmark = pytest.mark.asyncio(loop_scope="module")

    @pytest.mark.parametrize("stage", list(StageName))
    async def test_a_blind_score_is_the_parallel_one_for_an_honest_mixer(
        self, lab: LocalLab, order: MakeOrder, profile: Profile, stage: StageName
    ) -> None:
        asked = order(baselines.load("delta_net").source, stage=stage)
        _, weights = await lab.run(asked, lambda _: None)
        found = await lab.score_blind(in_vault(asked), weights)
        assert isinstance(found, BlindScores)
        losses, hits = whole_rows(profile, in_vault(asked), weights)
        assert np.abs(found.losses - losses).max() < profile.blind.tolerance_nats / 5
        assert (found.hits == hits).mean() > 0.95
        rows = len(build_tasks(profile, CACHE)[stage].held_out(Split.VAULT).inputs)
        assert len(found.losses) == wanted(profile.blind, Split.VAULT) == 24
        assert set(found.documents.tolist()) == set(range(rows))

    async def test_a_mixer_that_reads_the_next_token_has_no_advantage(
        self, lab: LocalLab, order: MakeOrder, profile: Profile
    ) -> None:
        _, weights = await lab.run(order(HONEST), lambda _: None)
        honest = await lab.score_blind(in_vault(order(HONEST)), weights)
        leaky = await lab.score_blind(in_vault(order(LEAKY)), weights)
        assert isinstance(honest, BlindScores) and isinstance(leaky, BlindScores)
        seeing, _ = whole_rows(profile, in_vault(order(LEAKY)), weights)
        assert seeing.mean() < honest.losses.mean() - 0.5
        assert leaky.losses.mean() > honest.losses.mean()

    async def test_what_fails_in_the_scorer_is_an_outcome(self, lab: LocalLab, order: MakeOrder) -> None:
        _, weights = await lab.run(order(HONEST), lambda _: None)
        broken = mixer("if not self.training:\n    raise ValueError('no')\nreturn self.project(x)")
        found = await lab.score_blind(in_vault(order(broken)), weights)
        assert isinstance(found, Crashed)
        assert "scoring: ValueError: no" in found.reason


CACHE = Path.home() / ".cache" / "asi-arch"


def in_vault(order: RunOrder) -> RunOrder:
    return order._replace(key=order.key.model_copy(update={"split": Split.VAULT}))


def whole_rows(profile: Profile, order: RunOrder, weights: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Losses and hits at the places of a blind score, of a model that sees whole rows."""
    import torch

    from asi_arch.lab.scorer.scoring import build, take_weights

    key = order.key
    task: Task = build_tasks(profile, CACHE)[key.stage]
    batch = task.held_out(key.split)
    model = build(score_job(profile, task, order))
    take_weights(model, load(weights))
    with torch.no_grad():
        hidden = model.hidden(torch.from_numpy(batch.inputs).long())[0].numpy()
    rng = generator("blind only", key.protocol, key.stage.value, key.split.value)
    rows, positions = drawn(batch.targets, count=wanted(profile.blind, key.split), rng=rng)
    referee = Referee(load(weights), batch, task.groups)
    return referee.marks_at(hidden[rows, positions], batch.targets[rows, positions])
