"""Commands with subcommands about what others know: the cognition base, the inbox, language models."""

from pathlib import Path
from typing import Annotated

import typer

from asi_arch.cli.arguments import Json, State

papers = typer.Typer(no_args_is_help=True, help="What the literature knows: search, show, check and add papers.")


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


inbox = typer.Typer(no_args_is_help=True, help="Answer questions that wait in an inbox.")
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


agendas = typer.Typer(help="What a reflective campaign has learnt about itself, and how to take it back.")


@agendas.callback(invoke_without_command=True)
def agendas_of_campaign(context: typer.Context, state: State = None, as_json: Json = False) -> None:
    """What a reflective campaign has learnt about itself: one agenda per batch, with its weights.

    A campaign started with `asi-arch run --reflect` looks at its finished experiments after every batch: which
    mechanisms pay, what is over-explored, which expectations fail, what the judge over-rates. The agenda in force is
    told to whoever has the ideas, and makes the composer draw mechanisms up to twice or half as often.

    [bold]Examples[/bold]

      asi-arch agenda
      asi-arch agenda --state campaigns/reflective --json
      asi-arch agenda rollback 24 --state campaigns/reflective
    """
    if context.invoked_subcommand is None:
        from asi_arch.cli import agenda as command

        command.show(state, as_json)


@agendas.command("rollback")
def agenda_rollback(
    snapshot: Annotated[int, typer.Argument(metavar="N", help="The number before the agenda in the list.")],
    state: State = None,
    as_json: Json = False,
) -> None:
    """Take an agenda back: new proposals follow the one before it until the next batch writes another.

    It stays on record, and what was proposed under it stays as it is. Not while `run` is active in the folder.

    [bold]Examples[/bold]

      asi-arch agenda rollback 24
      asi-arch agenda rollback 24 --state campaigns/reflective
    """
    from asi_arch.cli import agenda as command

    command.rollback(snapshot, state, as_json)
