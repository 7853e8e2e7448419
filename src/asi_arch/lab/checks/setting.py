"""Under which circumstances a candidate is checked. Free of torch, so that the controller can name it."""

from pydantic import Field

from asi_arch.domain.profile import CheckSpec, ModelSpec, Positive
from asi_arch.domain.record import Record

SCORE_TOKENS = 8192
"""Tokens of a scoring batch, at most, unless one row has more."""


def scored_rows(length: int) -> int:
    """Rows of a full scoring batch."""
    return max(1, SCORE_TOKENS // length)


class Shape(Record):
    """Rows and length of a training batch."""

    rows: Positive
    length: Positive


class CheckSetting(Record):
    """What the checks need to know of a profile."""

    spec: CheckSpec
    model: ModelSpec
    vocabulary: Positive
    """Of the language stage."""
    context: int = Field(ge=2)
    """Training length of the language stage."""
    batches: tuple[Shape, ...] = ()
    """In which the model will be trained; without any, eight rows of the training length are tried."""
    target_parameters: int | None = None
    """Of the reference's whole model; None where the source is the reference itself, which is only counted."""
