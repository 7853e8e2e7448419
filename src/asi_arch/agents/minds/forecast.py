"""What a model expects of its idea: one number, where it goes and by how much. Later set against the measurement."""

from enum import Enum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

MOST = 1.0
"""Above this a number is neither a share nor a likely change of a loss in nats."""
Sentences = Annotated[str, Field(min_length=20, max_length=700)]


class Quantity(str, Enum):
    """Numbers that an idea may move, as the analyst names them."""

    LANGUAGE = "language loss"
    RECALL = "recall accuracy"
    MULTI_QUERY = "multi-query recall"
    COPYING = "copying"
    STATE = "state tracking"
    COST = "cost"


class Direction(str, Enum):
    """Where it goes."""

    FALL = "fall"
    HOLD = "hold"
    RISE = "rise"


class Forecast(BaseModel):
    """An expectation that can be settled."""

    model_config = ConfigDict(extra="forbid")

    quantity: Quantity
    direction: Direction
    by: Annotated[float, Field(ge=0)]
    """Nats of loss, points of accuracy between 0 and 1, or a share of the cost; 0 where it holds."""

    @field_validator("by")
    @classmethod
    def _is_an_amount(cls, value: float) -> float:
        """Small models write percent or steps here; what can't be an amount says nothing, and spoils no idea."""
        return value if value <= MOST else 0.0

    @property
    def words(self) -> str:
        """A sentence that `agents.expectation` reads again."""
        amount = "" if self.direction is Direction.HOLD or not self.by else f" by about {self.by:g}"
        return f"{self.quantity.value.capitalize()} should {self.direction.value}{amount}."
