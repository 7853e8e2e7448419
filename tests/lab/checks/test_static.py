"""What the text alone tells, before any of it runs."""

import subprocess
import sys

import pytest

from asi_arch.agents.composer import Composer
from asi_arch.domain.candidate import Proposal
from asi_arch.domain.ports import Brief
from asi_arch.lab.checks.static import examine
from asi_arch.mixers import baselines

_COMPOSED = 60
_HEAD = "import math\nimport torch\nimport torch.nn.functional as F\nfrom torch import nn\n"


def in_forward(line: str) -> str:
    return f"{_HEAD}\nclass Mixer(nn.Module):\n    def forward(self, x):\n        {line}\n        return x\n"


def _messages(source: str) -> list[str]:
    return [finding.message for finding in examine(source)]


@pytest.mark.parametrize("name", baselines.names())
def test_a_baseline_has_nothing_to_complain_about(name: str) -> None:
    assert _messages(baselines.load(name).source) == []


def test_composed_programs_have_nothing_to_complain_about() -> None:
    from random import Random

    rng, taken = Random(1), {}
    parent: Proposal | None = None
    for index in range(_COMPOSED):
        brief = Brief(
            parent=parent if index % 5 else None, references=(), parent_index=None, reference_indices=(), taken=taken
        )
        parent = Composer().compose(brief, rng)
        taken[parent.fingerprint] = index
        assert _messages(parent.source) == [], parent.source


@pytest.mark.parametrize(
    "line",
    [
        "x = eval('x')",
        "open('data')",
        "y = getattr(self, 'we' + 'ight')",
        "y = getattr(torch, 'os')",
        "y = getattr(x, '__class__')",
        "setattr(self, 'y', x)",
        "y = self.__class__",
        "y = (lambda: 0).__globals__",
        "y = __import__('os')",
        "y = torch.os",
        "y = torch.utils.data.sys",
        "torch.nn.functional.cross_entropy = F.mse_loss",
        "F.relu = None",
        "del torch.Tensor.item",
        "nn.Linear.__init__ = None",
        "torch.manual_seed(0)",
        "torch.set_default_dtype(torch.float64)",
        "y = torch.load('weights')",
        "y = torch.optim.SGD([x], 1.0)",
        "self._parameters['w'] = x",
        "y = torch._dynamo",
        "y = x.grad_fn.f_back",
        "global calls",
        "y = type('M', (), {})",
        "import os",
        "from torch import os",
        "from torch import manual_seed",
        f"y = {list(range(300))}",
        f"y = '{'x' * 3000}'",
        "y = 1 << 3000 and " + str(1 << 3000),
    ],
)
def test_a_line_that_reaches_beyond_the_mixer_is_named(line: str) -> None:
    (finding, *_) = examine(in_forward(line))
    assert (finding.check, finding.position) == ("static", 8)
    assert finding.message.startswith("Line 8: ") and finding.message.endswith(".")


@pytest.mark.parametrize(
    "line",
    [
        "y = x.select(1, 0).trace() if False else x.chunk(2)",
        "y = F.softplus(x).chunk(2, dim=-1)",
        "y = math.log(2.0) * x",
        "y = torch.random",
        "self._cache = x",
        "y = self.time.weight",
        "nn.init.zeros_(self.weight)",
        "y = x.to(torch.float32)",
        "y = hasattr(self, 'mask')",
        "y = getattr(self, 'mask', None)",
        "y = type(self).__name__",
        "y = self.__class__.__name__",
        "super().__init__()",
    ],
)
def test_ordinary_lines_pass(line: str) -> None:
    assert _messages(in_forward(line)) == []


@pytest.mark.parametrize(
    "line",
    [
        "torch.randn(3)",
        "TABLE = torch.randn(3, 3)",
        "x = [print(n) for n in range(3)]",
        "x = [n for n in torch.ones(3)]",
        "x = partial(f)(3)",
        "x = max([1, 2], key=print)",
        "if __name__ == '__main__':\n    x = 1\nelse:\n    print(1)",
        "try:\n    print(1)\nexcept ImportError:\n    x = 1",
        "try:\n    x = 1\nexcept ImportError:\n    print(1)",
        "f = lambda y=torch.ones(3): y",
        "def f(x=dict()): return x",
        "def f(x=[n for n in range(3)]): return x",
        "for i in range(3): pass",
        "if True:\n    x = 1",
        "with open('x') as f: pass",
        "nn.Linear.forward = None",
        "def f(x=[]): return x",
        "def f(x=torch.ones(3)): return x",
        "@print\ndef f(x): return x",
        "class A(metaclass=type): pass",
        "class A(type('B', (), {})): pass",
        "class A:\n    x = torch.ones(3)",
        "assert True",
    ],
)
def test_what_would_run_at_import_is_refused(line: str) -> None:
    (finding, *_) = examine(f"{_HEAD}{line}\n")
    assert finding.position is not None and finding.position >= 5


@pytest.mark.parametrize(
    "line",
    [
        '"""A text."""',
        "N: int = 2 * 3 ** 2",
        "RATES = (0.5, -1e-3, math.log(2.0), math.pi)",
        "NAMES = {'a': 1, 'b': [2, 3]}",
        "Pair = tuple[torch.Tensor, torch.Tensor]",
        "Maybe = torch.Tensor | None",
        "__all__ = ['Mixer']",
        "A, B = 1, 2",
        "DILATIONS = tuple(2**n for n in range(4) if n != 2)",
        "RATES = {n: 0.5 if n else 1.0 for n in range(3)}",
        "EPSILON = torch.finfo(torch.float32).eps",
        "from math import sqrt\nSCALE = sqrt(2 / 3)",
        "from functools import partial\nNorm = partial(nn.LayerNorm, eps=1e-6)",
        "swish = lambda y: y * y.sigmoid()",
        "try:\n    from einops import rearrange\nexcept ImportError:\n    rearrange = None",
        "if __name__ == '__main__':\n    print(torch.ones(3))",
        "from typing import final\n@final\nclass A: pass",
        "@torch.no_grad()\ndef f(x, y=N, *, dtype=torch.float32): return x",
        "from functools import lru_cache\n@lru_cache(maxsize=None)\ndef f(x): return x",
        "from dataclasses import dataclass, field\n@dataclass(frozen=True)\nclass A:\n    x: tuple = field(default=())",
        "class A(nn.Module):\n    scale = 1.0\n    @property\n    def y(self): return 1",
    ],
)
def test_definitions_and_constants_pass(line: str) -> None:
    assert _messages(f"{_HEAD}N = 1\n{line}\n") == []


def test_a_text_that_is_no_python_is_left_to_the_loader() -> None:
    assert examine("def f(:") == []


@pytest.mark.parametrize("line", ["X = " + "1 + " * 3000 + "1", "X = " + "-" * 3000 + "1", "x" + ".y" * 3000])
def test_a_text_nested_beyond_reason_is_no_accident_of_ours(line: str) -> None:
    assert len(_messages(f"{line}\n")) <= 1


def test_only_the_first_few_complaints_are_listed() -> None:
    assert len(examine("import os\n" * 50)) == 5


def test_the_static_layer_needs_no_torch() -> None:
    code = (
        "import sys; from asi_arch.lab.checks.static import examine; examine('x = 1'); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
