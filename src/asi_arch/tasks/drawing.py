"""Which token comes next, drawn from a model's logits."""

import numpy as np
from numpy.typing import NDArray


class NextToken:
    """Draws with a seed of its own: equal logits and seeds give equal tokens."""

    def __init__(self, *, temperature: float, top_k: int | None, seed: int) -> None:
        """Temperature 0 takes the likeliest; `top_k` leaves that many, the likeliest, to be drawn from."""
        self._temperature = temperature
        self._top_k = top_k
        self._rng = np.random.default_rng(seed)

    def __call__(self, logits: NDArray[np.float64]) -> int:
        """[V] -> a token below V."""
        if self._temperature == 0:
            return int(logits.argmax())
        order = np.argsort(-logits, kind="stable")[: self._top_k]
        scaled = (logits[order] - logits[order[0]]) / self._temperature
        weights = np.exp(scaled)
        return int(self._rng.choice(order, p=weights / weights.sum()))
