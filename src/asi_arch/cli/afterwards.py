"""Commands that look at finished experiments again."""

from pathlib import Path
from typing import Annotated

import typer

from asi_arch.cli.arguments import Json, State, Which


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


def ablate(
    which: Which = "best",
    without: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MECHANISM",
            help="Take out this one; may be given several times.",
            show_default="those that its parent lacks",
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Take out every mechanism in turn.")] = False,
    seeds: Annotated[int, typer.Option(help="Seeds in pairs, with and without; at least 2.")] = 4,
    workers: Annotated[int | None, typer.Option("--workers", "-w", help="Trainings at the same time.")] = None,
    state: State = None,
    as_json: Json = False,
) -> None:
    """What is each part of a design worth? Trains it with and without each of its mechanisms.

    Both have the same fresh seeds, and are scored on the search's held-out text: that of `verify` stays unseen, so that
    what is left may be verified. Finished trainings are kept; the same command resumes. For composed designs only.

    [bold]Examples[/bold]

      asi-arch ablate best
      asi-arch ablate 17 --all --seeds 6
      asi-arch ablate 17 --without channel_decay
    """
    from asi_arch.cli import ablation

    ablation.run(ablation.AblateWish(which, tuple(without or ()), everything, seeds, workers, state, as_json))


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


def export(
    which: Which,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
    seed: Annotated[
        int | None, typer.Option(help="Whose weights, of those the campaign trained.", show_default="its first")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier export in DIR.")] = False,
    state: State = None,
    as_json: Json = False,
) -> None:
    """Take a trained design home: a folder that loads with Transformers and needs no asi-arch.

    The program with everything it imports from asi-arch, the model around it, weights, tokenizer, generation with a
    cache, tests, and a model card with data, seeds, intervals and lineage. Nothing of the design is executed here.

    [bold]Examples[/bold]

      asi-arch export best my_mixer
      asi-arch export 17 my_mixer --seed 1 --force
      cd my_mixer && python -m pytest tests
    """
    from asi_arch.cli import export as command

    command.export(command.ExportWish(which, folder, seed, force, state, as_json))


def generate(
    which: Which,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="How it begins.")],
    tokens: Annotated[
        int, typer.Option("--tokens", "-n", help="How many at most; the model may end it earlier.")
    ] = 200,
    temperature: Annotated[float, typer.Option(help="0 takes the likeliest token, 1 the model's own odds.")] = 0.8,
    top_k: Annotated[int | None, typer.Option("--top-k", help="Draw from the likeliest K only.")] = None,
    seed: Annotated[int, typer.Option(help="Of the drawing; the same seed draws the same.")] = 0,
    weights: Annotated[
        int | None,
        typer.Option(help="Seed of the training whose weights are used.", show_default="the campaign's first"),
    ] = None,
    state: State = None,
    as_json: Json = False,
) -> None:
    """A trained model continues a text, in the sandbox. Small models trained for minutes babble, but see what of.

    It sees the last tokens, as many as it was trained with. Control characters are shown and not obeyed.

    [bold]Examples[/bold]

      asi-arch generate best "def forward(self, x):"
      asi-arch generate 17 "import " --tokens 500 --temperature 0.5 --seed 3
      asi-arch generate DeltaNet "class " --temperature 0 --json
    """
    from asi_arch.cli import generate as command

    command.generate(command.GenerateWish(which, text, tokens, temperature, top_k, seed, weights, state, as_json))
