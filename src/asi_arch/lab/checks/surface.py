"""Shapes and finite numbers: what any call must return."""

# B batch, T time, D width

import torch
from torch import Tensor

from asi_arch.domain.outcome import Finding
from asi_arch.lab.checks.findings import Fault, error, warning
from asi_arch.lab.checks.probe import Probe, Variant, backward, forward

_LARGE = 10.0
_EXTREME = 100.0
"""No input of an untrained model, but trained weights may bring a sum this far."""
_LARGEST_OUTPUT = 1e6
"""For ordinary input, relative to it: beyond, norms overflow in float32."""
_MAX_AUXILIARY = 1.0
"""Nats over all layers; the trainer clamps what is beyond, and nothing would be learned from it."""
_PLAIN = Variant(torch.float32)
_TRAINING = Variant(torch.float32, is_training=True)
_EVALUATION = Variant(torch.float32)


def check_shape(probe: Probe) -> list[Finding]:
    """Every batch size at the shortest lengths, every length at the largest batch; `Probe.call` does the insisting."""
    spec, context = probe.setting.spec, probe.setting.context
    lengths = sorted({1, 2, *spec.lengths, context - 1, context, context + 1})
    batches = sorted({1, *spec.batch_sizes})
    sizes = [
        (batch, length) for batch in batches for length in lengths if length in lengths[:4] or batch == batches[-1]
    ]
    for batch, length in sizes:
        probe.call(_PLAIN, probe.normal(batch, length, probe.width, stream=2, dtype=torch.float32))
    return []


def check_finite(probe: Probe) -> list[Finding]:
    """Output and gradients for ordinary, large and constant inputs; all zeros and the extreme give warnings only."""
    x = _stress(probe)
    for row, kind in enumerate(("ordinary", f"large ({_LARGE:g} times the usual size)", "constant")):
        found = _not_finite(probe, x[row : row + 1], kind)
        if found:
            return [error("finite", found, batch=1, length=x.shape[1])]
    found = _evaluated(probe, x)
    if found:
        return [error("finite", found, batch=len(x), length=x.shape[1])]
    rare = {
        "The output for an all-zero input is not finite; add a small number to the divisor.": torch.zeros_like(x[:1]),
        f"The output is not finite for input of {_EXTREME:g} times the usual size; take logarithms and exponentials of"
        " saturated gates by `logsigmoid` and `softplus`, or bound their arguments.": x[:1] * _EXTREME,
    }
    return [warning("finite", told) for told, given in rare.items() if not probe.call(_PLAIN, given).isfinite().all()]


def _evaluated(probe: Probe, x: Tensor) -> str:
    """The same without gradients, and the size of what comes out."""
    y = probe.call(_EVALUATION, x)
    if not y.isfinite().all():
        first = int((~y.isfinite()).any(-1).any(0).nonzero()[0])
        return f"The output is not finite in evaluation mode, from position {first} on; bound exponents and divisors."
    size = y[0].abs().amax().item()
    if size > _LARGEST_OUTPUT:
        return f"The output reaches {size:.1e} for ordinary input (at most {_LARGEST_OUTPUT:.0e}); normalise it."
    return ""


def check_auxiliary(probe: Probe) -> list[Finding]:
    """An auxiliary loss must be small beside the language loss, and better not be a reward."""
    x = probe.normal(2, probe.setting.context, probe.width, stream=3, dtype=torch.float32)
    extra = forward(probe.mixer(_TRAINING), x).auxiliary
    if extra is None:
        return []
    value = probe.setting.model.depth * extra.item()
    if abs(value) > _MAX_AUXILIARY:
        message = (
            f"The auxiliary losses of all layers are {value:.3g} nats, more than the {_MAX_AUXILIARY:g}, up or down,"
            " that is accepted beside the language loss; scale them down."
        )
        return [error("auxiliary", message, measured=value, limit=_MAX_AUXILIARY)]
    if value < 0:
        message = "The auxiliary loss is negative, so that it can be lowered for ever; give it a lower bound of zero."
        return [warning("auxiliary", message, measured=value, limit=0.0)]
    return []


def _stress(probe: Probe) -> Tensor:
    x = probe.normal(3, probe.setting.context, probe.width, stream=3, dtype=torch.float32)
    x[1] *= _LARGE
    x[2] = x[2, :1]
    return x


def _not_finite(probe: Probe, x: Tensor, kind: str) -> str:
    """In words, the first thing that is not finite; empty where all is well."""
    mixer = probe.mixer(_TRAINING)
    mixer.zero_grad(set_to_none=True)
    x = x.clone().requires_grad_()
    reply = forward(mixer, x)
    if not reply.y.isfinite().all():
        first = int((~reply.y.isfinite()).any(-1).any(0).nonzero()[0])
        return f"The output is not finite from position {first} on for {kind} input; bound exponents and divisors."
    if reply.auxiliary is not None and not reply.auxiliary.isfinite():
        return f"The auxiliary loss is not finite for {kind} input; bound its exponents and divisors."
    backward(reply, probe.normal(*x.shape, stream=4, dtype=torch.float32))
    gradients = {name: p.grad for name, p in mixer.named_parameters() if p.grad is not None}
    if x.grad is not None:
        gradients["input"] = x.grad
    mixer.zero_grad(set_to_none=True)
    bad = [name for name, gradient in gradients.items() if not gradient.isfinite().all()]
    if bad:
        return (
            f"The gradient of {', '.join(bad[:3])} is not finite for {kind} input;"
            " look for roots, norms, logarithms and divisions at zero and for overflowing exponents."
        )
    return ""


def check_gradient(probe: Probe) -> list[Finding]:
    """Every parameter and the input must be reached; parameters that are not are warned of."""
    variant = Variant(probe.exact, is_training=True, is_shaken=True)
    mixer = probe.mixer(variant)
    mixer.zero_grad(set_to_none=True)
    x = probe.normal(2, probe.setting.context, probe.width, stream=5, dtype=probe.exact).requires_grad_()
    backward(forward(mixer, x), probe.normal(*x.shape, stream=6, dtype=probe.exact))
    findings = [_unreached(name) for name, p in mixer.named_parameters() if not _is_reached(p.grad)]
    mixer.zero_grad(set_to_none=True)
    if not _is_reached(x.grad):
        raise Fault("No gradient reaches the input; everything below this layer would stay untrained: don't detach it.")
    return findings


def _is_reached(gradient: Tensor | None) -> bool:
    return gradient is not None and bool(gradient.any())


def _unreached(name: str) -> Finding:
    return warning("gradient", f"Parameter {name!r} receives no gradient; use it in forward or remove it.")
