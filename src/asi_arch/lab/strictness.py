"""What the trusted side insists on before it uses a worker's weights; the rest is the scorer's strict loading."""

import numpy as np

from asi_arch.lab.contract import Arrays


def complaint_about(weights: Arrays, *, vocabulary: int, width: int) -> str:
    """Why head, final norm or any other array can't be used; empty where nothing is wrong."""
    for name, shape in {"embedding.weight": (vocabulary, width), "norm.weight": (width,)}.items():
        found = weights[name].shape if name in weights else None
        if found != shape:
            return f"'{name}' must have the shape {shape}, got {found}"
    for name, array in weights.items():
        if array.dtype != np.float32:
            return f"'{name}' must be float32, got {array.dtype}"
        if not np.isfinite(array).all():
            return f"'{name}' is not finite"
    return ""
