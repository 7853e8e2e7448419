from asi_arch.agents.overlap import SAME_CHANGE, change_overlap
from asi_arch.domain.candidate import Author, Proposal
from asi_arch.domain.repairs import mended
from asi_arch.testing.records import make_proposal

PARENT = "import torch\n\ndef forward(x):\n    y = torch.cumsum(x, 1)\n    return torch.relu(y) + 1.5\n"
OTHER = "def forward(x, scale):\n    while scale > 0:\n        scale = scale - 3\n    return {'x': scale}\n"
WITH_FFT = PARENT + "\ndef spread(x):\n    return torch.fft.irfft(torch.fft.rfft(x, 64), 64) * 0.25\n"
WITH_SORT = PARENT + "\ndef ranks(x):\n    order = torch.argsort(x)\n    return [order[i] for i in range(9) if i % 2]\n"


def written(source: str, parent: int | None, **changes: object) -> Proposal:
    return make_proposal(source[-9:], author=Author.MODEL, source=source, parent=parent, **changes)


def composed(parent: int | None, *mechanisms: str) -> Proposal:
    return make_proposal("+".join(mechanisms), author=Author.DESIGNER, parent=parent, mechanisms=mechanisms)


def test_the_same_addition_to_different_programs_is_the_same_change() -> None:
    other = (
        "def forward(x, scale):\n    while scale > 0:\n        scale = scale - 3\n    return {'x': x, 'scale': scale}\n"
    )
    earlier = {0: written(PARENT, None), 1: written(other, None)}
    addition = WITH_FFT.removeprefix(PARENT)
    same = change_overlap(written(WITH_FFT, 0), written(other + addition, 1), earlier)
    assert same >= SAME_CHANGE
    assert change_overlap(written(WITH_FFT, 0), written(WITH_SORT, 0), earlier) < 0.2


def test_catalogued_designs_are_compared_by_the_mechanisms_that_they_change() -> None:
    earlier = {0: composed(None, "delta_rule", "head_norm"), 1: composed(None, "additive_write", "short_convolution")}
    one = composed(0, "delta_rule", "head_norm", "token_shift")
    assert change_overlap(one, composed(1, "additive_write", "short_convolution", "token_shift"), earlier) == 1.0
    assert change_overlap(one, composed(0, "delta_rule", "head_norm", "channel_decay"), earlier) == 0.0
    assert change_overlap(one, composed(0, "delta_rule", "token_shift"), earlier) == 0.5
    settings_only = composed(0, "delta_rule", "head_norm")
    assert change_overlap(settings_only, settings_only, earlier) == 0.0


def test_a_later_repair_moves_nothing() -> None:
    earlier = {0: written(PARENT, None), 1: written(WITH_FFT, 0)}
    repaired = mended(earlier[1], PARENT + "\nx = 1\n", failure="It crashed.", cause="fft")
    again = written(WITH_FFT, 0)
    assert change_overlap(again, earlier[1], earlier) == 1.0
    assert change_overlap(again, repaired, {**earlier, 1: repaired}) == 1.0


def test_texts_that_are_not_python_have_nothing_in_common() -> None:
    assert change_overlap(written("no ( code", None), written("no ( code", None), {}) == 0.0
