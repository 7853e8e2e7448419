"""The command line: names, options and help. What a command does is in the module of its family."""

import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from asi_arch.cli import afterwards
from asi_arch.cli.arguments import Adapter, Json, Profile, State, Uncontained, Which
from asi_arch.cli.groups import agendas, inbox, minds, papers


class _Commands(TyperGroup):
    """Ctrl-C ends every command in the same way, whatever the installed typer makes of it."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            typer.secho("asi-arch: stopped; finished work is stored", err=True, fg="red")
            raise typer.Exit(130) from None


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""Software that does neural-architecture research by itself.

It forms a hypothesis, writes the PyTorch code, checks it, trains it, measures it and uses the result for its next idea.

[bold]Start here[/bold]

  asi-arch run --time 12m    search for twelve minutes; the same command resumes

  asi-arch report            a page with figures of what was found

  asi-arch verify best       is the best one really better? fresh seeds, an interval
""",
)

app.add_typer(papers, name="cognition")
app.add_typer(inbox, name="inbox")
app.add_typer(minds, name="minds")
app.add_typer(agendas, name="agenda")


@app.command()
def run(
    experiments: Annotated[
        int | None,
        typer.Option("--experiments", "-n", help="Stop when the campaign has that many, baselines included."),
    ] = None,
    time: Annotated[
        str | None, typer.Option("--time", "-t", help="Take up nothing new after this time, e.g. 90s, 12m, 8h.")
    ] = None,
    compute: Annotated[
        str | None, typer.Option(help="Take up nothing new after this much CPU time of the campaign, e.g. 2h.")
    ] = None,
    profile: Profile = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of the search; the same seed gives the same lineage.", show_default="0")
    ] = None,
    policy: Annotated[
        str | None, typer.Option(help="evolution, greedy, or random (the control arm).", show_default="evolution")
    ] = None,
    data: Annotated[str | None, typer.Option(help="Your own text file or folder instead of the profile's.")] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", "-w", help="Trainings at the same time.", show_default="number of cores")
    ] = None,
    mind: Annotated[
        str | None,
        typer.Option(
            "--mind",
            "-m",
            help="Who has the ideas: openai:MODEL, anthropic:MODEL, gguf:FILE, inbox:FOLDER; see `asi-arch minds`.",
            show_default="the settings', or the embedded composer",
        ),
    ] = None,
    when_silent: Annotated[
        str | None,
        typer.Option(
            help="When the mind does not answer: stop, or compose (the composer stands in).", show_default="stop"
        ),
    ] = None,
    reflect: Annotated[
        bool | None,
        typer.Option(
            "--reflect/--no-reflect",
            help="A new campaign writes a research agenda after every batch; see `asi-arch agenda`.",
            show_default="as in the profile: no",
        ),
    ] = None,
    state: State = None,
    plain: Annotated[bool, typer.Option("--plain", help="One line per event instead of the live table.")] = False,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Only say what these options are expected to cost; nothing is made.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --estimate: print JSON.")] = False,
) -> None:
    """Search: invent, check, train, measure, repeat. Ctrl-C once finishes what is running, twice stops at once.

    The same command resumes: nothing finished is lost or done twice.

    [bold]Examples[/bold]

      asi-arch run --time 12m
      asi-arch run -n 60 --seed 1 --state campaigns/sixty
      asi-arch run -n 60 --policy random --state campaigns/control
      asi-arch run --data ~/my-notes --state campaigns/notes
      asi-arch run --mind inbox:questions --state campaigns/mine
      asi-arch run -n 200 --reflect --state campaigns/reflective
      asi-arch run -n 200 --mind openai:gpt-5-mini --estimate
    """
    from asi_arch.cli import run as command

    limits, search = (experiments, time, compute), (profile, seed, policy, data)
    extras = (mind, when_silent, reflect, estimate, as_json)
    command.run(command.RunWish(*limits, *search, workers, state, plain, *extras))


@app.command()
def status(state: State = None, as_json: Json = False) -> None:
    """What a campaign has done so far, also while it runs."""
    from asi_arch.cli import read

    read.status(state, as_json)


