import json
from pathlib import Path

import pytest

from asi_arch.agents.composer import BASELINE_DESIGNS, baseline_proposal, rendered
from asi_arch.cli.mind_costs import asked_roles
from asi_arch.cli.provenance import ProvenanceWish, provenance
from asi_arch.domain.candidate import Author, Proposal
from asi_arch.domain.errors import StoreLocked, UserError
from asi_arch.domain.minds import Role
from asi_arch.folders import opened_store
from asi_arch.llm.plan import MindPlan
from asi_arch.minds import is_asked
from asi_arch.provenance import asked
from asi_arch.settings import load_profile
from asi_arch.testing.records import make_campaign, make_experiment, make_proposal

from .test_judging import answering

LINE = "state = kept * state + (1 - kept) * value[:, step]"


@pytest.fixture(autouse=True)
def no_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr("asi_arch.llm.inbox._POLL_S", 0.005)


def composed(key: str, author: Author, parent: int | None = None) -> Proposal:
    proposal = baseline_proposal(key, rendered(BASELINE_DESIGNS[key], key), "", key)
    return proposal.model_copy(update={"author": author, "parent": parent})


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A baseline, a composed child, and a free program that is a child of both."""
    folder = tmp_path / "state"
    free = make_proposal("Free", author=Author.MODEL, parent=1, references=(0,))
    proposals = [composed("delta_net", Author.BASELINE), composed("gla", Author.COMPOSER, 0), free]
    with opened_store(folder, read_only=False) as store:
        store.create(make_campaign())
        for index, proposal in enumerate(proposals):
            store.record(make_experiment(index, proposal), 0.5 + index / 10)
    return folder


def wish(state: Path, *which: str, everything: bool = False, best: int | None = None, mind: str | None = None):
    return ProvenanceWish(which, best, everything, mind, state, as_json=True)


def found(capsys: pytest.CaptureFixture[str], asked_for: ProvenanceWish):
    provenance(asked_for)
    return json.loads(capsys.readouterr().out)


def test_everything_is_traced_stored_and_shown_again(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = found(capsys, wish(state, everything=True))
    assert [(item["index"], item["named_by"]) for item in first["experiments"]] == [(1, "design"), (2, "code")]
    assert (first["found"], first["minds"]) == (2, {"components": None, "provenance": None})
    assert first["table"]["traced"] == 2
    again = found(capsys, wish(state, everything=True))
    assert (again["found"], again["experiments"]) == (0, first["experiments"])
    assert found(capsys, wish(state))["experiments"] == first["experiments"]
    provenance(wish(state)._replace(as_json=False))
    told = " ".join(capsys.readouterr().out.split())
    assert "Where ideas come from" in told
    assert "2 Free" in told


def test_the_fittest_and_single_ones_can_be_chosen(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert [e["index"] for e in found(capsys, wish(state, best=1))["experiments"]] == [2]
    assert [e["index"] for e in found(capsys, wish(state, "gla", "1"))["experiments"]] == [1]


def test_a_mind_names_and_traces_a_free_program(
    state: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def reply(page: str) -> dict[str, object]:
        if "name the mechanisms" in page:
            return {"known": [{"name": "other_update", "lines": [LINE]}], "new": []}
        claim = {"element": "other_update", "reason": "Nobody had it before.", "origin": "original", "evidence": ""}
        return {"claims": [claim]}

    mind = f"inbox:{tmp_path / 'questions'}"
    with answering(tmp_path / "questions", reply) as pages:
        result = found(capsys, wish(state, everything=True, mind=mind))
        free = result["experiments"][1]
        assert (free["named_by"], free["traced_by"]) == ("model", "model")
        assert [(e["name"], e["origin"], e["lines"]) for e in free["elements"]] == [
            ("other_update", "original", [LINE])
        ]
        assert result["minds"] == {"components": mind, "provenance": mind}
        assert len(pages) == 2, "the composed one is on record"
        assert found(capsys, wish(state, everything=True, mind=mind))["found"] == 0
    assert len(pages) == 2


def test_a_wrong_choice_is_told(state: Path, tmp_path: Path) -> None:
    for asked_for, told in (
        (wish(state, "0"), "#0 delta_net is a baseline"),
        (wish(state, "17"), "no finished experiment '17'"),
        (wish(state, "1", everything=True), "give either numbers of experiments, or --best N, or --all"),
        (wish(state, mind="inbox:questions"), "--mind needs to know about which experiments to ask"),
        (wish(state, everything=True, mind="nobody:x"), "unknown service 'nobody'"),
    ):
        with pytest.raises(UserError, match=told.replace("'", ".")):
            provenance(asked_for)
    assert not (tmp_path / "questions").exists()


def test_before_anything_is_traced_the_way_is_shown(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    provenance(wish(state)._replace(as_json=False))
    assert "asi-arch provenance --all" in capsys.readouterr().out
    assert found(capsys, wish(state)) == {
        "experiments": [],
        "found": 0,
        "minds": {"components": None, "provenance": None},
        "table": None,
    }


def test_while_a_controller_runs_nothing_is_traced_and_all_is_shown(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found(capsys, wish(state, "1"))
    with opened_store(state, read_only=False):
        with pytest.raises(StoreLocked, match="is in use by"):
            provenance(wish(state, everything=True))
        assert [e["index"] for e in found(capsys, wish(state))["experiments"]] == [1]


def test_only_who_is_named_is_asked_and_no_campaign_asks() -> None:
    default, named = MindPlan(default="openai:x"), MindPlan(roles={Role.COMPONENTS: "openai:x"})
    assert not is_asked(default, Role.COMPONENTS)
    assert not asked(default).roles
    assert asked(named).roles == {Role.COMPONENTS: "openai:x"}
    assert asked(default, "inbox:q").roles == {Role.COMPONENTS: "inbox:q", Role.PROVENANCE: "inbox:q"}
    assert Role.COMPONENTS not in asked_roles(named, load_profile("cpu"))
