"""From a design to the text of a candidate: templates for the code, a table for the imports."""

import math
import re
import symtable
from typing import Any

from asi_arch.agents.composer.design import Design
from asi_arch.agents.composer.mechanism import Family
from asi_arch.agents.composer.wording import class_docstring, module_docstring
from asi_arch.agents.templating import environment

_LEGEND = "# B batch, T time, D width, H heads, K = D / H channels of a head"

_OPS = {
    ("additive_write", None): "linear_attention",
    ("additive_write", "retention"): "scalar_decay",
    ("additive_write", "scalar_decay"): "scalar_decay",
    ("additive_write", "channel_decay"): "vector_decay",
    ("delta_rule", None): "delta_rule",
    ("delta_rule", "retention"): "gated_delta_rule",
    ("delta_rule", "scalar_decay"): "gated_delta_rule",
    ("delta_rule", "channel_decay"): "channel_delta_rule",
}
"""Which op of the registry computes an update rule under a decay."""

_IMPORTS = {
    "math": ("", "math"),
    "torch": ("", "torch"),
    "Tensor": ("torch", "Tensor"),
    "nn": ("torch", "nn"),
    "F": ("torch.nn", "functional as F"),
    **{name: ("asi_arch.mixers.ops", name) for name in (*_OPS.values(), "rwkv7", "sliding_window_attention")},
    **{
        name: ("asi_arch.mixers.nn", name)
        for name in ("GatedRMSNorm", "RMSNorm", "Rotary", "ShortConvolution", "l2_norm", "merge_heads", "split_heads")
    },
}
"""Where every name that the templates use comes from."""

_MATRIX_GATES = ("gated_norm", "sigmoid_output_gate", "swish_output_gate")
_PER_HEAD_WIDTH = ("rotary", "current_token_bonus", "window_branch", "path_norm", "gated_norm", "head_norm")
_LEARNED_DECAYS = ("scalar_decay", "channel_decay")
_EARLY = {1: (), 2: ("early",), 3: ("first", "second")}
_STREAMS = {"q": "query", "k": "key", "v": "value"}


def rendered(design: Design, name: str) -> str:
    """The complete module of a candidate, formatted; the same text for the same arguments."""
    body = environment("templates").get_template("mixer.py.j2").render(_context(design))
    body = re.sub(r"\n{3,}(?=    )", "\n\n", body).strip() + "\n"
    return f'"""{module_docstring(design, name)}"""\n\n{_imports(body)}\n\n{_LEGEND}\n\n\n{body}'


def _context(design: Design) -> dict[str, Any]:
    """Everything that the templates ask for."""
    return {
        "d": design.settings,
        "update": design.update,
        "class_docstring": class_docstring(design),
        "needs_head_dim": any(key in design for key in _PER_HEAD_WIDTH),
        "has_matrix_gate": any(key in design for key in _MATRIX_GATES),
        **_streams(design),
        **_memory(design),
        **_paths(design),
    }


def _streams(design: Design) -> dict[str, Any]:
    """Which projections there are, what each is fed with, and which are filtered."""
    streams = "kv" if "shared_query_key" in design else "qkv"
    is_shifted = "token_shift" in design
    inputs = {stream: f"x_{stream}" if is_shifted else "x" for stream in streams}
    convolved = str(design.settings.get("short_convolution", {}).get("streams", ""))
    return {
        "streams": streams,
        "inputs": inputs,
        "stream_inputs": list(inputs.values()),
        "is_fused": streams == "qkv" and not is_shifted,
        "convolved": [_STREAMS[stream] for stream in convolved],
    }


def _memory(design: Design) -> dict[str, Any]:
    """How the memory is computed."""
    update, decay = design.update, _key_of(design, Family.DECAY)
    steps = int(str(design.settings.get("delta_steps", {}).get("steps", 1)))
    arguments = [
        *(["beta=beta"] if update == "delta_rule" else []),
        *(["log_decay=log_decay"] if decay else []),
        *(["write=write"] if "erase_write_gates" in design else []),
    ]
    reads_input = decay in _LEARNED_DECAYS or update == "delta_rule" or "input_gate" in design
    return {
        "decay": decay,
        "steps": steps,
        "early": _EARLY[steps],
        "earlier": {ending: "".join(f"{step}_{ending}, " for step in _EARLY[steps]) for ending in ("k", "v", "beta")},
        "ladder": _ladder(design),
        "op": _OPS.get((update, decay), ""),
        "arguments": "".join(f", {argument}" for argument in arguments),
        "values": "written" if "input_gate" in design else "v",
        "bonus": "current_token_bonus" in design,
        "remembers_x": reads_input,
    }


def _ladder(design: Design) -> tuple[float, float]:
    """Binary logarithms of the shortest and the longest half-life that learned decays start with."""
    half_life = next((float(str(s["half_life"])) for key, s in design.settings.items() if key in _LEARNED_DECAYS), 1.0)
    factor = float(str(design.settings.get("decay_spread", {}).get("factor", 1.0)))
    return math.log2(half_life / factor), math.log2(half_life * factor)


def _paths(design: Design) -> dict[str, Any]:
    """The side paths and how they are mixed with the memory."""
    settings, count = design.settings, len(design.side_paths)
    routing = _key_of(design, Family.ROUTING)
    floor = float(str(settings.get("probability_floor", {}).get("floor", 0.0)))
    prior = settings[routing].get("prior", 0.0) if routing else 0.0
    terms = {"multi_scale_fir": "*filtered", "value_path": "v", "window_branch": "window", "slow_memory": "slow"}
    return {
        "paths": design.side_paths,
        "path_terms": [term for key, term in terms.items() if key in design],
        "paths_need_keys": "window_branch" in design or "slow_memory" in design,
        "routes_by_token": routing in ("token_gates", "hierarchical_gates"),
        "routed": count + 1 if routing == "token_gates" else count,
        "prior": [prior, *[0.0] * count],
        "remaining": round(1.0 - floor * (count + 1), 4),
    }


def _key_of(design: Design, family: Family) -> str | None:
    """The one mechanism of an exclusive family."""
    return next((part.key for part in design.parts if part.mechanism.family is family), None)


def _imports(body: str) -> str:
    """Import lines for exactly the names that the body uses, in isort's order."""
    used = _globals(symtable.symtable(body, "<template>", "exec")) & set(_IMPORTS)
    plain = [f"import {name}" for module, name in map(_IMPORTS.__getitem__, sorted(used)) if not module]
    modules: dict[str, list[str]] = {}
    for module, name in map(_IMPORTS.__getitem__, sorted(used)):
        if module:
            modules.setdefault(module, []).append(name)
    lines = {module: _import_line(module, names) for module, names in sorted(modules.items())}
    blocks = (
        [line for line in plain if line == "import math"],
        [line for line in plain if line != "import math"] + [lines[m] for m in lines if m.startswith("torch")],
        [lines[m] for m in lines if m.startswith("asi_arch")],
    )
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _globals(table: symtable.SymbolTable) -> set[str]:
    """Names that a scope or one inside it uses and does not bind."""
    own = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global() and symbol.is_referenced()}
    return own.union(*map(_globals, table.get_children()))


def _import_line(module: str, names: list[str]) -> str:
    line = f"from {module} import {', '.join(names)}"
    if len(line) <= 120:
        return line
    return f"from {module} import (\n" + "".join(f"    {name},\n" for name in names) + ")"
