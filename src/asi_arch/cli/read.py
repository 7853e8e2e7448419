"""Commands that only read: `status`, `show`, `best`, `tree`, `profiles`."""

import json
import sys
import time
from pathlib import Path

from rich.console import Console, RenderableType

from asi_arch.cli import options
from asi_arch.domain.errors import UserError
from asi_arch.folders import opened_store
from asi_arch.report import payload, terminal
from asi_arch.settings import PROFILES, load_profile, profile_names


def status(state: Path | None, as_json: bool) -> None:
    """Where the campaign stands."""
    with opened_store(options.settings(state).state, read_only=True) as store:
        found = payload.status_payload(store)
    _show(found, terminal.status_view(found, time.time()), as_json)


def show(which: str, state: Path | None, as_json: bool) -> None:
    """One experiment's page."""
    with opened_store(options.settings(state).state, read_only=True) as store:
        found = payload.experiment_payload(store, options.find(store, which).index)
    _show(found, terminal.experiment_view(found), as_json)


def code(which: str, state: Path | None) -> None:
    """One experiment's program, as it was trained."""
    with opened_store(options.settings(state).state, read_only=True) as store:
        summary = options.find(store, which)
        source = store.proposals()[summary.index].source
    if not source:
        raise UserError(f"the program of #{summary.index} {summary.name} was not published")
    sys.stdout.write(source)


def best(number: int, state: Path | None, as_json: bool) -> None:
    """The fittest beside the baselines."""
    with opened_store(options.settings(state).state, read_only=True) as store:
        found = payload.best_payload(store, number)
    _show(found, terminal.best_view(found), as_json)


def tree(state: Path | None, as_json: bool) -> None:
    """The lineage."""
    with opened_store(options.settings(state).state, read_only=True) as store:
        found = payload.tree_payload(store)
    _show(found, terminal.tree_view(found), as_json)


def profiles(name: str | None, as_json: bool) -> None:
    """Names and descriptions, or one profile: its file as text, all values with `--json`."""
    if name is None:
        found = {item: load_profile(item).description for item in profile_names()}
        text = "\n".join(f"[bold]{item}[/bold]  {description}" for item, description in found.items())
        _show(found, text + "\n\nShow one in full: asi-arch profiles cpu", as_json)
        return
    profile = load_profile(name)
    path = PROFILES / f"{name}.toml" if name in profile_names() else Path(name)
    if as_json:
        _show({**profile.model_dump(mode="json"), "profile_hash": profile.profile_hash}, "", as_json)
    else:
        Console(soft_wrap=True).print(path.read_text(encoding="utf-8"), markup=False, highlight=False)


def _show(value: object, view: RenderableType, as_json: bool) -> None:
    if as_json:
        Console(soft_wrap=True).print(json.dumps(value, indent=2), markup=False, highlight=False)
    else:
        Console().print(view)
