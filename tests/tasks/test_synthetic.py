"""Oracles: for every task a slow, independent solver that sees only the inputs up to a position."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import pytest

from asi_arch.domain.errors import ProfileError
from asi_arch.domain.experiment import MQAR
from asi_arch.domain.ports import NO_TARGET
from asi_arch.tasks.alphabet import BLANK, KEYS, MARK, NOISE, VALUES, Shape
from asi_arch.tasks.draws import Purpose
from asi_arch.tasks.state_rows import PERMUTATIONS
from asi_arch.tasks.synthetic import FAMILIES, check_task, make_rows

SHAPES = [Shape(24, 64, 64), Shape(24, 200, 48), Shape(24, 129, 512)]


def recall_oracle(seen: Sequence[int]) -> int | None:
    """Value of the current key, if it has been told before; a key followed by a value is a pair."""
    pairs = {key: value for key, value in pairwise(seen) if VALUES <= value < NOISE}
    return pairs.get(seen[-1]) if KEYS <= seen[-1] < VALUES else None


def selective_oracle(seen: Sequence[int]) -> int | None:
    """The said symbol whose turn it is."""
    if MARK not in seen:
        return None
    mark = seen.index(MARK)
    said = [token for token in seen[1:mark] if token != BLANK]
    return said[len(seen) - 1 - mark]


def offset_oracle(seen: Sequence[int]) -> int | None:
    """What followed the current symbol when it was said first."""
    if MARK not in seen or seen[-1] in (MARK, BLANK):
        return None
    said = seen[1 : seen.index(MARK)]
    return said[said.index(seen[-1]) + 1]


def state_oracle(seen: Sequence[int]) -> int | None:
    """Carries the permutations out, one after the other, on three things."""
    things = [0, 1, 2]
    for token in seen[1:]:
        element = PERMUTATIONS[token - KEYS]
        things = [element[thing] for thing in things]
    return KEYS + PERMUTATIONS.index((things[0], things[1], things[2])) if len(seen) > 1 else None


def compression_oracle(seen: Sequence[int]) -> int | None:
    """Symbols since the last answers, one for MARK and one for each blank after it."""
    if MARK not in seen or seen[-1] not in (MARK, BLANK):
        return None
    mark = len(seen) - 1 - seen[::-1].index(MARK)
    said: list[int] = []
    while seen[mark - 1 - len(said)] >= KEYS:
        said.insert(0, seen[mark - 1 - len(said)])
    turn = len(seen) - 1 - mark
    return said[turn] if turn < len(said) else None


ORACLES: dict[str, Callable[[Sequence[int]], int | None]] = {
    MQAR: recall_oracle,
    "noisy_recall": recall_oracle,
    "selective_copy": selective_oracle,
    "random_offset_copy": offset_oracle,
    "state_tracking": state_oracle,
    "compression": compression_oracle,
}


def answers(name: str, row: Sequence[int]) -> list[int]:
    """The oracle's answer at every position; blank columns behind the last round of `compression` are no question."""
    found = [ORACLES[name](row[: column + 1]) for column in range(len(row))]
    return [NO_TARGET if answer is None else answer for answer in found]


def answers_where_asked(name: str, inputs: Sequence[int], targets: Sequence[int]) -> list[int]:
    """The oracle's answers. In multi-query recall a key told again looks like a question until its value comes."""
    found = answers(name, inputs)
    if name != MQAR:
        return found
    first = next(column for column, target in enumerate(targets) if target != NO_TARGET)
    return [NO_TARGET] * first + found[first:]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", FAMILIES)
def test_every_answer_follows_from_the_inputs_so_far(name: str, shape: Shape) -> None:
    rows = make_rows(name, shape, Purpose.TRAIN, seed=1, step=2)
    for inputs, targets in zip(rows.inputs.tolist(), rows.targets.tolist(), strict=True):
        assert answers_where_asked(name, inputs, targets) == targets


@pytest.mark.parametrize("name", FAMILIES)
def test_rows_have_the_promised_form(name: str) -> None:
    rows = make_rows(name, SHAPES[0], Purpose.TRAIN, seed=1, step=2)
    assert rows.inputs.shape == rows.targets.shape == (24, 64)
    assert rows.inputs.dtype == rows.targets.dtype == np.int32
    assert (rows.inputs[:, 0] == FAMILIES[name].token).all()
    assert rows.inputs.min() >= 0
    assert rows.inputs.max() < 64
    assert rows.targets.max() < 64
    assert ((rows.targets >= KEYS) | (rows.targets == NO_TARGET)).all()
    assert (rows.targets[:, 0] == NO_TARGET).all()
    assert (rows.inputs[:, 1:] > FAMILIES["compression"].token).any(axis=1).all()


