"""The command line: names, options and help. What a command does is in the module of its family."""

import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any

import typer
from typer.core import TyperGroup


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

State = Annotated[
    Path | None, typer.Option("--state", "-s", help="The campaign's folder.", show_default="campaigns/default")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Profile = Annotated[
    str | None, typer.Option("--profile", "-p", help="A profile's name or TOML file; see `asi-arch profiles`.")
]
Uncontained = Annotated[
    bool,
    typer.Option("--without-containment", help="Run it even where nothing keeps it from your files and your network."),
]
Adapter = Annotated[
    str,
    typer.Option(
        "--adapter", "-a", help="Interface of the source: 'mixer', or 'fla' for layers of flash-linear-attention."
    ),
]
Which = Annotated[str, typer.Argument(metavar="ID", help="Number or name of an experiment, or 'best'.")]


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
    state: State = None,
    plain: Annotated[bool, typer.Option("--plain", help="One line per event instead of the live table.")] = False,
) -> None:
    """Search: invent, check, train, measure, repeat. Ctrl-C once finishes what is running, twice stops at once.

    The same command resumes: nothing finished is lost or done twice.

    [bold]Examples[/bold]

      asi-arch run --time 12m
      asi-arch run -n 60 --seed 1 --state campaigns/sixty
      asi-arch run -n 60 --policy random --state campaigns/control
      asi-arch run --data ~/my-notes --state campaigns/notes
      asi-arch run --mind inbox:questions --state campaigns/mine
    """
    from asi_arch.cli import run as command

    limits, search = (experiments, time, compute), (profile, seed, policy, data)
    command.run(command.RunWish(*limits, *search, workers, state, plain, mind, when_silent))


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


papers = typer.Typer(no_args_is_help=True, help="What the literature knows: search, show, check and add papers.")
app.add_typer(papers, name="cognition")


@papers.command("search")
def search_papers(
    text: Annotated[str, typer.Argument(help="What went wrong in an experiment, in a sentence or two.")],
    count: Annotated[int, typer.Option("--number", "-n", min=1, help="How many papers.")] = 3,
    as_json: Json = False,
) -> None:
    """The entries whose symptom fits a text, best first, each of another paper.

    [bold]Examples[/bold]

      asi-arch cognition search "recall falls once there are more pairs than dimensions"
      asi-arch cognition search -n 10 --json "the forget gate saturates"
    """
    from asi_arch.cli import cognition

    cognition.search(text, count, as_json=as_json)


@papers.command("show")
def show_paper(
    which: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="An arXiv id, an entry's id or a paper's name.")
    ] = None,
    as_json: Json = False,
) -> None:
    """A paper's entries in full; without an id, all papers by theme."""
    from asi_arch.cli import cognition

    cognition.show(which, as_json=as_json)


@papers.command("add")
def add_paper(
    file: Annotated[
        Path, typer.Argument(help="A paper (pdf, txt, md), or a TOML file of entries like those that ship.")
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Add without asking.")] = False,
    mind: Annotated[
        str | None,
        typer.Option(
            "--mind",
            "-m",
            help="Who reads the paper and writes its entries; see `asi-arch minds`.",
            show_default="the settings'",
        ),
    ] = None,
) -> None:
    """Add a paper of your own to the base. It is shown first and stored when you agree; duplicates are refused.

    [bold]Examples[/bold]

      asi-arch cognition add my-paper.toml
      asi-arch cognition add 2412.06464.pdf --mind openai:gpt-5-mini
    """
    from asi_arch.cli import cognition

    cognition.add(cognition.AddWish(file, yes, cognition.confirmed, mind))


@papers.command("check")
def check_papers(as_json: Json = False) -> None:
    """Is the base sound: form of every file, duplicates, dead ids. Exit code 0: it is, 1: there are complaints."""
    from asi_arch.cli import cognition

    raise typer.Exit(cognition.check(as_json=as_json))


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


inbox = typer.Typer(no_args_is_help=True, help="Answer questions that wait in an inbox.")
app.add_typer(inbox, name="inbox")
Inbox = Annotated[
    Path | None,
    typer.Option("--inbox", "-i", help="The inbox's folder.", show_default="the one of the settings' minds"),
]


@inbox.callback()
def inboxes() -> None:
    """Answer questions that wait in an inbox.

    A mind 'inbox:DIR' writes every question of an agent into DIR and waits for its answer, from a person or a program.

    [bold]Examples[/bold]

      asi-arch inbox list --inbox questions
      asi-arch inbox show researcher-17 --inbox questions
      asi-arch inbox answer researcher-17 answer.json --inbox questions
    """


@inbox.command("list")
def inbox_list(folder: Inbox = None, as_json: Json = False) -> None:
    """What is asked, oldest first.

    [bold]Examples[/bold]

      asi-arch inbox list
      asi-arch inbox list --inbox questions --json
    """
    from asi_arch.cli import inbox as command

    command.show_all(folder, as_json)


Question = Annotated[str, typer.Argument(metavar="NAME", help="A question's name or how it begins; see `list`.")]


@inbox.command("show")
def inbox_show(name: Question, folder: Inbox = None, as_json: Json = False) -> None:
    """One question in full: instructions, question, and the JSON schema of its answer.

    [bold]Examples[/bold]

      asi-arch inbox show researcher-17
      asi-arch inbox show researcher-17 > question.md
    """
    from asi_arch.cli import inbox as command

    command.show(folder, name, as_json)


@inbox.command("answer")
def inbox_answer(
    name: Question,
    file: Annotated[str, typer.Argument(metavar="FILE", help="The answer's file, or - for standard input.")],
    folder: Inbox = None,
    as_json: Json = False,
) -> None:
    """Put an answer beside its question, if it is JSON with the fields that are asked for.

    Whoever asked validates all of it, and asks again in the same file when something is wrong.

    [bold]Examples[/bold]

      asi-arch inbox answer researcher-17 answer.json
      echo '{"cause": ..., "edits": [...]}' | asi-arch inbox answer debugger-17 -
    """
    from asi_arch.cli import inbox as command

    command.answer(folder, name, file, as_json)


minds = typer.Typer(help="Which language model answers for which role, and what was spent.")
app.add_typer(minds, name="minds")


@minds.callback(invoke_without_command=True)
def minds_of_roles(context: typer.Context, state: State = None, as_json: Json = False) -> None:
    """Which language model answers for which role, and what was spent in a campaign.

    [bold]Examples[/bold]

      asi-arch minds
      asi-arch minds --state campaigns/long --json
      asi-arch minds test openai:gpt-5-mini
    """
    if context.invoked_subcommand is None:
        from asi_arch.cli import minds as command

        command.show(state, as_json)


@minds.command("test")
def minds_test(
    mind: Annotated[
        str | None,
        typer.Argument(help="Such as openai:MODEL, gguf:FILE, inbox:DIR.", show_default="all of the settings"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Ask one tiny question. Exit code 0: answered, 1: not.

    [bold]Examples[/bold]

      asi-arch minds test
      asi-arch minds test ollama:qwen2.5-coder:7b
      asi-arch minds test gguf:models/small.gguf
      asi-arch minds test inbox:questions
    """
    from asi_arch.cli import minds as command

    raise typer.Exit(command.test(mind, as_json))


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
