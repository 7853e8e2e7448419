"""Wrappers that torch's compiler puts around torch's own functions are no candidate's doing; all others are."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from asi_arch.lab.checks.surroundings import Surroundings

pytestmark = pytest.mark.torch
TORCH = torch.__file__.removesuffix("__init__.py")
MAKER = """
def make(original):
    def wrapper(*arguments):
        return original(*arguments) if arguments else wrapper
    return wrapper
"""


def maker(file: str) -> Callable[[Any], Any]:
    """Makes wrappers that hold the original, and themselves, as variables; its code says that it is in this file."""
    namespace: dict[str, Any] = {}
    exec(compile(MAKER, file, "exec"), namespace)
    return namespace["make"]


@pytest.mark.parametrize(
    ("file", "is_around_it", "changed"),
    [
        (f"{TORCH}_dynamo/mutation_guard.py", True, []),
        (f"{TORCH}_dynamo/mutation_guard.py", False, ["Module.extra_repr"]),
        ("candidate.py", True, ["Module.extra_repr"]),
    ],
)
def test_only_torchs_own_wrappers_of_the_very_function_are_let_be(
    file: str, is_around_it: bool, changed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Surroundings()
    inside: object = nn.Module.extra_repr if is_around_it else str
    monkeypatch.setattr(nn.Module, "extra_repr", maker(file)(inside))
    assert before.changes() == changed
