import json
from pathlib import Path

import pytest

from asi_arch.cli import estimate
from asi_arch.cli.mind_costs import (
    BOUND,
    RECORDED,
    UNKNOWN,
    Ahead,
    RoleCost,
    asked_roles,
    recorded_of,
    role_costs,
    tariff_for,
)
from asi_arch.domain.campaign import Campaign
from asi_arch.domain.candidate import Author
from asi_arch.domain.errors import StoreMismatch
from asi_arch.domain.exchanges import Charge, Ending, Exchange, Reply, Sent, Settlement
from asi_arch.domain.minds import Role
from asi_arch.domain.profile import AgentsSpec, Policy, Profile
from asi_arch.engine.expected import Bounds
from asi_arch.folders import opened_store
from asi_arch.llm.plan import Budgets, Limits, MindPlan, Price, Service
from asi_arch.settings import Settings, load_profile
from asi_arch.store.exchanges import SqliteExchanges
from asi_arch.testing.mind_contract import make_request
from asi_arch.testing.records import make_experiment, make_proposal
from asi_arch.wishes import Wish

PRICE = Price(input_usd_per_million=1.0, output_usd_per_million=2.0)
LAB = {"lab": Service(url="http://10.0.0.7:8000/v1", prices={"m": PRICE})}
SIXTY = Bounds(60, None, None)
CPU = Wish(profile="cpu")


def settings_of(folder: Path, plan: MindPlan | None = None) -> Settings:
    return Settings(state=folder / "state", cache=folder / "cache", minds=plan or MindPlan(), workers=2)


def stored(folder: Path, profile: Profile, count: int) -> None:
    """A campaign whose experiments all cost the same: 72 s of CPU time, 30 s of wall time."""
    campaign = Campaign(
        profile=profile, seed=0, data_fingerprint="d", data_description="text", version="0", created_at=0.0
    )
    with opened_store(folder, read_only=False) as store:
        store.create(campaign)
        for index in range(count):
            author = Author.COMPOSER if index % 2 else Author.BASELINE
            experiment = make_experiment(index, make_proposal(f"m{index}", author=author))
            cost = experiment.cost.model_copy(
                update={"check_cpu_s": 2.0, "train_cpu_s": 60.0, "score_cpu_s": 10.0, "wall_s": 30.0}
            )
            store.propose(index, experiment.proposal)
            store.record(experiment.model_copy(update={"cost": cost, "protocol": campaign.protocol}), None)


def exchange(role: Role, *, tokens: tuple[int, int] | None, ending: Ending = Ending.ANSWERED) -> Exchange:
    counts = dict(zip(("input_tokens", "output_tokens"), tokens, strict=True)) if tokens else {}
    reply = Reply.model_validate({"text": "{}", "ending": ending, **counts})
    spent = Charge(0, 0, 0.0) if ending is Ending.FAILED else Charge(1, sum(tokens or (500, 500)), 0.001)
    request = make_request().model_copy(update={"role": role})
    sent = Sent(request=request, mind="lab:m", at=1.0, reserved=Charge(1, 2000, 0.01))
    return Exchange(1, sent, Settlement(reply=reply, at=2.0, latency_s=1.0, spent=spent))


def test_without_history_the_figure_on_record_is_taken_and_called_so(tmp_path: Path) -> None:
    found = estimate.estimated(settings_of(tmp_path), CPU, SIXTY)
    assert found.basis == "on record"
    assert (found.work.experiments, found.work.inventions, found.work.agendas) == (60, 56, 0)
    assert found.work.cpu_s == pytest.approx(60 * 330.0)
    assert found.work.wall_s == pytest.approx(60 * 330.0 / 2)
    text = " ".join(estimate.lines(found, SIXTY))
    assert "on record from a campaign of 60 experiments" in text
    assert not list(tmp_path.iterdir())


