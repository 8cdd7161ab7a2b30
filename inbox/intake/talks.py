"""Which talk a visitor's words belong to, and the talk that begins with his first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from core.composed import Composed
from crm.service.changes import Change, Effect
from crm.service.models import TicketLink
from inbox.intake.draft import Draft
from inbox.models import Conversation


def visitor_of(draft: Draft) -> int:
    """The visitor our chat door names; 0 for every other message."""
    return int(draft.raw.facts.get("visitor") or 0)


def latest(visitors: Iterable[int]) -> dict[int, Conversation]:
    """The newest talk of each visitor, with whether and since when its ticket waits."""
    return {talk.visitor_id: talk for talk in _latest(list(set(visitors)))}


@Composed
def _latest(visitors: Sequence[int]) -> QuerySet[Conversation]:
    later = Conversation.objects.filter(visitor=OuterRef("visitor"), number__gt=OuterRef("number"))
    talks = Conversation.objects.filter(~Exists(later), visitor_id__in=visitors).select_related("ticket")
    return talks.only("visitor", "number", "ended_at", "ticket__status", "ticket__waiting_since")


@dataclass(slots=True)
class Speaking(Effect):
    """A visitor's talk begins with this ticket, or goes on after it had ended."""

    visitor_id: int
    before: Conversation | None
    """The talk it goes on with, when that has this ticket; else the one before it, which ends."""

    @classmethod
    def write(cls, items: list[tuple[Change, Speaking]]) -> None:
        """Insert and update the talks. Raises IntegrityError when the visitor began another at this moment."""
        now = timezone.now()
        resumed = [s.before.pk for c, s in items if s.before and s.before.ticket_id == c.ticket.pk]
        if resumed:
            Conversation.objects.filter(pk__in=resumed).update(ended_at=None, ended_by="", waiting_since=now)
        fresh = [(c, s) for c, s in items if s.before is None or s.before.ticket_id != c.ticket.pk]
        over = [s.before.pk for _c, s in fresh if s.before and s.before.ended_at is None]
        if over:
            Conversation.objects.filter(pk__in=over, ended_at=None).update(
                ended_at=now, ended_by=Conversation.Ended.AGENT
            )
        Conversation.objects.bulk_create(
            Conversation(
                visitor_id=s.visitor_id,
                ticket=c.ticket,
                number=s.before.number + 1 if s.before else 0,
                opened_at=now,
                waiting_since=now,
            )
            for c, s in fresh
        )


class Talks:
    """The talks of the visitors in one batch."""

    def __init__(self, drafts: Iterable[Draft], known: Mapping[int, Conversation] | None = None) -> None:
        visitors = {v for v in map(visitor_of, drafts) if v}
        self._latest = known if known is not None else latest(visitors) if visitors else {}
        self._goes_to: dict[int, Change] = {}

    def tickets(self) -> set[int]:
        """Tickets that words may be added to, to be locked."""
        return {talk.ticket_id for talk in self._latest.values() if not talk.ticket.is_finished}

    def find(self, draft: Draft, changes: dict[int, Change]) -> Change | None:
        """The ticket his words go to: that of his newest talk, unless it is finished by now."""
        visitor = visitor_of(draft)
        if visitor in self._goes_to:
            return self._goes_to[visitor]
        talk = self._latest.get(visitor)
        change = changes.get(talk.ticket_id) if talk else None
        # A ticket that was merged into another is no place for a visitor: he would read what others wrote there.
        if talk is None or change is None or change.ticket.pk != talk.ticket_id or change.ticket.is_finished:
            return None
        if talk.ended_at is not None:
            change.after(Speaking(visitor, talk))
        self._goes_to[visitor] = change
        return change

    def begin(self, draft: Draft, change: Change) -> None:
        """His talk begins with this new ticket, linked to the one before."""
        visitor = visitor_of(draft)
        if not visitor:
            return
        before = self._latest.get(visitor)
        change.after(Speaking(visitor, before))
        if before is not None:
            change.link(before.ticket, TicketLink.Kind.RELATED)
        self._goes_to[visitor] = change
