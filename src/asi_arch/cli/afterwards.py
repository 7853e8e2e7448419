"""Commands that look at finished experiments again."""

from typing import Annotated

import typer

from asi_arch.cli.arguments import Json, State


def provenance(
    which: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Numbers or names of experiments, or 'best'.")
    ] = None,
    best: Annotated[int | None, typer.Option("--best", "-n", min=1, help="The fittest so many.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every finished experiment but the baselines.")] = False,
    mind: Annotated[
        str | None,
        typer.Option(
            "--mind",
            "-m",
            help="Who names components and tells their origins; see `asi-arch minds`.",
            show_default="whom [minds.roles] names for components and provenance, else nobody",
        ),
    ] = None,
    state: State = None,
    as_json: Json = False,
) -> None:
    """Where ideas come from: each element of a design is cognition, experience or original.

    Without a model, designs and records decide, and of free programs what is recognised in the code. A model names
    what a free program is made of, with the lines that show it, and says which experiment or paper each element comes
    from; evidence that is not on record is sent back. The answers are stored, `show` and `report` use them, and nothing
    is asked twice. Without ID, --best or --all the table of what is stored is shown.

    [bold]Examples[/bold]

      asi-arch provenance --all
      asi-arch provenance 17 best --mind openai:gpt-5-mini
      asi-arch provenance --state campaigns/sixty --json
    """
    from asi_arch.cli import provenance as command

    command.provenance(command.ProvenanceWish(tuple(which or ()), best, everything, mind, state, as_json))
