"""What a candidate may import. Free of torch."""

ALLOWED_IMPORTS = frozenset(
    {"__future__", "asi_arch.mixers", "collections", "dataclasses", "einops", "functools", "math", "torch", "typing"}
)


def is_allowed(name: str, allowed: frozenset[str] = ALLOWED_IMPORTS) -> bool:
    """Whether a dotted module name is one of `allowed` or lies below one."""
    parts = name.split(".")
    return any(".".join(parts[: count + 1]) in allowed for count in range(len(parts)))


def refusal(name: str, allowed: frozenset[str] = ALLOWED_IMPORTS) -> str:
    """The sentence about a module that is not allowed."""
    return f"`{name}` may not be imported; allowed are {', '.join(sorted(allowed))}"
