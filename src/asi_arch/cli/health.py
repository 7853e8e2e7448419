"""`asi-arch doctor`: a table of what holds on this machine."""

import json

from rich.console import Console
from rich.table import Table
from rich.text import Text

from asi_arch.cli import options
from asi_arch.doctor import Finding, State, examine

_MARKS = {State.GOOD: ("✓", "green"), State.BAD: ("✗", "bold red"), State.ABSENT: ("-", "dim")}


def doctor(*, as_json: bool) -> int:
    """Examine, print, and return the exit code: 1 when anything is bad."""
    found: list[Finding] = []
    with Console(stderr=True).status("trying what the rest relies on, a minute or two", spinner="dots") as status:
        for finding in examine(options.settings(None)):
            found.append(finding)
            status.update(f"{finding.area}, {finding.what}: {finding.state.value}; going on")
    if as_json:
        lines = [{**finding._asdict(), "state": finding.state.value} for finding in found]
        Console(soft_wrap=True, highlight=False).print(json.dumps(lines, indent=2), markup=False)
    else:
        _print(found)
    return 1 if any(finding.state is State.BAD for finding in found) else 0


def _print(found: list[Finding]) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    last = ""
    for finding in found:
        mark, style = _MARKS[finding.state]
        seen = Text(finding.detail, style="dim")
        area = finding.area if finding.area != last else ""
        table.add_row(Text(area, style="bold"), Text(mark, style=style), finding.what, seen)
        last = finding.area
    Console().print(table)
    bad = [finding for finding in found if finding.state is State.BAD]
    if bad:
        Console().print(f"[bold red]{len(bad)} of {len(found)} need attention.[/bold red]")
    else:
        Console().print("[green]All is well.[/green]")
