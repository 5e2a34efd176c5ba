"""Security headers on every answer, and no action in our name by another site's page."""

from typing import Final
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloud.api.problems import answer

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]", "testserver")
READING: Final = ("GET", "HEAD", "OPTIONS")
FOR_EVER: Final = "max-age=31536000, immutable"


class Guard:
    """Plain ASGI, so that a live stream passes through it unbuffered.

    Without sign-in the border is the machine: a Host that is not loopback is a rebound name, and a browser says in
    Sec-Fetch-Site when another site's page asks.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if refusal := _refusal(scope):
            await answer(403, "foreign_page", refusal)(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add_headers(scope, MutableHeaders(scope=message))
            await send(message)

        await self._app(scope, receive, send_guarded)


def _refusal(scope: Scope) -> str | None:
    headers = Headers(scope=scope)
    host = headers.get("host", "").rsplit(":", 1)[0] if not headers.get("host", "").endswith("]") else headers["host"]
    if host not in LOOPBACK:
        return f"the host {host!r} is not this machine: there is no sign-in yet, so only loopback is served"
    if scope["method"] not in READING and headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        return "this request comes from another site's page"
    return None


def _add_headers(scope: Scope, headers: MutableHeaders) -> None:
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    if scope["path"].startswith("/static/"):
        is_versioned = "v" in parse_qs(scope["query_string"].decode("latin-1"))
        headers["Cache-Control"] = FOR_EVER if is_versioned else "no-cache"
