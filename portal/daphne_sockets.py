"""What Daphne's sockets do not do by themselves, and has no setting."""

from __future__ import annotations

import time
from typing import Any

from daphne.ws_protocol import WebSocketProtocol

PINGS = 5
"""A second, and four times as many in a burst."""


def mend() -> None:
    """Have sockets closed with the code that is asked for, and floods of pings dropped. Safe to call again."""
    if getattr(WebSocketProtocol, "guichet_mended", False):
        return
    _close_with_any_code()
    _limit_pings()
    WebSocketProtocol.guichet_mended = True


def _close_with_any_code() -> None:
    """Autobahn raises for the codes of RFC 6455, 7.4.1 (1001, 1008, 1009, 1012).

    The consumer would fall in the middle of closing and never give its place up, so that whoever breaks rules often
    enough locks all others out (S-76).
    """

    def server_close(self: Any, code: int | None = None) -> None:
        self.sendCloseFrame(code=1000 if code is None else code)

    WebSocketProtocol.serverClose = server_close


def _limit_pings() -> None:
    """Browsers never ping: a flood would be answered one by one, and the answers kept for who reads none (S-76)."""
    answer = WebSocketProtocol.onPing

    def on_ping(self: Any, payload: bytes) -> None:
        now = time.monotonic()
        left, at = getattr(self, "guichet_ping_tokens", (4.0 * PINGS, now))
        left = min(4.0 * PINGS, left + (now - at) * PINGS) - 1
        self.guichet_ping_tokens = left, now
        if left < 0:
            self.dropConnection(abort=True)
        else:
            answer(self, payload)

    WebSocketProtocol.onPing = on_ping
