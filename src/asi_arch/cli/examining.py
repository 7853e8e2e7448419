"""Commands that examine the machine and the tools themselves."""

from pathlib import Path
from typing import Annotated

import typer

from asi_arch.cli.arguments import Json, Profile

benches = typer.Typer(invoke_without_command=True)


@benches.callback()
def bench(
    context: typer.Context,
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer repetitions and 10,000 instead of 100,000 stored experiments.")
    ] = False,
    profile: Profile = None,
    as_json: Json = False,
) -> None:
    """Measure this machine: speed of every baseline, overhead of an experiment, store and sampling.

    `asi-arch bench cognition` measures the search in the base of papers instead.
    """
    if context.invoked_subcommand is not None:
        return
    from asi_arch.cli import measure

    measure.bench(quick=quick, profile=profile, as_json=as_json)


@benches.command("cognition")
def bench_cognition(
    findings: Annotated[
        Path | None,
        typer.Option(help="Your own test set: TOML with [[findings]], each a text and a list arxiv of ids."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Does the base find the right papers, and how fast? Recall among the first three, mean reciprocal rank, times."""
    from asi_arch.cli import retrieval

    retrieval.bench(findings, as_json=as_json)


def judge_test(
    mind: Annotated[str, typer.Argument(metavar="MIND", help="Such as openai:MODEL, gguf:FILE, inbox:DIR; or rubric.")],
    samples: Annotated[int, typer.Option(help="Questions per judgement, 3 or 5.")] = 3,
    as_json: Json = False,
) -> None:
    """Is a judge fit? It marks baselines: renamed, with another's prose, with a plea for marks, and again.

    Nothing is trained, and no campaign is touched. Exit code 0: every limit is met, 1: one is not, or no marks came.

    [bold]Examples[/bold]

      asi-arch judge-test rubric
      asi-arch judge-test openai:gpt-5-mini
      asi-arch judge-test gguf:models/small.gguf --json
    """
    from asi_arch.cli import judging

    raise typer.Exit(judging.judge_test(judging.TrialWish(mind, samples, as_json)))


def doctor(as_json: Json = False) -> None:
    """Try on this machine what the rest relies on: the sandbox, torch, the store. Exit code 0: all is well, 1: not.

    Every wall of the sandbox is run against from inside, and a campaign is killed and resumed in a scratch folder.
    """
    from asi_arch.cli import health

    raise typer.Exit(health.doctor(as_json=as_json))


def profiles(
    name: Annotated[str | None, typer.Argument(help="Show this one in full.")] = None, as_json: Json = False
) -> None:
    """The profiles that ship, or one of them in full."""
    from asi_arch.cli import read

    read.profiles(name, as_json)
