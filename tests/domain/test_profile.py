import pytest
from pydantic import ValidationError

from asi_arch.domain.profile import ModelSpec, Profile
from asi_arch.domain.record import canonical_hash
from asi_arch.settings import load_profile


def test_one_dial_sets_width_and_heads() -> None:
    assert (ModelSpec(depth=8).width, ModelSpec(depth=8).heads) == (256, 8)
    assert (ModelSpec(depth=24, width=1024, heads=8).width, ModelSpec(depth=24, width=1024, heads=8).heads) == (1024, 8)


def test_the_paper_profile_has_the_papers_values() -> None:
    profile = load_profile("paper")
    search = profile.search
    assert (profile.model.depth, profile.model.width, profile.model.heads) == (8, 256, 8)
    assert (search.pool_size, search.parent_ranks, search.reference_ranks) == (50, (1, 10), (11, 50))
    assert search.references == 4
    assert (search.cold_start, search.update_every, profile.fitness.formula) == (200, 50, "paper")
    stage = profile.language
    assert (stage.batch, stage.context, stage.steps, stage.optimizer.warmup_steps) == (256, 2048, 2000, 1000)
    assert stage.batch * stage.context * stage.steps == pytest.approx(1e9, rel=0.05)


def _changed(profile: Profile, path: str, value: object) -> Profile:
    data = profile.model_dump(mode="json")
    *parents, last = path.split(".")
    place = data
    for key in parents:
        place = place[key]
    place[last] = value
    return Profile.model_validate(data)


@pytest.mark.parametrize(
    ("path", "value", "is_another_protocol"),
    [
        ("language.steps", 501, True),
        ("recall.steps", 801, True),
        ("model.mlp_width", 96, True),
        ("language.optimizer.peak_lr", 0.1, True),
        ("search.pool_size", 7, False),
        ("seeds", [5, 6], False),
        ("watch.audit_fraction", 0.5, False),
        ("agents.judge", False, False),
        ("agents.novelty", False, False),
        ("agents.analysis", False, False),
        ("agents.checking", False, False),
        ("agents.cognition", False, False),
        ("agents.references", False, False),
    ],
)
def test_the_protocol_hash_covers_what_moves_a_measurement(path: str, value: object, is_another_protocol: bool) -> None:
    before = load_profile("cpu")
    after = _changed(before, path, value)
    assert after.profile_hash != before.profile_hash
    assert (after.protocol_hash("data") != before.protocol_hash("data")) is is_another_protocol


def test_a_campaign_of_before_a_switch_keeps_its_name() -> None:
    """Its profile was hashed with the four switches of that time, or with none where they were as usual."""
    profile = load_profile("cpu")
    parts = profile.model_dump(mode="json", exclude={"agents"})
    assert profile.profile_hash == canonical_hash(parts)
    switches = {"judge": False, "novelty": True, "analysis": True, "reflection": True}
    stored = Profile.model_validate({**parts, "agents": switches})
    assert stored.profile_hash == canonical_hash({**parts, "agents": switches})
    turned = Profile.model_validate({**parts, "agents": {**switches, "cognition": False}})
    assert turned.profile_hash == canonical_hash({**parts, "agents": {**switches, "cognition": False}})


def test_other_data_are_another_protocol() -> None:
    profile = load_profile("cpu")
    assert profile.protocol_hash("a") != profile.protocol_hash("b")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("seeds", [1, 1], "seeds must be distinct"),
        ("search.cold_start", 3, "cold_start must be at least twice"),
        ("search.recall_floor", "gla", "recall_floor must be one of the baselines"),
        ("search.parent_ranks", [5, 1], "first <= last"),
        ("model.heads", 3, "width must be a multiple of heads"),
        ("language.steps", 0, "greater than 0"),
    ],
)
def test_a_profile_that_contradicts_itself_says_how(path: str, value: object, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        _changed(load_profile("cpu"), path, value)
