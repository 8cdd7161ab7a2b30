"""What visitors say: stored once, posted at once, several together when several come at once.

Whoever has something to say joins the line and then takes the lock: who gets it serves everybody in the line, and the
others find themselves served. So a lone utterance waits for nobody, and a crowd shares its statements and its commit.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core import fault, limits
from core.composed import Composed
from inbox import live
from inbox.channels.chat.adapter import pack
from inbox.channels.packed_files import File
from inbox.intake import pipeline, talks
from inbox.intake.draft import Draft
from inbox.models import Channel, Conversation, Message, RawMessage, Visitor
from inbox.services import channel_health, files, processing, visitors, wake
from inbox.services.accept import Arrival, keep, sketch
from inbox.services.posting import post

log = logging.getLogger(__name__)

TEXT_LIMIT = 5_000
"""Characters of one utterance."""
AT_ONCE = 100
CROWD, GATHER = 5, 0.006
"""After so many at once the next are waited for, so many seconds: a crowd is served sooner in few large batches."""
TALKS_A_MINUTE, TALKS_AN_HOUR, TALKS_OF_SITE = 5, 30, 2_000
"""New talks from one network, and an hour at one site (S-50)."""


class Refused(Exception):
    """It is not taken. `code` is for the widget, `words` for people, `retry` seconds after which it may come again."""

    def __init__(self, code: str, words: str | Promise, retry: int = 0) -> None:
        super().__init__(code)
        self.code, self.words, self.retry = code, words, retry


class NotYet(Exception):
    """It is stored and on its way, but another process has it: asking again in a moment gives the answer."""


@dataclass(slots=True)
class Utterance:
    """One thing a visitor says. `client_id` is the browser's own id: the same one again is the same utterance."""

    channel: Channel
    visitor_id: int
    client_id: str
    text: str
    files: Sequence[File] = ()
    network: str = ""
    """Where it came from, for limits; empty: not limited."""
    done: Asked = field(default_factory=Future)
    """One of an event loop where somebody waits there."""


@dataclass(frozen=True, slots=True)
class Said:
    """Where an utterance stands."""

    seq: int
    """The visitor's number of it."""
    ticket: int
    talk: int
    message: Message | None = None
    """It itself, when it was posted just now on a talk that was going on, and has no files."""


Asked = Future[Said] | asyncio.Future[Said]

_line: deque[Utterance] = deque()
_serving = threading.Lock()
_crowd = False
_called = False
"""Somebody is about to serve."""


def say(utterance: Utterance) -> Said:
    """Store it and put it on the visitor's ticket. Raises Refused, NotYet, and DatabaseError when it was not stored."""
    done: Future[Said] = Future()
    utterance.done = done
    if join(utterance):
        serve()
    return done.result(timeout=60)


def join(utterance: Utterance) -> bool:
    """Put it into the line; True when the caller has to `serve` then, False when somebody is about to."""
    global _called
    _line.append(utterance)
    if _called:
        return False
    _called = True
    return True


def serve() -> None:
    """Serve the line until nobody is left whom nobody serves. What becomes of each is in its future."""
    global _called, _crowd
    _called = False  # whoever joins from here on may have come too late for this round
    while _line:
        with _serving:
            if _crowd:
                time.sleep(GATHER)
            batch = [_line.popleft() for _ in range(min(len(_line), AT_ONCE))]
            _crowd = len(batch) >= CROWD
            if batch:
                _serve(batch)


def _serve(batch: list[Utterance]) -> None:
    try:
        answers = _say_all(batch)
    except Exception as error:
        if not isinstance(error, DatabaseError):
            log.exception("%s utterances of visitors were not stored", len(batch))
        if isinstance(error, DatabaseError) and not connection.in_atomic_block:
            connection.close()  # it may be broken; what comes next begins with another
        if len(batch) > 1:
            for each in batch:
                _serve([each])
            return
        answers = {id(batch[0]): error}
    else:
        fault.point("utterances.stored")
    _tell_all(batch, answers)