def test_of_a_profile_without_a_figure_nothing_is_claimed(tmp_path: Path) -> None:
    found = estimate.estimated(settings_of(tmp_path), Wish(profile="smoke"), Bounds(20, 60.0, None))
    assert (found.figure, found.work.experiments, found.work.cpu_s, found.work.wall_s) == (None, 20, None, None)
    assert "is not known" in " ".join(estimate.lines(found, SIXTY))


def test_without_a_limit_the_number_of_experiments_is_open(tmp_path: Path) -> None:
    found = estimate.estimated(settings_of(tmp_path, MindPlan(default="inbox:q")), CPU, Bounds(None, None, None))
    assert found.work.experiments is None
    assert found.is_each
    assert [(role.calls and role.calls.low) for role in found.roles] == [1, 0, 0]


def test_stored_experiments_of_the_same_protocol_are_believed_more(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    stored(settings.state, load_profile("cpu"), 10)
    before = sorted(path.name for path in settings.state.iterdir())
    found = estimate.estimated(settings, Wish(), SIXTY)
    assert found.basis == "stored here"
    assert (found.standing.done, found.work.experiments, found.work.inventions) == (10, 50, 50)
    assert found.work.cpu_s == pytest.approx(50 * 72.0)
    assert found.work.wall_s == pytest.approx(50 * 30.0)
    assert {path.name for path in settings.state.iterdir()} <= {*before, "campaign.sqlite3-shm", "campaign.sqlite3-wal"}
    with pytest.raises(StoreMismatch):
        estimate.estimated(settings, Wish(profile="smoke"), SIXTY)


@pytest.mark.parametrize(
    ("bounds", "count"),
    [(Bounds(60, 300.0, None), 10), (Bounds(60, None, 720.0 + 144.0), 2), (Bounds(11, 1e6, 1e6), 1)],
)
def test_the_first_limit_that_is_reached_decides(tmp_path: Path, bounds: Bounds, count: int) -> None:
    settings = settings_of(tmp_path)
    stored(settings.state, load_profile("cpu"), 10)
    assert estimate.estimated(settings, Wish(), bounds).work.experiments == count


def test_without_a_record_the_prompts_bound_the_minds_cost(tmp_path: Path) -> None:
    plan = MindPlan(default="lab:m", services=LAB)
    roles = estimate.estimated(settings_of(tmp_path, plan), CPU._replace(reflection=True), SIXTY).roles
    found = {role.role: role for role in roles}
    unbounded = {"novelty", "summariser", "analyst"}
    assert set(found) == {"researcher", "diversifier", "checker", "debugger", "judge", "reflector"} | unbounded
    assert {name for name, role in found.items() if role.basis == UNKNOWN} == unbounded
    assert all((role.basis == BOUND) == (role.tokens is not None) for role in roles)
    idea, mending, agenda = found["researcher"], found["debugger"], found["reflector"]
    assert found["judge"].calls == (168, 504) and found["diversifier"].calls == (0, 336)
    assert found["checker"].calls == (56, 168) and found["checker"].tokens is not None
    assert idea.calls == (56, 336) and mending.calls == (0, 504) and agenda.calls == (13, 39)
    assert idea.tokens is not None and idea.usd is not None
    assert 56 * 9000 < idea.tokens.low < idea.tokens.high < 336 * 40_000
    unread = AgentsSpec(checking=False)
    profile = load_profile("cpu").model_copy(update={"agents": unread})
    alone = {role.role: role for role in role_costs(plan, profile, Ahead(56, 0), {}, 0)}
    assert alone["researcher"].calls == (56, 168) and "checker" not in alone
    assert 56 * 8000 * 2e-6 < idea.usd.low < 3 * idea.usd.low < idea.usd.high


def test_with_a_record_its_calls_and_tokens_are_taken_at_todays_price(tmp_path: Path) -> None:
    plan = MindPlan(roles={Role.DESIGNER: "lab:m"}, services=LAB)
    settings = settings_of(tmp_path, plan)
    stored(settings.state, load_profile("cpu"), 8)
    record = SqliteExchanges.open(settings.state)
    for tokens in [(1000, 200)] * 6:
        item = exchange(Role.DESIGNER, tokens=tokens)
        assert item.settlement is not None
        record.settle(record.send(item.sent), item.settlement)
    record.close()
    role, another = estimate.estimated(settings, Wish(), Bounds(20, None, None)).roles
    assert another.role == "diversifier"
    assert (role.basis, role.calls, role.tokens) == (RECORDED, (18, 18), (21600, 21600))  # 12 inventions, 6 calls for 4
    assert role.usd is not None
    assert role.usd.low == role.usd.high == pytest.approx(18 * (1000 * 1e-6 + 200 * 2e-6))


@pytest.mark.parametrize("is_recorded", [False, True])
def test_minds_that_share_a_role_cost_between_the_cheapest_and_the_dearest(tmp_path: Path, is_recorded: bool) -> None:
    dear = Price(input_usd_per_million=100.0, output_usd_per_million=200.0)
    services = {"lab": Service(url="http://10.0.0.7:8000/v1", prices={"m": PRICE, "dear": dear})}
    known = recorded_of([exchange(Role.DESIGNER, tokens=(1000, 200))]) if is_recorded else {}

    def cost(*minds: str) -> RoleCost:
        plan = MindPlan(roles={Role.DESIGNER: minds}, services=services)
        return role_costs(plan, load_profile("cpu"), Ahead(10, 0), known, 1)[0]

    both, cheap, dearest = cost("lab:m", "lab:dear"), cost("lab:m"), cost("lab:dear")
    assert (both.mind, both.calls, both.tokens) == ("lab:m, lab:dear", cheap.calls, cheap.tokens)
    assert both.usd is not None and cheap.usd is not None and dearest.usd is not None
    assert (both.usd.low, both.usd.high) == (cheap.usd.low, dearest.usd.high)
    assert both.usd.low < both.usd.high
    assert cost("lab:m", "lab:dear", "openai:a-model-that-nobody-sells").usd is None


def test_what_was_turned_away_counts_nothing_and_uncounted_replies_give_no_price() -> None:
    items = [exchange(Role.DESIGNER, tokens=None), exchange(Role.DESIGNER, tokens=None, ending=Ending.FAILED)]
    known = recorded_of(items)[Role.DESIGNER]
    assert known == (1, 1000, None, None)


def test_a_price_that_is_not_known_is_called_so(tmp_path: Path) -> None:
    plan = MindPlan(default="openai:a-model-that-nobody-sells")
    assert tariff_for(plan, plan.default)(10, 10) is None
    found = estimate.estimated(settings_of(tmp_path, plan), CPU, SIXTY)
    assert {role.usd for role in found.roles} == {None}
    assert tariff_for(plan, "inbox:q")(10, 10) == 0.0
    assert UNKNOWN == "not known"


def test_the_control_arm_asks_nobody() -> None:
    profile = load_profile("cpu")
    search = profile.search.model_copy(update={"policy": Policy.RANDOM})
    plan = MindPlan(default="lab:m", services=LAB)
    assert asked_roles(plan, profile.model_copy(update={"search": search})) == []
    assert {Role.RESEARCHER, Role.DIVERSIFIER, Role.DEBUGGER, Role.JUDGE} <= set(asked_roles(plan, profile))


def test_the_budgets_that_limit_it_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = MindPlan(default="lab:m", services=LAB, budgets=Budgets(campaign=Limits(usd=2.5, calls=100)))
    estimate.show(settings_of(tmp_path, plan), CPU, SIXTY, as_json=False)
    told = capsys.readouterr().out
    assert "Budget of a campaign: 2.5 usd, 100 calls" in told
    assert "Nothing was made or started" in told
    estimate.show(settings_of(tmp_path, plan), CPU, SIXTY, as_json=True)
    data = json.loads(capsys.readouterr().out)
    assert data["budgets"] == {"campaign": {"usd": 2.5, "calls": 100}}
    assert data["minds"][0]["calls"] == {"low": 56, "high": 336}
