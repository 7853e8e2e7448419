import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asi_arch.domain.outcome import BlindCheck, Leaking, Measured
from asi_arch.domain.ports import NO_TARGET, Batch
from asi_arch.domain.profile import BlindSpec, Profile, Split, StageName
from asi_arch.lab.blind import Answer, Question, disguised, finding, generator, leak_bound, questions, wanted
from asi_arch.lab.client import LocalLab
from asi_arch.mixers import baselines

from .conftest import MakeOrder, mixer

SPEC = BlindSpec()


def _batch(rows: int = 12, length: int = 10, *, answers_only: bool = False) -> Batch:
    tokens = np.random.default_rng(0).integers(0, 50, (rows, length + 1)).astype(np.int32)
    targets = tokens[:, 1:].copy()
    if answers_only:
        targets[:, : length // 2] = NO_TARGET
    return Batch(tokens[:, :-1], targets, np.zeros(rows, np.int32))


@given(count=st.integers(1, 20), seed=st.integers(0, 5))
def test_questions_are_about_different_rows_and_leave_something_to_hide(count: int, seed: int) -> None:
    batch = _batch(answers_only=True)
    losses = np.random.default_rng(seed).random(batch.targets.shape)
    asked = questions(losses, batch, count=count, rng=generator("a", seed))
    assert len(asked) == min(count, len(losses))
    assert len({question.row for question in asked}) == len(asked)
    assert all(batch.targets[q.row, q.position] != NO_TARGET and q.position < losses.shape[1] - 1 for q in asked)
    assert sum(q.is_gain for q in asked) == len(asked) // 2


def test_half_of_the_questions_are_where_it_knows_what_it_usually_does_not() -> None:
    batch = _batch()
    hard = np.unique(batch.targets)[0]
    losses = np.where(batch.targets == hard, 5.0, 1.0)
    row, position = next((r, p) for r, p in np.argwhere(batch.targets == hard) if p < losses.shape[1] - 1)
    losses[row, position] = 1.5
    asked = questions(losses, batch, count=2, rng=generator("a"))
    assert (asked[0].row, asked[0].position) == (row, position)


def test_half_of_the_questions_are_where_it_gains_most_over_the_baseline() -> None:
    batch = _batch()
    losses = np.full(batch.targets.shape, 2.0)
    losses[3, 4] = 0.5
    baseline = np.full(batch.targets.shape, 2.0, dtype=np.float32)
    baseline[3, 4], baseline[7, 2] = 0.5, 3.0
    asked = questions(losses, batch, count=2, rng=generator("a"), baseline=baseline)
    assert (asked[0].row, asked[0].position, asked[0].is_gain) == (7, 2, True)


def test_what_follows_a_question_is_another_rows_and_what_precedes_is_its_own() -> None:
    batch = _batch()
    asked = [Question(2, 5, True), Question(11, 0, False)]
    inputs = disguised(batch, asked)
    for place, question in enumerate(asked):
        own = batch.inputs[question.row]
        assert (inputs[place, : question.position + 1] == own[: question.position + 1]).all()
        assert (inputs[place, question.position + 1 :] != own[question.position + 1 :]).any()


def test_a_row_is_never_disguised_as_itself() -> None:
    batch = _batch()
    asked = [Question(row, 0, False) for row in range(len(batch.inputs))]
    inputs = disguised(batch, [*asked, *asked])
    for place, question in enumerate([*asked, *asked]):
        assert (inputs[place] != batch.inputs[question.row]).any()


def test_the_worst_disagreement_is_reported_and_agreement_gives_a_bound() -> None:
    fine = [Answer(Question(row, 1, row < 4), 1.0, 1.0 + 1e-4) for row in range(8)]
    confirmed = finding(StageName.LANGUAGE, fine, SPEC)
    assert isinstance(confirmed, BlindCheck)
    assert confirmed.leak_bound == leak_bound(4)
    worse = [*fine, Answer(Question(9, 2, False), 0.5, 1.5), Answer(Question(8, 3, False), 1.0, 1.2)]
    found = finding(StageName.LANGUAGE, worse, SPEC)
    assert isinstance(found, Leaking)
    assert (found.row, found.position, found.blind_loss_nats) == (9, 2, 1.5)
    assert isinstance(finding(StageName.LANGUAGE, [*fine, Answer(Question(9, 2, False), 0.5, np.nan)], SPEC), Leaking)


def test_the_bound_on_a_leak_is_the_share_that_would_be_missed_in_one_of_twenty() -> None:
    assert (1 - leak_bound(16)) ** 16 == pytest.approx(0.05)
    assert leak_bound(0) == 1.0
    assert wanted(SPEC, Split.VAULT) > wanted(SPEC, Split.VALIDATION)


@pytest.mark.torch
class TestWithChildren:
    pytestmark = pytest.mark.asyncio(loop_scope="module")

    @pytest.mark.parametrize("stage", list(StageName))
    async def test_an_honest_mixer_is_confirmed(
        self, lab: LocalLab, order: MakeOrder, stage: StageName, profile: Profile
    ) -> None:
        run, _ = await lab.run(order(baselines.load("gated_delta_net").source, stage=stage), lambda _: None)
        assert run.outcome == Measured()
        assert run.score is not None
        assert run.score.blind is not None
        assert run.score.blind.positions > 0
        assert run.score.blind.largest_difference_nats < profile.blind.tolerance_nats / 5

    async def test_a_leak_at_a_rare_token_is_found_where_it_gains(self, lab: LocalLab, order: MakeOrder) -> None:
        run, weights = await lab.run(order(RARE), lambda _: None)
        assert isinstance(run.outcome, Leaking)
        assert run.score is None
        assert weights == b""

    async def test_a_scorer_that_remembers_what_it_saw_before_is_of_no_use_to_the_blind_one(
        self, lab: LocalLab, order: MakeOrder
    ) -> None:
        remembers = mixer(
            "y = self.project(x)\nif self.training:\n    return y\n"
            "last = getattr(self, 'last', None)\nself.last = y.detach().mean()\n"
            "return y if last is None else y + 50 * last"
        )
        run, _ = await lab.run(order(remembers), lambda _: None)
        assert isinstance(run.outcome, Leaking)


# The mean of all tokens, also of later ones, is added wherever the norm of the input at a position is unusual.
RARE = mixer(
    "y = self.project(x)\n"
    "rare = x.abs().mean(-1, keepdim=True)\n"
    "chosen = (rare >= rare.flatten().kthvalue(int(0.9 * rare.numel())).values) & (not self.training)\n"
    "return y + chosen * 20 * x.roll(-1, 1)"
)
