"""The one way a ticket changes: verbs in memory, then one save with its history.

A `Change` holds one ticket, new or locked. Its verbs write no row; they set fields, note history and collect effects.
`Change.save_all` writes any number of changes with few statements, inside the caller's transaction. So a person's
click, a rule and a batch of a hundred mails go the same way.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _

from core.composed import Composed
from core.rows import insert
from core.said import short
from crm.customers.models import Contact, TimelineEntry
from crm.organisation.models import User
from crm.service import promises
from crm.service.models import NUMBER_OFFSET, Ticket, TicketEvent, TicketLink, TicketParticipant, TicketQueue
from crm.service.saving import save_rows, save_tags, see_to, with_values, write_effects
from routing.models import Queue, RuleRun

FEW = 5

Listener = Callable[[list[Ticket], set[int]], None]
_listeners: list[Listener] = []


def on_saved(listener: Listener) -> None:
    """Call `listener` with the saved tickets and the queues they left, inside the transaction.

    Upper layers say so once, at start.
    """
    if listener in _listeners:
        raise ValueError("this listener is registered already")
    _listeners.append(listener)


class TicketMerged(ValueError):
    """The ticket is part of another one, `into`: whatever is to be done is done there."""

    def __init__(self, ticket: Ticket) -> None:
        self.into: int = ticket.merged_into_id  # type: ignore[assignment]
        super().__init__(_("This ticket was merged into #%(number)d.") % {"number": self.into + NUMBER_OFFSET})


class Effect(ABC):
    """Something more to write when its ticket is saved. A kind of effect writes all of one save together."""

    @classmethod
    @abstractmethod
    def write(cls, items: list[tuple[Change, Any]]) -> None:
        """Write the rows of these effects; their tickets have primary keys now."""


def _lock(tickets: Sequence[int]) -> models.QuerySet[Ticket]:
    rows = Ticket.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=tickets)
    return rows.select_related("assignee", "contact__customer__region").order_by("pk")


# Many tickets wait in few queues: then each queue is read once, and not with every ticket.
_locked = Composed(lambda tickets: _lock(tickets).select_related("queue__sla__hours", "queue__hours"))
_locked_many = Composed(lambda tickets: _lock(tickets).prefetch_related("queue__sla__hours", "queue__hours"))
_tags = Composed(
    lambda tickets: Ticket.tags.through.objects.filter(ticket_id__in=tickets).values_list("ticket_id", "tag__name")
)


def _tags_of(tickets: Sequence[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {pk: [] for pk in tickets}
    for pk, tag in _tags(tickets):
        found[pk].append(tag)
    return found


class Change:
    """One ticket being changed. Make one with `lock` or `opening`."""

    FIELDS: ClassVar[tuple[str, ...]] = tuple(
        f.attname for f in Ticket._meta.concrete_fields if f.attname not in {"id", "opened_at", "origin"}
    )

    def __init__(self, ticket: Ticket, *, actor: User | None = None, name: str = "", tags: Iterable[str] = ()) -> None:
        self.ticket = ticket
        self.actor = actor
        self.name = name or (str(actor) if actor else "")
        self.tags = set(tags)
        self.events: list[TicketEvent] = []
        self.effects: list[Effect] = []
        self.runs: list[RuleRun] = []
        self.timeline: list[TimelineEntry] = []
        self.participants: set[int] = set()
        self.also_queues: set[int] = set()
        self.left_queues: set[int] = set()
        self.links: list[tuple[Ticket, str]] = []
        self.changed_fields: set[str] = set()
        self.occasion: Any = None
        """What brought the change about, for effects that must know it (the inbox puts its draft here)."""
        self.board: Any = None
        """Loads of colleagues (crm.service.rules.Board), shared by the changes of one transaction."""
        self.macro = ""
        """Name of the macro that `actor` runs."""
        self.tags_before = frozenset(self.tags)
        self._before = {} if ticket._state.adding else {name: getattr(ticket, name) for name in self.FIELDS}

    @classmethod
    def lock(cls, ticket_id: int, *, actor: User | None = None, name: str = "", merged: bool = False) -> Change:
        """The ticket under its row lock, until the transaction ends. Raises Ticket.DoesNotExist, TicketMerged.

        `merged`: also one that was merged. Only for what is known afterwards of a message that had been there, such as
        that it did not arrive.
        """
        change = cls.lock_all([ticket_id], actor=actor, name=name)[0]
        if change.ticket.merged_into_id and not merged:
            raise TicketMerged(change.ticket)
        return change

    @classmethod
    def lock_all(cls, ticket_ids: Iterable[int], *, actor: User | None = None, name: str = "") -> list[Change]:
        """Several tickets, locked in the order of their keys so that two lockers never wait for each other."""
        wanted = sorted(set(ticket_ids))
        rows = _locked_many(wanted) if len(wanted) > FEW else _locked(wanted)
        if len(rows) != len(wanted):
            raise Ticket.DoesNotExist
        tags = _tags_of(wanted)
        return [cls(row, actor=actor, name=name, tags=tags[row.pk]) for row in rows]

    @classmethod
    def look_at(cls, ticket_ids: Iterable[int]) -> list[Change]:
        """Those of the tickets that are there, NOT locked: to ask rules about, never to be saved."""
        wanted = list(ticket_ids)
        rows = Ticket.objects.filter(pk__in=wanted).select_related("assignee", "contact__customer__region")
        tags = _tags_of(wanted)
        return [cls(row, tags=tags[row.pk]) for row in rows.prefetch_related("queue__hours", "contact__tags")]

    @classmethod
    def opening(
        cls,
        *,
        subject: str,
        queue: Queue,
        contact: Contact,
        origin: str,
        language: str = "",
        at: datetime | None = None,
    ) -> Change:
        """A ticket that does not exist yet. Its contact takes part in it."""
        now = at or timezone.now()
        ticket = Ticket(
            subject=subject[:250],
            queue=queue,
            contact=contact,
            customer_id=contact.customer_id,
            origin=origin,
            language=language,
            opened_at=now,
            activity_at=now,
        )
        change = cls(ticket)
        change.participants.add(contact.pk)
        promises.renew(ticket)
        return change

    @contextmanager
    def acting(self, name: str, actor: User | None = None) -> Iterator[None]:
        """Within this block the history names somebody else (a rule) as the one who acts."""
        before = self.actor, self.name
        self.actor, self.name = actor, name
        try:
            yield
        finally:
            self.actor, self.name = before

    @contextmanager
    def acting_by(self, rule: str) -> Iterator[None]:
        """Within this block the history names the rule; a macro is what a colleague does, and its name the reason."""
        if self.macro:
            yield
            return
        with self.acting(f"rule: {rule}"):
            yield

    def next_seq(self) -> int:
        """Raise the ticket's sequence number; the lock is held, so every number is given once, in commit order."""
        self.ticket.sequence += 1
        return self.ticket.sequence

    def record(self, what: str, old: Any = "", new: Any = "", why: str = "") -> None:
        """Note one line of history."""
        self.events.append(
            TicketEvent(
                seq=self.next_seq(),
                actor=self.actor,
                actor_name=self.name[:200],
                what=what,
                old=str(old)[:300],
                new=str(new)[:300],
                why=short(why or (self.macro and f"macro: {self.macro}"), 300),
            )
        )
        self.changed_fields.add(what)

    def after(self, effect: Effect) -> None:
        """Have `effect` written together with this change."""
        self.effects.append(effect)

    def set_status(self, status: str, why: str = "") -> None:
        """Put the ticket in this state, with all dates that hang on it. Raises TicketMerged."""
        ticket, now = self.ticket, timezone.now()
        status = Ticket.Status(status)
        if ticket.status == status:
            return
        self._refuse_merged()
        was_finished = ticket.is_finished
        self.record("status", ticket.status, status, why)
        ticket.status = status
        if self.actor or status != Ticket.Status.CLOSED:
            # What the clock puts away after days is not the newest thing that happened with a customer.
            ticket.activity_at = now
        if status != Ticket.Status.SNOOZED:
            ticket.snoozed_until = None
        if status == Ticket.Status.RESOLVED:
            ticket.resolved_at = ticket.resolved_at or now
        elif status == Ticket.Status.CLOSED:
            ticket.resolved_at = ticket.resolved_at or now
            ticket.closed_at = now
        elif was_finished and not ticket.is_finished:
            ticket.resolved_at = ticket.closed_at = None
        if ticket.is_finished:
            ticket.waiting_since = None
        promises.stand_or_run(ticket, now)
        promises.renew(ticket)

    def snooze(self, until: datetime) -> None:
        """Put the ticket away until this time, or until somebody writes."""
        if self.ticket.status == Ticket.Status.SNOOZED:
            self.record("status", Ticket.Status.SNOOZED, Ticket.Status.SNOOZED)
        self.set_status(Ticket.Status.SNOOZED)
        self.ticket.snoozed_until = until
        self.events[-1].why = until.isoformat(timespec="minutes")

    def set_priority(self, priority: int) -> None:
        """Set how soon it has to be done."""
        priority = Ticket.Priority(priority)
        if self.ticket.priority != priority:
            self.record("priority", self.ticket.priority, priority.value)
            self.ticket.priority = priority

    def set_subject(self, subject: str) -> None:
        """Call it something else."""
        subject = " ".join(subject.split())[:250]
        if self.ticket.subject != subject:
            self.record("subject", self.ticket.subject, subject)
            self.ticket.subject = subject

    def assign(self, user: User | None, why: str = "") -> None:
        """Give it to somebody, or to nobody."""
        if self.ticket.assignee_id != (user.pk if user else None):
            self.record("assignee", self.ticket.assignee or "", user or "", why)
            self.ticket.assignee = user

    def move(self, queue: Queue, why: str = "") -> None:
        """Put it in another queue, under that queue's promises."""
        if self.ticket.queue_id != queue.pk:
            self.record("queue", self.ticket.queue, queue, why)
            self.left_queues.add(self.ticket.queue_id)
            self.ticket.queue = queue
            promises.renew(self.ticket)

    def add_tags(self, names: Iterable[str]) -> None:
        """Add tags that are not there yet."""
        added = {name.strip()[:60] for name in names if name.strip()} - self.tags
        if added:
            self.tags |= added
            self.record("tags", new=", ".join(sorted(added)))

    def remove_tags(self, names: Iterable[str]) -> None:
        """Take tags away."""
        removed = {name.strip() for name in names} & self.tags
        if removed:
            self.tags -= removed
            self.record("tags", old=", ".join(sorted(removed)))

    def link(self, other: Ticket, kind: str) -> None:
        """Note that this ticket has to do with another."""
        self.links.append((other, kind))

    def heard(self, at: datetime, *, automatic: bool = False) -> None:
        """The customer spoke: it is our turn, and the ticket is alive again. Raises TicketMerged."""
        self._refuse_merged()  # who looked for the ticket before it was merged has to look again
        ticket = self.ticket
        ticket.activity_at = at
        if automatic:
            return
        ticket.waiting_since = ticket.waiting_since or at
        if ticket.status in (Ticket.Status.PENDING, Ticket.Status.SNOOZED):
            self.set_status(Ticket.Status.OPEN, why="message")
        promises.renew(ticket)

    def answered(self, at: datetime) -> None:
        """We spoke (a person, not a machine): the clocks of answers stop."""
        ticket = self.ticket
        ticket.activity_at = at
        ticket.first_answered_at = ticket.first_answered_at or at
        ticket.waiting_since = None
        if ticket.status == Ticket.Status.NEW:
            self.set_status(Ticket.Status.OPEN, why="answer")
        promises.renew(ticket)

    def waits_since(self, moment: datetime | None) -> None:
        """With what came from another ticket, or went there, it waits for an answer since then; None: it does not."""
        if not self.ticket.is_finished:
            self.ticket.waiting_since = moment
            promises.renew(self.ticket)

    def _refuse_merged(self) -> None:
        if self.ticket.status == Ticket.Status.MERGED and self.ticket.merged_into_id:
            raise TicketMerged(self.ticket)

    @staticmethod
    def save_all(changes: Sequence[Change]) -> None:
        """Write everything these changes collected, in the caller's transaction."""
        new = [c.ticket for c in changes if c.ticket._state.adding]
        insert(new)
        save_rows(changes)
        insert([with_values(e, ticket=c.ticket) for c in changes for e in c.events])
        see_to(TicketParticipant(ticket=c.ticket, contact_id=p) for c in changes for p in c.participants)
        see_to(TicketQueue(ticket=c.ticket, queue_id=q) for c in changes for q in c.also_queues)
        see_to(TicketLink(ticket=c.ticket, other=o, kind=k) for c in changes for o, k in c.links)
        insert([e for c in changes for e in c.timeline_of_ticket()])
        save_tags(changes)
        insert([with_values(r, subject=f"ticket:{c.ticket.pk}") for c in changes for r in c.runs])
        write_effects(changes)
        tickets = [c.ticket for c in changes]
        left = {queue for change in changes for queue in change.left_queues}
        for listener in _listeners:
            listener(tickets, left)
        for change in changes:
            change._saved()

    def save(self) -> None:
        """As `save_all`, for this one."""
        Change.save_all([self])

    def note(self, kind: str, title: str, actor: User | None = None) -> None:
        """Put one line on the contact's timeline."""
        entry = TimelineEntry(contact_id=self.ticket.contact_id, kind=kind, title=title[:300], actor=actor)
        self.timeline.append(entry)

    def timeline_of_ticket(self) -> Iterator[TimelineEntry]:
        """The noted timeline lines, pointing to the ticket."""
        for entry in self.timeline:
            entry.reference = f"ticket:{self.ticket.pk}"
            yield entry

    def dirty(self) -> tuple[str, ...]:
        """Columns of the ticket that were changed; none for a new one."""
        if not self._before:
            return ()
        return tuple(name for name in self.FIELDS if getattr(self.ticket, name) != self._before[name])

    def _saved(self) -> None:
        self._before = {name: getattr(self.ticket, name) for name in self.FIELDS}
        self.tags_before = frozenset(self.tags)
        for collected in (self.events, self.effects, self.runs, self.timeline, self.links):
            collected.clear()
        self.participants.clear()
        self.also_queues.clear()
        self.left_queues.clear()
        self.changed_fields.clear()


def promise_again(queues: Iterable[Queue]) -> None:
    """Have the clock compute anew what was promised in these queues: their policy or its hours were changed."""
    Ticket.objects.filter(queue__in=queues, status__in=Ticket.UNFINISHED).update(warn_at=timezone.now())
