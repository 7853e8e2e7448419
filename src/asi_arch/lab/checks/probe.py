"""The candidate under test: building it, calling it, and telling its faults from ours."""

# B batch, T time, D width

import re
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from functools import cached_property
from types import TracebackType
from typing import NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from asi_arch.lab.checks.counting import RoundingWatch, WorkCounter
from asi_arch.lab.checks.findings import Fault
from asi_arch.lab.checks.setting import CheckSetting
from asi_arch.lab.checks.surroundings import Surroundings
from asi_arch.lab.imports import ALLOWED_IMPORTS
from asi_arch.lab.loading import FILE_NAME
from asi_arch.mixers.model import Block, LanguageModel, build_mixer, seed_cpu

Arrays = Mapping[str, NDArray[np.float32]]

EXACT_TOLERANCE = 1e-9
"""Relative to the size of the output, in float64. Rounding stays below 1e-12; a leak this small is worth nothing."""
ROUNDED_TOLERANCE = (1e-5, 1e-3)
"""Bounds of the calibrated tolerance in float32."""
_SHAKES = (1.0, 0.2, 0.04)
_EXPLODED = 1e6
_NARROW = 8
"""Width of the MLP where only the mixers are looked at."""


class Variant(NamedTuple):
    """Under which conditions a mixer is called. Training mode records gradients, evaluation mode does not."""

    dtype: torch.dtype
    is_training: bool = False
    is_shaken: bool = False
    """Parameters moved from their initial values, because a gate that starts closed hides what is behind it."""
    layer: int = 0

    def __str__(self) -> str:
        mode = "training" if self.is_training else "evaluation"
        moved = " with parameters moved from their initial values" if self.is_shaken else ""
        return f"{str(self.dtype).removeprefix('torch.')}, {mode} mode, layer {self.layer}{moved}"


class Reply(NamedTuple):
    """What `forward` returned: [B, T, D], and a scalar where it gave one."""

    y: Tensor
    auxiliary: Tensor | None