@app.command()
def show(which: Which = "best", state: State = None, as_json: Json = False) -> None:
    """One experiment: motivation, code with the difference to its parent, curves, checks, cost.

    [bold]Examples[/bold]

      asi-arch show best
      asi-arch show 17 --json
    """
    from asi_arch.cli import read

    read.show(which, state, as_json)


@app.command()
def best(
    number: Annotated[int, typer.Option("--number", "-n", min=1, help="How many.")] = 10,
    state: State = None,
    as_json: Json = False,
) -> None:
    """The fittest experiments beside the baselines, with intervals."""
    from asi_arch.cli import read

    read.best(number, state, as_json)


@app.command()
def tree(state: State = None, as_json: Json = False) -> None:
    """Who descends from whom."""
    from asi_arch.cli import read

    read.tree(state, as_json)


@app.command()
def report(
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder for the page and its figures.", show_default="STATE/report"),
    ] = None,
    state: State = None,
    as_json: Json = False,
) -> None:
    """One self-contained HTML page and its figures as PNG."""
    from asi_arch.cli import read

    read.report(out, state, as_json)


@app.command()
def verify(
    which: Which = "best",
    seeds: Annotated[int, typer.Option(help="Fresh seeds; at least 2, and 4 to be promoted.")] = 4,
    against: Annotated[
        str | None, typer.Option(help="Baselines, separated by commas.", show_default="those of the campaign")
    ] = None,
    workers: Annotated[int | None, typer.Option("--workers", "-w", help="Trainings at the same time.")] = None,
    profile: Annotated[
        str | None,
        typer.Option("--profile", "-p", help="Refuse a campaign of another profile.", show_default="the campaign's"),
    ] = None,
    state: State = None,
    as_json: Json = False,
) -> None:
    """Is it really better? Trains it and the baselines again with fresh, paired seeds, on text kept from the search.

    Where that refuses nothing, the vault is opened: it and the reference are scored again on other text, blind.
    Says "promoted" or why not: q is corrected for all that were verified in the campaign, so every look has its price.

    [bold]Examples[/bold]

      asi-arch verify best --seeds 6
      asi-arch verify 17 --against delta_net,gated_delta_net
    """
    from asi_arch.cli import second_look

    second_look.verify(second_look.VerifyWish(which, seeds, against, workers, state, as_json, profile))


@app.command()
def calibrate(
    trials: Annotated[int, typer.Option(help="Pairs of trainings of one program, compared like a candidate.")] = 3,
    seeds: Annotated[int, typer.Option(help="Fresh seeds of either side of a pair; at least 4.")] = 8,
    workers: Annotated[int | None, typer.Option("--workers", "-w", help="Trainings at the same time.")] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Measure even what another campaign here has measured.")
    ] = False,
    against: Annotated[
        list[str] | None, typer.Option(help="Measure this baseline's spread as well; may be given several times.")
    ] = None,
    all_baselines: Annotated[
        bool, typer.Option("--all-baselines", help="Measure the spread of all baselines that ship.")
    ] = False,
    state: State = None,
    as_json: Json = False,
) -> None:
    """How large is the noise, and is a baseline under another name promoted? It must not be.

    Trains the reference baseline with many seeds, sets them against each other, and keeps the result: where chance is
    promoted too often, `verify` promotes nothing. Finished trainings are kept, also for `verify`; the same command
    resumes. The result is kept for all campaigns with the same profile and data on this class of machines.

    With --against, other baselines are trained with the seeds of one side, too: their mean and spread are shown, and
    `verify` knows better how much differences to a baseline vary. What is kept already is not measured again.

    [bold]Examples[/bold]

      asi-arch calibrate
      asi-arch calibrate --trials 10 --seeds 6 --state campaigns/long
      asi-arch calibrate --against gated_delta_net --against mamba2
      asi-arch calibrate --all-baselines
    """
    from asi_arch.cli import calibration

    calibration.run(
        calibration.CalibrateWish(trials, seeds, workers, state, as_json, again, tuple(against or ()), all_baselines)
    )


app.command()(afterwards.provenance)


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="Candidate files, or folders of them.")],
    profile: Profile = None,
    adapter: Adapter = "mixer",
    without_containment: Uncontained = False,
    as_json: Json = False,
) -> None:
    """Execute the checks on candidate files. Exit code 0: all pass, 1: one is rejected, 2: our error.

    [bold]Examples[/bold]

      asi-arch check my_mixer.py
      asi-arch check ideas/ --json
      asi-arch check published.py --adapter fla
    """
    from asi_arch.cli import files as command

    wish = command.CheckWish(profile, as_json, adapter, without_containment)
    raise typer.Exit(command.check(files, wish))


