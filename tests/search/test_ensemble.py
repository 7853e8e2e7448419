from asi_arch.domain.candidate import Author, Proposal
from asi_arch.domain.experiment import Summary
from asi_arch.domain.minds import Role
from asi_arch.domain.novelty import Decider, Measure, Novelty
from asi_arch.search.bandit import Tally
from asi_arch.search.ensemble import Asked, Idea, ideas_of, spent_by, usages
from asi_arch.testing.records import make_proposal

ROLES = frozenset({Role.DESIGNER, Role.DIVERSIFIER})


def summary(index: int, fitness: float | None, parent: int | None = 0, author: Author = Author.DESIGNER) -> Summary:
    outcome = "rejected" if fitness is None else "measured"
    return Summary(index, "s", parent, f"n{index}", author, outcome, 1.0, 0.5, 0.5, 0.5, fitness)


def asked(index: int, mind: str, role: Role = Role.DESIGNER, **changes: object) -> Asked:
    usual = Asked(str(index), role, mind, f"{role.value} {index}", True, 0.01, 2.0)
    return usual._replace(**changes)


def idea(parent: int | None = 0, discipline: str = "", author: Author = Author.DESIGNER) -> Proposal:
    novelty = Novelty(
        nearest=None,
        similarity=0.0,
        measure=Measure.WORDS,
        decider=Decider.SIMILARITY,
        reason="",
        is_repeat=False,
        discipline=discipline,
        disciplines=(),
    )
    return make_proposal(author=author, parent=parent, novelty=novelty)


def test_the_gain_is_over_the_parent_and_never_below_zero() -> None:
    proposals = {0: make_proposal(author=Author.BASELINE), 1: idea(), 2: idea(1), 3: idea(), 4: idea(3), 5: idea(None)}
    finished = [
        summary(0, 0.5, None, Author.BASELINE),
        summary(1, 0.6),
        summary(2, 0.4, 1),
        summary(3, None),
        summary(4, 0.8, 3),
        summary(5, 0.75, None),
    ]
    found = ideas_of(proposals, finished, Role.DESIGNER)
    assert 0 not in found
    gains = {index: one.gain for index, one in found.items() if one.gain is not None}
    assert {index: round(gain, 6) for index, gain in gains.items()} == {1: 0.1, 2: 0.0, 3: 0.0, 4: 0.3, 5: 0.25}


def test_what_is_not_finished_has_no_gain_yet() -> None:
    assert ideas_of({3: idea()}, [], Role.DESIGNER) == {3: Idea(Role.DESIGNER, None)}


def test_an_idea_of_the_composer_is_no_minds() -> None:
    found = ideas_of({3: idea(author=Author.COMPOSER)}, [summary(3, 0.9)], Role.DESIGNER)
    assert found[3].role is None
    (usage,) = usages(["a"], [asked(3, "a")], found, ROLES)
    assert (usage.usable, usage.tally.gains) == (0, (0.0,))


def test_a_member_answers_for_its_questions_its_costs_and_its_ideas() -> None:
    ideas = {1: Idea(Role.DESIGNER, 0.1), 3: Idea(Role.DESIGNER, None), 5: Idea(Role.DESIGNER, 0.0)}
    attempts = [
        asked(1, "a"),
        asked(1, "a"),
        asked(3, "a"),
        asked(5, "b", usd=None),
        asked(1, "a", Role.JUDGE),
        asked(1, "a", subject="agenda-4"),
    ]
    first, second = usages(["a", "b"], attempts, ideas, ROLES)
    assert (first.questions, first.usable, first.experiments) == (2, 2, 1)
    assert first.tally == Tally("a", 2, (0.1,), 0.03, 6.0, rested=1)
    assert second.tally == Tally("b", 1, (0.0,), None, 2.0)


def test_who_could_not_be_reached_is_counted_as_asked_and_not_blamed() -> None:
    attempts = [asked(1, "a", is_spoken=False, usd=0.0, seconds=0.5), asked(1, "b")]
    first, second = usages(["a", "b"], attempts, {1: Idea(Role.DESIGNER, 0.2)}, ROLES)
    assert (first.tally.asked, first.tally.gains, first.tally.seconds) == (1, (), 0.5)
    assert second.tally.gains == (0.2,)
    assert (first.tally.unanswered, first.tally.away, second.tally.unanswered, second.tally.away) == (1, 1, 0, 0)


def test_how_often_a_member_was_away_in_a_row_and_how_long_ago_is_counted() -> None:
    passed = [asked(n, "a", question="", is_spoken=False) for n in (3, 4, 6)]
    attempts = [asked(1, "a"), *passed, *(asked(n, "b") for n in (3, 4, 5, 6, 7, 8))]
    first, second = usages(["a", "b"], attempts, {}, ROLES)
    assert (first.questions, first.tally.asked, first.tally.unanswered) == (1, 4, 3)
    assert (first.tally.away, first.tally.rested, second.tally.away, second.tally.rested) == (3, 2, 0, 0)
    (back, _) = usages(["a", "b"], [*attempts, asked(9, "a")], {}, ROLES)
    assert (back.tally.away, back.tally.rested, back.tally.unanswered) == (0, 0, 3)


def test_the_gain_of_a_second_idea_belongs_to_who_had_that_one() -> None:
    found = ideas_of({1: idea(discipline="optics")}, [summary(0, 0.5, None), summary(1, 0.7)], Role.DESIGNER)
    first, second = usages(["a", "b"], [asked(1, "a"), asked(1, "b", Role.DIVERSIFIER)], found, ROLES)
    assert first.tally.gains == (0.0,)
    assert [round(gain, 6) for gain in second.tally.gains] == [0.2]


def test_roles_without_ideas_are_counted_by_subject() -> None:
    attempts = [asked(1, "a", Role.JUDGE, question=f"judge {n}") for n in range(3)]
    usage = spent_by("a", [*attempts, asked(1, "b", Role.JUDGE), asked(2, "a")], Role.JUDGE)
    assert (usage.questions, usage.usable, usage.tally.asked, round(usage.tally.usd or 0.0, 6)) == (3, None, 1, 0.03)
