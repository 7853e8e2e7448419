import io

import pytest
from rich.console import Console

from asi_arch.domain.campaign import EventKind
from asi_arch.domain.candidate import Author
from asi_arch.domain.provenance import Element, Namer, Origin, Provenance, Tracer
from asi_arch.report import payload, terminal
from asi_arch.report.digest import digest
from asi_arch.report.origins import note, origins, origins_data, share_text
from asi_arch.report.page import Formats, write_report
from asi_arch.report.series.mechanisms import mechanisms
from asi_arch.testing.records import make_experiment, make_proposal

EVIL = "<script>alert(1)</script>"


def element(name, origin, **changes):
    evidence = {Origin.EXPERIENCE: {"experiment": 0}, Origin.COGNITION: {"paper": "2401.00001"}}.get(origin, {})
    return Element(name=name, origin=origin, **{**evidence, **changes})


def provenance(*elements, namer=Namer.DESIGN, tracer=Tracer.RECORDS, **changes):
    return Provenance(elements=elements, named_by=namer, traced_by=tracer, **changes)


@pytest.fixture
def store(store_of):
    """Four candidates, the two fittest of them and one of the rest traced; the last is free code."""
    free = make_proposal("free", author=Author.MODEL, mechanisms=("words of its author",))
    experiments = [make_experiment(index) for index in (1, 3, 4)] + [make_experiment(5, free)]
    found = store_of(*experiments, fitness={1: 0.9, 3: 0.8, 4: 0.7, 5: 0.6})
    original, shown = element("a", Origin.ORIGINAL), element("b", Origin.EXPERIENCE)
    read = element("c", Origin.COGNITION, lines=("c = read(x)",), reason="The passage has it.")
    for index, traced in {
        1: provenance(original, shown, read),
        3: provenance(shown),
        5: provenance(read, element("d", None), namer=Namer.CODE, tracer=Tracer.MODEL, note="It was long."),
    }.items():
        found.append(EventKind.TRACED, index, traced.model_dump(mode="json"))
    return found


def test_elements_are_counted_for_the_fittest_and_the_rest(store):
    found = origins(digest(store))
    fittest, rest = found.groups
    assert (fittest.name, fittest.designs, fittest.elements) == ("the fittest 2", 2, 4)
    assert {share.origin.value: share.count for share in fittest.shares} == {
        "cognition": 1,
        "experience": 2,
        "original": 1,
    }
    assert (rest.designs, rest.elements) == (1, 1), "an element without a known origin does not count"
    assert (found.traced, found.candidates, found.by_code, found.by_model) == (3, 4, 1, 1)
    assert share_text(fittest.shares[1]) == "50.0% [7, 93]"
    assert origins_data(found)["groups"][1]["shares"]["cognition"]["count"] == 1
    assert "provenance is known of 3 of 4 candidates" in note(found)
    assert "Of 1 design a language model decided" in note(found)
    assert "The elements of 1 free program were recognised in the code alone" in note(found)


def test_without_any_there_is_no_table_and_no_section(store_of, tmp_path):
    young = store_of(make_experiment(1), fitness={1: 0.9})
    assert origins(digest(young)) is None
    page = write_report(young, tmp_path, clock=lambda: 0.0, formats=Formats((), ())).page.read_text()
    assert 'id="origins"' not in page


def test_the_page_has_the_table_and_escapes_what_a_model_wrote(store, tmp_path):
    evil = provenance(element(EVIL, Origin.ORIGINAL, reason=EVIL), tracer=Tracer.MODEL)
    store.append(EventKind.TRACED, 4, evil.model_dump(mode="json"))
    page = write_report(store, tmp_path, clock=lambda: 0.0, formats=Formats((), ())).page.read_text()
    assert '<h2 id="origins">Where ideas come from</h2>' in page
    assert '<a href="#origins">' in page
    assert "50.0% [7, 93]" in page
    assert "<script>" not in page


def test_the_count_of_mechanisms_takes_what_was_found_for_free_code(store):
    names = {mechanism.name for mechanism in mechanisms(digest(store)).found}
    assert {"c", "d"} <= names
    assert "words of its author" not in names


def test_an_experiments_page_shows_each_element_with_its_evidence(store):
    found = payload.experiment_payload(store, 1)
    assert [item["origin"] for item in found["provenance"]["elements"]] == ["original", "experience", "cognition"]
    assert payload.experiment_payload(store, 4)["provenance"] is None
    text = shown(store, 1)
    for part in (
        "a: original",
        "b: experience of #0",
        "c: cognition of 2401.00001. The passage has it.",
        "c = read(x)",
    ):
        assert part in text
    assert "elements taken from its design; origins told from the records." in text
    assert "d: origin not on record" in shown(store, 5)
    assert "It was long." in shown(store, 5)
    assert "origins" not in shown(store, 4)


def shown(store, index):
    console = Console(width=160, force_terminal=False, file=io.StringIO())
    console.print(terminal.experiment_view(payload.experiment_payload(store, index)))
    return console.file.getvalue()
