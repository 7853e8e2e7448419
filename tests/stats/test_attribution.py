from random import Random

import numpy as np
import pytest

from asi_arch.stats.attribution import RATIOS, attributed


def drawn(effects, pairs, noise, seed=0):
    rng = Random(seed)
    changes = [[float(rng.choice((-1, 0, 0, 1))) for _ in effects] for _ in range(pairs)]
    differences = [sum(x * b for x, b in zip(row, effects, strict=True)) + rng.gauss(-0.5, noise) for row in changes]
    return differences, changes


def test_changes_made_together_are_told_apart() -> None:
    found = attributed(*drawn([1.0, -1.0, 0.0, 0.0], 40, 0.1), noise=0.1)
    assert found is not None
    assert found.effects == pytest.approx([1.0, -1.0, 0.0, 0.0], abs=0.15)
    assert (found.errors < 0.1).all()


def test_what_all_pairs_have_in_common_is_credited_to_no_change() -> None:
    found = attributed([-0.5] * 10, drawn([0.0, 0.0], 10, 0.0)[1])
    assert found is not None
    assert found.effects == pytest.approx([0.0, 0.0], abs=1e-9)


def test_a_single_pair_moves_an_effect_less_than_many() -> None:
    once, often = drawn([0.0], 12, 0.1)[0], [[0.0]] * 12
    few = attributed([1.0 + once[0], *once[1:]], [[1.0], *often[1:]])
    many = attributed([1.0 + d for d in once[:6]] + once[6:], [[1.0]] * 6 + often[6:])
    assert few is not None and many is not None
    assert 0 <= few.effects[0] < many.effects[0]
    assert many.errors[0] < few.errors[0]


def test_noise_alone_is_rarely_taken_for_an_effect() -> None:
    clear = 0
    for seed in range(40):
        found = attributed(*drawn([0.0] * 6, 20, 1.0, seed))
        assert found is not None
        clear += int((np.abs(found.effects) > 2 * found.errors).sum())
    assert clear <= 0.05 * 40 * 6


def test_known_noise_is_never_undercut() -> None:
    quiet = attributed(*drawn([1.0], 20, 0.0))
    known = attributed(*drawn([1.0], 20, 0.0), noise=1.0)
    assert quiet is not None and known is not None
    assert known.errors[0] > 5 * quiet.errors[0]


def test_two_differences_tell_nothing() -> None:
    assert attributed([1.0, 2.0], [[1.0], [0.0]]) is None
    assert RATIOS[0] == 0.0
