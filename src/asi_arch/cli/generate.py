"""`asi-arch generate`: what is asked for, looked up before anything heavy is loaded to answer it."""

import math
from pathlib import Path
from typing import NamedTuple

from asi_arch.cli import options
from asi_arch.domain.errors import UserError
from asi_arch.folders import existing_campaign, opened_store
from asi_arch.settings import Settings
from asi_arch.tasks.spelling import Spelling
from asi_arch.trained import TrainedModel, tokenizer_model, trained_model

MOST_TOKENS = 10_000


class GenerateWish(NamedTuple):
    """The command's options as typed."""

    which: str
    text: str
    tokens: int
    temperature: float
    top_k: int | None
    seed: int
    weights: int | None
    state: Path | None
    as_json: bool


def generate(wish: GenerateWish) -> None:
    """Continue the text and show it as it comes."""
    _require_sense(wish)
    settings = options.settings(wish.state, 1)
    model, spelling = _model(wish, settings)
    prompt = spelling.tokens(wish.text)
    from asi_arch.cli import speaking

    speaking.speak(settings, model, speaking.Speech(wish, spelling, prompt))


def _require_sense(wish: GenerateWish) -> None:
    if not 1 <= wish.tokens <= MOST_TOKENS:
        raise UserError(f"--tokens must be between 1 and {MOST_TOKENS:,}, got {wish.tokens:,}")
    if not (math.isfinite(wish.temperature) and wish.temperature >= 0):
        raise UserError(f"--temperature must be 0 (the likeliest token) or above, got {wish.temperature:g}")
    if wish.top_k is not None and wish.top_k < 1:
        raise UserError(f"--top-k must be at least 1, got {wish.top_k}")
    if wish.seed < 0:
        raise UserError(f"--seed must be 0 or above, got {wish.seed}")


def _model(wish: GenerateWish, settings: Settings) -> tuple[TrainedModel, Spelling]:
    with opened_store(settings.state, read_only=True) as store:
        campaign = existing_campaign(store, settings.state)
        model = trained_model(store, campaign, options.find(store, wish.which).index, wish.weights, option="--weights")
    return model, Spelling(tokenizer_model(campaign, settings.cache))
