"""Loss curves in characters."""

from collections.abc import Sequence


def chart(values: Sequence[float], *, reference: Sequence[float] = (), last_step: int, rows: int = 8) -> str:
    """A curve as ● over the reference's as ·, with the scale on the left; one column for each value.

    The first tenth, where every curve falls steeply, is cut off at the top so that differences can be seen.
    """
    late = [*values[len(values) // 10 :], *reference[len(reference) // 10 :]]
    low, high = min(late), max(late)
    width = max(len(values), len(reference))
    grid = [[" "] * width for _ in range(rows)]
    for series, sign in ((reference, "·"), (values, "●")):
        for column, value in enumerate(series):
            grid[_row(value, low, high, rows)][column] = sign
    labels = {0: f"{high:7.3f}", rows - 1: f"{low:7.3f}"}
    lines = [f"{labels.get(i, ' ' * 7)} ┤{''.join(row).rstrip()}" for i, row in enumerate(grid)]
    axis = f"{'':7} └{'─' * width}"
    return "\n".join([*lines, axis, f"{'':9}step 1{last_step:>{max(1, width - 6)}}"])


def _row(value: float, low: float, high: float, rows: int) -> int:
    if high <= low:
        return rows - 1
    return round((high - min(max(value, low), high)) / (high - low) * (rows - 1))
