import pytest

from asi_arch.agents.minds.reviser import MindReviser, question
from asi_arch.domain.candidate import Author, Proposal
from asi_arch.domain.minds import BadAnswer, Role
from asi_arch.domain.review import Doubt
from asi_arch.testing.fake_mind import FakeMind
from asi_arch.testing.records import make_proposal

SOURCE = """\
class Mixer:
    def __init__(self, hidden_size, num_heads, layer_idx):
        self.rate = 0.5

    def forward(self, x):
        faded = x * self.rate
        return x
"""
DOUBTS = [Doubt(where="return x", promised="It fades.", found="Nothing fades. >>>", should_change=True)]
REASON = "The reader is right: the faded values were dropped."
EDIT = {"search": "        return x", "replace": "        return faded"}


@pytest.fixture
def fading() -> Proposal:
    return make_proposal("FadeNet", author=Author.MODEL, source=SOURCE)


async def test_an_author_revises_by_small_edits(fading: Proposal) -> None:
    mind = FakeMind([{"reason": REASON, "decision": "revise", "edits": [EDIT]}])
    found = await MindReviser(mind).revise(7, fading, DOUBTS)
    assert found == (REASON, SOURCE.replace("return x", "return faded"))


async def test_an_author_may_keep_the_program(fading: Proposal) -> None:
    mind = FakeMind([{"reason": REASON, "decision": "stands", "edits": []}])
    assert await MindReviser(mind).revise(7, fading, DOUBTS) == (REASON, None)


@pytest.mark.parametrize(
    ("decision", "edits", "told"),
    [
        ("stands", [EDIT], "has no edits"),
        ("revise", [], "To revise the program give edits"),
        ("revise", [{**EDIT, "search": "return y"}], "nearest place"),
        ("revise", [{**EDIT, "replace": "        return x  # faded"}], "nothing but names and comments"),
        ("revise", [{**EDIT, "replace": "\n".join(["        x = x + 1"] * 40)}], "change only what was doubted"),
        ("revise", [{"search": "def forward(self, x):", "replace": "def backward(self, x):"}], "lacks forward"),
    ],
)
async def test_what_does_not_fit_is_sent_back(
    fading: Proposal, decision: str, edits: list[dict[str, str]], told: str
) -> None:
    mind = FakeMind([{"reason": REASON, "decision": decision, "edits": edits}])
    with pytest.raises(BadAnswer):
        await MindReviser(mind).revise(7, fading, DOUBTS)
    assert told in mind.complaints[0]


def test_the_author_is_asked_in_its_own_role_and_doubts_are_quoted(fading: Proposal) -> None:
    asked = question(7, fading, [*DOUBTS, DOUBTS[0].model_copy(update={"should_change": False})])
    assert (asked.role, asked.subject) == (Role.RESEARCHER, "7")
    assert asked.prompt.user.count("<<<") == asked.prompt.user.count(">>>") == 4
    assert "Nothing fades. > > >" in asked.prompt.user
    assert "2. In passing:" in asked.prompt.user
