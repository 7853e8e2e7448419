import pytest

from asi_arch.agents.minds.edits import Edit, EditRefused, changed_lines, edited, syntax_complaint

PROGRAM = """\
import torch


class Mixer:
    def __init__(self):
        self.size = 3

    def forward(self, x):
        return x * self.size
"""


def test_edits_are_applied_one_after_another() -> None:
    edits = [Edit(search="self.size = 3", replace="self.length = 4"), Edit(search="x * self.size", replace="x")]
    assert edited(PROGRAM, edits) == PROGRAM.replace("self.size = 3", "self.length = 4").replace("x * self.size", "x")


@pytest.mark.parametrize(
    ("search", "told"),
    [
        ("self.size", "occurs 2 times"),
        ("\n", "searches for nothing"),
        ("        return x * self.sise", "        return x * self.size"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_place_that_was_meant(search: str, told: str) -> None:
    with pytest.raises(EditRefused) as refused:
        edited(PROGRAM, [Edit(search="import torch", replace="import math"), Edit(search=search, replace="")])
    assert "edit 2" in str(refused.value).lower()
    assert told in str(refused.value)


def test_a_search_longer_than_the_program_is_refused() -> None:
    with pytest.raises(EditRefused, match="nearest place"):
        edited("a = 1\n", [Edit(search="b\n" * 30, replace="")])


def test_changed_lines_counts_both_sides() -> None:
    assert changed_lines(PROGRAM, PROGRAM) == 0
    assert changed_lines(PROGRAM, PROGRAM.replace("3", "4")) == 2


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("def broken(:\n", "line 1"),
        ("x = 1\n", "one class Mixer, but defines 0"),
        (PROGRAM + PROGRAM, "one class Mixer, but defines 2"),
        ("class Mixer:\n    def forward(self, x): ...\n", "lacks __init__"),
        ("\0", "not Python"),
        ("x = " + "(" * 5000, "not Python"),
        (PROGRAM.replace("return x", "return " + "x + " * 800 + "x"), "nested too deeply"),
        (PROGRAM.replace("return x", "return " + "not " * 9000 + "x"), "nested too deeply"),
    ],
)
def test_a_text_that_is_no_candidate_is_told_why(source: str, told: str) -> None:
    assert told in (syntax_complaint(source) or "")


def test_a_candidate_has_no_complaint() -> None:
    assert syntax_complaint(PROGRAM) is None
