"""Gives the sockets of one process what is new to their visitors: many sockets, few statements."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.utils import translation

from crm.service.models import Ticket
from inbox.channels.chat import database, events
from inbox.models import Channel, Conversation, VisitorKey
from inbox.services import chats, presence

if TYPE_CHECKING:
    from inbox.channels.chat.consumer import VisitorConsumer

log = logging.getLogger(__name__)

AT_ONCE = 200
DUTY_SECONDS = 2.0
_duties: dict[int, tuple[float, str]] = {}


def duty_of(channel: Channel) -> str:
    """As `presence.duty`, for the crowd that comes back after a restart: at most two seconds old."""
    known = _duties.get(channel.pk)
    now = time.monotonic()
    if known is None or now - known[0] > DUTY_SECONDS:
        known = _duties[channel.pk] = now, presence.duty(channel.queue)
    return known[1]


def news(behind: dict[int, dict[str, int]]) -> dict[int, list[tuple[str, dict[str, Any]]]]:
    """By key of the talk, and for each language its visitors read: events above the number, and the state.

    `behind` has for each talk the number that its slowest socket has reached, by language.
    """
    talks = list(
        Conversation.objects.filter(pk__in=behind).select_related("ticket__assignee", "visitor").order_by("pk")
    )
    places = chats.places_in_line(talks)
    found: dict[int, list[tuple[str, dict[str, Any]]]] = {talk.pk: [] for talk in talks}
    for language in {name for names in behind.values() for name in names}:
        these = [talk for talk in talks if language in behind[talk.pk]]
        with translation.override(language):
            said = events.of_talks({talk.pk: behind[talk.pk][language] for talk in these}, these)
            for talk in these:
                state = events.state_of(talk, "", places.get(talk.pk, 0))
                found[talk.pk].append((language, {**events.given(talk, said[talk.pk]), **state}))
    return found


def heights(tickets: Iterable[int]) -> dict[int, int]:
    """The sequence numbers that these tickets have reached."""
    return dict(Ticket.objects.filter(pk__in=list(tickets)).values_list("pk", "sequence"))


def still_good(keys: Iterable[int]) -> set[int]:
    """Those tokens that have not ended, of channels that are active."""
    rows = VisitorKey.objects.filter(pk__in=list(keys), visitor__channel__active=True)
    return set(rows.values_list("pk", flat=True))


def present(channels: Iterable[int]) -> dict[int, tuple[Channel, str]]:
    """Those of these channels that are active, as they are set up now, each with its duty."""
    rows = Channel.objects.select_related("queue__hours").filter(pk__in=list(channels), active=True)
    return {channel.pk: (channel, duty_of(channel)) for channel in rows}


class Pump:
    """Collects sockets that are behind, and fetches for all of them together while one fetch is under way."""

    def __init__(self) -> None:
        self._behind: set[VisitorConsumer] = set()
        self._task: asyncio.Task[None] | None = None

    def ask(self, socket: VisitorConsumer) -> None:
        """Have this socket given what is new, soon."""
        self._behind.add(socket)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while self._behind:
            batch = [self._behind.pop() for _ in range(min(AT_ONCE, len(self._behind)))]
            wanted: dict[int, dict[str, int]] = {}
            for socket in batch:
                languages = wanted.setdefault(socket.talk, {})
                languages[socket.language] = min(socket.reached, languages.get(socket.language, socket.reached))
            wanted.pop(0, None)
            try:
                found = await database.run(news, wanted)
            except Exception as fault:  # the watch asks again; a database that is away for a moment ends no talk
                log.warning("visitors could not be told what is new: %s", type(fault).__name__)
                return
            for socket in batch:
                for language, what in found.get(socket.talk, []):
                    if language == socket.language:
                        await self._give(socket, what)

    async def _give(self, socket: VisitorConsumer, what: dict[str, Any]) -> None:
        try:
            await socket.give(what)
        except Exception:  # a socket that is just going away is nobody else's trouble
            log.exception("a visitor's socket could not be told what is new")