class Probe:
    """One candidate, with everything that several checks share. Deterministic: all inputs come from fixed seeds."""

    def __init__(
        self,
        source: str,
        setting: CheckSetting,
        *,
        load: Callable[[str], type[nn.Module]],
        surroundings: Surroundings,
        seed: int,
        allowed_imports: frozenset[str] | None = ALLOWED_IMPORTS,
        weights: Arrays | None = None,
    ) -> None:
        """`weights` are the whole model's after training; without them parameters are as the candidate starts them."""
        self.source = source
        self.setting = setting
        self.surroundings = surroundings
        self.allowed_imports = allowed_imports
        self.counts: dict[int, WorkCounter] = {}
        """Work of one layer by length; filled by the check of growth."""
        self.weights = weights or {}
        self.is_stochastic = False
        """Whether training mode uses randomness, as dropout does. Found by the check of repeatability."""
        self._load = load
        self._seed = seed
        self._mixers: dict[Variant, nn.Module] = {}
        self._tolerances: dict[Variant, float] = {}

    @cached_property
    def mixer_class(self) -> type[nn.Module]:
        """The candidate's class; raises what the loader raises."""
        return self._load(self.source)

    def reloaded(self) -> "Probe":
        """The same candidate loaded anew, which has not seen any input."""
        return Probe(
            self.source,
            self.setting,
            load=self._load,
            surroundings=self.surroundings,
            seed=self._seed,
            allowed_imports=self.allowed_imports,
            weights=self.weights,
        )

    @property
    def width(self) -> int:
        """D."""
        return self.setting.model.width

    def build(self, layer: int = 0) -> nn.Module:
        """A new mixer in float32 with its initial parameters, or the trained ones where there are any."""
        model = self.setting.model
        with candidate_code("the constructor", {"width": model.width, "heads": model.heads, "layer": layer}):
            mixer = build_mixer(self.mixer_class, model, layer, self._seed)
        if self.weights:
            _fitted(mixer, self.weights, prefix=f"blocks.{layer}.mixer.")
        return mixer

    def mixer(self, variant: Variant) -> nn.Module:
        """The mixer of this variant, always the same object. Trained parameters are never moved."""
        variant = variant._replace(is_shaken=variant.is_shaken and not self.weights)
        if variant not in self._mixers:
            mixer = self.build(variant.layer)
            self._shake(mixer, variant)
            self._mixers[variant] = mixer.to(variant.dtype).train(variant.is_training)
        return self._mixers[variant]

    def normal(self, *shape: int, stream: int, dtype: torch.dtype) -> Tensor:
        """Standard normal numbers; equal for equal `stream` and shape, in either precision."""
        generator = torch.Generator().manual_seed(self._seed + stream)
        return torch.randn(shape, generator=generator).to(dtype)

    def call(self, variant: Variant, x: Tensor, *, seed: int = 0) -> Tensor:
        """The output for `x` [B, T, D], without its graph."""
        with torch.set_grad_enabled(variant.is_training):
            return forward(self.mixer(variant), x, seed=seed).y.detach()

    @cached_property
    def exact(self) -> torch.dtype:
        """Float64 where the candidate can compute in it, else float32."""
        variant = Variant(torch.float64)
        try:
            self.call(variant, self.normal(2, 8, self.width, stream=0, dtype=torch.float64))
        except Fault:
            return torch.float32
        return torch.float64

    @cached_property
    def rounds_inside(self) -> bool:
        """Whether a float64 input is cast to fewer bits on its way."""
        x = self.normal(1, self.setting.context, self.width, stream=0, dtype=torch.float64)
        with RoundingWatch() as watch:
            self.call(Variant(torch.float64), x)
        return watch.has_rounded

    def tolerance(self, variant: Variant) -> float:
        """How much outputs may differ for reasons of rounding, relative to their size.

        In float32 it is eight times the effect of changing every input by one part in four million, within bounds.
        """
        if variant.dtype is torch.float64 and not self.rounds_inside:
            return EXACT_TOLERANCE
        if variant not in self._tolerances:
            self._tolerances[variant] = self._calibrate(variant)
        return self._tolerances[variant]

    def _calibrate(self, variant: Variant) -> float:
        x = self.normal(1, self.setting.context, self.width, stream=0, dtype=variant.dtype)
        signs = self.normal(1, self.setting.context, self.width, stream=1, dtype=variant.dtype).sign()
        y, nudged = self.call(variant, torch.cat([x, x * (1 + 2**-22 * signs)]))
        effect = ((y - nudged).abs().amax() / y.abs().amax().clamp_min(1e-30)).item()
        low, high = ROUNDED_TOLERANCE
        return min(max(8 * effect, low), high) if effect == effect else high

    def model(self, *, seed: int | None = None, is_shaken: bool = False) -> LanguageModel:
        """A new whole model in float32, trained where there are weights."""
        arrays, spec = self.weights, self.setting.model
        vocabulary, mlp_width = _widths(arrays) if arrays else (self.setting.vocabulary, _NARROW)
        with candidate_code("the constructor", {"width": spec.width, "heads": spec.heads}):
            model = LanguageModel(
                self.mixer_class,
                spec,
                vocabulary=vocabulary,
                mlp_width=mlp_width,
                seed=self._seed if seed is None else seed,
            )
        if arrays:
            _fitted(model, arrays)
        for layer, block in enumerate(model.blocks):
            self._shake(cast(Block, block).mixer, Variant(torch.float32, is_shaken=is_shaken, layer=layer))
        return model

    def _shake(self, mixer: nn.Module, variant: Variant) -> None:
        """Move all parameters where the variant asks for it, less strongly where the output would explode."""
        if not variant.is_shaken or self.weights:
            return
        initial = {name: parameter.detach().clone() for name, parameter in mixer.named_parameters()}
        x = self.normal(1, self.setting.context, self.width, stream=0, dtype=torch.float32)
        for strength in _SHAKES:
            generator = torch.Generator().manual_seed(self._seed)
            with torch.no_grad():
                for name, value in initial.items():
                    mixer.get_parameter(name).copy_(_moved(value, strength, generator))
                size = forward(mixer, x).y.abs().amax().item()
            if size < _EXPLODED:
                return


def _widths(arrays: Arrays) -> tuple[int, int]:
    """Vocabulary and width of the MLP of trained weights. Raises `Fault` where they belong to no model of ours."""
    for name in ("embedding.weight", "blocks.0.mlp.down.weight"):
        if name not in arrays or arrays[name].ndim != 2:
            raise Fault(f"The trained weights have no matrix {name!r}; they are not those of a whole model.")
    return len(arrays["embedding.weight"]), arrays["blocks.0.mlp.down.weight"].shape[1]


def _fitted(module: nn.Module, arrays: Arrays, *, prefix: str = "") -> None:
    """Load trained weights. Raises `Fault` where they don't fit."""
    try:
        take_state(module, arrays, prefix=prefix)
    except RuntimeError as problem:
        reason = str(problem).splitlines()[-1].strip()[:200]
        raise Fault(f"The trained weights don't fit a new model: {reason}") from problem


