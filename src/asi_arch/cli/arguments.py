"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

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
