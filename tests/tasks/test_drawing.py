from collections import Counter

import numpy as np

from asi_arch.tasks.drawing import NextToken

LOGITS = np.log(np.array([0.1, 0.6, 0.3]))


def drawn(count: int, *, temperature: float = 1.0, top_k: int | None = None, seed: int = 0) -> list[int]:
    draw = NextToken(temperature=temperature, top_k=top_k, seed=seed)
    return [draw(LOGITS) for _ in range(count)]


def test_without_heat_the_likeliest_is_taken() -> None:
    assert set(drawn(20, temperature=0.0)) == {1}


def test_tokens_come_as_often_as_they_are_likely() -> None:
    counts = Counter(drawn(2000))
    assert all(abs(counts[token] / 2000 - share) < 0.04 for token, share in enumerate((0.1, 0.6, 0.3)))
    cooler = Counter(drawn(1000, temperature=0.5))
    assert abs(cooler[1] / 1000 - 0.36 / 0.46) < 0.05


def test_only_the_likeliest_few_are_drawn_from() -> None:
    assert set(drawn(200, top_k=2)) == {1, 2}
    assert set(drawn(50, top_k=99)) <= {0, 1, 2}


def test_a_seed_draws_the_same_again() -> None:
    assert drawn(50, seed=4) == drawn(50, seed=4)
    assert drawn(50, seed=4) != drawn(50, seed=5)


def test_logits_of_any_size_can_be_drawn_from() -> None:
    draw = NextToken(temperature=0.01, top_k=None, seed=0)
    assert draw(np.array([1e6, -1e6, 1e6 - 1])) == 0
