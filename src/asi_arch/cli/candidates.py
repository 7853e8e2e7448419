"""Commands for candidate files: one's own, and those of others."""

from pathlib import Path
from typing import Annotated

import typer

from asi_arch.cli.arguments import Adapter, Json, Profile, State, Uncontained


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
    from asi_arch.cli.sources import candidate_files, read_candidate

    sources = {path: read_candidate(path) for path in candidate_files(files)}
    from asi_arch.cli import files as command

    wish = command.CheckWish(profile, as_json, adapter, without_containment)
    raise typer.Exit(command.check(sources, wish))


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
    from asi_arch.cli.sources import read_candidate

    source = read_candidate(file)
    from asi_arch.cli import files as command

    wish = command.TrainWish(file, against, profile, data, workers, as_json, adapter, without_containment)
    raise typer.Exit(command.train(source, wish))


imports = typer.Typer(no_args_is_help=True, help="Take over the work of others.")


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
