"""From numbers to places in a picture, and the round numbers between them."""

import math
from collections.abc import Iterable
from typing import NamedTuple

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


class Scale(NamedTuple):
    """Maps `low`..`high` to `start`..`end`, linearly."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The place of a value, to a tenth."""
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)

    def ticks(self, count: int) -> list[float]:
        """About `count` round numbers within."""
        rough = (self.high - self.low) / max(count, 1)
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * factor for factor in _STEPS if power * factor >= rough * (1 - 1e-9))
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [round(i * step, 12) for i in range(first, last + 1)]


def spanning(values: Iterable[float], start: float, end: float, *, margin: float = 0.04) -> Scale:
    """A scale for these values and a little more; for equal ones, or none, one unit around them."""
    found = [value for value in values if math.isfinite(value)] or [0.0]
    low, high = min(found), max(found)
    room = (high - low) * margin or max(abs(low), 1.0) * 0.5
    return Scale(low - room, high + room, start, end)


def tick_text(value: float) -> str:
    """'1,500', '0.25', '2.5M'."""
    if abs(value) >= 1e6:
        return f"{value / 1e6:g}M"
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:.4g}"
