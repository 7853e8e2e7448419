"""Who may see the pages: this machine's browser that was given the token, and no other site's script.

Pages are served on a loopback address. Every start draws a token; the address that is printed carries it once, then a
cookie does. Requests for other host names (DNS rebinding), without the cookie, or that would change something are
refused, and every answer forbids scripts and styles from anywhere else.
"""

import secrets
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import parse_qs, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})
"""Names under which the pages may be asked for, whatever the port: a tunnel may have another."""
_OPEN = "/static/"
"""Needs no token: the same files for everybody."""
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Gate:
    """ASGI middleware in front of all pages."""

    def __init__(self, app: ASGIApp, *, token: str, port: int) -> None:
        self._app = app
        self._token = token
        self._cookie = f"asi_arch_{port}"  # cookies are shared by all ports of a machine

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or hand on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = self._refusal(scope) or self._welcome(scope)
        await (answer or self._app)(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope) -> Response | None:
        """Of what nobody may ask."""
        name = Headers(scope=scope).get("host", "").rpartition(":")
        host = name[0] if name[1] and name[2].isdecimal() else "".join(name)
        if host not in HOSTS:
            return PlainTextResponse("This page is served on this machine only; ask for it as 127.0.0.1.", 421)
        if scope["method"] not in ("GET", "HEAD"):
            return PlainTextResponse("These pages can only be read.", 405, {"Allow": "GET, HEAD"})
        return None

    def _welcome(self, scope: Scope) -> Response | None:
        """A cookie for who brings the token; nothing for who has the cookie; a refusal for all others."""
        query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        if (given := query.pop("token", None)) is not None and self._is_token(given[0]):
            rest = urlencode(query, doseq=True)
            answer = RedirectResponse(f"{scope['path']}?{rest}" if rest else scope["path"], 303)
            answer.set_cookie(self._cookie, self._token, httponly=True, samesite="strict", path="/")
            return answer
        if scope["path"].startswith(_OPEN) or self._is_token(self._brought(scope)):
            return None
        text = "Open the address that 'asi-arch serve' has printed: it carries the key to these pages."
        return PlainTextResponse(text, 403)

    def _brought(self, scope: Scope) -> str:
        try:
            found = SimpleCookie(Headers(scope=scope).get("cookie", "")).get(self._cookie)
        except CookieError:
            return ""
        return found.value if found else ""

    def _is_token(self, text: str) -> bool:
        return secrets.compare_digest(text.encode(), self._token.encode())


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return sending
