"""`ablate`: what it refuses and says before anything starts, what it prints, and one walk with real trainings."""

import io
import json
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from asi_arch.cli import ablation
from asi_arch.cli.ablation import AblateWish, print_worth
from asi_arch.domain.ablation import Ablation, PartWorth
from asi_arch.domain.errors import UserError
from asi_arch.domain.published import Origin
from asi_arch.domain.verdict import Comparison, Interval
from asi_arch.report.worth import EARNS, HINDERS, TRADES, UNKNOWN, ablation_data, standing
from asi_arch.store.sqlite import SqliteStore
from asi_arch.testing.records import make_campaign, make_experiment, make_proposal

from .conftest import Run


def comparison(quantity: str, estimate: float, margin: float) -> Comparison:
    return Comparison(
        baseline="Whole",
        quantity=quantity,
        seeds=(1, 2, 3, 4),
        difference=Interval(estimate=estimate, low=estimate - margin, high=estimate + margin),
        p_value=0.001 if abs(estimate) > margin else 0.5,
        candidate_mean=1.6,
        baseline_mean=1.6 - estimate,
        differences=(estimate,) * 4,
    )


def part(loss: float, recall: float, *, q: float = 0.01) -> PartWorth:
    comparisons = (comparison("language loss", loss, 0.01), comparison("recall accuracy", recall, 0.02))
    return PartWorth(
        mechanism="channel_decay",
        title="a data-dependent decay per channel",
        change="Removes a data-dependent decay per channel.",
        name="Rest",
        sha="r",
        work=0.87,
        comparisons=comparisons,
        q_values=(q, q),
    )


def record(*parts: PartWorth) -> Ablation:
    return Ablation(index=7, sha="w", protocol="p", seeds=(1, 2, 3, 4), parts=parts, at=0.0, containment="bubblewrap")


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (part(0.03, 0.0), EARNS),
        (part(0.0, -0.05), EARNS),
        (part(-0.03, 0.0), HINDERS),
        (part(0.03, 0.05), TRADES),
        (part(0.005, -0.01), UNKNOWN),
        (part(0.03, 0.0, q=0.2), UNKNOWN),
        (part(0, 0).model_copy(update={"failure": "it looks ahead"}), "not measured: it looks ahead"),
    ],
)
def test_a_part_earns_its_place_only_where_its_q_is_small_enough(found: PartWorth, told: str) -> None:
    assert standing(found) == told


def test_the_table_tells_size_margin_and_work() -> None:
    console = Console(file=io.StringIO(), width=160)
    failed = part(0, 0).model_copy(update={"comparisons": (), "q_values": (), "work": None, "failure": "it diverged"})
    print_worth(ablation_data(record(part(0.03, -0.001), failed)), console)
    text = console.file.getvalue()  # pyright: ignore[reportAttributeAccessIssue]  a StringIO
    assert "+0.030 ± 0.010, q = 0.01" in text
    assert "\u22120.001 ± 0.020, q = 0.01" in text
    assert "0.87x" in text
    assert EARNS in text
    assert "not measured: it diverged" in text
    assert "4 seeds in pairs that the search never used" in text


def wish(state: Path, which: str = "0", *mechanisms: str, seeds: int = 4) -> AblateWish:
    return AblateWish(which, mechanisms, everything=False, seeds=seeds, workers=None, state=state, as_json=True)


def test_free_code_is_refused_before_the_lab_is_started(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path / "state", clock=lambda: 1.0, owner="test")
    store.create(make_campaign())
    store.record(make_experiment(0, make_proposal("Free")), 0.5)
    store.close()
    with pytest.raises(UserError, match="Free can't be taken apart: its program was written or mended freely"):
        ablation.run(wish(tmp_path / "state"))
    with pytest.raises(UserError, match="no finished experiment 'nothing'"):
        ablation.run(wish(tmp_path / "state", "nothing"))


def composed(state: Path) -> int:
    """The first experiment of a campaign that the composer wrote and that was measured."""
    store = SqliteStore.open(state, clock=lambda: 1.0, owner="test", read_only=True)
    try:
        return next(s.index for s in store.summaries() if s.author == "composer" and s.outcome == "measured")
    finally:
        store.close()


@pytest.mark.slow
@pytest.mark.torch
def test_a_design_is_taken_apart_once(asi_arch: Run, undisturbed: Path, tmp_path: Path) -> None:
    state = shutil.copytree(undisturbed, tmp_path / "state")
    index = composed(state)
    done = asi_arch("ablate", str(index), "--seeds", "2", "--state", state, "--json", timeout=600)
    assert done.returncode == 0, done.stderr
    assert " trainings, 0 of them stored. The others take about" in done.stderr
    found = json.loads(done.stdout)
    assert found["index"] == index
    assert all(part["standing"] for part in found["parts"])
    assert all(len(part["comparisons"]) == 2 for part in found["parts"] if not part["failure"])
    again = json.loads(asi_arch("ablate", str(index), "--seeds", "2", "--state", state, "--json", timeout=60).stdout)
    assert again["parts"] == found["parts"], "stored trainings are not done again"
    shown = asi_arch("show", str(index), "--state", state).stdout
    assert "without " in shown
    code = asi_arch("show", str(index), "--code", "--state", state)
    (tmp_path / "design.py").write_text(code.stdout, encoding="utf-8")
    assert asi_arch("check", tmp_path / "design.py", "--profile", "smoke").returncode == 0


def test_an_imported_campaign_is_refused_for_what_it_is(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path / "state", clock=lambda: 1.0, owner="test")
    origin = Origin(format="tables", title="a published tree", files={}, score="higher is better")
    store.create(make_campaign().model_copy(update={"origin": origin}))
    store.record(make_experiment(0, make_proposal("Free")), 0.5)
    store.close()
    with pytest.raises(UserError, match="holds an imported campaign"):
        ablation.run(wish(tmp_path / "state"))
