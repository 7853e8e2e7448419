"""How long a campaign goes on."""

from typing import NamedTuple


class Limits(NamedTuple):
    """When to stop taking up new experiments. Those that run are finished."""

    experiments: int | None = None
    """Of the whole campaign, earlier sessions and baselines included."""
    wall_s: float | None = None
    """Of this session."""
    compute_s: float | None = None
    """CPU seconds of the whole campaign."""
