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


@imports.command()
def tables(
    tree: Annotated[Path, typer.Argument(metavar="TREE.tsv", help="Columns index, parent, score, name, ...")],
    gallery: Annotated[
        Path | None, typer.Option("--gallery", help="More about some designs: parameters, loss@STEP, benchmarks.")
    ] = None,
    state: State = None,
    as_json: Json = False,
) -> None:
    """Published figures become a campaign that can be read: `status`, `best`, `tree` and `show` work on it.

    TREE.tsv is tab-separated UTF-8 text with a header line and one design a line:

      index         whole number; the design's number here, too
      parent        the index of its parent; empty for a root
      score         what its search went by, higher is better; empty or nan where it is missing
      name          its name in the source's files
      display_name  optional, its name for people; motivation: optional, why it should help

    GALLERY.tsv knows more about some of them: index; optional are name (must agree), parameters (495.73M), loss@STEP
    (training loss in nats) and any other column of numbers, which is a benchmark. Nothing of it is checked or trained,
    and such a campaign can't be continued. Importing the same files again changes nothing.

    [bold]Examples[/bold]

      asi-arch import tables tree.tsv --state campaigns/published
      asi-arch import tables tree.tsv --gallery gallery.tsv --state campaigns/published
      asi-arch best --state campaigns/published
    """
    from asi_arch.cli import archives as command

    command.import_tables(tree, gallery, command.ArchiveWish(state, as_json))


@imports.command()
def openevolve(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A checkpoint with programs/ID.json.")],
    state: State = None,
    as_json: Json = False,
) -> None:
    """A checkpoint of OpenEvolve becomes a campaign that can be read and not continued.

    Programs are ranked by their combined_score, or by the mean of their metrics where none has one; numbers follow
    generation and time. Their code is kept as text and never run. Importing the same checkpoint again changes nothing.

    [bold]Examples[/bold]

      asi-arch import openevolve openevolve_output/checkpoints/checkpoint_100 --state campaigns/theirs
      asi-arch tree --state campaigns/theirs
    """
    from asi_arch.cli import archives as command

    command.import_openevolve(folder, command.ArchiveWish(state, as_json))


@imports.command()
def shinka(
    file: Annotated[Path, typer.Argument(metavar="FILE.sqlite", help="The run's database, e.g. evolution_db.sqlite.")],
    state: State = None,
    as_json: Json = False,
) -> None:
    """A database of ShinkaEvolve becomes a campaign that can be read and not continued.

    Programs are ranked by their combined_score; those that are not correct are shown as rejected and not ranked.
    The database is opened for reading only. Importing the same database again changes nothing.

    [bold]Examples[/bold]

      asi-arch import shinka results/evolution_db.sqlite --state campaigns/theirs
      asi-arch show best --state campaigns/theirs
    """
    from asi_arch.cli import archives as command

    command.import_shinka(file, command.ArchiveWish(state, as_json))
