"""What controller and children say to each other: frames of a JSON header and named arrays. Never pickles.

    frame = length of header (4 bytes) | length of arrays (8 bytes) | header (JSON) | arrays (safetensors)

A child is not trusted: whatever it sends is limited in size and validated; what can't be understood is `Garbled`.
"""

import json
import struct
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter, ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load, save

from asi_arch.domain.candidate import Adapter
from asi_arch.domain.outcome import CheckReport
from asi_arch.domain.profile import ModelSpec, OptimizerSpec
from asi_arch.domain.record import Record
from asi_arch.lab.checks.setting import CheckSetting
from asi_arch.lab.sandbox.attempts import Attempted, Targets

Arrays = Mapping[str, NDArray[Any]]

HEAD = struct.Struct(">IQ")
MAX_HEADER = 1 << 20
MAX_ARRAYS = 4 << 30
"""Of what the controller sends, which is trusted; a child's answers have limits of their own."""


class Garbled(Exception):
    """A frame that breaks the contract."""


class TrainJob(Record):
    """To a worker: train this. Batches follow."""

    kind: Literal["train"] = "train"
    source: str
    adapter: Adapter = Adapter.MIXER
    model: ModelSpec
    vocabulary: int
    mlp_width: int
    optimizer: OptimizerSpec
    steps: int
    seed: int
    device: str
    precision: str


class ScoreJob(Record):
    """To a scorer: build this model. Its weights follow when they are trained, then inputs."""

    kind: Literal["score"] = "score"
    source: str
    adapter: Adapter = Adapter.MIXER
    model: ModelSpec
    vocabulary: int
    mlp_width: int
    device: str
    precision: str


class Load(Record):
    """To a scorer, with the weights as arrays: take them, names and shapes exactly as the model's own."""

    kind: Literal["load"] = "load"


class CheckJob(Record):
    """To a checker."""

    kind: Literal["check"] = "check"
    source: str
    adapter: Adapter = Adapter.MIXER
    setting: CheckSetting


class CheckTrainedJob(Record):
    """To a checker, with the whole model's weights as arrays."""

    kind: Literal["check_trained"] = "check_trained"
    source: str
    adapter: Adapter = Adapter.MIXER
    setting: CheckSetting


class Tokens(Record):
    """To a worker ('inputs', 'targets' [B, T] int32) or a scorer ('inputs' only)."""

    kind: Literal["tokens"] = "tokens"


class StepReport(Record):
    """From a worker after each step; claimed, not believed."""

    kind: Literal["step"] = "step"
    loss: float
    auxiliary: float
    cpu_s: float
    """CPU time of the child's process so far."""
    wall_s: float = 0.0
    """Of this step alone, from its batch to its losses."""


class Weights(Record):
    """From a worker at the end: the state dictionary as float32 arrays."""

    kind: Literal["weights"] = "weights"
    peak_mib: float
    cpu_s: float


class Hidden(Record):
    """From a scorer: 'hidden' [B, T, D] float32, before the final norm."""

    kind: Literal["hidden"] = "hidden"
    cpu_s: float


class Report(Record):
    """From a checker."""

    kind: Literal["report"] = "report"
    report: CheckReport


class AttemptJob(Record):
    """To a child that is to try the sandbox's walls."""

    kind: Literal["attempt"] = "attempt"
    attempts: tuple[str, ...]
    """Names of `sandbox.attempts`."""
    targets: Targets


class Attempts(Record):
    """From such a child."""

    kind: Literal["attempts"] = "attempts"
    results: tuple[Attempted, ...]


class Failure(Record):
    """From any child: the candidate's code raised."""

    kind: Literal["failure"] = "failure"
    reason: str
    log: str
    is_tampering: bool = False
    """It raised nothing, but changed what it shares with its trainer."""


_ToChild = TrainJob | ScoreJob | CheckJob | CheckTrainedJob | AttemptJob | Load | Tokens
_FromChild = StepReport | Weights | Hidden | Report | Attempts | Failure
Message = _ToChild | _FromChild
_ADAPTER: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="kind")])


class Frame(NamedTuple):
    """A message with its arrays."""

    message: Message
    arrays: Arrays


def encode(message: Message, arrays: Arrays | None = None) -> bytes:
    """The frame as bytes."""
    header = message.model_dump_json().encode()
    payload = save({name: np.ascontiguousarray(array) for name, array in arrays.items()}) if arrays else b""
    return HEAD.pack(len(header), len(payload)) + header + payload


def sizes(head: bytes, max_arrays: int = MAX_ARRAYS) -> tuple[int, int]:
    """Lengths of header and arrays. Raises `Garbled` beyond the limits."""
    header, payload = HEAD.unpack(head)
    if header > MAX_HEADER or payload > max_arrays:
        raise Garbled(f"a frame of {header} + {payload} bytes is over the limit of {MAX_HEADER} + {max_arrays}")
    return header, payload


def decode(header: bytes, payload: bytes) -> Frame:
    """The frame of its two parts. Raises `Garbled` for anything that is not a known message with readable arrays."""
    try:
        message = _ADAPTER.validate_python(_finite_or_not(header))
        arrays = load(payload) if payload else {}
    except (ValidationError, ValueError, LookupError, TypeError, SafetensorError, RecursionError) as error:
        raise Garbled(f"a frame that can't be read: {str(error)[:500]}") from error
    return Frame(message, arrays)


def _finite_or_not(header: bytes) -> Any:
    """JSON with NaN and Infinity, which a diverging loss may well be."""
    return json.loads(header)