@app.command()
def train(
    file: Annotated[Path, typer.Argument(help="A candidate file.")],
    against: Annotated[
        str | None,
        typer.Option(help="Baselines to train beside it, separated by commas.", show_default="the profile's first"),
    ] = None,
    profile: Profile = None,
    data: Annotated[str | None, typer.Option(help="Your own text file or folder instead of the profile's.")] = None,
    workers: Annotated[int | None, typer.Option("--workers", "-w", help="Trainings at the same time.")] = None,
    adapter: Adapter = "mixer",
    without_containment: Uncontained = False,
    as_json: Json = False,
) -> None:
    """Check and train one candidate file outside a campaign. Exit code 0: measured, 1: rejected, 2: our error.

    [bold]Examples[/bold]

      asi-arch train my_mixer.py
      asi-arch train my_mixer.py --against delta_net,gated_delta_net
      asi-arch train published.py --adapter fla
    """
    from asi_arch.cli import files as command

    wish = command.TrainWish(file, against, profile, data, workers, as_json, adapter, without_containment)
    raise typer.Exit(command.train(wish))


imports = typer.Typer(no_args_is_help=True, help="Take over the work of others.")
app.add_typer(imports, name="import")


@imports.callback()
def imports_of_others() -> None:
    """Take over the work of others."""


@imports.command()
def gallery(
    file: Annotated[Path, typer.Argument(help="A JSON list of objects: name, program, motivation, index, ...")],
    adapter: Adapter = "fla",
    profile: Profile = None,
    data: Annotated[str | None, typer.Option(help="Your own text file or folder instead of the profile's.")] = None,
    state: State = None,
    skip_broken: Annotated[
        bool, typer.Option("--skip-broken", help="Leave out entries whose program is not valid Python.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Published programs become the next experiments of a campaign: `asi-arch run` checks, trains and scores them.

    Everything is read and checked first: one bad entry, and nothing is stored. Published results are kept as text and
    never as scores. Importing a file twice adds nothing.

    [bold]Examples[/bold]

      asi-arch import gallery gallery.json --state campaigns/gallery
      asi-arch run -n 110 --state campaigns/gallery
    """
    from asi_arch.cli import gallery as command

    command.import_gallery(command.ImportWish(file, adapter, profile, data, state, as_json, skip_broken))


benches = typer.Typer(invoke_without_command=True)
app.add_typer(benches, name="bench")


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


@app.command("judge-test")
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


@app.command()
def doctor(as_json: Json = False) -> None:
    """Try on this machine what the rest relies on: the sandbox, torch, the store. Exit code 0: all is well, 1: not.

    Every wall of the sandbox is run against from inside, and a campaign is killed and resumed in a scratch folder.
    """
    from asi_arch.cli import health

    raise typer.Exit(health.doctor(as_json=as_json))


@app.command()
def profiles(
    name: Annotated[str | None, typer.Argument(help="Show this one in full.")] = None, as_json: Json = False
) -> None:
    """The profiles that ship, or one of them in full."""
    from asi_arch.cli import read

    read.profiles(name, as_json)


class _Wall:
    """Every error leaves here: the user's as one sentence, ours with its traceback; exit code 2 for both."""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None or isinstance(error, SystemExit):
            return
        if isinstance(error, KeyboardInterrupt):
            sys.exit(130)
        from asi_arch.domain.errors import AsiArchError

        if isinstance(error, BrokenPipeError):
            sys.stderr.close()
            sys.exit(141)
        if isinstance(error, AsiArchError):
            typer.secho(f"asi-arch: {error}", err=True, fg="red")
        else:
            sys.excepthook(type(error), error, trace)
            typer.secho("asi-arch: this is a mistake of ours; finished work is stored", err=True, fg="red")
        sys.exit(2)


def main() -> None:
    """Entry point of the command `asi-arch`."""
    # The controller's arithmetic takes one core: more threads would spin against the trainings.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with _Wall():
        app()
