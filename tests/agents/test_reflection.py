from random import Random

import pytest

from asi_arch.agents.composer import BASELINE_DESIGNS, CATALOGUE, Composer
from asi_arch.agents.composer.mutation import mutated
from asi_arch.agents.reflection import FEWEST_MEASURED, StatisticsReflector, agenda_of
from asi_arch.agents.reflection.findings import findings_of
from asi_arch.domain.agenda import LEAST_WEIGHT, MOST_WEIGHT, Agenda, Effect, Findings, bounded
from asi_arch.domain.candidate import Proposal
from asi_arch.domain.outcome import Rejected, StoppedEarly
from asi_arch.domain.ports import Brief
from asi_arch.domain.profile import StageName
from asi_arch.domain.record import sha256
from asi_arch.testing.records import make_proposal

from .reflecting import BAD, GOOD, judged_wrongly, planted, with_outcome

LINEAGE = "79fda3ee4b56263425f9ad5688bef9ca6de68b9453fab351a60d96f77b2564d2"
STOP = StoppedEarly(stage=StageName.LANGUAGE, step=100, loss_nats=2.2, baseline_loss_nats=2.0, margin=0.1)


def steering(weights: dict[str, float], snapshot: int = 8) -> Agenda:
    findings = Findings(inventions=9, measured=9, pairs=9)
    return Agenda(snapshot=snapshot, sentences=("A sentence.",), weights=weights, findings=findings)


@pytest.mark.parametrize("seed", range(5))
def test_a_planted_good_mechanism_is_favoured_and_a_bad_one_is_not(seed: int) -> None:
    agenda = agenda_of(planted(seed=seed))
    assert agenda.weights[GOOD] > 1.8
    assert agenda.weights[BAD] < 0.6
    pays, costs = agenda.sentences[:2]
    assert pays.startswith("These mechanisms pay") and GOOD in pays and BAD not in pays
    assert costs.startswith("These cost") and BAD in costs and GOOD not in costs


def test_where_nothing_matters_nothing_stands_out() -> None:
    clear = 0
    for seed in range(5):
        found = findings_of(planted(seed=seed, effects={}))
        clear += sum(abs(credit.gain.value) > 2 * credit.gain.error for credit in found.credits if credit.gain)
    assert clear <= 2


def test_weights_stay_within_their_bounds_and_are_worth_naming() -> None:
    weights = agenda_of(planted(effects={GOOD: 5.0, BAD: -5.0})).weights
    assert (max(weights.values()), min(weights.values())) == (MOST_WEIGHT, LEAST_WEIGHT)
    assert set(weights) <= set(CATALOGUE)
    assert 1.0 not in weights.values()
    assert [bounded(weight) for weight in (-1.0, 1.234, 9.0)] == [0.5, 1.23, 2.0]


@pytest.mark.parametrize("measured", [0, FEWEST_MEASURED - 1])
def test_with_too_little_data_nothing_is_steered_and_that_is_said(measured: int) -> None:
    agenda = agenda_of(planted(measured))
    assert agenda.weights == {}
    (sentence,) = agenda.sentences
    assert "Too little is known" in sentence and str(measured) in sentence


async def test_equal_experiments_give_an_equal_agenda_whatever_the_order_of_results() -> None:
    seen = planted()
    shuffled = seen._replace(results=dict(sorted(seen.results.items(), reverse=True)))
    assert await StatisticsReflector().reflect(seen) == await StatisticsReflector().reflect(shuffled)


def test_a_mechanism_that_is_always_stopped_early_is_no_stranger() -> None:
    seen = planted(effects={GOOD: 0.1})
    guessed = {
        i: r._replace(gain=0.2, is_guessed=True) if BAD in seen.experiments[i].proposal.mechanisms else r
        for i, r in seen.results.items()
    }
    agenda = agenda_of(seen._replace(results=guessed))
    assert agenda.weights[BAD] < 0.6
    (credit,) = [credit for credit in agenda.findings.credits if credit.mechanism == BAD]
    assert credit.recall is None


def test_what_many_of_the_last_inventions_added_in_vain_is_over_explored() -> None:
    found = findings_of(planted(effects={}))
    often = {credit.mechanism: credit.recent for credit in found.credits}
    assert found.over_explored
    assert all(often[key] >= 0.3 * 16 for key in found.over_explored)
    weights = agenda_of(planted(effects={})).weights
    assert all(weights[key] <= 0.8 for key in found.over_explored)


def test_what_was_never_tried_is_named_and_drawn_a_little_more_often() -> None:
    agenda = agenda_of(planted())
    assert "talking_heads" in agenda.findings.hardly_tried
    assert agenda.weights["talking_heads"] == 1.2
    assert any(sentence.startswith("Hardly tried") for sentence in agenda.sentences)


