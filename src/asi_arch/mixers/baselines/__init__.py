"""Baselines: complete candidate files, which campaigns start from and which show what a candidate looks like.

This package reads them as text and never imports one, so it needs no torch. The first line of a file's docstring is
its title, the rest its motivation.
"""

import ast
from importlib.resources import files
from typing import NamedTuple

from asi_arch.domain.errors import CandidateError

_NAMES = (
    "delta_net",
    "gated_delta_net",
    "mamba2",
    "gla",
    "retnet",
    "rwkv7",
    "linear_attention",
    "gated_convolution",
    "delta_window",
    "softmax_attention",
)
_REFERENCES = frozenset({"softmax_attention"})


class Baseline(NamedTuple):
    """A known architecture as source text."""

    name: str
    title: str
    motivation: str
    source: str
    is_candidate: bool
    """False for a reference that would fail the checks, being quadratic in time."""


def names() -> tuple[str, ...]:
    """All baselines, candidates first."""
    return _NAMES


def load(name: str) -> Baseline:
    """Read a baseline. Raises `CandidateError` for a name that is not among `names()`."""
    if name not in _NAMES:
        raise CandidateError(f"unknown baseline {name!r}; known are {', '.join(_NAMES)}")
    source = files(__name__).joinpath(f"{name}.py").read_text(encoding="utf-8")
    title, _, motivation = (ast.get_docstring(ast.parse(source)) or "").partition("\n")
    return Baseline(name, title.rstrip("."), " ".join(motivation.split()), source, name not in _REFERENCES)
