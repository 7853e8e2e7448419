"""The words about a design: its name, its docstrings and what it is expected to do. All computed from the design."""

from collections.abc import Iterable, Sequence
from textwrap import fill

from asi_arch.agents.composer.catalogue import CATALOGUE
from asi_arch.agents.composer.design import Design, Part
from asi_arch.agents.composer.mechanism import Family, Mechanism
from asi_arch.agents.english import listed
from asi_arch.domain.record import canonical_hash

_HEADLINE_WIDTH = 112
_DECAY_WORDS = {"retention": "Retention", "scalar_decay": "Gated", "channel_decay": "Channel"}
_BASES = {
    "additive_write": "Linear",
    "delta_rule": "Delta",
    "in_context_rate": "Goose",
    "gated_convolution": "GatedConv",
}
_NAMED_FIRST = (Family.ROUTING, Family.BRANCH, Family.WRITE, Family.ROUTING_SHAPE, Family.FEATURES, Family.INPUT)
_TOLD_FIRST = (Family.BRANCH, Family.ROUTING, Family.WRITE, Family.DECAY, Family.FEATURES, Family.TIMESCALE)


def name_of(design: Design) -> str:
    """A name like the field's, e.g. 'GatedDeltaRouterFIRNet-3fa2': base, two traits, and a tag of the whole design."""
    decay = next((_DECAY_WORDS[key] for key in design.keys if key in _DECAY_WORDS), "")
    base = _BASES[design.update]
    stem = base if design.update == "in_context_rate" else decay + base
    traits = [mechanism.word for mechanism in _ranked(design.parts, _NAMED_FIRST) if mechanism.word]
    tag = canonical_hash(design.model_dump(mode="json"))[:4]
    return f"{stem}{''.join(traits[:2])}Net-{tag}"


def module_docstring(design: Design, name: str) -> str:
    """Name and idea in two to four sentences, then the equations."""
    idea = [f"With {m.title} {m.does}." for m in (CATALOGUE[design.update], *_ranked(design.parts, _TOLD_FIRST)[:3])]
    headline = f"{name}: {_summary(design, _HEADLINE_WIDTH - len(name))}."
    text = fill(" ".join(idea), width=100)
    return f"{headline}\n\n{text}\n\n" + "\n".join(f"    {line}" for line in equations(design)) + "\n"


def class_docstring(design: Design) -> str:
    """One line for the class."""
    count = len(design.side_paths)
    beside = f", with {count} other path{'s' if count > 1 else ''} beside it" if count else ""
    return f"Token mixer built on {CATALOGUE[design.update].title}{beside}."


def equations(design: Design) -> list[str]:
    """What the code computes, step by step (t is time, one head)."""
    lines = [*_state_equations(design), *_mixing_equations(design)]
    return [*lines, "y_t = W_o o_t" if design.side_paths else "y_t = W_o m_t"]


def _summary(design: Design, width: int) -> str:
    """What the mixer is built on and what it has besides, as far as it fits into `width` letters."""
    base = CATALOGUE[design.update].title
    titles = [mechanism.title for mechanism in _ranked(design.parts, _TOLD_FIRST)]
    summaries = [base] + [f"{base} with {listed(titles[:count])}" for count in range(1, min(len(titles), 2) + 1)]
    return max((text for text in summaries if len(text) <= width), key=len, default=base)


def _ranked(parts: Iterable[Part], order: Sequence[Family]) -> list[Mechanism]:
    """The mechanisms of the families in `order`, in that order."""
    mechanisms = [part.mechanism for part in parts]
    return [mechanism for family in order for mechanism in mechanisms if mechanism.family is family]


def _state_equations(design: Design) -> list[str]:
    match design.update:
        case "gated_convolution":
            return ["m_t = q_t * (h * (k v))_t"]
        case "in_context_rate":
            return [
                "S_t = (Diag(a_t) - k_t (r_t k_t)^T) S_{t-1} + k_t v_t^T,   r_t in (0, 1) per channel",
                f"m_t = S_t^T q_t{_bonus(design)}",
            ]
        case "delta_rule":
            erase = "(I - b_t k_t k_t^T) "
            write = "w_t" if "erase_write_gates" in design else "b_t"
        case _:
            erase, write = "", "i_t" if "input_gate" in design else ""
    fade = _fade(design)
    strength = "   b_t in (0, 2)" if "negative_eigenvalues" in design else ""
    steps = design.settings.get("delta_steps", {}).get("steps")
    repeat = f"   {steps} of these per token" if steps else ""
    scale = f"{write} " if write else ""
    read = "S_t^T q_t / (sum_s k_s)^T q_t" if "sum_normaliser" in design else "S_t^T q_t"
    state = f"S_t = {erase}{fade}S_{{t-1}} + {scale}k_t v_t^T"
    return [",".join(part for part in (state, strength, repeat) if part), f"m_t = {read}{_bonus(design)}"]


def _fade(design: Design) -> str:
    symbols = {"retention": "a ", "scalar_decay": "a_t ", "channel_decay": "Diag(a_t) "}
    return next((symbol for key, symbol in symbols.items() if key in design), "")


def _bonus(design: Design) -> str:
    return " + ((u q_t) . k_t) v_t" if "current_token_bonus" in design else ""


def _mixing_equations(design: Design) -> list[str]:
    if not design.side_paths:
        return []
    paths = ", ".join(design.side_paths)
    if "residual_mixing" in design:
        return [f"o_t = m_t + sum_p c_p p_t,   p in ({paths})"]
    gate = "g_p" if "head_gates" in design else "g_p(x_t)"
    return [f"o_t = sum_p {gate} p_t,   p in (memory, {paths})"]
