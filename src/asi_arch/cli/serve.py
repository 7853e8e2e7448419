"""`asi-arch serve`: pages about a campaign, on this machine only."""

import secrets
import socket
import sys
import time
import webbrowser
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from asi_arch.cli import options
from asi_arch.domain.errors import UserError

HOST = "127.0.0.1"
FIRST_PORT = 8265
_TRIES = 20
_CLOSE_S = 1
"""An open page listens for ever; so long it is waited for at the end."""


_TURN_S = 0.0005
"""So long a thread has Python to itself: one that makes a page shall get it soon from one that reads a campaign."""


class ServeWish(NamedTuple):
    """What was asked for."""

    state: Path | None
    port: int | None
    """None for the first free one from `FIRST_PORT` on, 0 for any."""
    opens: bool
    """Whether a browser is to show the pages."""


def serve(wish: ServeWish) -> None:
    """Serve until Ctrl-C."""
    import uvicorn

    from asi_arch.web.literature import Literature
    from asi_arch.web.reader import Reader
    from asi_arch.web.server import application

    sys.setswitchinterval(_TURN_S)
    settings, token = options.settings(wish.state), secrets.token_urlsafe(24)
    with _listener(wish.port) as listener:
        reader = Reader(settings.state, now=time.time)
        port = int(listener.getsockname()[1])
        config = uvicorn.Config(
            application(reader, Literature(settings.papers), token=token, port=port),
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_CLOSE_S,
        )
        _announce(settings.state, f"http://{HOST}:{port}/?token={token}", wish.opens)
        with suppress(KeyboardInterrupt):  # the way to end it, which uvicorn tells again when it is done
            uvicorn.Server(config).run(sockets=[listener])


def _announce(folder: Path, address: str, opens: bool) -> None:
    console = Console(soft_wrap=True)
    console.print(f"Pages about {folder}, for this machine only:", markup=False, highlight=False)
    console.print(f"\n  {address}\n", markup=False, highlight=False)
    console.print("The address carries the key: whoever has it can read the campaign. Ctrl-C ends.", markup=False)
    if opens:
        webbrowser.open(address)


def _listener(port: int | None) -> socket.socket:
    """A bound socket. Raises `UserError` where the port, or every one that was tried, is taken."""
    reason = ""
    for tried in [port] if port is not None else range(FIRST_PORT, FIRST_PORT + _TRIES):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, tried))
        except OSError as error:
            listener.close()
            reason = error.strerror or str(error)
        else:
            return listener
    asked = f"port {port}" if port is not None else f"every port from {FIRST_PORT} to {FIRST_PORT + _TRIES - 1}"
    raise UserError(f"{asked} can't be used ({reason}); choose another with --port, or 0 for any that is free")