def _tell_all(batch: list[Utterance], answers: Mapping[int, Said | Exception]) -> None:
    """One call for all of an event loop: each wakes it, and then it wants its turn in the middle of ours."""
    waiting: dict[asyncio.AbstractEventLoop | None, list[tuple[Asked, Said | Exception]]] = {}
    for utterance in batch:
        loop = utterance.done.get_loop() if isinstance(utterance.done, asyncio.Future) else None
        waiting.setdefault(loop, []).append((utterance.done, answers[id(utterance)]))
    for loop, told in waiting.items():
        if loop is None:
            _tell(told)
        else:
            with suppress(RuntimeError):  # the server is going down: nobody waits there any more
                loop.call_soon_threadsafe(_tell, told)


def _tell(told: Iterable[tuple[Asked, Said | Exception]]) -> None:
    for done, answer in told:
        if done.done():
            continue  # whoever asked has given up
        if isinstance(answer, Said):
            done.set_result(answer)
        else:
            done.set_exception(answer)


def _say_all(batch: list[Utterance]) -> dict[int, Said | Exception]:
    answers: dict[int, Said | Exception] = {}
    token = secrets.token_hex(8)
    new: list[RawMessage] = []
    try:
        with transaction.atomic():
            rows, current = _sketch(batch, answers)
            new = list({id(raw): raw for raw in rows.values() if not raw.pk}.values())
            posted = _post(new, current)
            if not posted:
                keep(new, token)
    except BaseException:
        files.remove("raw", [raw.blob for raw in new])
        raise
    for channel in {raw.channel_id: raw.channel for raw in new}.values():
        transaction.on_commit(partial(channel_health.heard, channel), robust=True)
    if not posted:
        processing.work(new)
    began = {raw.facts["visitor"] for raw in new if raw.outcome == RawMessage.Outcome.OPENED}
    live.push([(f"visitor.{visitor}", {"type": "visitor.began"}) for visitor in began])
    where = {draft.raw.pk: said for draft in posted if (said := _said(draft, current))}
    again = [raw.pk for raw in rows.values() if raw.pk not in where]
    now = {raw.pk: raw for raw in RawMessage.objects.filter(pk__in=again)} if again else {}
    where |= _where(now.values())
    for utterance in batch:
        if id(utterance) in rows:
            raw = rows[id(utterance)]
            answers[id(utterance)] = where.get(raw.pk) or _why_not(now.get(raw.pk, raw))
    return answers


def _said(draft: Draft, current: Mapping[int, Conversation]) -> Said | None:
    """Where it stands, when that is known without asking: on the talk that was going on."""
    talk = current.get(talks.visitor_of(draft))
    if talk is None or draft.message is None or draft.message.ticket_id != talk.ticket_id:
        return None
    message = None if draft.inbound.files else draft.message
    return Said(talk.base + draft.message.seq, talk.ticket_id, talk.pk, message)


def _where(rows: Collection[RawMessage]) -> dict[int, Said]:
    """Where each of these stands that has become a message."""
    done = {raw.pk: raw for raw in rows if raw.message_id and raw.ticket_id}
    if not done:
        return {}
    talks_of = {t.ticket_id: t for t in Conversation.objects.filter(ticket__in={r.ticket_id for r in done.values()})}
    numbers = dict(Message.objects.filter(pk__in=[r.message_id for r in done.values()]).values_list("pk", "seq"))
    return {
        pk: Said(talks_of[raw.ticket_id].base + numbers[raw.message_id], raw.ticket_id, talks_of[raw.ticket_id].pk)
        for pk, raw in done.items()
        if raw.ticket_id in talks_of and raw.message_id in numbers
    }


def _why_not(raw: RawMessage) -> Exception:
    if raw.state == RawMessage.State.DEAD:
        return Refused("invalid", _("This message could not be read. A colleague will look at it."))
    wake.processing()  # a worker that fell left it; the browser asks again
    return NotYet()


