import pytest

from asi_arch.agents.composer import BASELINE_DESIGNS, rendered
from asi_arch.agents.provenance import components_of, speaks_of, traced
from asi_arch.domain.candidate import Author
from asi_arch.domain.cognition import Entry, Passage, Theme
from asi_arch.domain.provenance import Background, Component, Element, Namer, Origin, Relative
from asi_arch.testing.records import make_proposal


def passage(algorithm: str, *, background: str = "Sums.", arxiv: str = "2401.00001") -> Passage:
    entry = Entry(id=f"{arxiv}-1", trigger="It forgets.", background=background, algorithm=algorithm, guidance="Try.")
    return Passage(arxiv=arxiv, year=2024, paper="Paper", theme=Theme.DECAY, entry=entry, score=1.0)


PARENT = Relative(3, "Parent", "parent", ("delta_rule", "unit_keys"))
REFERENCE = Relative(5, "Reference", "reference", ("rotary", "delta_rule"))
ANCESTOR = Relative(1, "Old", "grandparent", ("talking_heads",), was_shown=False)
NAMES = ("delta_rule", "rotary", "short_convolution", "talking_heads")


def test_experience_comes_before_cognition_and_what_is_neither_is_original() -> None:
    passages = [passage("Rotary positions turn queries and keys. Short convolutions mix neighbours.")]
    background = Background([PARENT, REFERENCE, ANCESTOR], passages)
    assert traced([Component(name) for name in NAMES], background) == (
        Element(name="delta_rule", origin=Origin.EXPERIENCE, experiment=3),
        Element(name="rotary", origin=Origin.EXPERIENCE, experiment=5),
        Element(name="short_convolution", origin=Origin.COGNITION, paper="2401.00001"),
        Element(name="talking_heads", origin=Origin.ORIGINAL),
    ), "an ancestor that the author was not shown is no experience"


def test_of_foreign_programs_no_origin_is_claimed() -> None:
    (element,) = traced([Component("delta_rule", ("a = 1",))], Background([PARENT], is_recorded=False))
    assert (element.origin, element.experiment, element.lines) == (None, None, ("a = 1",))


@pytest.mark.parametrize(
    ("name", "algorithm", "expected"),
    [
        ("channel_decay", "A data-dependent decay, one for each channel.", True),
        ("channel_decay", "Data-dependent gates per channel. The decay is fixed.", False),
        ("rotary", "Queries and keys get rotary embeddings.", True),
        ("unit_keys", "Keys of unit length, queries too.", True),
        ("value_residual", "Values residually mixed.", False),
        ("phase_lock", "The states phase is put under a lock.", True),
        ("gate", "A gate.", False),
    ],
)
def test_a_passage_speaks_of_a_name_where_one_sentence_has_all_its_words(
    name: str, algorithm: str, expected: bool
) -> None:
    assert speaks_of(passage(algorithm).entry, name) is expected


def test_what_came_before_a_paper_is_not_its_idea() -> None:
    assert not speaks_of(passage("Something.", background="The delta rule was known.").entry, "delta_rule")


def test_a_design_is_exact_and_a_free_program_is_read() -> None:
    design = BASELINE_DESIGNS["delta_net"]
    source = rendered(design, "DeltaNet")
    composed = make_proposal(source=source, design=design.model_dump_json())
    assert components_of(composed) == (tuple(Component(key) for key in design.keys), Namer.DESIGN)
    free, namer = components_of(make_proposal(source=source, author=Author.MODEL, mechanisms=("magic",)))
    assert namer is Namer.CODE
    assert {component.name for component in free} == set(design.keys)
