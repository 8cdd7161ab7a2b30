"""The real site for the browser, with one of the two layers against strangers' HTML taken away on request.

A request with the header `X-Only: cleaning` is answered without any Content-Security-Policy; with `X-Only: frame` the
HTML of a mail is handed out as it came; with `X-Only: nothing` both. `/-frames/` shows given addresses in frames without a sandbox.
"""

from __future__ import annotations

from contextvars import ContextVar
from html import escape
from typing import Any
from urllib.parse import parse_qsl

from django.utils.safestring import SafeString

from core import html
from portal.asgi import application as site

only: ContextVar[str] = ContextVar("only", default="")
POLICIES = (b"content-security-policy", b"x-frame-options")
_clean = html.clean


def clean(page: str, *arguments: Any, **more: Any) -> str:
    """The sanitiser, unless the frame shall hold alone."""
    return SafeString(page) if only.get() in ("frame", "nothing") else _clean(page, *arguments, **more)


html.clean = clean


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """The site."""
    if scope["type"] != "http":
        await site(scope, receive, send)
        return
    asked = dict(scope["headers"]).get(b"x-only", b"").decode()
    if scope["path"] == "/-frames/":
        await frames(parse_qsl(scope["query_string"].decode()), send)
        return
    only.set(asked)

    async def answer(event: dict[str, Any]) -> None:
        if event["type"] == "http.response.start" and asked in ("cleaning", "nothing"):
            kept = [header for header in event["headers"] if header[0].lower() not in POLICIES]
            event = {**event, "headers": kept}
        await send(event)

    await site(scope, receive, answer)


async def frames(addresses: list[tuple[str, str]], send: Any) -> None:
    """A page of frames without any sandbox."""
    inner = "".join(f'<iframe src="{escape(address)}"></iframe>' for _name, address in addresses)
    body = f"<!doctype html><title>Frames</title>{inner}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
    await send({"type": "http.response.body", "body": body})
