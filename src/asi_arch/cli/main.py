"""The command line: names, options and help. What a command does is in the module of its family."""

import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from asi_arch.cli import afterwards, candidates, examining
from asi_arch.cli.arguments import Json, Profile, State, Which
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

  asi-arch report            a page, figures and tables of what was found

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
    track: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND:PLACE",
            help="Also tell tensorboard:DIR, wandb:PROJECT or mlflow:URI; may be repeated. 'none': nobody.",
            show_default="the settings', or nobody",
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
      asi-arch run --time 8h --track tensorboard:runs
      asi-arch run -n 200 --mind openai:gpt-5-mini --estimate
    """
    from asi_arch.cli import run as command

    limits, search = (experiments, time, compute), (profile, seed, policy, data)
    extras = (mind, when_silent, reflect, estimate, as_json, tuple(track or ()))
    command.run(command.RunWish(*limits, *search, workers, state, plain, *extras))


@app.command()
def status(state: State = None, as_json: Json = False) -> None:
    """What a campaign has done so far, also while it runs."""
    from asi_arch.cli import read

    read.status(state, as_json)


@app.command()
def show(
    which: Which = "best",
    code: Annotated[bool, typer.Option("--code", help="Print nothing but its program.")] = False,
    state: State = None,
    as_json: Json = False,
) -> None:
    """One experiment: motivation, code with the difference to its parent, curves, checks, cost.

    [bold]Examples[/bold]

      asi-arch show best
      asi-arch show 17 --json
      asi-arch show 17 --code > design.py && asi-arch train design.py
    """
    from asi_arch.cli import read

    if code:
        read.code(which, state)
    else:
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
        typer.Option("--out", "-o", help="Folder for the page and its files.", show_default="STATE/report"),
    ] = None,
    figures: Annotated[
        str, typer.Option("--figures", help="Formats of the figures, of png, svg and pdf; 'none' for the page alone.")
    ] = "png,svg,pdf",
    tables: Annotated[
        str, typer.Option("--tables", help="Formats of the tables, of csv and tex (LaTeX, booktabs); or 'none'.")
    ] = "csv,tex",
    state: State = None,
    as_json: Json = False,
) -> None:
    """The campaign on one page that opens anywhere, with figures and tables for a paper and a written account.

    Written are index.html, which needs no other file; figures/, where a number in a name is that of the paper's figure;
    tables/; and account.md. It also works while the campaign runs, and on an imported one.

    [bold]Examples[/bold]

      asi-arch report
      asi-arch report --figures pdf -o paper
      asi-arch report --figures none --tables csv
    """
    from asi_arch.cli import reporting

    reporting.report(out, state, figures=figures, tables=tables, as_json=as_json)


@app.command()
def serve(
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Of the pages; 0 takes any.", show_default="the first free one from 8265"),
    ] = None,
    opens: Annotated[bool, typer.Option("--open", help="Show them in the browser.")] = False,
    state: State = None,
) -> None:
    """Pages about a campaign in the browser: live while it runs, and just as good afterwards.

    They are served on this machine only, and only to who has the address that is printed. From another machine:
    ssh -L 8265:127.0.0.1:8265 HOST.

    [bold]Examples[/bold]

      asi-arch serve --open
      asi-arch serve --state campaigns/long --port 9000
    """
    from asi_arch.cli import serve as command

    command.serve(command.ServeWish(state, port, opens))


app.command()(afterwards.verify)
app.command()(afterwards.ablate)
app.command()(afterwards.calibrate)
app.command()(afterwards.provenance)
app.command()(afterwards.export)
app.command()(afterwards.generate)
app.command()(candidates.check)
app.command()(candidates.train)
app.add_typer(candidates.imports, name="import")
app.add_typer(examining.benches, name="bench")
app.command("judge-test")(examining.judge_test)
app.command()(examining.doctor)
app.command()(examining.profiles)


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