def _sketch(
    batch: list[Utterance], answers: dict[int, Said | Exception]
) -> tuple[dict[int, RawMessage], dict[int, Conversation]]:
    """The journal's row of each utterance that is let in, and the talks; the others are answered."""
    people = {v.pk: v for v in _people(list({u.visitor_id for u in batch}))}
    current = talks.latest(people)
    welcome = _welcome(batch, people, current, answers)
    visitors.contacts([people[key] for key in {u.visitor_id for u in welcome}])
    found: dict[int, RawMessage] = {}
    for channel in {u.channel.pk: u.channel for u in welcome}.values():
        mine = [u for u in welcome if u.channel.pk == channel.pk]
        arrivals = [_arrival(u, people[u.visitor_id], current.get(u.visitor_id)) for u in mine]
        for utterance, raw in zip(mine, sketch(channel, arrivals), strict=True):
            raw.channel = channel
            found[id(utterance)] = raw
    return found, current


_people = Composed(lambda keys: Visitor.objects.filter(pk__in=keys))


def _arrival(utterance: Utterance, visitor: Visitor, talk: Conversation | None) -> Arrival:
    waits = 0
    if talk is not None and talk.is_open and talk.ticket.waiting_since is not None:
        waits = max(0, int((timezone.now() - talk.ticket.waiting_since).total_seconds()))
    content = pack(
        client_id=utterance.client_id,
        visitor=visitor.address,
        name=visitor.name,
        text=utterance.text,
        language=visitor.browser_language.lower(),
        readings=visitors.readings(visitor, waits),
        files=utterance.files,
    )
    facts = {"visitor": visitor.pk, "contact": visitor.contact_id}
    key = f"{visitor.pk}:{utterance.client_id}"
    return Arrival(content, external_id=key, facts=facts, small=not utterance.files)


def _welcome(
    batch: list[Utterance],
    people: dict[int, Visitor],
    current: dict[int, Conversation],
    answers: dict[int, Said | Exception],
) -> list[Utterance]:
    """Those that no limit keeps out. Limits hold over all processes: they are counted in the database."""
    counts: dict[str, tuple[int, int, int]] = {}
    opening: set[int] = set()
    for u in batch:
        key = f"chat-say:{u.visitor_id}"
        counts[key] = (counts.get(key, (0, 0, 0))[0] + 1, settings.CHAT_MESSAGES_PER_MINUTE, 60)
        talk = current.get(u.visitor_id)
        begins = talk is None or talk.ticket.is_finished
        if begins and u.network and u.visitor_id not in opening:
            opening.add(u.visitor_id)
            for name, most, seconds in _opening_limits(u):
                counts[name] = (counts.get(name, (0, 0, 0))[0] + 1, most, seconds)
    over = limits.hit_many(counts)
    let_in = []
    for u in batch:
        if u.visitor_id not in people:
            answers[id(u)] = Refused("token", _("This chat is over. Please start a new one."))
        elif f"chat-say:{u.visitor_id}" in over:
            answers[id(u)] = Refused("too-many", _("That was very fast. Please wait a moment."), 60)
        elif u.visitor_id in opening and any(name in over for name, _most, _seconds in _opening_limits(u)):
            answers[id(u)] = Refused("too-many", _("Too many chats were started from your network."), 300)
        else:
            let_in.append(u)
    return let_in


def _opening_limits(u: Utterance) -> tuple[tuple[str, int, int], ...]:
    if not u.network:
        return ()
    return (
        (f"chat-open:m:{u.network}", TALKS_A_MINUTE, 60),
        (f"chat-open:h:{u.network}", TALKS_AN_HOUR, 3600),
        (f"chat-open:site:{u.channel.pk}", TALKS_OF_SITE, 3600),
    )


def _post(rows: list[RawMessage], current: Mapping[int, Conversation]) -> list[Draft]:
    """Post them together, journal and all; nothing was written and nothing is returned when that failed."""
    if not rows:
        return []
    try:
        with transaction.atomic():
            return post([pipeline.read(raw) for raw in rows], current)
    except Exception as error:
        log.info("a batch of %s utterances goes one by one: %s", len(rows), type(error).__name__)
    for raw in rows:
        raw.pk = raw.ticket_id = raw.message_id = raw.done_at = None
        raw.state, raw.outcome, raw.reason, raw.answer = RawMessage.State.STORED, "", "", ""
    return []
