from collections.abc import Sequence

from asi_arch.agents.minds.telling import failure_of
from asi_arch.cognition.likeness import TextLikeness
from asi_arch.domain.candidate import Repair
from asi_arch.domain.experiment import Experiment
from asi_arch.domain.outcome import Diverged, Rejected
from asi_arch.domain.profile import StageName
from asi_arch.engine.failures import Failures
from asi_arch.testing.records import make_experiment, make_proposal

PARENT = make_proposal(
    motivation="Decays in every channel keep recent and old tokens apart.", mechanisms=("channel_decay",)
)
UNRELATED = Rejected(check="growth", reason="Time grows quadratically")
REPAIR = Repair(
    failure="It crashed: a channel decay above one overflows.",
    cause="The decay was not bounded by a sigmoid",
    before="",
)
MENDED = make_proposal("Mended", change="Lets channels fade.", mechanisms=("channel_decay",), repairs=(REPAIR,))


def failed(index: int, change: str, *, mechanisms: Sequence[str] = ()) -> Experiment:
    proposal = make_proposal(f"Net{index}", change=change, mechanisms=tuple(mechanisms))
    return make_experiment(index, proposal, outcome=UNRELATED)


RECORDS = {
    e.index: e
    for e in (
        failed(1, "A decay for every channel, in a loop.", mechanisms=["channel_decay"]),
        make_experiment(2, MENDED),
        *(failed(index, f"Attention over a wide window, version {index}.") for index in range(3, 8)),
    )
}


def shown(failures: Failures, parent: object = PARENT, indices: Sequence[int] = tuple(RECORDS)) -> list[int]:
    return [e.index for e in failures.nearest(PARENT if parent is PARENT else None, indices)]


def test_failures_like_the_parent_come_before_later_ones() -> None:
    found = shown(Failures(RECORDS.get, TextLikeness()))
    assert sorted(found[:2]) == [1, 2], "a mended one belongs to them"
    assert found[2] == 7, "the latest fills up"
    assert found == shown(Failures(RECORDS.get, TextLikeness())), "the same each time"


def test_without_a_parent_or_a_comparison_the_latest_come() -> None:
    assert shown(Failures(RECORDS.get, None)) == [7, 6, 5]
    assert shown(Failures(RECORDS.get, TextLikeness()), parent=None) == [7, 6, 5]
    assert shown(Failures(RECORDS.get, TextLikeness()), indices=()) == []


def test_a_record_is_read_for_its_text_once() -> None:
    read: list[int] = []

    def load(index: int) -> Experiment | None:
        read.append(index)
        return RECORDS[index]

    failures = Failures(load, TextLikeness())
    for _ in range(3):
        shown(failures)
    assert read.count(3) == 1


def test_a_failure_is_told_with_its_fix() -> None:
    assert failure_of(RECORDS[2]) == (
        "Lets channels fade. It crashed: a channel decay above one overflows."
        " Mended by this view: The decay was not bounded by a sigmoid."
    )
    assert failure_of(RECORDS[1]).endswith("rejected it before any training: Time grows quadratically.")
    end = Diverged(stage=StageName.LANGUAGE, step=4)
    assert "This view did not mend it: The decay" in failure_of(make_experiment(9, MENDED, outcome=end))
