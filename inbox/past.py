"""What happened before, as cases to try a rule on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from crm.organisation.models import User
from crm.service.changes import Change
from crm.service.models import Ticket
from crm.service.rules import Facts
from inbox.models import Message
from inbox.rules import channel_facts, of_channel
from routing import understanding
from routing.models import KeywordSet, Rule
from routing.registry import PastCase, register_history

FACTS: dict[str, Callable[[PastMessage], Any]] = {
    "channel": lambda p: p.message.channel.name if p.message.channel else "",
    "to": lambda p: sorted({address.lower() for address, _name in (*p.message.to, *p.message.cc)}),
    "sender": lambda p: p.message.from_address,
    "sender_domain": lambda p: p.message.from_address.rpartition("@")[2],
    "subject": lambda p: p.message.subject,
    "body": lambda p: p.message.text,
    "language": lambda p: p.message.language,
    "has_attachments": lambda p: any(not file.inline for file in p.message.attachments.all()),
    "attachment_names": lambda p: [file.name for file in p.message.attachments.all()],
    "automatic": lambda p: bool(p.message.automatic),
    "by_colleague": lambda p: p.message.kind == Message.Kind.OUTBOUND,
    "is_first_message": lambda p: p.first,
    "intents": lambda p: list(understanding.intents(p.own_words, p.words)),
    "order_numbers": lambda p: list(understanding.numbers(p.own_words, p.words).orders),
    "ticket_numbers": lambda p: list(understanding.numbers(p.own_words, p.words).tickets),
    "auth_dmarc": lambda p: p.message.authentication.get("dmarc", ""),
}
"""The facts of `inbox.rules.FACTS`, read from what was kept; a test holds the two lists together."""


class PastMessage(Mapping[str, Any]):
    """The facts of one stored message."""

    message: Message
    words: list[KeywordSet]
    first: bool

    def __init__(self, message: Message, words: list[KeywordSet], *, first: bool) -> None:
        self.message, self.words, self.first = message, words, first

    @property
    def own_words(self) -> str:
        """As in `inbox.rules.MessageFacts`."""
        return f"{self.message.subject}\n{self.message.reply_text or self.message.text}"

    def __getitem__(self, name: str) -> Any:
        read = FACTS.get(name)
        return read(self) if read else of_channel(self.message.facts, name)

    def __contains__(self, name: object) -> bool:
        return name in FACTS or name in channel_facts()

    def __iter__(self) -> Iterator[str]:
        return iter((*FACTS, *channel_facts()))

    def __len__(self) -> int:
        return len(FACTS) + len(channel_facts())


def keyword_sets() -> list[KeywordSet]:
    """The words that staff maintain."""
    return list(KeywordSet.objects.filter(active=True))


def _messages(user: AbstractBaseUser, count: int, *, only_first: bool) -> Iterator[PastCase]:
    if not isinstance(user, User):
        return
    words = keyword_sets()
    wanted = Q(kind__in=(Message.Kind.INBOUND, Message.Kind.CALL))
    if only_first:
        before = Message.objects.filter(ticket=OuterRef("ticket"), seq__lt=OuterRef("seq"))
        wanted |= Q(~Exists(before), kind=Message.Kind.OUTBOUND)  # a colleague wrote first
    visible = Message.objects.filter(wanted, ticket__in=Ticket.objects.visible_to(user))
    rows = (
        visible.order_by("-id")
        .select_related("channel", "ticket__queue__hours", "ticket__assignee", "ticket__contact__customer__region")
        .prefetch_related("attachments", "ticket__tags", "ticket__contact__tags")
    )
    found = 0
    for message in rows[: count * 4]:
        first = message.seq <= 3 or message.kind == Message.Kind.OUTBOUND
        if only_first and not first:
            continue
        change = Change(message.ticket, tags=[tag.name for tag in message.ticket.tags.all()])
        facts = Facts(change, PastMessage(message, words, first=first))
        label = f"{message.from_name or message.from_address}: {message.subject}"
        yield _case(message.ticket, label, message.at, facts)
        found += 1
        if found == count:
            return


def _tickets(user: AbstractBaseUser, count: int) -> Iterator[PastCase]:
    if not isinstance(user, User):
        return
    rows = (
        Ticket.objects.visible_to(user)
        .order_by("-activity_at", "-id")
        .select_related("queue__hours", "assignee", "contact__customer__region")
        .prefetch_related("tags", "contact__tags")
    )
    for ticket in rows[:count]:
        idle = int((timezone.now() - ticket.activity_at).total_seconds() // 60)
        change = Change(ticket, tags=[tag.name for tag in ticket.tags.all()])
        facts = Facts(change, {"idle_minutes": idle, "changed_fields": [], "sla_clock": "", "sla_level": ""})
        yield _case(ticket, ticket.subject, ticket.activity_at, facts)


def _case(ticket: Ticket, label: str, at: Any, facts: Mapping[str, Any]) -> PastCase:
    return PastCase(label=f"#{ticket.number} {label}", at=at, facts=facts, url=f"/desk/inbox/{ticket.number}/")


def register() -> None:
    """Say where past cases come from. Called once at start."""
    register_history(Rule.Event.MESSAGE_RECEIVED, lambda user, count: _messages(user, count, only_first=False))
    register_history(Rule.Event.TICKET_OPENED, lambda user, count: _messages(user, count, only_first=True))
    for event in (Rule.Event.TICKET_CHANGED, *Rule.AFTER, Rule.Event.TICKET_ESCALATED):
        register_history(event, _tickets)
