import json
from collections.abc import Sequence
from random import Random
from typing import Any

import pytest

from asi_arch.agents.composer import CATALOGUE, Design
from asi_arch.agents.expectation import expectations
from asi_arch.agents.minds.designer import Designer, Sketch, design_of, question
from asi_arch.agents.minds.prompting import estimated_tokens
from asi_arch.domain.candidate import Author, fingerprint
from asi_arch.domain.minds import BadAnswer, Role
from asi_arch.domain.ports import Brief
from asi_arch.llm.asking import request_of
from asi_arch.testing.fake_mind import FakeMind

MOST_TOKENS = 1800
FORECAST = {"quantity": "language loss", "direction": "fall", "by": 0.03}


def sketch(
    add: Sequence[str] = (), remove: Sequence[str] = (), settings: Sequence[tuple[str, str, str]] = ()
) -> dict[str, Any]:
    wishes = [{"mechanism": m, "setting": s, "value": v} for m, s, v in settings]
    return {
        "weakness": "It can't forget what no longer matters.",
        "remove": list(remove),
        "add": list(add),
        "settings": wishes,
        "motivation": "A decay per channel lets every feature fade at its own rate.",
        "expectation": FORECAST,
    }


def design(brief: Brief, reply: dict[str, Any]) -> Design:
    assert brief.parent is not None
    return design_of(Sketch.model_validate(reply), Design.model_validate_json(brief.parent.design))


async def test_a_sketch_becomes_a_new_design_with_the_composers_code(brief: Brief) -> None:
    reply = sketch(["channel_decay", "window_branch"], settings=[("window_branch", "window", "32")])
    proposal = await Designer(FakeMind([reply])).propose(brief, Random(0))
    assert proposal.author is Author.DESIGNER
    assert {"channel_decay", "window_branch", "delta_rule"} <= set(proposal.mechanisms)
    assert Design.model_validate_json(proposal.design).settings["window_branch"]["window"] == 32
    assert proposal.fingerprint == fingerprint(proposal.source)
    assert proposal.motivation == reply["motivation"]
    assert (proposal.parent, proposal.references) == (3, (4,))
    assert "sliding window" in proposal.change
    assert [(e.quantity, e.direction) for e in expectations(proposal.expectation)] == [("language", -1)]


@pytest.mark.parametrize(
    "wish", [("retention", "longest", "64"), ("short_convolution", "taps", "5"), ("short_convolution", "length", "5")]
)
def test_a_setting_that_can_not_be_spoils_no_idea(brief: Brief, wish: tuple[str, str, str]) -> None:
    assert design(brief, sketch(["channel_decay"], settings=[wish])) == design(brief, sketch(["channel_decay"]))


def test_the_form_offers_only_what_can_be_done(brief: Brief) -> None:
    properties = question(brief, brief.known()).answer.model_json_schema()["properties"]
    removable, addable = (properties[name]["items"]["enum"] for name in ("remove", "add"))
    assert removable == ["delta_rule", "short_convolution", "unit_keys", "head_norm"]
    assert set(addable) == set(CATALOGUE) - set(removable)
    bare = brief._replace(parent=None, parent_index=None)
    assert question(bare, bare.known()).answer.model_json_schema()["properties"]["remove"]["maxItems"] == 0


def test_the_form_bounds_a_setting_without_barring_a_choice() -> None:
    setting = Sketch.model_json_schema()["$defs"]["SettingWish"]["properties"]
    offered = {
        (name, choice) for mechanism in CATALOGUE.values() for name, c in mechanism.settings.items() for choice in c
    }
    assert {name for name, _ in offered} == set(setting["setting"]["enum"])
    assert max(len(f"({choice})") for _, choice in offered) <= setting["value"]["maxLength"]


def test_what_is_added_takes_the_place_of_its_rival(brief: Brief) -> None:
    assert "delta_rule" not in design(brief, sketch(["additive_write"]))


def test_what_is_removed_does_not_come_back(brief: Brief) -> None:
    assert "short_convolution" not in design(brief, sketch(remove=["short_convolution"]))


def test_naming_a_mechanism_twice_is_naming_it_once(brief: Brief) -> None:
    twice = sketch(["channel_decay", "channel_decay"], ["short_convolution", "short_convolution"])
    assert design(brief, twice) == design(brief, sketch(["channel_decay"], ["short_convolution"]))


