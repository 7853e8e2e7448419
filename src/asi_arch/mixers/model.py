"""The language model around a mixer: embedding, N x [norm, mixer, norm, SwiGLU], norm, tied head.

Legend: B batch, T time, D width, V vocabulary. Every part starts from its own seed, derived from the run's seed and the
part's name, so that two models with different mixers share the start of all that they share.
"""

import hashlib
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from asi_arch.domain.profile import ModelSpec
from asi_arch.mixers.feed_forward import SwiGLU, cross_entropy
from asi_arch.mixers.nn import RMSNorm

NORM_EPS = 1e-5
"""Of every norm that is ours; the trusted side needs it for the final one."""
IGNORED = -1
"""A target that is not scored."""


class LanguageModel(nn.Module):
    """`embedding.weight` [V, D] is also the head; `norm.weight` [D] belongs to the final norm."""

    def __init__(self, mixer_class: type[nn.Module], spec: ModelSpec, *, vocabulary: int, mlp_width: int, seed: int):
        """Build and initialise. Leaves the global random state at a seed derived from `seed`."""
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, spec.width)
        self.blocks = nn.ModuleList(
            Block(build_mixer(mixer_class, spec, layer, seed), spec.width, mlp_width) for layer in range(spec.depth)
        )
        self.norm = RMSNorm(spec.width, NORM_EPS)
        self._initialise(seed)
        torch.manual_seed(derived_seed(seed, "training"))

    def _initialise(self, seed: int) -> None:
        generator = torch.Generator().manual_seed(derived_seed(seed, "embedding"))
        # Tied to the head, which sees states of norm sqrt(D): logits start with a standard deviation of 1.
        nn.init.normal_(self.embedding.weight, std=self.embedding.embedding_dim**-0.5, generator=generator)
        for layer, block in enumerate(self.blocks):
            generator = torch.Generator().manual_seed(derived_seed(seed, f"mlp {layer}"))
            cast(Block, block).initialise_mlp(len(self.blocks), generator)

    def hidden(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Final hidden states before the final norm [B, T, D], and the sum of the mixers' auxiliary losses."""
        x = self.embedding(tokens)
        auxiliary = x.new_zeros(())
        for block in self.blocks:
            x, extra = block(x)
            auxiliary = auxiliary if extra is None else auxiliary + extra
        return x, auxiliary

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits [B, T, V] of [B, T] tokens."""
        return self.norm(self.hidden(tokens)[0]) @ self.embedding.weight.T

    def loss(self, tokens: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Mean cross-entropy in nats over the targets [B, T] that are not -1, and the auxiliary loss.

        Only scored positions reach the head. NaN where no target is scored.
        """
        x, auxiliary = self.hidden(tokens)
        x, targets = x.flatten(0, 1), targets.flatten()
        scored = (targets != IGNORED).nonzero().squeeze(1)
        if scored.shape[0] < targets.shape[0]:
            x, targets = x.index_select(0, scored), targets.index_select(0, scored)
        return cross_entropy(self.norm(x), self.embedding.weight, targets), auxiliary


class Block(nn.Module):
    """x + mixer(norm(x)), then x + SwiGLU(norm(x))."""

    def __init__(self, mixer: nn.Module, width: int, mlp_width: int):
        super().__init__()
        self.mixer_norm = RMSNorm(width, NORM_EPS)
        self.mixer = mixer
        self.mlp_norm = RMSNorm(width, NORM_EPS)
        self.mlp = SwiGLU(width, mlp_width)

    def initialise_mlp(self, depth: int, generator: torch.Generator) -> None:
        """Normal with std 1 / sqrt(fan in); the projection back to the stream smaller by sqrt(2 depth)."""
        up, down = self.mlp.gate_up.weight, self.mlp.down.weight
        nn.init.normal_(up, std=up.shape[1] ** -0.5, generator=generator)
        nn.init.normal_(down, std=(2 * depth * down.shape[1]) ** -0.5, generator=generator)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """[B, T, D] -> [B, T, D] and the mixer's auxiliary loss, None where it has none."""
        mixed = self.mixer(self.mixer_norm(x))
        auxiliary = None
        if isinstance(mixed, tuple):
            mixed, auxiliary = mixed
        x = x + mixed
        return x + self.mlp(self.mlp_norm(x)), auxiliary


def seed_cpu(seed: int) -> None:
    """What `torch.manual_seed` does for the CPU; for GPUs that are not in use it would format a stack at each call."""
    torch.default_generator.manual_seed(seed)


def derived_seed(seed: int, name: str) -> int:
    """A seed of 63 bits for one named part of a run."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{name}".encode()).digest()[:8], "big") >> 1


def build_mixer(mixer_class: type[nn.Module], spec: ModelSpec, layer: int, seed: int) -> nn.Module:
    """One layer's mixer, drawn from its own seed; the global random state is left as it was."""
    with torch.random.fork_rng(devices=[]):
        seed_cpu(derived_seed(seed, f"mixer {layer}"))
        return mixer_class(spec.width, spec.heads, layer)


class MlpFit(NamedTuple):
    """Hidden width of the SwiGLU, and the parameters of the whole model with it."""

    width: int
    parameters: int


_NARROWEST = 8


def mixer_parameters(mixer_class: type[nn.Module], spec: ModelSpec) -> int:
    """Parameters of the mixers of all layers; builds one layer at a time."""
    layers = (build_mixer(mixer_class, spec, layer, 0) for layer in range(spec.depth))
    return sum(parameter.numel() for layer in layers for parameter in layer.parameters())


def count_parameters(*, mixer_parameters: int, spec: ModelSpec, vocabulary: int, mlp_width: int) -> int:
    """Parameters of a `LanguageModel` without building it: mixers, embedding, norms and SwiGLUs."""
    own = vocabulary * spec.width + (2 * spec.depth + 1) * spec.width
    return mixer_parameters + own + spec.depth * 3 * spec.width * mlp_width


def fit_mlp_width(
    *, mixer_parameters: int, target_parameters: int, spec: ModelSpec, vocabulary: int, tolerance: float
) -> MlpFit:
    """The hidden width that brings the model closest to `target_parameters`.

    Raises `ValueError` with the numbers where no width of at least 8 comes within the relative `tolerance`.
    """
    without = count_parameters(mixer_parameters=mixer_parameters, spec=spec, vocabulary=vocabulary, mlp_width=0)
    step = 3 * spec.width * spec.depth
    width = max(_NARROWEST, round((target_parameters - without) / step))
    fit = MlpFit(width, without + step * width)
    if abs(fit.parameters - target_parameters) > tolerance * target_parameters:
        raise ValueError(
            f"the mixers' {mixer_parameters} parameters can't be matched to {target_parameters} within {tolerance:.1%}:"
            f" an MLP of width {width} (at least {_NARROWEST}) gives {fit.parameters}"
        )
    return fit
