from io import StringIO

import pytest
from rich.console import Console

from asi_arch.domain.repairs import mended
from asi_arch.domain.review import Doubt, Review, ReviewEnd
from asi_arch.domain.revisions import reviewed
from asi_arch.report.payload import experiment_payload, status_payload
from asi_arch.report.review import review_counts, review_lines
from asi_arch.report.terminal import experiment_view, status_view
from asi_arch.testing.fake_store import FakeStore
from asi_arch.testing.records import make_campaign, make_experiment, make_proposal

DOUBT = Doubt(where="return x", promised="It fades.", found="[red]Nothing fades.", should_change=True)


def told(*views):
    console = Console(width=400, record=True, file=StringIO())
    console.print(*views)
    return console.export_text()


def test_what_was_doubted_and_what_came_of_it_is_shown_and_counted():
    store = FakeStore()
    store.create(make_campaign())
    for index in range(4):
        store.record(make_experiment(index), 0.5)
    assert experiment_payload(store, 3)["review"] is None
    assert "checker" not in told(status_view(status_payload(store), 0.0))
    found = Review(end=ReviewEnd.REVISED, doubts=(DOUBT,), reason="The reader is right.")
    revised = reviewed(make_proposal("revised", source="faded = 0\n"), found, "faded = 1\n")
    store.record(make_experiment(4, mended(revised, "faded = 2\n", failure="It crashed.", cause="one")), 0.6)
    refused = found.model_copy(
        update={"end": ReviewEnd.REFUSED, "refused": "leaks = 1\n", "refusal": "future: it leaks"}
    )
    store.record(make_experiment(5, reviewed(make_proposal("refused", source="kept = 1\n"), refused)), 0.6)
    store.record(make_experiment(6, reviewed(make_proposal("clear"), Review(end=ReviewEnd.CLEAR))), 0.6)
    assert status_payload(store)["reviews"] == {"read": 3, "doubted": 2, "revised": 1}
    assert "3 programs read, 2 doubted, 1 revised" in told(status_view(status_payload(store), 0.0))
    payloads = {index: experiment_payload(store, index) for index in (4, 5)}
    assert "-faded = 0\n+faded = 1" in payloads[4]["review"]["diff"]
    assert "-faded = 1\n+faded = 2" in payloads[4]["repairs"][0]["diff"]
    assert "-kept = 1\n+leaks = 1" in payloads[5]["review"]["diff"]
    text = told(experiment_view(payloads[4]))
    assert "Read before training" in text
    assert "Doubt: promised: It fades. Found: [red]Nothing fades. At: return x" in text
    assert "it passed all checks again. Its reason: The reader is right." in text
    assert "the one that was doubted was trained. Its reason: The reader is right. Why: future: it leaks" in told(
        experiment_view(payloads[5])
    )


@pytest.mark.parametrize("end", ReviewEnd)
def test_every_end_has_its_sentence(end):
    assert review_lines(Review(end=end).model_dump(mode="json"))[0].endswith(".")


def test_what_nobody_could_read_is_not_counted_as_read():
    ends = (ReviewEnd.UNREAD, ReviewEnd.SILENT, ReviewEnd.NOTED)
    assert review_counts(Review(end=end) for end in ends) == {"read": 2, "doubted": 1, "revised": 0}
