"""Under which circumstances a candidate is checked. Free of torch, so that the controller can name it."""

from pydantic import Field

from asi_arch.domain.profile import CheckSpec, ModelSpec, Positive
from asi_arch.domain.record import Record


class CheckSetting(Record):
    """What the checks need to know of a profile."""

    spec: CheckSpec
    model: ModelSpec
    vocabulary: Positive
    """Of the language stage."""
    context: int = Field(ge=2)
    """Training length of the language stage."""
    target_parameters: int | None = None
    """Of the reference's whole model; None where the source is the reference itself, which is only counted."""
