"""A child's end of its conversation: blocking frames over its one socket."""

import socket

from asi_arch.lab.contract import HEAD, Arrays, Frame, Message, decode, encode, sizes


class Hangup(Exception):
    """The controller closed the conversation."""


class Channel:
    """Blocking frames over a connected stream socket."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._file = connection.makefile("rb", buffering=1 << 16)

    def send(self, message: Message, arrays: Arrays | None = None) -> None:
        """Send one frame. Raises `Hangup` when nobody listens any more."""
        try:
            self._socket.sendall(encode(message, arrays))
        except OSError as error:
            raise Hangup from error

    def receive(self) -> Frame:
        """The next frame. Raises `Hangup` at the end."""
        header, payload = sizes(self._exactly(HEAD.size))
        return decode(self._exactly(header), self._exactly(payload))

    def wait_for_hangup(self) -> None:
        """Read and forget until the controller hangs up.

        Who exits with unread batches makes the controller's next write fail, and what was said last is lost with it.
        """
        while self._file.read(1 << 16):
            continue

    def _exactly(self, count: int) -> bytes:
        content = self._file.read(count)
        if len(content) < count:
            raise Hangup
        return content
