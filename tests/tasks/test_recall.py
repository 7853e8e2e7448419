from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asi_arch.domain.errors import ProfileError
from asi_arch.domain.profile import OptimizerSpec, RecallStage, Split
from asi_arch.tasks import recall
from asi_arch.tasks.recall import RecallTask, row_shares
from asi_arch.tasks.synthetic import FAMILIES

STAGE = RecallStage(tasks=dict.fromkeys(FAMILIES, 1.0))


def changed(**changes: object) -> RecallStage:
    return RecallStage.model_validate({**STAGE.model_dump(), **changes})


def test_a_batch_is_a_pure_function_of_seed_and_step() -> None:
    task = RecallTask(STAGE)
    one, two = task.train_batch(4, 9), RecallTask(STAGE).train_batch(4, 9)
    assert all(np.array_equal(left, right) for left, right in zip(one, two, strict=True))
    for seed, step in ((4, 10), (5, 9), (9, 4)):
        assert not np.array_equal(one.inputs, task.train_batch(seed, step).inputs)


def test_a_batch_holds_the_tasks_in_proportion() -> None:
    task = RecallTask(RecallStage(tasks={"multi_query_recall": 2, "state_tracking": 1, "compression": 1}))
    batch = task.train_batch(0, 0)
    assert task.groups == ("compression", "multi_query_recall", "state_tracking")
    assert np.bincount(batch.groups).tolist() == [8, 16, 8]
    assert batch.inputs[:, 0].tolist() == [FAMILIES[task.groups[group]].token for group in batch.groups]
    assert (batch.inputs.shape, batch.inputs.dtype, batch.groups.dtype) == ((32, 64), np.int32, np.int32)


def test_the_order_of_tasks_in_a_profile_does_not_matter() -> None:
    backwards = RecallStage(tasks=dict(reversed(STAGE.tasks.items())))
    assert RecallTask(backwards).fingerprint == RecallTask(STAGE).fingerprint
    assert np.array_equal(RecallTask(backwards).train_batch(1, 2).inputs, RecallTask(STAGE).train_batch(1, 2).inputs)


def test_held_out_splits_have_every_task_and_are_always_the_same() -> None:
    task = RecallTask(changed(held_out_per_task=16))
    for split in Split:
        batch = task.held_out(split)
        assert np.bincount(batch.groups).tolist() == [16] * len(FAMILIES)
        assert np.array_equal(batch.inputs, task.held_out(split).inputs)


def test_train_validation_and_vault_share_no_rows() -> None:
    task = RecallTask(changed(held_out_per_task=64))
    validation, fresh, vault = ({bytes(row) for row in batch.inputs} for batch in map(task.held_out, Split))
    train = {bytes(row) for step in range(20) for row in task.train_batch(0, step).inputs}
    assert len(train) == 640
    assert not validation & vault and not fresh & (validation | vault)
    assert not train & (validation | fresh | vault)


def test_the_fingerprint_follows_what_changes_batches_and_nothing_else() -> None:
    before = RecallTask(STAGE).fingerprint
    same = changed(steps=5, optimizer=OptimizerSpec(peak_lr=1.0).model_dump())
    assert RecallTask(same).fingerprint == before
    others = [{"length": 80}, {"vocabulary": 80}, {"batch": 40}, {"held_out_per_task": 8}]
    assert before not in {RecallTask(changed(**other)).fingerprint for other in others}


def test_rows_of_a_task_do_not_depend_on_the_other_tasks() -> None:
    alone = RecallTask(RecallStage(tasks={"compression": 1}, batch=4)).train_batch(3, 1)
    mixed = RecallTask(RecallStage(tasks={"compression": 1, "state_tracking": 1}, batch=8)).train_batch(3, 1)
    assert np.array_equal(alone.inputs, mixed.inputs[mixed.groups == 0])


def test_a_task_that_can_not_be_built_is_refused() -> None:
    with pytest.raises(ProfileError, match="unknown task"):
        RecallTask(RecallStage(tasks={"recite": 1.0}))
    with pytest.raises(ProfileError, match="needs at least 26, got 20"):
        RecallTask(changed(length=20))
    with pytest.raises(ProfileError, match="leaves no row for"):
        RecallTask(changed(batch=3))


@given(st.dictionaries(st.text(min_size=1), st.floats(0.05, 1.0), min_size=1, max_size=8), st.integers(160, 400))
def test_shares_add_up_and_are_within_one_row_of_proportional(shares: dict[str, float], batch: int) -> None:
    rows = row_shares(shares, batch)
    assert sum(rows.values()) == batch
    assert list(rows) == sorted(shares)
    total = sum(shares.values())
    assert all(abs(rows[name] - batch * share / total) < 1 for name, share in shares.items())


def test_largest_remainders_get_the_rows_left_over() -> None:
    assert row_shares({"a": 5, "b": 3, "c": 2}, 7) == {"a": 4, "b": 2, "c": 1}
    assert Counter(row_shares(dict.fromkeys("abc", 1.0), 32)) == {"a": 11, "b": 11, "c": 10}


def test_every_row_is_a_document_of_its_own() -> None:
    task = RecallTask(STAGE)
    assert task.documents(Split.VAULT).tolist() == list(range(len(task.held_out(Split.VAULT).inputs)))


def test_batches_that_are_kept_are_those_that_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = RecallStage(tasks={"selective_copy": 1}, batch=4)
    fresh = [RecallTask(stage).train_batch(1, step) for step in range(3)]
    monkeypatch.setattr(recall, "MEMORY_BYTES", 2 * sum(array.nbytes for array in fresh[0]))
    task = RecallTask(stage)
    first, again = ([task.train_batch(1, step) for step in range(3)] for _ in range(2))
    assert [a is b for a, b in zip(first, again, strict=True)] == [True, True, False]
    for made in zip(fresh, first, again, strict=True):
        assert len({tuple(array.tobytes() for array in batch) for batch in made}) == 1


def test_a_batch_can_not_be_changed() -> None:
    batch = RecallTask(RecallStage(tasks={"selective_copy": 1}, batch=4)).train_batch(0, 0)
    with pytest.raises(ValueError, match="read-only"):
        batch.inputs[0, 0] = 1
