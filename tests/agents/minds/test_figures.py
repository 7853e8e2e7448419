import pytest

from asi_arch.agents.minds.figures import figures, invented, without_amounts

MEASURED = (
    "Language loss is 1.612 ± 0.010 nats over 2 seeds. That is 0.021 lower than the parent: about two standard errors."
    " Recall accuracy is 61.0% over 2 seeds. That is 4.0 points below the reference. One layer has 16,700 parameters;"
    " it does 1.31x the operations of the parent."
)
CODE = "+ self.window = 64\n+ x = x * 0.02"


@pytest.mark.parametrize(
    "text",
    [
        "Loss fell by 0.021 nats, or 0.02 when rounded, to 1.612 or about 1.6.",
        "Recall of 61% is 4 points worse, an accuracy of 0.61.",
        "It has 16,700 parameters (16700) and costs 1.3 times as much.",
        "The effect is about two standard errors, or 2 standard errors.",
        "At t-1 the state decays by 1 - a, and the cost is O(T^2) or 2 * T for a window of 64.",
        "The scale of 0.02 stems from the code.",
        "Layer_3 of GatedNet2 reads S_t-1 with k1 and v2.",
        "At one point the two paths meet.",
        "",
    ],
)
def test_what_was_given_may_be_said_rounded_or_not(text: str) -> None:
    assert invented(text, MEASURED, CODE) == []


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("Loss fell by 0.05 nats.", "0.05 nats"),
        ("Loss fell by .05.", ".05"),
        ("Loss is 1.613.", "1.613"),
        ("Recall rose by 64 points.", "64 points"),
        ("Loss fell by 0.02 percent.", "0.02 percent"),
        ("Recall rose by three points.", "three points"),
        ("It is 5x faster, a 5-fold gain.", "5x"),
        ("The effect is four standard errors.", "four standard errors"),
        ("The effect is one standard error.", "one standard error"),
        ("There are 17,000 parameters.", "17,000"),
        ("Nothing moved: 0.0 nats.", "0.0 nats"),
        ("It learns at 3e-4.", "3e-4"),
        ("The gap of 0.61-0.75 is wide.", "0.75"),
    ],
)
def test_what_nobody_measured_is_found(text: str, unknown: str) -> None:
    assert unknown in invented(text, MEASURED, CODE)


def test_a_constant_of_the_program_is_no_measurement() -> None:
    assert invented("A window of 64 tokens.", MEASURED, CODE) == []
    assert invented("Recall gained 64%.", MEASURED, CODE) == ["64%"]


def test_numbers_are_read_with_their_decimals_and_units() -> None:
    assert [(f.value, f.decimals, f.unit) for f in figures("It fell by 1,024.50 nats, 3e-4 and 12%.")] == [
        (1024.5, 2, "nats"),
        (0.0003, 4, ""),
        (12.0, 0, "share"),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "Language loss is 4.071 \u00b1 0.016 nats (noise) over 2 seeds: six standard errors, strong evidence.",
            "Language loss is (noise), strong evidence.",
        ),
        (
            "Loss fell by 0.433 nats (strong evidence) and recall did not move.",
            "Loss fell (strong evidence) and recall did not move.",
        ),
        ("The last of x, ..., y counts twice.", "The last of x, ..., y counts twice."),
        ("Loss fell to about 1.6 (-0.02), within the noise.", "Loss fell, within the noise."),
        ("Recall rose by three points against the parent.", "Recall rose against the parent."),
        (
            "It costs 1.3x the operations at t-1 with a window of 64.",
            "It costs the operations at t-1 with a window of 64.",
        ),
    ],
)
def test_a_text_can_do_without_its_amounts(text: str, words: str) -> None:
    assert without_amounts(text) == words