def test_settings_are_read_as_models_write_them(brief: Brief) -> None:
    for written in ("(3, 7, 31)", "3+7+31", "[3,7,31]", "3, 7, 31", "taps: 3+7+31"):
        found = design(brief, sketch(["multi_scale_fir"], settings=[("multi_scale_fir", "taps", written)]))
        assert found.settings["multi_scale_fir"]["taps"] == (3, 7, 31)


def test_of_two_additions_that_exclude_each_other_the_first_counts(brief: Brief) -> None:
    found = design(brief, sketch(["scalar_decay", "value_residual", "channel_decay"]))
    assert {"scalar_decay", "value_residual"} <= set(found.keys)
    assert "channel_decay" not in found


def test_an_addition_that_makes_no_sense_alone_is_left_out_where_another_part_of_the_wish_remains(brief: Brief) -> None:
    found = design(brief, sketch(["shared_query_key", "output_aware_routing"]))
    assert "shared_query_key" in found
    assert "output_aware_routing" not in found


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (sketch(remove=["retention"]), "which the parent does not have"),
        (sketch(["delta_rule"]), "which the parent has already"),
        (sketch(["retention"], ["retention"]), "which the parent does not have"),
        (sketch(["short_convolution"], ["short_convolution"]), "both added and removed"),
        (sketch(["routing_temperature"]), "only together with one of: token_gates"),
    ],
)
def test_a_sketch_that_leads_nowhere_is_told_why(brief: Brief, reply: dict[str, Any], told: str) -> None:
    complaint = question(brief, brief.known()).complaint(Sketch.model_validate(reply))
    assert told in (complaint or "")


async def test_a_design_that_was_tried_is_refused_with_its_number(brief: Brief) -> None:
    first = await Designer(FakeMind([sketch(["channel_decay"])])).propose(brief, Random(0))
    again = brief._replace(taken={first.fingerprint: 12})
    mind = FakeMind([sketch(["channel_decay"])])
    with pytest.raises(BadAnswer):
        await Designer(mind).propose(again, Random(0))
    assert mind.complaints == ["This very design was tried as experiment 12; choose another combination."]


def test_the_prompt_names_every_mechanism_and_stays_short(brief: Brief) -> None:
    asked = question(brief, brief.known())
    text = f"{asked.prompt.system}\n{asked.prompt.user}"
    assert asked.role is Role.DESIGNER
    assert all(f"- {key}" in asked.prompt.system for key in CATALOGUE)
    assert estimated_tokens(asked.prompt) < MOST_TOKENS
    assert "0.012 nats" in text
    assert "Fading memory (2024). Old writes crowd the state" in text


def test_the_prompt_stays_short_with_all_that_can_be_known(brief: Brief) -> None:
    known = brief.known()
    everything = known._replace(
        references=[known.references[0]] * 4,
        experience=["word " * 37] * 4,
        failures=[known.failures[1]] * 3,
        passages=[known.passages[0]] * 3,
    )
    asked = question(brief, everything).prompt
    assert estimated_tokens(asked) < MOST_TOKENS


async def test_what_it_was_given_is_remembered(brief: Brief) -> None:
    proposal = await Designer(FakeMind([sketch(["channel_decay"])])).propose(brief, Random(0))
    assert proposal.passages == ("2401.00001-1",)


def test_without_a_parent_it_starts_from_nothing(brief: Brief) -> None:
    bare = brief._replace(parent=None, parent_index=None)
    assert "no parent" in question(bare, bare.known()).prompt.user


def test_a_model_fills_the_form_in_the_order_in_which_it_should_think(brief: Brief) -> None:
    schema = json.loads(request_of(question(brief, brief.known())).json_schema)
    assert list(schema["properties"]) == ["weakness", "remove", "add", "settings", "motivation", "expectation"]


def test_an_amount_that_can_not_be_meant_spoils_no_idea() -> None:
    expectation = {"quantity": "language loss", "direction": "fall", "by": 123}
    found = Sketch.model_validate({**sketch(["channel_decay"]), "expectation": expectation}).expectation
    assert found.words == "Language loss should fall."
