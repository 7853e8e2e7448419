"""Programs as they travel: one module with all that a design needs of ours, and its own with the imports led there."""

import ast
from pathlib import Path

import pytest

import asi_arch
from asi_arch.domain.candidate import Adapter
from asi_arch.domain.errors import UserError
from asi_arch.mixers import baselines
from asi_arch.report.export.program import programs
from asi_arch.report.export.sources import read

from .designs import FLA

HEAD = "from torch import nn\n\n{imports}\n\n\nclass Mixer(nn.Module):\n    def forward(self, x):\n        {body}\n"


def exported(imports: str, body: str) -> tuple[str, set[str]]:
    """`mixer.py`, and the names that `operators.py` defines."""
    found = programs(HEAD.format(imports=imports, body=body), Adapter.MIXER, "asi-arch 1.2.3")
    return found.mixer, defined(found.operators)


def defined(text: str) -> set[str]:
    names: set[str] = set()
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)}
    return names


@pytest.mark.parametrize("name", baselines.names())
def test_every_baseline_travels_without_this_program(name: str) -> None:
    source = baselines.load(name).source
    found = programs(source, Adapter.MIXER, "asi-arch 1.2.3")
    for text in (found.mixer, found.operators):
        for node in ast.walk(ast.parse(text)):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(module.split(".")[0] in ("asi_arch", "jaxtyping") for module in modules)
    asked = [node for node in ast.parse(found.mixer).body if isinstance(node, ast.ImportFrom) and node.level]
    assert {alias.name for node in asked for alias in node.names} <= defined(found.operators)
    assert found.packages == ()
    changed = [pair for pair in zip(source.splitlines(), found.mixer.splitlines(), strict=True) if pair[0] != pair[1]]
    assert all(before.startswith("from asi_arch.mixers") for before, _ in changed)


def test_only_what_is_used_travels() -> None:
    _, names = exported("from asi_arch.mixers.nn import l2_norm, Rotary", "return l2_norm(x)")
    assert {"l2_norm", "RMSNorm", "SwiGLU"} <= names
    assert not {"Rotary", "GatedRMSNorm", "delta_rule", "cross_entropy"} & names


@pytest.mark.parametrize(
    ("imports", "body", "wanted"),
    [
        ("from asi_arch.mixers import nn as own", "return own.l2_norm(x)", "return own_l2_norm(x)"),
        ("import asi_arch.mixers.nn as own", "return own.l2_norm(x)", "return own_l2_norm(x)"),
        ("import asi_arch.mixers.nn", "return asi_arch.mixers.nn.l2_norm(x)", "return asi_arch_mixers_nn_l2_norm(x)"),
        ("from asi_arch.mixers.nn.norms import l2_norm as f", "return f(x)", "import l2_norm as f"),
        (
            "",
            "from asi_arch.mixers.nn import l2_norm\n        return l2_norm(x)",
            "        from .operators import l2_norm",
        ),
        ("from asi_arch.mixers.ops import delta_rule", "return delta_rule(x, x, x, x)", "import delta_rule\n"),
    ],
)
def test_every_way_to_import_is_followed(imports: str, body: str, wanted: str) -> None:
    mixer, _ = exported(imports, body)
    assert wanted in mixer
    assert "asi_arch." not in mixer
    compile(mixer, "mixer.py", "exec")


def test_the_registry_brings_all_operators() -> None:
    _, names = exported("from asi_arch.mixers.ops import REGISTRY", 'return REGISTRY["rwkv7"](x)')
    assert {"REGISTRY", "RWKV7", "DELTA_RULE", "SOFTMAX_ATTENTION"} <= names


@pytest.mark.parametrize(
    ("imports", "body", "complaint"),
    [
        (
            "from asi_arch.mixers import ops",
            "return getattr(ops, 'delta_rule')(x)",
            "a module of asi-arch as a value",
        ),
        ("from asi_arch.mixers.nn import *", "return l2_norm(x)", "can't tell what `[*]` stands for"),
        ("from asi_arch.mixers.nn import l2", "return l2(x)", "where there is no such name"),
        ("from asi_arch.lab import client", "return client.x", "can't be taken out of asi-arch"),
        ("from asi_arch.mixers.model import LanguageModel", "return LanguageModel", "can't be taken out of asi-arch"),
        (
            "from asi_arch.mixers.nn import l2_norm",
            "l2_norm = x\n        return l2_norm",
            "used as another name as well",
        ),
        ("import math, asi_arch.mixers.nn as own", "return own.l2_norm(x)", "in a line of its own"),
    ],
)
def test_what_cannot_be_followed_is_refused_with_the_reason(imports: str, body: str, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        exported(imports, body)


def test_other_packages_are_named() -> None:
    found = programs(
        HEAD.format(imports="import math\nfrom einops import rearrange", body="return x"), Adapter.MIXER, "v"
    )
    assert found.packages == ("einops",)


def test_a_layer_of_another_interface_travels_as_its_text_with_what_reads_it() -> None:
    found = programs(FLA, Adapter.FLA, "v")
    assert FLA in found.mixer
    assert found.packages == ("einops",)
    assert {"load_layer", "Runtime", "modules_RMSNorm", "RMSNorm"} <= defined(found.operators)
    quoted = FLA.replace('"silu"', "'''silu'''")
    namespace: dict[str, object] = {}
    text = programs(quoted, Adapter.FLA, "v").mixer
    exec(text[text.index("PROGRAM =") : text.index("Mixer =")], namespace)
    assert namespace["PROGRAM"] == quoted
    with pytest.raises(UserError, match="that imports asi_arch"):
        programs(f"import asi_arch.mixers.nn\n{FLA}", Adapter.FLA, "v")


def test_nothing_at_the_top_of_a_travelling_module_would_be_left_behind() -> None:
    """Definitions travel; a statement that defines nothing, such as a registration, would not."""
    folder = Path(asi_arch.__file__).parent / "mixers"
    adapters = folder.parent / "lab" / "adapters"
    files = (*(folder / "nn").glob("*.py"), *(folder / "ops").glob("*.py"), *adapters.rglob("*.py"))
    for path in (*files, folder / "dispatch.py"):
        parts = path.relative_to(folder.parent).with_suffix("").parts
        module = read(".".join(("asi_arch", *parts)).removesuffix(".__init__"))
        kept = {statement.node.lineno for statement in module.statements}
        for node in ast.parse(module.source).body:
            is_all = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
            is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            assert node.lineno in kept or is_all or is_text or isinstance(node, ast.Import | ast.ImportFrom), path
