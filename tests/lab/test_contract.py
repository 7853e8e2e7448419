import struct

import numpy as np
import pytest

from asi_arch.lab.contract import HEAD, Garbled, Hidden, StepReport, decode, encode, sizes


def _split(frame: bytes) -> tuple[bytes, bytes]:
    header, payload = sizes(frame[: HEAD.size])
    body = frame[HEAD.size :]
    assert len(body) == header + payload
    return body[:header], body[header:]


def test_a_frame_survives_the_way() -> None:
    arrays = {"hidden": np.arange(12, dtype=np.float32).reshape(3, 4).T}
    frame = decode(*_split(encode(Hidden(cpu_s=1.5), arrays)))
    assert frame.message == Hidden(cpu_s=1.5)
    np.testing.assert_array_equal(frame.arrays["hidden"], arrays["hidden"])


@pytest.mark.parametrize("loss", [float("nan"), float("inf"), float("-inf")])
def test_a_loss_that_is_not_finite_can_be_told(loss: float) -> None:
    message = decode(*_split(encode(StepReport(loss=loss, auxiliary=0.0, cpu_s=0.0)))).message
    assert isinstance(message, StepReport)
    assert np.array_equal(message.loss, loss, equal_nan=True)


@pytest.mark.parametrize(
    ("header", "payload"),
    [
        (b"", b""),
        (b"not json", b""),
        (b"[]", b""),
        (b'{"kind": "unknown"}', b""),
        (b'{"kind": "step"}', b""),
        (b'{"kind": "hidden", "cpu_s": 1, "extra": 2}', b""),
        (b'{"kind": "hidden", "cpu_s": 1}', b"not safetensors"),
        (b"[" * 100_000, b""),
        (b"\xff\xfe", b""),
    ],
)
def test_rubbish_is_garbled_and_nothing_else(header: bytes, payload: bytes) -> None:
    with pytest.raises(Garbled):
        decode(header, payload)


def test_a_frame_beyond_the_limit_is_refused_before_it_is_read() -> None:
    with pytest.raises(Garbled, match="over the limit"):
        sizes(struct.pack(">IQ", 10, 1 << 60))
