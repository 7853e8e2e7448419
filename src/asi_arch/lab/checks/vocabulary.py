"""Names that a mixer has no use for, and what to do instead."""

import sys
from collections.abc import Mapping

_BY_NAME = "write `object.name`, or keep parts in a ModuleList or ModuleDict"
_CODE = "write the code itself"
_LOOK = "a mixer needs its input and parameters only"

FORBIDDEN_BUILTINS: Mapping[str, str] = {
    "eval": _CODE,
    "exec": _CODE,
    "compile": _CODE,
    "open": "a mixer reads and writes no files",
    "input": "a mixer asks nobody",
    "breakpoint": "a mixer is run by nobody who could answer",
    "exit": "a mixer returns its output",
    "quit": "a mixer returns its output",
    "globals": _LOOK,
    "locals": _LOOK,
    "vars": _LOOK,
    "dir": _LOOK,
    "getattr": _BY_NAME,
    "setattr": _BY_NAME,
    "delattr": _BY_NAME,
    "memoryview": _LOOK,
}

FRAME_ATTRIBUTES = frozenset(
    {
        "f_back",
        "f_builtins",
        "f_code",
        "f_globals",
        "f_locals",
        "tb_frame",
        "tb_next",
        "gi_frame",
        "gi_code",
        "gi_yieldfrom",
        "cr_frame",
        "cr_code",
        "cr_await",
        "ag_frame",
        "ag_code",
        "co_code",
        "co_consts",
    }
)

REGISTRIES = frozenset(
    {
        "_parameters",
        "_buffers",
        "_modules",
        "_forward_hooks",
        "_forward_pre_hooks",
        "_backward_hooks",
        "_backward_pre_hooks",
        "_state_dict_hooks",
        "_load_state_dict_pre_hooks",
        "_non_persistent_buffers_set",
        "_load_from_state_dict",
        "_save_to_state_dict",
        "_call_impl",
    }
)
"""Of `nn.Module`."""

ATTRIBUTE_DUNDERS = frozenset({"__init__", "__name__"})

MODULE_DUNDERS = frozenset({"__all__", "__name__"})

PUBLIC_UNDERSCORES = ATTRIBUTE_DUNDERS | {"_replace", "_asdict", "_fields", "_make", "_calculate_fan_in_and_fan_out"}
"""Of named tuples and of `torch.nn.init`, in wide use."""

DEFINABLE_DUNDERS = frozenset(
    {
        "__init__",
        "__post_init__",
        "__repr__",
        "__str__",
        "__len__",
        "__iter__",
        "__getitem__",
        "__contains__",
        "__call__",
        "__eq__",
        "__hash__",
    }
)

MODULE_METHODS = frozenset(
    {
        "state_dict",
        "load_state_dict",
        "get_extra_state",
        "set_extra_state",
        "train",
        "eval",
        "to",
        "apply",
        "parameters",
        "named_parameters",
        "buffers",
        "named_buffers",
        "modules",
        "named_modules",
        "children",
        "named_children",
        "zero_grad",
        "requires_grad_",
        "register_buffer",
        "register_parameter",
        "_apply",
        "_call_impl",
        "_load_from_state_dict",
        "_save_to_state_dict",
        "_named_members",
    }
)
"""Of `nn.Module`, which trainer and scorer rely on."""

_TENSOR_NAMES = frozenset(
    {"math", "random", "signal", "types", "select", "copy", "trace", "typing", "functools", "collections", "operator"}
)
FOREIGN_MODULES = (frozenset(sys.stdlib_module_names) - _TENSOR_NAMES) | {"numpy", "_C", "_pytree", "sys", "os"}
"""Modules that are no torch, but could be reached through one of its attributes."""

_SEED = "draw from a `torch.Generator` of your own"
_SETTING = "torch's settings are the trainer's"
_FILES = "a mixer reads and writes no files"
_WORLD = "a mixer computes in this process only"
_PATCH = "leave torch as it is"

GLOBAL_EFFECTS: Mapping[str, str] = {
    "manual_seed": _SEED,
    "seed": _SEED,
    "set_rng_state": _SEED,
    "fork_rng": _SEED,
    "set_default_dtype": _SETTING,
    "set_default_device": _SETTING,
    "set_default_tensor_type": _SETTING,
    "set_num_threads": _SETTING,
    "set_num_interop_threads": _SETTING,
    "set_flush_denormal": _SETTING,
    "set_float32_matmul_precision": _SETTING,
    "set_deterministic_debug_mode": _SETTING,
    "set_detect_anomaly": _SETTING,
    "use_deterministic_algorithms": _SETTING,
    "backends": _SETTING,
    "load": _FILES,
    "save": _FILES,
    "from_file": _FILES,
    "hub": _FILES,
    "package": _FILES,
    "serialization": _FILES,
    "multiprocessing": _WORLD,
    "distributed": _WORLD,
    "cpp_extension": _WORLD,
    "library": _PATCH,
    "overrides": _PATCH,
    "fx": _PATCH,
    "optim": "the optimizer is the trainer's",
    "register_module_forward_hook": _PATCH,
    "register_module_forward_pre_hook": _PATCH,
    "register_module_full_backward_hook": _PATCH,
}
