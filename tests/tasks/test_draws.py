import numpy as np
import pytest

from asi_arch.domain.profile import Split
from asi_arch.tasks.draws import Draws, Purpose


def test_a_stream_is_a_pure_function_of_its_name() -> None:
    first, second = (Draws("a", Purpose.TRAIN, seed=3, step=5).integers(1000, (4, 8)) for _ in range(2))
    assert np.array_equal(first, second)


def test_streams_stay_the_same_for_ever() -> None:
    assert Draws("a", Purpose.TRAIN, seed=3, step=5).integers(1000, (6,)).tolist() == [121, 621, 533, 16, 35, 674]


@pytest.mark.parametrize(
    "other",
    [
        ("b", Purpose.TRAIN, 3, 5),
        ("a", Purpose.VAULT, 3, 5),
        ("a", Purpose.VALIDATION, 3, 5),
        ("a", Purpose.FRESH, 3, 5),
        ("a", Purpose.TRAIN, -3, 5),
        ("a", Purpose.TRAIN, 3, 6),
        ("a", Purpose.TRAIN, 5, 3),
    ],
)
def test_streams_of_other_names_differ(other: tuple[str, Purpose, int, int]) -> None:
    label, purpose, seed, step = other
    words = set(Draws("a", Purpose.TRAIN, seed=3, step=5).integers(2**62, (1000,)).tolist())
    assert words.isdisjoint(Draws(label, purpose, seed=seed, step=step).integers(2**62, (1000,)).tolist())


def test_integers_are_uniform_below_each_bound() -> None:
    bounds = np.array([[3], [10]])
    drawn = Draws("a", Purpose.TRAIN).integers(bounds, (2, 30_000))
    for row, bound in zip(drawn, (3, 10), strict=True):
        counts = np.bincount(row, minlength=bound)
        assert len(counts) == bound
        assert np.abs(counts * bound / 30_000 - 1).max() < 0.08


def test_permutations_are_permutations_and_uniform() -> None:
    drawn = Draws("a", Purpose.TRAIN).permutations(6000, 3)
    assert np.array_equal(np.sort(drawn, axis=1), np.tile(np.arange(3), (6000, 1)))
    counts = np.unique(drawn, axis=0, return_counts=True)[1]
    assert len(counts) == 6
    assert np.abs(counts / 1000 - 1).max() < 0.12


def test_each_held_out_split_has_its_own_purpose() -> None:
    assert [Purpose.of(split) for split in Split] == [Purpose.VALIDATION, Purpose.FRESH, Purpose.VAULT]