def test_a_crowd_of_children_is_seen() -> None:
    (crowd,) = findings_of(planted()).crowds
    assert (crowd.parent, crowd.children, crowd.of) == (0, 16, 16)


def test_expectations_that_fail_are_told() -> None:
    seen = planted()
    worse = [
        e.model_copy(update={"proposal": e.proposal.model_copy(update={"expectation": "Cost should fall."})})
        for e in seen.experiments
    ]
    agenda = agenda_of(seen._replace(experiments=worse))
    assert any("cost to fall (30 of 30 missed)" in sentence for sentence in agenda.sentences)


def test_a_judge_that_prefers_what_is_worse_is_found_out() -> None:
    agenda = agenda_of(judged_wrongly(planted()))
    assert [rating.correlation for rating in agenda.findings.ratings] == pytest.approx([-1.0] * 4)
    assert any("over-rates efficiency (-1.00)" in sentence for sentence in agenda.sentences)


def test_what_came_to_nothing_is_counted_with_its_time() -> None:
    seen = with_outcome(planted(), 3, STOP)
    seen = with_outcome(seen, 4, Rejected(check="future", reason="it reads ahead"))
    waste = findings_of(seen).waste
    assert [(item.outcome, item.inventions) for item in waste] == [("stopped_early", 1), ("rejected", 1)]
    assert waste[0].cpu_s > waste[1].cpu_s > 0


def test_free_programs_are_not_credited_with_words() -> None:
    seen = planted()
    free = [e.model_copy(update={"proposal": e.proposal.model_copy(update={"design": ""})}) for e in seen.experiments]
    found = findings_of(seen._replace(experiments=free))
    assert (found.pairs, found.hardly_tried) == (0, ())
    assert all(credit.gain is None for credit in found.credits)
    assert not any("No mechanism" in s for s in agenda_of(seen._replace(experiments=free)).sentences)


@pytest.mark.parametrize(("effect", "belief"), [((1.0, 0.0), 0.5), ((0.0, 1.0), 0.5), ((3.0, 1.0), 0.99865)])
def test_belief_is_the_chance_of_a_gain(effect: tuple[float, float], belief: float) -> None:
    assert Effect(value=effect[0], error=effect[1]).belief == pytest.approx(belief, abs=1e-5)


def composed(agenda: Agenda | None, seed: int) -> Proposal:
    design = BASELINE_DESIGNS["delta_net"]
    parent = make_proposal("Parent", mechanisms=design.keys, design=design.model_dump_json())
    return Composer().compose(Brief(parent, (), 7, (), {}, agenda=agenda), Random(seed))


def test_what_pays_is_drawn_more_often_and_what_costs_less_and_removed_more_often() -> None:
    start, pays, costs, rival = BASELINE_DESIGNS["delta_window"], "value_residual", "token_shift", "rotary"
    favour = {pays: MOST_WEIGHT, costs: LEAST_WEIGHT, rival: LEAST_WEIGHT}

    def count(key: str, favour: dict[str, float]) -> int:
        return sum(key in mutated(start, Random(seed), favour) for seed in range(400))

    assert count(pays, favour) > 1.3 * count(pays, {}) > 0
    assert count(costs, favour) < 0.8 * count(costs, {})
    assert 400 - count(rival, favour) > 1.3 * (400 - count(rival, {})) > 0


def test_the_composer_follows_the_agenda_of_its_brief() -> None:
    agenda = steering({key: LEAST_WEIGHT for key in list(CATALOGUE)[::2]})
    assert any(composed(agenda, seed) != composed(None, seed) for seed in range(10))


def test_the_lineage_without_an_agenda_is_what_it_was_before_there_were_agendas() -> None:
    """The hash was computed with the composer of before."""
    taken: dict[str, int] = {}
    found: list[Proposal] = []
    for index in range(30):
        if index % 10 == 0:
            design = BASELINE_DESIGNS[("delta_net", "mamba2", "delta_window")[index // 10]]
            parent = make_proposal(f"P{index}", mechanisms=design.keys, design=design.model_dump_json())
        else:
            parent = found[-1]
        mates = found[-2:]
        brief = Brief(parent, mates, 7, tuple(range(len(mates))), taken)
        found.append(Composer().compose(brief, Random(index)))
        taken[found[-1].fingerprint] = index
    found += [Composer().compose(Brief(None, (), None, (), taken), Random(index)) for index in range(5)]
    assert sha256("".join(proposal.fingerprint for proposal in found)) == LINEAGE


def test_an_agenda_without_weights_changes_no_draw() -> None:
    for seed in range(10):
        assert composed(steering({}), seed) == composed(None, seed)
        assert mutated(BASELINE_DESIGNS["mamba2"], Random(seed), {}) == mutated(
            BASELINE_DESIGNS["mamba2"], Random(seed)
        )
