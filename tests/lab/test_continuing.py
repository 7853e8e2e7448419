import numpy as np
import pytest
from numpy.typing import NDArray

from asi_arch.domain.outcome import Crashed, Measured, TimedOut
from asi_arch.domain.ports import RunOrder
from asi_arch.domain.profile import ModelSpec, Profile
from asi_arch.lab.client import LocalLab

from .conftest import MakeOrder, mixer

pytestmark = [pytest.mark.torch, pytest.mark.asyncio(loop_scope="module")]

PROMPT = list(b"import os\n")
SUM = mixer("return self.project(x).cumsum(1)")
BROKEN = mixer("if x.shape[1] > 12:\n    raise ValueError('too long')\nreturn self.project(x)")


class Likeliest:
    """Takes the likeliest token until there are enough."""

    def __init__(self, count: int) -> None:
        self.tokens: list[int] = []
        self._count = count

    def __call__(self, logits: NDArray[np.float64]) -> int | None:
        self.tokens.append(int(logits.argmax()))
        return None if len(self.tokens) >= self._count else self.tokens[-1]


def weights_of(profile: Profile, source: str, *, mlp_width: int) -> bytes:
    from safetensors.torch import save

    from asi_arch.lab.loading import load_mixer
    from asi_arch.mixers.model import LanguageModel

    model = LanguageModel(load_mixer(source), profile.model, vocabulary=256, mlp_width=mlp_width, seed=3)
    return save(model.state_dict())


def own(profile: Profile, order: RunOrder, count: int) -> list[int]:
    """The same by the model itself."""
    import torch

    from asi_arch.lab.loading import load_mixer
    from asi_arch.mixers.model import LanguageModel

    spec: ModelSpec = profile.model
    model = LanguageModel(load_mixer(order.source), spec, vocabulary=256, mlp_width=order.mlp_width, seed=3)
    tokens = list(PROMPT)
    with torch.no_grad():
        for _ in range(count):
            logits = model(torch.tensor([tokens[-profile.language.context :]]))
            tokens.append(int(logits[0, -1].argmax()))
    return tokens[len(PROMPT) :]


async def test_it_is_the_models_own_choice_beyond_its_context_too(
    lab: LocalLab, order: MakeOrder, profile: Profile
) -> None:
    asked, choose = order(SUM), Likeliest(profile.language.context - len(PROMPT) + 3)
    weights = weights_of(profile, SUM, mlp_width=asked.mlp_width)
    assert await lab.continue_text(asked, weights, PROMPT, choose) == Measured()
    assert choose.tokens == own(profile, asked, len(choose.tokens))


async def test_what_the_candidate_does_wrong_is_an_outcome(lab: LocalLab, order: MakeOrder, profile: Profile) -> None:
    choose = Likeliest(100)
    weights = weights_of(profile, BROKEN, mlp_width=order(BROKEN).mlp_width)
    found = await lab.continue_text(order(BROKEN), weights, PROMPT, choose)
    assert isinstance(found, Crashed)
    assert "ValueError: too long" in found.reason
    assert len(choose.tokens) == 3
    foreign = await lab.continue_text(order(SUM), weights_of(profile, SUM, mlp_width=8), PROMPT, choose)
    assert isinstance(foreign, Crashed)


async def test_a_candidate_that_never_answers_is_given_up(lab: LocalLab, order: MakeOrder, profile: Profile) -> None:
    slow = mixer("while x.shape[1]:\n    pass\nreturn x")
    weights = weights_of(profile, slow, mlp_width=order(slow).mlp_width)
    assert isinstance(await lab.continue_text(order(slow), weights, PROMPT, Likeliest(1)), TimedOut)


async def test_states_that_are_no_numbers_are_refused(lab: LocalLab, order: MakeOrder, profile: Profile) -> None:
    source = mixer("return self.project(x) * float('nan')")
    weights = weights_of(profile, source, mlp_width=order(source).mlp_width)
    found = await lab.continue_text(order(source), weights, PROMPT, Likeliest(1))
    assert isinstance(found, Crashed)
    assert "not finite" in found.reason
