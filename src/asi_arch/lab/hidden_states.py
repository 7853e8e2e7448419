"""Asking a scorer for hidden states: the next inputs are on their way while the last answer is looked at."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asi_arch.lab.contract import Hidden, Tokens
from asi_arch.lab.conversation import SMALL_ANSWER, ChildFailed, Conversation
from asi_arch.lab.referee import BadHidden

_FLOAT32_BYTES = 4


async def hidden_states(
    talk: Conversation, pieces: Sequence[NDArray[np.int32]], *, width: int, patience_s: float
) -> AsyncGenerator[NDArray[Any]]:
    """Hidden states [R, T, width] of each piece of inputs [R, T], whose shape is insisted on.

    Raises what a conversation raises, and `BadHidden` for another shape.
    """
    await talk.say(Tokens(), {"inputs": pieces[0]})
    for inputs, following in zip(pieces, [*pieces[1:], None], strict=True):
        if following is not None:
            await talk.say(Tokens(), {"inputs": following})
        expected = inputs.size * width * _FLOAT32_BYTES + SMALL_ANSWER
        message, arrays = await talk.hear(patience_s, expected)
        if not isinstance(message, Hidden) or "hidden" not in arrays:
            raise ChildFailed(f"the process answered inputs with '{message.kind}'")
        hidden = arrays["hidden"]
        if hidden.shape != (*inputs.shape, width):
            raise BadHidden(f"hidden states have the shape {hidden.shape}, not {(*inputs.shape, width)}")
        yield hidden
