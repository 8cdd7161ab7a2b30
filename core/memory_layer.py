"""The channel layer of an installation with one process."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from channels.layers import InMemoryChannelLayer

CLEAN_SECONDS = 5.0


class MemoryLayer(InMemoryChannelLayer):
    """As the library's, for thousands of sockets.

    That one looks through every channel and every group for what has expired, each time somebody sends or receives:
    a message costs as much as there are sockets. Here it looks now and then.
    """

    def __init__(self, **named: Any) -> None:
        super().__init__(**named)
        self._cleaned = 0.0

    def _clean_expired(self) -> None:
        now = time.monotonic()
        if now - self._cleaned >= CLEAN_SECONDS:
            self._cleaned = now
            super()._clean_expired()

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        """Put the message before every channel of the group. One whose queue is full misses it."""
        self.require_valid_group_name(group)
        self._clean_expired()
        until = time.time() + self.expiry
        for channel in self.groups.get(group, ()):
            queue = self.channels.get(channel)
            if queue is None:
                queue = self.channels[channel] = asyncio.Queue(maxsize=self.get_capacity(channel))
            if not queue.full():
                queue.put_nowait((until, dict(message)))
