"""Where the search starts: the design that comes nearest to each baseline, and to code without a design."""

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from asi_arch.agents.composer.design import Design, Part
from asi_arch.agents.composer.mechanism import Setting
from asi_arch.agents.composer.rendering import rendered
from asi_arch.domain.candidate import Author, Proposal, fingerprint

_CONVOLUTIONS: dict[str, dict[str, Setting]] = {"short_convolution": {"streams": "qkv", "taps": 4}}
_PARTS: Mapping[str, dict[str, dict[str, Setting]]] = {
    "delta_net": {"delta_rule": {}, "unit_keys": {}, "head_norm": {}, **_CONVOLUTIONS},
    "gated_delta_net": {
        "delta_rule": {},
        "scalar_decay": {"half_life": 32},
        "unit_keys": {},
        "gated_norm": {},
        **_CONVOLUTIONS,
    },
    "mamba2": {
        "additive_write": {},
        "scalar_decay": {"half_life": 32},
        "value_path": {},
        "residual_mixing": {"start": 0.5},
        "gated_norm": {},
        **_CONVOLUTIONS,
    },
    "gla": {"additive_write": {}, "channel_decay": {"half_life": 16}, "gated_norm": {}, **_CONVOLUTIONS},
    "retnet": {"additive_write": {}, "retention": {"longest": 64}, "rotary": {}, "gated_norm": {}, **_CONVOLUTIONS},
    "rwkv7": {
        "in_context_rate": {},
        "channel_decay": {"half_life": 16},
        "unit_keys": {},
        "current_token_bonus": {},
        "head_norm": {},
        "sigmoid_output_gate": {},
        "low_rank_gate": {"share": 4},
        **_CONVOLUTIONS,
    },
    "linear_attention": {"additive_write": {}, "elu_features": {}, "head_norm": {}, **_CONVOLUTIONS},
    "gated_convolution": {"gated_convolution": {"taps": 32}, **_CONVOLUTIONS},
    "delta_window": {
        "delta_rule": {},
        "unit_keys": {},
        "rotary": {},
        "window_branch": {"window": 32},
        "token_gates": {"prior": 0.0},
        "path_norm": {},
        **_CONVOLUTIONS,
    },
}

BASELINE_DESIGNS: Mapping[str, Design] = MappingProxyType(
    {
        name: Design(parts=tuple(Part(key=key, settings=settings) for key, settings in parts.items()))
        for name, parts in _PARTS.items()
    }
)
"""By the baseline's name. Near, not equal: the baseline files are written by hand."""


def baseline_proposal(name: str, source: str, motivation: str, title: str) -> Proposal:
    """The proposal of a baseline; with a design where the composer knows one, else as free code.

    Raises `SyntaxError` for a source that is not Python.
    """
    design = BASELINE_DESIGNS.get(name)
    return Proposal(
        author=Author.BASELINE,
        name=title,
        motivation=motivation,
        source=source,
        fingerprint=fingerprint(source),
        mechanisms=design.keys if design else (),
        design=design.model_dump_json() if design else "",
    )


def nearest_design(source: str) -> Design:
    """Of the baselines' designs the one whose code shares most identifiers with `source`."""
    words = _identifiers(source)
    return max(_known_words(), key=lambda known: len(known[1] & words) / len(known[1] | words))[0]


@cache
def _known_words() -> tuple[tuple[Design, frozenset[str]], ...]:
    return tuple((design, _identifiers(rendered(design, name))) for name, design in BASELINE_DESIGNS.items())


def _identifiers(source: str) -> frozenset[str]:
    return frozenset(re.findall(r"[A-Za-z_]\w+", source))
