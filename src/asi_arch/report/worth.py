"""What the mechanisms of a design are worth, in words."""

from typing import Any

from asi_arch.domain.ablation import Ablation, PartWorth
from asi_arch.domain.campaign import EventKind
from asi_arch.domain.ports import Store
from asi_arch.stats.promotion import ALPHA
from asi_arch.stats.wording import amount, day, is_better, is_distinguishable, q_text

MINUS = "\u2212"
EARNS, HINDERS, TRADES, UNKNOWN = "earns its place", "better without it", "a trade", "not distinguishable"


def worth_data(store: Store, index: int) -> dict[str, Any] | None:
    """The last ablation of an experiment with its words; None where there was none."""
    for event in reversed(store.events(0, EventKind.ABLATED)):
        if event.experiment == index:
            return ablation_data(Ablation.model_validate(event.payload))
    return None


def ablation_data(found: Ablation) -> dict[str, Any]:
    """The record, and of each part its 'standing' and the 'differences' in words; 'day' of the ablation."""
    record = found.model_dump(mode="json")
    words = [{"standing": standing(part), "differences": differences(part)} for part in found.parts]
    parts = [{**data, **told} for data, told in zip(record["parts"], words, strict=True)]
    return {**record, "parts": parts, "day": day(found.at)}


def standing(part: PartWorth) -> str:
    """Whether the whole needs it: a claim only where its q-value is small enough."""
    if part.failure:
        return f"not measured: {part.failure}"
    clear = [
        comparison
        for comparison, q in zip(part.comparisons, part.q_values, strict=True)
        if q <= ALPHA and is_distinguishable(comparison)
    ]
    verdicts = {is_better(comparison) for comparison in clear}
    if len(verdicts) == 2:
        return TRADES
    return UNKNOWN if not verdicts else HINDERS if verdicts == {True} else EARNS


def differences(part: PartWorth) -> dict[str, str]:
    """By quantity, without it minus with it: '+0.031 ± 0.012, q = 0.02'."""
    return {
        comparison.quantity: f"{MINUS if comparison.difference.estimate < 0 else '+'}{amount(comparison.difference)}"
        f", {q_text(q)}"
        for comparison, q in zip(part.comparisons, part.q_values, strict=True)
    }
