import pytest

from asi_arch.domain.candidate import Adapter, Author, Proposal, fingerprint
from asi_arch.domain.record import sha256

PROGRAM = '''
"""A mixer."""
import torch
from torch import nn


class Mixer(nn.Module):
    """Doc."""

    def __init__(self, hidden_size: int, num_heads: int, layer_idx: int) -> None:
        super().__init__()
        self.query = nn.Linear(hidden_size, hidden_size)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scores = self.query(x)  # a comment
        return scores * 2.0
'''


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("scores", "values"),
        ("query", "projection"),
        ("# a comment", "# another"),
        ('"""A mixer."""', '"""Something else."""'),
        ('"""Doc."""', ""),
        (": torch.Tensor) -> torch.Tensor", ")"),
        ("hidden_size", "width"),
    ],
)
def test_names_comments_docstrings_and_annotations_make_no_new_program(old: str, new: str) -> None:
    assert fingerprint(PROGRAM.replace(old, new)) == fingerprint(PROGRAM)


@pytest.mark.parametrize(("old", "new"), [("2.0", "3.0"), ("nn.Linear", "nn.Bilinear"), ("* 2.0", "+ 2.0")])
def test_another_computation_is_another_program(old: str, new: str) -> None:
    assert fingerprint(PROGRAM.replace(old, new)) != fingerprint(PROGRAM)


def test_swapping_two_variables_is_another_program() -> None:
    source = "def f(a, b):\n    return a - b\n"
    assert fingerprint(source) != fingerprint(source.replace("a - b", "b - a"))


def test_text_that_is_not_python_is_a_syntax_error() -> None:
    with pytest.raises(SyntaxError):
        fingerprint("def (:")


def test_a_plain_source_keeps_its_hash_and_an_adapted_one_has_another() -> None:
    plain = Proposal(author=Author.USER, name="a", motivation="", source=PROGRAM, fingerprint="")
    assert plain.sha == sha256(PROGRAM)
    assert plain.model_copy(update={"adapter": Adapter.FLA}).sha != plain.sha


def test_a_proposal_from_before_adapters_is_a_plain_one() -> None:
    stored = {"author": "composer", "name": "a", "motivation": "", "source": PROGRAM, "fingerprint": ""}
    assert Proposal.model_validate(stored).adapter is Adapter.MIXER
