"""From what the user typed to values, with errors that say what would be right."""

import re
from pathlib import Path

from rich.console import Console

from asi_arch.domain.candidate import Adapter
from asi_arch.domain.errors import UserError
from asi_arch.domain.experiment import Summary
from asi_arch.domain.ports import Store
from asi_arch.domain.profile import Policy
from asi_arch.engine.notices import Notice, Said
from asi_arch.settings import Settings, load_settings

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds(text: str, option: str) -> float:
    """'90s', '12m', '1.5h', '2d' in seconds."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text.strip())
    if match is None or float(match[1]) == 0:
        raise UserError(f"{option} must be a positive time like 90s, 12m, 8h or 2d, got {text!r}")
    return float(match[1]) * _UNITS[match[2]]


def policy(text: str) -> Policy:
    """A policy by its name."""
    if text not in [item.value for item in Policy]:
        raise UserError(f"--policy must be one of {', '.join(item.value for item in Policy)}, got {text!r}")
    return Policy(text)


def adapter(text: str) -> Adapter:
    """An adapter by its name."""
    if text not in [item.value for item in Adapter]:
        raise UserError(f"--adapter must be one of {', '.join(item.value for item in Adapter)}, got {text!r}")
    return Adapter(text)


def settings(state: Path | None, workers: int | None = None) -> Settings:
    """The user's settings with the command line's on top."""
    found = load_settings()
    if workers is not None and workers < 1:
        raise UserError(f"--workers must be at least 1, got {workers}")
    update = {"state": state, "workers": workers}
    return found.model_copy(update={key: value for key, value in update.items() if value is not None})


def tell(notice: Notice) -> None:
    """Print what the engine has to say to stderr; for commands without a display of their own."""
    if isinstance(notice, Said):
        Console(stderr=True, highlight=False, soft_wrap=True).print(notice.text, markup=False)


def find(store: Store, which: str) -> Summary:
    """An experiment by number, by name, or 'best': the fittest that is not a baseline."""
    summaries = store.summaries()
    if which == "best":
        invented = [s for s in summaries if s.author != "baseline" and s.fitness is not None]
        if not invented:
            raise UserError("no invention has been measured yet; `asi-arch status` says how far the campaign is")
        return max(invented, key=lambda s: (s.fitness or 0.0, -s.index))
    found = [s for s in summaries if which in (str(s.index), s.name)]
    if not found:
        last = max((s.index for s in summaries), default=None)
        there = "the campaign has no finished experiment yet" if last is None else f"there are 0 to {last}"
        raise UserError(f"no finished experiment {which!r}; {there}, or give a name or 'best'")
    return found[-1]
