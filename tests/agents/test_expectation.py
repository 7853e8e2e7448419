import pytest

from asi_arch.agents.composer import CATALOGUE
from asi_arch.agents.expectation import Expectation, Fate, expectations, settled
from asi_arch.domain.experiment import MQAR
from asi_arch.testing.records import make_experiment

PARENT = make_experiment(0, language=(1.66, 1.67), recall=(0.60, 0.61))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("Better in every way.", []),
        ("Language loss should fall, because recall is cheap.", [("language", -1)]),
        ("State tracking and multi-query recall should rise.", [("state_tracking", 1), (MQAR, 1)]),
        ("Multi-query recall should hold while language loss falls.", [(MQAR, 0), ("language", -1)]),
        ("recall accuracy up, language loss unchanged", [("recall", 1), ("language", 0)]),
        ("Cost should fall. Cost should rise.", [("cost", -1)]),
    ],
)
def test_expectations_are_read_from_words(text: str, expected: list[tuple[str, int]]) -> None:
    assert expectations(text) == [Expectation(*pair) for pair in expected]


@pytest.mark.parametrize("key", list(CATALOGUE))
def test_every_mechanism_expects_something_that_can_be_scored(key: str) -> None:
    assert expectations(CATALOGUE[key].expects)


@pytest.mark.parametrize(
    ("direction", "language", "fate"),
    [
        (-1, (1.60, 1.61), Fate.MET),
        (-1, (1.72, 1.73), Fate.MISSED),
        (-1, (1.655, 1.665), Fate.OPEN),
        (0, (1.655, 1.665), Fate.MET),
        (0, (1.60, 1.61), Fate.MISSED),
    ],
)
def test_a_difference_counts_only_beyond_the_noise(direction: int, language: tuple[float, float], fate: Fate) -> None:
    own = make_experiment(1, language=language)
    assert settled(Expectation("language", direction), own, PARENT, 0.01).fate is fate


def test_without_noise_or_scores_an_expectation_stays_open() -> None:
    own = make_experiment(1, language=(1.4, 1.4), recall=())
    assert settled(Expectation("language", -1), own, PARENT, None).fate is Fate.OPEN
    missing = settled(Expectation("recall", 1), own, PARENT, 0.01)
    assert missing.fate is Fate.OPEN
    assert "not measured" in missing.told


def test_equal_work_is_not_lower_cost() -> None:
    assert settled(Expectation("cost", -1), make_experiment(1), PARENT, None).fate is Fate.MISSED
    assert settled(Expectation("cost", 0), make_experiment(1), PARENT, None).fate is Fate.MET
