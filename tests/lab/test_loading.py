import inspect

import pytest

pytestmark = pytest.mark.torch

GOOD = "from torch import nn\n\n\nclass Mixer(nn.Module):\n    def forward(self, x):\n        return x\n"


def test_a_mixer_is_loaded_and_its_lines_can_be_shown() -> None:
    from asi_arch.lab.loading import load_mixer

    mixer = load_mixer(GOOD)
    assert mixer.__name__ == "Mixer"
    assert "return x" in inspect.getsource(mixer.forward)


@pytest.mark.parametrize(
    "module", ["os", "sys", "subprocess", "numpy", "asi_arch.lab", "asi_arch", "asi_arch.mixersx", "."]
)
@pytest.mark.parametrize("form", ["import {}", "from {} import x"])
def test_other_imports_are_refused_with_their_line(module: str, form: str) -> None:
    from asi_arch.lab.loading import LoadFailure, load_mixer

    if form.startswith("import") and module == ".":
        return
    with pytest.raises(LoadFailure) as failure:
        load_mixer(GOOD + f"\n{form.format(module)}\n")
    assert failure.value.line == 8


@pytest.mark.parametrize(
    "line", ["import torch.nn.functional as F", "from asi_arch.mixers.ops import delta_rule", "import math"]
)
def test_what_a_candidate_needs_may_be_imported(line: str) -> None:
    from asi_arch.lab.loading import load_mixer

    assert load_mixer(f"{line}\n{GOOD}").__name__ == "Mixer"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", "no class `Mixer`"),
        ("Mixer = 3", "no class `Mixer`"),
        ("class Mixer: pass", "derived from torch.nn.Module"),
        (GOOD + "Mixer = 3\n", "derived from torch.nn.Module"),
        ("def (", "not valid Python"),
        ("x = '\0'", "not valid Python"),
    ],
)
def test_the_sentence_says_what_is_wrong(source: str, message: str) -> None:
    from asi_arch.lab.loading import LoadFailure, load_mixer

    with pytest.raises(LoadFailure, match=message):
        load_mixer(source)
