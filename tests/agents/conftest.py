from random import Random

import pytest

from asi_arch.agents.composer import BASELINE_DESIGNS, Composer, baseline_proposal, rendered
from asi_arch.domain.candidate import Proposal
from asi_arch.domain.ports import Brief

LENGTH = 320
FROM_NOTHING = 0.2


def make_lineage(length: int, seed: int) -> list[Proposal]:
    """Baselines, then inventions whose parents and references are drawn at random from what there is."""
    rng = Random(seed)
    proposals = [baseline_proposal(name, rendered(design, name), "", name) for name, design in BASELINE_DESIGNS.items()]
    taken = {proposal.fingerprint: index for index, proposal in enumerate(proposals)}
    while len(proposals) < length:
        parent = None if rng.random() < FROM_NOTHING else rng.randrange(len(proposals))
        indices = tuple(sorted(rng.sample(range(len(proposals)), 4)))
        brief = Brief(
            parent=None if parent is None else proposals[parent],
            references=[proposals[index] for index in indices],
            parent_index=parent,
            reference_indices=indices,
            taken=taken,
        )
        proposal = Composer().compose(brief, rng)
        taken[proposal.fingerprint] = len(proposals)
        proposals.append(proposal)
    return proposals


@pytest.fixture(scope="session")
def lineage() -> list[Proposal]:
    return make_lineage(LENGTH, seed=0)
