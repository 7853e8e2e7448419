"""Work of a computation, counted operation by operation, so that it is the same on every machine.

Sees what ATen sees, forward and backward, on the CPU. Views cost nothing. An operation costs its floating-point
operations where a formula is known, else the larger of what it reads and writes; a multiply-add counts as two.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry, sdpa_backward_flop_count, sdpa_flop_count

aten = torch.ops.aten

_UNWRITTEN = frozenset({"empty", "new_empty", "empty_like", "new_empty_strided", "empty_strided", "_unsafe_view"})
_READS_A_PART = frozenset({"index", "gather", "index_select", "embedding", "take", "masked_select"})
_WRITES_A_PART = frozenset({"index_put_", "_index_put_impl_", "scatter_", "scatter_add_", "index_add_", "index_copy_"})


_BOOKKEEPING = frozenset(
    {"select_backward", "slice_backward", "add", "add_", "clone", "copy_", "zero_", "fill_", "zeros", "new_zeros"}
)
"""How autograd takes the gradients of indexing together. In a loop each step costs the full length of them."""


class _Mode(TorchDispatchMode):
    """A mode that is never compiled, and so need not import the compiler, which takes two seconds."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False


class WorkCounter(_Mode):
    """Counts calls, floating-point operations and written elements of everything that runs inside it."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.flops = 0
        self.elements = 0
        self.largest = 0
        """Elements of the largest tensor that was written."""
        self.work: Counter[str] = Counter()
        """Flops and written elements together, by the name of the operation, without the bookkeeping."""
        self.bookkeeping: Counter[str] = Counter()
        """The same of what only adds up and moves gradients, which no model can compute anything with."""
        self.is_backward = False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run the operation and count it."""
        out = func(*args, **(kwargs or {}))
        self.calls += 1
        name = func._schema.name.partition("::")[2]
        if not _is_view(func) and name not in _UNWRITTEN:
            self._add(func.overloadpacket, name, (args, kwargs or {}), out)
        return out

    def _add(self, packet: Any, name: str, given: tuple[tuple[Any, ...], dict[str, Any]], out: Any) -> None:
        args, kwargs = given
        written = sum(tensor.numel() for tensor in _tensors(out))
        if name in _WRITES_A_PART:
            written = max((tensor.numel() for tensor in _tensors(args[1:])), default=0)
        flops = _flops(packet, name, (args, kwargs), out, written)
        self.flops += flops
        self.elements += written
        kind = self.bookkeeping if self.is_backward and name in _BOOKKEEPING else self.work
        kind[name] += flops + written
        self.largest = max([self.largest, *(tensor.numel() for tensor in _tensors(out))])


class RoundingWatch(_Mode):
    """Notices when float64 is cast to fewer bits."""

    def __init__(self) -> None:
        super().__init__()
        self.has_rounded = False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run the operation and look at its precision."""
        out = func(*args, **(kwargs or {}))
        is_narrow = any(t.is_floating_point() and t.dtype is not torch.float64 for t in _tensors(out))
        if is_narrow and any(t.dtype is torch.float64 for t in _tensors(args)):
            self.has_rounded = True
        return out


def _is_view(func: Any) -> bool:
    returns = func._schema.returns
    return bool(returns) and all(r.alias_info is not None and not r.alias_info.is_write for r in returns)


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, tuple | list):
        for part in value:
            yield from _tensors(part)


def _flops(packet: Any, name: str, given: tuple[tuple[Any, ...], dict[str, Any]], out: Any, written: int) -> int:
    args, kwargs = given
    if packet in flop_registry:
        return int(flop_registry[packet](*args, **kwargs, out_val=out))
    if name in _FORMULAS:
        return int(_FORMULAS[name](args, out))
    if name in _READS_A_PART or name in _WRITES_A_PART:
        return written
    return max([written, *(tensor.numel() for tensor in _tensors(args))])


def _solve_triangular(args: tuple[Any, ...], out: Any) -> int:
    """n^2 multiply-adds, halved by the triangle, for every column."""
    return next(_tensors(out)).numel() * args[0].shape[-1]


def _cubic(factor: float) -> Callable[[tuple[Any, ...], Any], float]:
    """Dense factorisations: factor * n^3 for every matrix."""
    return lambda args, out: factor * args[0].numel() * args[0].shape[-1]


def _fft(args: tuple[Any, ...], out: Any) -> float:
    """5 n log2 n for every transform."""
    size = max(args[0].numel(), next(_tensors(out)).numel())
    return 5 * size * math.log2(max(2, max(max(args[0].shape), max(next(_tensors(out)).shape))))


def _sort(args: tuple[Any, ...], out: Any) -> float:
    return args[0].numel() * math.log2(max(2, max(args[0].shape, default=2)))


def _sdpa(args: tuple[Any, ...], out: Any) -> int:
    return sdpa_flop_count(args[0].shape, args[1].shape, args[2].shape)


def _sdpa_backward(args: tuple[Any, ...], out: Any) -> int:
    return sdpa_backward_flop_count(args[0].shape, args[1].shape, args[2].shape, args[3].shape)


_FORMULAS: dict[str, Callable[[tuple[Any, ...], Any], float]] = {
    "linalg_solve_triangular": _solve_triangular,
    "triangular_solve": lambda args, out: args[0].numel() * args[1].shape[-1],
    "linalg_inv_ex": _cubic(2.0),
    "_linalg_solve_ex": _cubic(2 / 3),
    "linalg_lu_factor_ex": _cubic(2 / 3),
    "linalg_cholesky_ex": _cubic(1 / 3),
    "linalg_qr": _cubic(2.0),
    "linalg_matrix_exp": _cubic(20.0),
    "_linalg_svd": _cubic(20.0),
    "_fft_r2c": _fft,
    "_fft_c2r": _fft,
    "_fft_c2c": _fft,
    "sort": _sort,
    "topk": _sort,
    "_scaled_dot_product_flash_attention_for_cpu": _sdpa,
    "_scaled_dot_product_flash_attention_for_cpu_backward": _sdpa_backward,
}