def test_task_tokens_differ() -> None:
    assert sorted(family.token for family in FAMILIES.values()) == list(range(2, 2 + len(FAMILIES)))


@pytest.mark.parametrize("name", FAMILIES)
def test_no_constant_answer_is_often_right(name: str) -> None:
    targets = make_rows(name, Shape(400, 64, 64), Purpose.TRAIN).targets
    asked = targets[targets != NO_TARGET]
    assert len(asked) >= 400 * 8
    assert np.bincount(asked).max() / len(asked) < 0.2
    columns = [column[column != NO_TARGET] for column in targets.T]
    assert max(np.bincount(column).max() / len(column) for column in columns if len(column) >= 100) < 0.25


@pytest.mark.parametrize("name", [MQAR, "noisy_recall", "random_offset_copy"])
def test_repeating_a_recent_token_is_no_solution(name: str) -> None:
    rows = make_rows(name, Shape(200, 64, 64), Purpose.TRAIN)
    asked = rows.targets != NO_TARGET
    for delay in range(5):
        shifted = np.roll(rows.inputs, delay, axis=1)
        assert (shifted == rows.targets)[asked].mean() < 0.15


def test_multi_query_recall_has_4_8_or_12_pairs_of_16_keys() -> None:
    rows = make_rows(MQAR, Shape(300, 64, 64), Purpose.TRAIN)
    first = (rows.targets != NO_TARGET).argmax(axis=1)
    assert set(first.tolist()) == {9, 17, 25}
    for inputs, start in zip(rows.inputs.tolist(), first.tolist(), strict=True):
        told, asked = inputs[1:start:2], inputs[start:]
        assert set(asked) <= set(told) <= set(range(8, 24))
    assert set(rows.inputs[:, 1].tolist()) == set(range(8, 24))


def test_multi_query_recall_often_binds_a_key_again_and_asks_for_the_latest_value() -> None:
    rows = make_rows(MQAR, Shape(300, 64, 64), Purpose.TRAIN)
    rebound = [row for row in rows.inputs.tolist() if len(set(row[1:9:2])) < 4]
    assert len(rebound) > 60


def test_state_tracking_has_rows_that_hold_and_rows_that_compose() -> None:
    rows = make_rows("state_tracking", Shape(300, 64, 64), Purpose.TRAIN)
    moves = (rows.inputs[:, 2:] != KEYS).mean(axis=1)
    assert (moves < 0.15).mean() > 0.25
    assert (moves > 0.6).mean() > 0.25


def test_the_distance_of_a_copy_varies() -> None:
    rows = make_rows("random_offset_copy", Shape(50, 64, 64), Purpose.TRAIN)
    distances = set()
    for inputs, targets in zip(rows.inputs.tolist(), rows.targets.tolist(), strict=True):
        distances |= {column - inputs.index(target) for column, target in enumerate(targets) if target != NO_TARGET}
    assert len(distances) > 25


@pytest.mark.parametrize("name", FAMILIES)
def test_the_smallest_allowed_shape_works_and_the_next_smaller_is_refused(name: str) -> None:
    family = FAMILIES[name]
    shape = Shape(8, family.length, family.vocabulary)
    check_task(name, length=shape.length, vocabulary=shape.vocabulary)
    rows = make_rows(name, shape, Purpose.TRAIN)
    assert rows.inputs.max() < shape.vocabulary
    for inputs, targets in zip(rows.inputs.tolist(), rows.targets.tolist(), strict=True):
        assert answers_where_asked(name, inputs, targets) == targets
        assert max(targets) != NO_TARGET
    with pytest.raises(ProfileError, match=f"{name} needs at least {family.length}, got {family.length - 1}"):
        check_task(name, length=family.length - 1, vocabulary=family.vocabulary)
    with pytest.raises(ProfileError, match=f"{name} needs at least {family.vocabulary} ids"):
        check_task(name, length=family.length, vocabulary=family.vocabulary - 1)


def test_an_unknown_task_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ProfileError, match="unknown task 'recal'; known are multi_query_recall, noisy_recall"):
        check_task("recal", length=64, vocabulary=64)
