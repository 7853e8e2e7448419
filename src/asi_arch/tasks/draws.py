"""Counter-based random numbers that stay the same on every machine and under every version of NumPy.

NumPy promises stable streams for its bit generators only, not for `Generator`'s methods, so the few distributions
that are needed are derived from raw 64-bit words here.
"""

import hashlib
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from asi_arch.domain.profile import Split

_WORD = 2**64 - 1


class Purpose(str, Enum):
    """What a stream is for. Streams of different purposes have different Philox keys and so never meet."""

    TRAIN = "train"
    VALIDATION = "validation"
    FRESH = "fresh"
    VAULT = "vault"

    @classmethod
    def of(cls, split: Split) -> "Purpose":
        """The stream that a held-out split is drawn from."""
        return cls(split.value)


class Draws:
    """The random stream of (label, purpose, seed, step): Philox, keyed by the first three and counted from the last."""

    def __init__(self, label: str, purpose: Purpose, *, seed: int = 0, step: int = 0) -> None:
        digest = hashlib.sha256(f"{label}\0{purpose.value}".encode()).digest()
        key = np.array([int.from_bytes(digest[:8], "little"), seed & _WORD], dtype=np.uint64)
        self._bits = np.random.Philox(key=key, counter=np.array([0, step & _WORD, 0, 0], dtype=np.uint64))

    def integers(self, high: int | NDArray[np.int64], shape: tuple[int, ...]) -> NDArray[np.int64]:
        """Uniform integers in [0, high); `high` may be an array that broadcasts against `shape`.

        The bias of the remainder is below high / 2**64.
        """
        return (self._words(shape) % np.asarray(high, dtype=np.uint64)).astype(np.int64)

    def permutations(self, rows: int, size: int) -> NDArray[np.int64]:
        """[rows, size]: an independent uniform permutation of 0 .. size - 1 in every row."""
        return np.argsort(self._words((rows, size)), axis=1, kind="stable").astype(np.int64)

    def _words(self, shape: tuple[int, ...]) -> NDArray[np.uint64]:
        return np.reshape(self._bits.random_raw(int(np.prod(shape))), shape)
