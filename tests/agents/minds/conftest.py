import pytest

from asi_arch.agents.composer import BASELINE_DESIGNS, baseline_proposal, rendered
from asi_arch.domain.candidate import Proposal, Repair
from asi_arch.domain.cognition import Entry, Passage, Theme
from asi_arch.domain.outcome import Rejected
from asi_arch.domain.ports import Brief, Known
from asi_arch.testing.records import make_experiment, make_proposal

PARENT = 3


def passage() -> Passage:
    entry = Entry(
        id="2401.00001-1",
        trigger="Old writes crowd the state, and late tokens are recalled worse than early ones.",
        background="Sums never forget.",
        algorithm="S_t = a_t S_{t-1} + k_t v_t^T with a_t from the token.",
        guidance="Compute the decay in log space.",
    )
    return Passage(arxiv="2401.00001", year=2024, paper="Fading memory", theme=Theme.DECAY, entry=entry, score=1.0)


def known() -> Known:
    failure = make_proposal("Failing", change="Adds a hidden state that it forgets to fade.")
    repair = Repair(failure="It crashed: shapes differ.", cause="heads were not merged", before="x = 1")
    mended = make_proposal("Mended", change="Splits the state over heads.", repairs=(repair,))
    leak = Rejected(check="future", reason="Position 3 depends on position 7")
    return Known(
        baseline=make_experiment(0),
        parent=make_experiment(PARENT, make_proposal("Parent")),
        references=[make_experiment(4, make_proposal("Reference"))],
        failures=[make_experiment(5, failure, outcome=leak), make_experiment(6, mended)],
        noise_nats=0.012,
        passages=[passage()],
    )


@pytest.fixture
def delta_net() -> Proposal:
    return baseline_proposal("delta_net", rendered(BASELINE_DESIGNS["delta_net"], "DeltaNet"), "", "DeltaNet")


@pytest.fixture
def brief(delta_net: Proposal) -> Brief:
    taken = {delta_net.fingerprint: PARENT}
    return Brief(delta_net, [make_proposal("Reference")], PARENT, (4,), taken, known, experiment=7)
