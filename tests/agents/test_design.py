from random import Random

import pytest
from pydantic import ValidationError

from asi_arch.agents.composer.catalogue import CATALOGUE
from asi_arch.agents.composer.design import MAX_MATRICES, Design, Part, part_of, settle
from asi_arch.agents.composer.mutation import crossed, invented, mutated


def test_the_catalogue_refers_only_to_itself() -> None:
    for mechanism in CATALOGUE.values():
        named = {key for group in (*mechanism.needs, *mechanism.within) for key in group} | mechanism.excludes
        assert named <= set(CATALOGUE), mechanism.key


def test_every_mechanism_has_words_and_a_source_with_its_year() -> None:
    for mechanism in CATALOGUE.values():
        assert mechanism.does.startswith("it "), mechanism.key
        assert not mechanism.does.endswith("."), mechanism.key
        assert "should" in mechanism.expects, mechanism.key
        assert mechanism.expects.endswith("."), mechanism.key
        assert "(20" in mechanism.source, mechanism.key


def test_a_design_survives_its_json() -> None:
    for seed in range(30):
        design = invented(Random(seed))
        assert Design.model_validate_json(design.model_dump_json()) == design


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (["unit_keys"], "family 'update'"),
        (["delta_rule"], "delta_rule needs one of unit_keys"),
        (["delta_rule", "unit_keys", "input_gate"], "input_gate needs one of additive_write"),
        (["delta_rule", "additive_write", "unit_keys", "head_norm"], "exclude each other"),
        (["delta_rule", "unit_keys", "value_path", "hierarchical_gates"], "needs 2 side paths"),
        (["delta_rule", "unit_keys", "unit_keys"], "used once"),
    ],
)
def test_a_contradiction_is_named(keys: list[str], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Design(parts=tuple(part_of(key) for key in keys))


def test_an_unknown_mechanism_or_setting_is_refused() -> None:
    with pytest.raises(ValidationError, match="unknown mechanism 'magic'"):
        Part(key="magic")
    with pytest.raises(ValidationError, match="must be one of"):
        Part(key="retention", settings={"longest": 3})
    with pytest.raises(ValidationError, match="takes the settings"):
        Part(key="retention")


def test_settling_keeps_the_earlier_and_adds_what_is_needed() -> None:
    design = settle([part_of("in_context_rate"), part_of("delta_rule"), part_of("rotary")])
    assert design.keys == ("in_context_rate", "channel_decay", "unit_keys", "rotary", "head_norm")


def test_settling_never_adds_what_is_barred() -> None:
    design = settle([part_of("additive_write")], barred=frozenset({"head_norm"}))
    assert "head_norm" not in design
    assert "gated_norm" in design


def test_walks_stay_within_the_parameter_budget() -> None:
    for seed in range(20):
        rng = Random(seed)
        design = invented(rng)
        for _ in range(15):
            design = crossed(mutated(design, rng), invented(rng), rng)
            assert design.matrices <= MAX_MATRICES


def test_a_mutation_is_a_small_step() -> None:
    start = settle([part_of("delta_rule"), part_of("head_norm"), part_of("short_convolution")])
    for seed in range(50):
        after = mutated(start, Random(seed))
        assert after != start
        assert len(set(start.keys) ^ set(after.keys)) <= 6
