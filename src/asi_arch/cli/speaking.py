"""A trained model continues a text in the terminal, character by character."""

import asyncio
import codecs
import json
import sys
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console

from asi_arch.app import FOREIGN, opened_lab, require_containment
from asi_arch.cli.generate import GenerateWish
from asi_arch.domain.errors import CandidateError
from asi_arch.domain.outcome import Measured, Outcome
from asi_arch.domain.ports import RunOrder
from asi_arch.report.words import outcome_sentence, plural
from asi_arch.settings import Settings
from asi_arch.tasks.drawing import NextToken
from asi_arch.tasks.spelling import END, Spelling
from asi_arch.trained import TrainedModel


class Speech(NamedTuple):
    """What is to be continued, and how."""

    wish: GenerateWish
    spelling: Spelling
    prompt: list[int]


def speak(settings: Settings, model: TrainedModel, speech: Speech) -> None:
    """Show text and continuation, or print both as JSON. Raises `CandidateError` where the model fails."""
    wish, proposal = speech.wish, model.experiment.proposal
    if proposal.author in FOREIGN:
        require_containment(settings, "Programs of others than asi-arch are run in no other way")
    text = Continuation(wish, speech.spelling, _hidden if wish.as_json else _shown)
    outcome = asyncio.run(_continue(settings, model, speech.prompt, text))
    text.end()
    if not isinstance(outcome, Measured):
        sentence = outcome_sentence(outcome)
        raise CandidateError(f"#{model.experiment.index} {proposal.name} does not continue the text. {sentence}")
    if wish.as_json:
        _print_json(wish, model, text)
    elif text.has_ended:
        note = f"The model ended the text after {plural(len(text.tokens), 'token')}; another --seed may go on."
        Console(stderr=True, highlight=False).print(note, style="dim")


class Continuation:
    """Draws tokens and shows their characters as soon as these are whole."""

    def __init__(self, wish: GenerateWish, spelling: Spelling, show: Callable[[str], None]) -> None:
        self._draw = NextToken(temperature=wish.temperature, top_k=wish.top_k, seed=wish.seed)
        self._wish = wish
        self._spelling = spelling
        self._show = show
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.tokens: list[int] = []
        self.text = ""
        self.has_ended = False
        """Whether the model said that the text ends here."""

    def begin(self) -> None:
        """Show what is continued."""
        beginning = escaped(self._wish.text)
        self._show(typer.style(beginning, bold=True) if sys.stdout.isatty() else beginning)

    def choose(self, logits: NDArray[np.float64]) -> int | None:
        """The next token, or None when there are enough or the text is at its end."""
        token = self._draw(logits)
        content = self._spelling.content(token)
        self.tokens.append(token)
        self.has_ended = END in content
        self._add(self._decoder.decode(content.partition(bytes([END]))[0]))
        return None if self.has_ended or len(self.tokens) >= self._wish.tokens else token

    def end(self) -> None:
        """Show what was left of a character, and end the line."""
        self._add(self._decoder.decode(b"", final=True))
        self._show("\n")

    def _add(self, text: str) -> None:
        self.text += text
        self._show(escaped(text))


def escaped(text: str) -> str:
    """Nothing that a terminal would obey: control and format characters as Python writes them."""
    return "".join(c if c.isprintable() or c in "\n\t" else ascii(c)[1:-1] for c in text)


async def _continue(settings: Settings, model: TrainedModel, prompt: list[int], text: Continuation) -> Outcome:
    proposal, run = model.experiment.proposal, model.run
    order = RunOrder(source=proposal.source, key=run.key, mlp_width=run.mlp_width, adapter=proposal.adapter)
    profile = model.campaign.profile.model_copy(update={"device": "cpu"})
    with Console(stderr=True).status("Starting the sandbox ...") as status:
        async with opened_lab(profile, {}, model.campaign.protocol, settings) as lab:
            status.stop()
            text.begin()
            return await lab.continue_text(order, model.weights, prompt, text.choose)


def _hidden(_: str) -> None:
    return None


def _shown(text: str) -> None:
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
    sys.stdout.flush()


def _print_json(wish: GenerateWish, model: TrainedModel, text: Continuation) -> None:
    found = {
        "experiment": model.experiment.index,
        "name": model.experiment.proposal.name,
        "weights_seed": model.run.key.seed,
        "prompt": wish.text,
        "text": text.text,
        "tokens": text.tokens,
        "has_ended": text.has_ended,
        "temperature": wish.temperature,
        "top_k": wish.top_k,
        "seed": wish.seed,
        "context": model.campaign.profile.language.context,
    }
    Console(soft_wrap=True, highlight=False).print(json.dumps(found, indent=2), markup=False)