def take_state(module: nn.Module, arrays: Arrays, *, prefix: str = "") -> None:
    """Load arrays by their names below `prefix`, strictly. Raises `RuntimeError` for other names or shapes."""
    own = module.state_dict()
    state = {name[len(prefix) :]: torch.tensor(array) for name, array in arrays.items() if name.startswith(prefix)}
    cast_state = {name: value.to(own[name].dtype) if name in own else value for name, value in state.items()}
    module.load_state_dict(cast_state, strict=True)


def forward(mixer: nn.Module, x: Tensor, *, seed: int = 0) -> Reply:
    """Call the mixer on `x` [B, T, D] and insist on the shape, type and parts of its answer. Raises `Fault`."""
    seed_cpu(seed)
    sizes = {"batch": x.shape[0], "length": x.shape[1], "width": x.shape[2]}
    with candidate_code("forward", sizes):
        answer = mixer(x)
    reply = _parts(answer, sizes)
    if reply.y.shape != x.shape:
        raise Fault(
            f"forward returned the shape {list(reply.y.shape)} for an input of shape {list(x.shape)};"
            " input and output must have the same shape [batch, time, width].",
            sizes=sizes,
        )
    if reply.y.layout != x.layout or reply.y.device != x.device:
        raise Fault("forward returned a sparse tensor or one on another device; return a plain one.", sizes=sizes)
    if reply.y.dtype != x.dtype:
        raise Fault(
            f"forward returned {reply.y.dtype} for an input of {x.dtype}; cast the result back with `.to(x.dtype)`.",
            sizes=sizes,
        )
    return reply


def backward(reply: Reply, weights: Tensor) -> None:
    """Gradients of the sum of the output times `weights` [B, T, D], auxiliary loss included. Raises `Fault`."""
    loss = (reply.y * weights).sum()
    if reply.auxiliary is not None:
        loss = loss + reply.auxiliary
    sizes = {"batch": weights.shape[0], "length": weights.shape[1]}
    if not loss.requires_grad:
        raise Fault(
            "The output has no gradient: don't compute it under `torch.no_grad()` or from `.detach()`ed tensors only.",
            sizes=sizes,
        )
    with candidate_code("the backward pass", sizes):
        loss.backward()


def _parts(answer: object, sizes: dict[str, int]) -> Reply:
    y, auxiliary = answer if isinstance(answer, tuple) and len(answer) == 2 else (answer, None)
    if not isinstance(y, Tensor) or not isinstance(auxiliary, Tensor | None):
        what = (
            f"a tuple of {len(answer)}" if isinstance(answer, tuple) else f"an object of type {type(answer).__name__}"
        )
        raise Fault(
            f"forward returned {what}; return a tensor [batch, time, width], or a tuple (output, auxiliary loss).",
            sizes=sizes,
        )
    if auxiliary is not None and (auxiliary.numel() != 1 or not auxiliary.is_floating_point()):
        raise Fault(
            f"The second part of forward's result has the shape {list(auxiliary.shape)};"
            " an auxiliary loss must be one floating-point number.",
            sizes=sizes,
        )
    return Reply(y, auxiliary if auxiliary is None else auxiliary.reshape(()))


def _moved(value: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Constant tensors become random, others get a fifth of their spread as noise (at strength one)."""
    noise = torch.randn(value.shape, generator=generator).to(value.dtype)
    spread = value.std().item() if value.numel() > 1 else 0.0
    if spread > 1e-3 * max(value.abs().mean().item(), 1e-12):
        return value + 0.2 * strength * spread * noise
    return 0.5 * noise if strength == 1.0 else value + 0.5 * strength * noise


@contextmanager
def candidate_code(what: str, sizes: dict[str, int]) -> Generator[None, None, None]:
    """The wall between the candidate's mistakes and ours: whatever is raised inside becomes a `Fault`."""
    try:
        yield
    except (Exception, SystemExit) as cause:
        line = candidate_line(cause.__traceback__)
        place = f" at line {line}" if line is not None else ""
        given = ", ".join(f"{name} {size}" for name, size in sizes.items())
        raise Fault(
            f"{what[0].upper()}{what[1:]} raised {type(cause).__name__}{place} for {given}: {first_line(cause)}",
            line=line,
            sizes=sizes,
        ) from cause


def first_line(cause: BaseException) -> str:
    """Of its message, without addresses and of bounded length."""
    text = re.sub(r"0x[0-9a-f]+", "0x...", str(cause).strip())
    return text.splitlines()[0][:300] if text else "no message"


def candidate_line(traceback: TracebackType | None) -> int | None:
    """The innermost line of the candidate's source, None where it took no part."""
    line = None
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == FILE_NAME:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line
