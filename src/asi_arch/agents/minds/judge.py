"""The Judge by language model: it marks innovation and simplicity of bare code; all arithmetic is done here.

| mark       | weight | who gives it                                                              |
|------------|--------|---------------------------------------------------------------------------|
| efficiency | 0.40   | counted, as by the judge without a model                                  |
| simplicity | 0.24   | the median of the samples, (mark - 1) / 9 of a mark from 1 to 10          |
| innovation | 0.36   | likewise                                                                  |

A sample is one question. Samples differ in the order of the programs that anchor the scale, and the last of them, less
than half, also read what the author says. So the median stays within what was given by those who saw code only:
prose can decide where they differ, and can't win what none of them would give.

A question in brief, for small models, anchors the scale with one program and two sentences, and of the nearest program
that was tried before it shows what the new one adds to its lines.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import cache
from itertools import permutations
from statistics import median
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from asi_arch.agents.bare import added_lines, bare_program
from asi_arch.agents.english import sentence
from asi_arch.agents.judge import INNOVATION_WEIGHT, SIMPLICITY_WEIGHT, efficiency, nearest_relative, weighted
from asi_arch.agents.minds.prompting import fitted, prompt
from asi_arch.domain.candidate import Proposal
from asi_arch.domain.experiment import Judgement, Mark
from asi_arch.domain.minds import Mind, MindError, Question, Role
from asi_arch.domain.outcome import CheckReport
from asi_arch.domain.ports import Evidence, Judge
from asi_arch.mixers import baselines

SAMPLES = 3
LOWEST, HIGHEST = 1, 10
MAX_TOKENS = 2000
_MOST_REASON = 500
"""Characters of a failure, which may quote a whole refusal."""
_MOST_CODE, _MOST_CODE_IN_BRIEF = 12_000, 3_500
"""Characters of a program; its middle is left out where it is longer."""
_MOST_MOTIVATION, _MOST_MOTIVATION_IN_BRIEF = 1_500, 500


class Opinion(BaseModel):
    """One mark, with its reason before it."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(min_length=10, max_length=500)]
    mark: Annotated[int, Field(ge=LOWEST, le=HIGHEST)]

    @property
    def value(self) -> float:
        """Between 0 and 1."""
        return (self.mark - LOWEST) / (HIGHEST - LOWEST)


class Appraisal(BaseModel):
    """What a model answers."""

    model_config = ConfigDict(extra="forbid")

    innovation: Opinion
    simplicity: Opinion


class Anchor(NamedTuple):
    """A baseline whose marks are given, so that all samples and candidates are marked on one scale."""

    baseline: str
    innovation: int
    simplicity: int
    in_brief: str = ""
    """What stands for the program in a question in brief; empty where the program itself does."""


ANCHORS = (
    Anchor(
        "linear_attention",
        innovation=2,
        simplicity=9,
        in_brief="a memory to which every token adds the outer product of its key and value; nothing fades",
    ),
    Anchor("delta_net", innovation=5, simplicity=8),
    Anchor(
        "gated_delta_net",
        innovation=7,
        simplicity=6,
        in_brief="a delta rule whose memory fades before each write by a factor per token and head; gated output",
    ),
)
"""DeltaNet at 5 as in the paper; Gated DeltaNet not at 10, because there must be room for what is better."""


class MindJudge:
    """A `Judge` that asks a model, and another judge where the model gives no usable marks."""

    def __init__(
        self,
        mind: Mind,
        fallback: Judge,
        *,
        say: Callable[[str], None] = lambda _: None,
        samples: int = SAMPLES,
        is_brief: bool = False,
    ) -> None:
        """`say` is told when `fallback` has to judge. `samples` is 1, 3 or 5. A small model is asked in brief."""
        if samples not in (1, 3, 5):
            raise ValueError(f"samples must be 1, 3 or 5, got {samples}")
        self._mind = mind
        self._fallback = fallback
        self._say = say
        self._samples = samples
        self._is_brief = is_brief

    async def judge(self, proposal: Proposal, checks: CheckReport, context: Evidence) -> Judgement:
        """The marks of `appraise`; the fallback's, with a note, where there are none."""
        try:
            return await self.appraise(proposal, checks, context)
        except (MindError, SyntaxError) as error:
            reason = " ".join(str(error).split())[:_MOST_REASON]
        about = proposal.name if context.experiment is None else f"#{context.experiment}"
        self._say(f"{about}: {reason}; the judge without a model marks this one")
        judgement = await self._fallback.judge(proposal, checks, context)
        return judgement.model_copy(update={"note": f"No usable marks came from the model: {reason}"})

    async def appraise(self, proposal: Proposal, checks: CheckReport, context: Evidence) -> Judgement:
        """The model's marks. Raises `MindError` where a sample fails, `SyntaxError` for what can't be shown."""
        samples, is_brief = self._samples, self._is_brief
        questions = [question(proposal, context, n, samples, is_brief=is_brief) for n in range(samples)]
        given = await _together([self._mind.ask(asked) for asked in questions])
        marks = (
            efficiency(checks.footprint, context),
            _mark("simplicity", SIMPLICITY_WEIGHT, [appraisal.simplicity for appraisal in given]),
            _mark("innovation", INNOVATION_WEIGHT, [appraisal.innovation for appraisal in given]),
        )
        return Judgement(judge="model", marks=marks, score=weighted(marks), agreement=agreement(marks))


