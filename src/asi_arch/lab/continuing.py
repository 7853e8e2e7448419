"""A text continued with trained weights: a scorer answers growing prefixes, and the trusted side chooses.

The candidate returns hidden states as in every scoring; norm, head and the choice of the token are here. Free of torch.
"""

# T time, D width, V vocabulary

from collections.abc import Sequence

import numpy as np
from safetensors.numpy import load

from asi_arch.domain.outcome import Crashed, Measured, Outcome, TimedOut
from asi_arch.domain.ports import NextToken, RunOrder
from asi_arch.domain.profile import Profile
from asi_arch.lab.contract import Arrays, Load, ScoreJob
from asi_arch.lab.conversation import ChildFailed, Conversation, Stalled, conversation
from asi_arch.lab.hidden_states import hidden_states
from asi_arch.lab.parent import WarmParentHandle
from asi_arch.lab.referee import BadHidden, logits_of


async def continue_text(
    parent: WarmParentHandle,
    profile: Profile,
    order: RunOrder,
    weights: bytes,
    prompt: Sequence[int],
    choose: NextToken,
) -> Outcome:
    """Token after token until `choose` ends it; the scorer sees the last `language.context` of them."""
    stage, limit, arrays = order.key.stage, profile.watch.stall_s, load(weights)
    async with conversation(parent, limit) as talk:
        try:
            await talk.say(_job(profile, order, len(arrays["embedding.weight"])))
            await talk.say(Load(), arrays)
            await _dialogue(talk, profile, arrays, list(prompt), choose)
        except Stalled:
            return TimedOut(stage=stage, step=0, used_s=limit, limit_s=limit)
        except ChildFailed as failure:
            return Crashed(stage=stage, reason=failure.reason, log=failure.log)
        except BadHidden as bad:
            return Crashed(stage=stage, reason=str(bad))
        talk.dismiss()
    return Measured()


async def _dialogue(talk: Conversation, profile: Profile, arrays: Arrays, tokens: list[int], choose: NextToken) -> None:
    width, context = profile.model.width, profile.language.context
    head = np.asarray(arrays["embedding.weight"], dtype=np.float64).T
    gain = np.asarray(arrays["norm.weight"], dtype=np.float64)
    while True:
        inputs = np.array([tokens[-context:]], dtype=np.int32)
        async for hidden in hidden_states(talk, [inputs], width=width, patience_s=profile.watch.stall_s):
            logits = logits_of(hidden[0, -1:], gain, head)[0]
            if not np.isfinite(logits).all():
                raise BadHidden("hidden states are not finite")
            token = choose(logits)
            if token is None:
                return
            tokens.append(token)


def _job(profile: Profile, order: RunOrder, vocabulary: int) -> ScoreJob:
    return ScoreJob(
        source=order.source,
        adapter=order.adapter,
        model=profile.model,
        vocabulary=vocabulary,
        mlp_width=order.mlp_width,
        device=profile.device,
        precision=profile.precision,
    )
