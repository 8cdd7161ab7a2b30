"""What a customer reads. Everything starts from `visible_to`, and a conversation holds only what is meant for him."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Case, OuterRef, Prefetch, Q, QuerySet, Subquery, When
from django.db.models.functions import Left

from crm.organisation.models import User
from crm.service.models import NUMBER_OFFSET, Ticket
from inbox.models import Attachment, Message

PAGE = 20
LONGEST = 200
"""Messages of a conversation that are shown at once, the newest."""


@dataclass(frozen=True, slots=True)
class TicketPage:
    """One page of tickets; `more` is the cursor of the next one, empty on the last."""

    tickets: list[Ticket]
    more: str


def tickets_of(user: User) -> QuerySet[Ticket]:
    """Tickets the person takes part in as a customer; a colleague's queues are not his own matters."""
    seen = Ticket.objects.visible_to(user)
    return seen.filter(participants__contact__user=user).distinct() if user.is_staff else seen


def with_last_words(tickets: QuerySet[Ticket]) -> QuerySet[Ticket]:
    """Each with `last_words`: the beginning of the last message that its customer may read.

    `Ticket.preview` will not do: it is made for colleagues, and may come from a hidden message (S-44, S-53).
    """
    said = public_messages(OuterRef("pk")).order_by("-seq").annotate(beginning=Left("reply_text", 200))
    return tickets.annotate(last_words=Subquery(said.values("beginning")[:1]))


def recent(user: User) -> list[Ticket]:
    """The three tickets in which something happened last; those that are open come before those that are done."""
    done = Case(When(status__in=Ticket.UNFINISHED, then=0), default=1)
    return list(with_last_words(tickets_of(user)).alias(done=done).order_by("done", "-activity_at", "-id")[:3])


def numbered(user: User, number: int) -> QuerySet[Ticket]:
    """The person's ticket with this number, or none; a merged one is a ticket no more."""
    return tickets_of(user).filter(pk=number - NUMBER_OFFSET, merged_into=None)


def merged_into(user: User, number: int) -> Ticket | None:
    """Where a ticket went that was the person's own and was merged, if that is his as well."""
    own = Ticket.objects.filter(pk=number - NUMBER_OFFSET, participants__contact__user=user)
    key, seen = own.values_list("merged_into_id", flat=True).first(), set[int]()
    if key is None:
        return None
    while (
        further := Ticket.objects.filter(pk=key).values_list("merged_into_id", flat=True).first()
    ) and key not in seen:
        seen.add(key)
        key = further
    return tickets_of(user).filter(pk=key, merged_into=None).first()


def page_of(user: User, *, closed: bool = False, words: str = "", before: str = "") -> TicketPage:
    """Tickets by last activity. `words` is looked for in the subject, or is a number; `before` is an earlier `more`."""
    found = tickets_of(user).order_by("-activity_at", "-id")
    words = words.strip()[:100].replace("\x00", "")
    if words:
        found = found.filter(_matching(words))
    else:
        found = found.exclude(status__in=Ticket.UNFINISHED) if closed else found.filter(status__in=Ticket.UNFINISHED)
    if cursor := _read_cursor(before):
        at, key = cursor
        found = found.filter(Q(activity_at__lt=at) | Q(activity_at=at, id__lt=key))
    rows = list(with_last_words(found)[: PAGE + 1])
    more = _write_cursor(rows[PAGE - 1]) if len(rows) > PAGE else ""
    return TicketPage(rows[:PAGE], more)


def _matching(words: str) -> Q:
    number = words.removeprefix("#").strip()
    wanted = Q(subject__icontains=words)
    if number.isascii() and number.isdigit() and len(number) < 18:
        wanted |= Q(pk=int(number) - NUMBER_OFFSET)
    return wanted


def _write_cursor(ticket: Ticket) -> str:
    return f"{int(ticket.activity_at.timestamp() * 1_000_000)}-{ticket.pk}"


def _read_cursor(text: str) -> tuple[datetime, int] | None:
    moment, dash, key = text.partition("-")
    if not (dash and moment.isdigit() and key.isdigit() and text.isascii() and len(text) < 40):
        return None
    seconds, rest = divmod(int(moment), 1_000_000)
    try:
        return datetime.fromtimestamp(seconds, tz=UTC).replace(microsecond=rest), int(key)
    except (OverflowError, ValueError, OSError):
        return None


def public_messages(ticket: Ticket | OuterRef) -> QuerySet[Message]:
    """Messages of a ticket that its customer may read: no notes, nothing hidden (S-53)."""
    return Message.objects.filter(ticket=ticket, kind__in=Message.PUBLIC, hidden=False)


def conversation(ticket: Ticket) -> list[Message]:
    """What was said last, oldest first, with authors and files; one more than LONGEST when there is more."""
    files = Prefetch("attachments", Attachment.objects.filter(inline=False))
    rows = public_messages(ticket).select_related("author", "contact").prefetch_related(files)
    return list(reversed(rows.order_by("-seq")[: LONGEST + 1]))


def message_for(user: User, key: int) -> Message | None:
    """One message that this customer may read, or None."""
    return Message.objects.filter(pk=key, ticket__in=tickets_of(user), kind__in=Message.PUBLIC, hidden=False).first()
