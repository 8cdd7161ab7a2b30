"""What all sockets of browsers have in common: frames are few, short, and ask for one of the few things a page may."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar, Self

from channels.consumer import get_handler_name
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.layers import get_channel_layer

FRAMES = 20
"""Frames a second, and as many again in a burst."""

GOING_AWAY, POLICY, TOO_BIG, TOKEN, FORBIDDEN = 1001, 1008, 1009, 4401, 4403
"""Close codes: RFC 6455 section 7.4.1, and our own above 4000."""


class BrowserSocket(AsyncWebsocketConsumer):
    """One browser tab. What breaks the rules ends the connection (S-74, S-76)."""

    frame_most: ClassVar[int]
    """Bytes of a frame."""
    actions: ClassVar[Mapping[str, Callable[[Any, dict[str, Any]], Awaitable[None]]]]
    """All that a page may ask for. What it writes never names a handler, a group or a class."""

    def __init__(self, *values: Any, **named: Any) -> None:
        super().__init__(*values, **named)
        self._tokens, self._filled = float(2 * FRAMES), time.monotonic()

    async def __call__(
        self, scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        """Take frames and hints one at a time: as the library's, which makes new tasks for each of them."""
        self.scope, self.base_send = scope, send
        self.channel_layer = get_channel_layer(self.channel_layer_alias)
        self.channel_name = await self.channel_layer.new_channel()
        self._turn = asyncio.Lock()
        frames, hints = asyncio.current_task(), asyncio.create_task(self._hear_hints())

        def end(_hints: asyncio.Task[None]) -> None:
            if frames is not None:
                frames.cancel()

        hints.add_done_callback(end)
        try:
            while True:
                frame = await receive()
                async with self._turn:
                    await self.dispatch(frame)
        except StopConsumer:
            return
        except asyncio.CancelledError:
            if hints.done():
                hints.result()  # what ended it is why we end
            raise
        finally:
            hints.remove_done_callback(end)
            hints.cancel()
            await asyncio.wait([hints])  # it gives its channel back to the layer

    async def _hear_hints(self) -> None:
        while True:
            hint = await self.channel_layer.receive(self.channel_name)
            async with self._turn:
                await self.dispatch(hint)

    async def dispatch(self, message: dict[str, Any]) -> None:
        """As the library's, which before each message goes to a thread to close connections that got old.

        All sockets share that one thread, and none of them uses a connection of its own: it is a queue for nothing.
        """
        handler = getattr(self, get_handler_name(message), None)
        if handler is None:
            raise ValueError(f"no handler for {message['type']}")
        await handler(message)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Do what the frame asks for."""
        now = time.monotonic()
        self._tokens = min(2.0 * FRAMES, self._tokens + (now - self._filled) * FRAMES) - 1
        self._filled = now
        if bytes_data is not None or text_data is None or len(text_data.encode("utf-8", "replace")) > self.frame_most:
            await self.close(TOO_BIG)
            return
        if self._tokens < 0:
            await self.close(POLICY)
            return
        try:
            asked = json.loads(text_data)
        except (ValueError, RecursionError):
            asked = None
        wanted = asked.get("do") if isinstance(asked, dict) else None
        action = self.actions.get(wanted) if isinstance(wanted, str) else None
        if action is None or not self.may(action):
            await self.close(POLICY)
            return
        await action(self, asked)

    async def refuse(self, why: str, user: Any = None) -> None:
        """Do not let it in; who and why stand in the audit log, see `portal.security.Refusals`."""
        self.scope.get("refusal", {}).update(why=why, user=user)
        await self.close(FORBIDDEN)

    def may(self, action: Callable[[Self, dict[str, Any]], Awaitable[None]]) -> bool:
        """Whether this socket is so far that it may do that."""
        return True
