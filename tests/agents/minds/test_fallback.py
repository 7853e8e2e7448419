from random import Random

import pytest

from asi_arch.agents.composer import Composer
from asi_arch.agents.minds.designer import Designer
from asi_arch.agents.minds.fallback import Relieved
from asi_arch.domain.candidate import Author
from asi_arch.domain.errors import LabError
from asi_arch.domain.minds import MindError, MindUnavailable, OverBudget
from asi_arch.domain.ports import Brief
from asi_arch.testing.fake_mind import FakeMind


@pytest.mark.parametrize("failure", [MindUnavailable("down"), OverBudget("spent")])
async def test_the_second_takes_over_and_says_so(brief: Brief, failure: MindError) -> None:
    said: list[str] = []
    proposal = await Relieved(Designer(FakeMind([failure])), Composer(), said.append).propose(brief, Random(0))
    assert proposal == Composer().compose(brief, Random(0))
    assert proposal.author is Author.COMPOSER
    assert said == [f"#7: {failure}; the composer takes over for this one"]


async def test_an_error_of_our_own_is_not_hidden(brief: Brief) -> None:
    class Broken:
        async def propose(self, brief: Brief, rng: Random) -> None:
            raise LabError("our own")

    with pytest.raises(LabError):
        await Relieved(Broken(), Composer(), lambda _: None).propose(brief, Random(0))  # pyright: ignore[reportArgumentType]