def readers(samples: int) -> int:
    """How many of the samples, the last ones, read the author's words: fewer than half."""
    return (samples - 1) // 2


def question(
    proposal: Proposal, context: Evidence, sample: int, samples: int, *, is_brief: bool = False
) -> Question[Appraisal]:
    """Asks for the marks of a program in a sample. Raises `SyntaxError` for one that is not Python."""
    anchors, nearest = _anchors(sample, is_brief=is_brief), nearest_relative(proposal, context.others)
    code, relative = bare_program(proposal.source), bare_program(nearest.proposal.source) if nearest else ""
    ask = fitted if is_brief else prompt
    asked = ask(
        "judge",
        anchors=anchors,
        relative=relative,
        relative_label=next((anchor.label for anchor in anchors if anchor.code == relative), None),
        added=added_lines(code, relative) if is_brief and relative else None,
        code=code,
        motivation=_without_name(proposal) if sample >= samples - readers(samples) else "",
        most=_MOST_CODE_IN_BRIEF if is_brief else _MOST_CODE,
        most_motivation=_MOST_MOTIVATION_IN_BRIEF if is_brief else _MOST_MOTIVATION,
    )
    subject = "" if context.experiment is None else str(context.experiment)
    return Question(role=Role.JUDGE, prompt=asked, answer=Appraisal, max_tokens=MAX_TOKENS, subject=subject)


def agreement(marks: Sequence[Mark]) -> float | None:
    """One minus the mean absolute deviation of all samples from their medians; None without two samples of a mark."""
    deviations = [abs(sample - mark.value) for mark in marks if len(mark.samples) > 1 for sample in mark.samples]
    return 1.0 - sum(deviations) / len(deviations) if deviations else None


def _mark(name: str, weight: float, opinions: Sequence[Opinion]) -> Mark:
    """The median of an odd number of opinions, with the reason of the first who gave it."""
    values = tuple(opinion.value for opinion in opinions)
    value = median(values)
    reason = opinions[values.index(value)].reason
    return Mark(name=name, value=value, weight=weight, reason=sentence(reason), samples=values)


class _Shown(NamedTuple):
    """An anchor as it stands in a prompt."""

    label: str
    innovation: int
    simplicity: int
    code: str
    in_brief: str


def _anchors(sample: int, *, is_brief: bool) -> list[_Shown]:
    order = (*_ROTATIONS, *(p for p in permutations(_PLACES) if p not in _ROTATIONS))[sample]
    chosen = [ANCHORS[place] for place in order]
    return [
        _Shown(
            f"Program {label}",
            anchor.innovation,
            anchor.simplicity,
            _bare_baseline(anchor.baseline),
            anchor.in_brief if is_brief else "",
        )
        for label, anchor in zip("ABC", chosen, strict=True)
    ]


_PLACES = range(len(ANCHORS))
_ROTATIONS = tuple(tuple((start + place) % len(ANCHORS) for place in _PLACES) for start in _PLACES)
"""These orders come first, so that every anchor stands everywhere once in three samples."""


@cache
def _bare_baseline(name: str) -> str:
    return bare_program(baselines.load(name).source)


def _without_name(proposal: Proposal) -> str:
    return proposal.motivation.replace(proposal.name, "it") if proposal.name else proposal.motivation


async def _together(asked: Sequence[Awaitable[Appraisal]]) -> list[Appraisal]:
    """All answers. Every question is waited for; then a failure is raised, what is no `MindError` before others."""
    found = await asyncio.gather(*asked, return_exceptions=True)
    failures = [result for result in found if isinstance(result, BaseException)]
    for failure in sorted(failures, key=lambda failure: isinstance(failure, MindError)):
        raise failure
    return [result for result in found if isinstance(result, Appraisal)]
