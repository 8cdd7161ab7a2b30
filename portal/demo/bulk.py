"""Many tickets at once, for measuring: rows as the services write them, but in a few large statements."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from crm.customers.models import Contact, ContactPoint, Customer, Tag
from crm.organisation import services
from crm.organisation.models import User
from crm.service.models import NUMBER_OFFSET, Ticket, TicketEvent, TicketParticipant
from inbox import search
from inbox.models import Channel, Message, ThreadKey, TicketSeen, TicketWords
from routing.models import Queue, QueueMember

BATCH = 2_000
TEXT = (
    "order invoice delivery printer password account reset broken thanks please help error page login customer refund "
    "payment card shipping address label parcel server timeout update version install mobile screen button click "
    "nothing happens since yesterday morning again colleague report export table column value machine coffee grinder "
    "boiler pressure steam gasket filter oven hopper noise leak 订单 发货 请求 蒸汽 咖啡机 漏水 訂單 發票 退款 磨豆機 "
    "Rechnung Bestellung Lieferung Maschine Dichtung"
)
WORDS = TEXT.split()
S = Ticket.Status


@dataclass(frozen=True, slots=True)
class Shape:
    """What kind of office the tickets are of."""

    statuses: tuple[tuple[str, int], ...]
    """Status and its share in percent."""
    tagged: float
    """Share of tickets with a tag."""
    rare: int
    """So many words there are that hardly any ticket holds."""


OLD = Shape(((S.NEW, 2), (S.OPEN, 4), (S.PENDING, 3), (S.SNOOZED, 1), (S.RESOLVED, 8), (S.CLOSED, 82)), 0.2, 20_000)
"""An office of many years: six of a hundred tickets are somebody's work."""
BUSY = Shape(((S.NEW, 20), (S.OPEN, 30), (S.PENDING, 20), (S.SNOOZED, 10), (S.RESOLVED, 10), (S.CLOSED, 10)), 1.0, 200)
"""A young one, whose views are as full with a thousand tickets as those of the old one with a hundred thousand."""


@dataclass(slots=True)
class Setting:
    """The records that the tickets hang on."""

    shape: Shape
    queues: list[Queue]
    channel: Channel
    agents: list[User]
    contacts: list[Contact]
    tags: list[Tag]
    chance: random.Random
    now: datetime = field(default_factory=timezone.now)


def make(count: int, *, seed: int = 7, shape: Shape = OLD) -> Iterator[int]:
    """Make `count` tickets of 2 to 6 messages, spread over two years; yields how many there are so far."""
    setting = _setting(count, seed, shape)
    made = 0
    while made < count:
        with transaction.atomic():
            made += _batch(setting, min(BATCH, count - made), made / count)
        yield made


def _setting(count: int, seed: int, shape: Shape) -> Setting:
    chance = random.Random(seed)
    queues = [Queue.objects.get_or_create(name=f"Bulk queue {n}")[0] for n in range(1, 9)]
    agents = []
    for n in range(1, 21):
        user, fresh = User.objects.get_or_create(
            email=f"bulk{n:02d}@halden.example", defaults={"name": f"Bulk Agent {n}", "password": "!"}
        )
        if fresh:
            services.set_roles(user, ["agent"])
            for queue in {queues[n % 8], queues[(n * 3) % 8]}:
                QueueMember.objects.get_or_create(queue=queue, user=user)
        agents.append(user)
    channel, _ = Channel.objects.get_or_create(
        name="Bulk mailbox", defaults={"kind": "email", "address": "bulk@halden.example", "queue": queues[0]}
    )
    customers = Customer.objects.bulk_create(
        [Customer(name=f"Bulk customer {n}") for n in range(max(1, count // 20))], batch_size=BATCH
    )
    contacts = Contact.objects.bulk_create(
        [Contact(name=f"Person {n}", customer=customers[n % len(customers)]) for n in range(max(1, count // 8))],
        batch_size=BATCH,
    )
    mark = contacts[0].pk
    ContactPoint.objects.bulk_create(
        [
            ContactPoint(contact=contact, kind=ContactPoint.Kind.EMAIL, value=f"person{mark + n}@bulk.example")
            for n, contact in enumerate(contacts)
        ],
        batch_size=BATCH,
    )
    tags = [Tag.objects.get_or_create(name=name)[0] for name in ("refund", "firmware", "warranty", "vip", "spare part")]
    return Setting(shape, queues, channel, agents, contacts, tags, chance)


def _batch(setting: Setting, count: int, progress: float) -> int:
    chance = setting.chance
    statuses, weights = [s for s, _ in setting.shape.statuses], [w for _, w in setting.shape.statuses]
    span = timedelta(days=730)
    tickets = []
    for n in range(count):
        status = chance.choices(statuses, weights)[0]
        # Finished ones are spread over two years, unfinished ones over the last days.
        if status in (Ticket.Status.RESOLVED, Ticket.Status.CLOSED):
            opened = setting.now - span * (1 - progress) - timedelta(seconds=chance.randint(0, 80_000) + n)
        else:
            opened = setting.now - timedelta(minutes=chance.randint(5, 30_000))
        tickets.append(_ticket(setting, status, opened))
    Ticket.objects.bulk_create(tickets)
    messages = [message for ticket in tickets for message in _messages(setting, ticket)]
    Message.objects.bulk_create(messages, batch_size=BATCH)
    TicketParticipant.objects.bulk_create(TicketParticipant(ticket=t, contact_id=t.contact_id) for t in tickets)
    ThreadKey.objects.bulk_create(
        [
            ThreadKey(ticket_id=m.ticket_id, digest=hashlib.sha256(m.mail_id.encode()).hexdigest()[:32])
            for m in messages
        ],
        batch_size=BATCH * 2,
    )
    TicketEvent.objects.bulk_create(
        [
            TicketEvent(ticket=t, seq=t.sequence, at=t.activity_at, what="status", old="new", new=t.status)
            for t in tickets
        ]
    )
    link = Ticket.tags.through
    link.objects.bulk_create(
        link(ticket_id=t.pk, tag_id=chance.choice(setting.tags).pk)
        for t in tickets
        if chance.random() < setting.shape.tagged
    )
    TicketSeen.objects.bulk_create(
        TicketSeen(ticket=t, user_id=t.assignee_id, seq=t.sequence) for t in tickets if t.assignee_id
    )
    _index(tickets, messages)
    return count


def _ticket(setting: Setting, status: str, opened: datetime) -> Ticket:
    chance = setting.chance
    contact = chance.choice(setting.contacts)
    count = chance.randint(2, 6)
    finished = status in (Ticket.Status.RESOLVED, Ticket.Status.CLOSED)
    activity = min(opened + timedelta(minutes=chance.randint(5, 4_000)), setting.now)
    waiting = status in Ticket.WORKING
    due = setting.now + timedelta(minutes=chance.randint(-2_000, 4_000)) if waiting and chance.random() < 0.6 else None
    return Ticket(
        subject=_sentence(chance, 5),
        status=status,
        priority=chance.choices((1, 2, 3, 4), (10, 70, 15, 5))[0],
        queue=chance.choices(setting.queues, (30, 20, 15, 10, 10, 7, 5, 3))[0],
        assignee=None if status == Ticket.Status.NEW else chance.choice(setting.agents),
        contact=contact,
        customer_id=contact.customer_id,
        origin="email",
        language="en",
        sequence=count + 1,
        preview=_sentence(chance, 12),
        message_count=count,
        opened_at=opened,
        activity_at=activity,
        waiting_since=activity if waiting else None,
        first_answered_at=None if status == Ticket.Status.NEW else opened + timedelta(minutes=20),
        resolved_at=activity if finished else None,
        closed_at=activity if status == Ticket.Status.CLOSED else None,
        snoozed_until=setting.now + timedelta(days=2) if status == Ticket.Status.SNOOZED else None,
        next_answer_due=due,
        due_at=due,
    )


def _messages(setting: Setting, ticket: Ticket) -> Iterator[Message]:
    chance = setting.chance
    for n in range(1, ticket.message_count + 1):
        inbound = n % 2 == 1
        rare = f"part{chance.randrange(setting.shape.rare):05d}"
        text = "\n\n".join([_sentence(chance, 18), _sentence(chance, 18), rare])
        yield Message(
            ticket=ticket,
            seq=n,
            kind=Message.Kind.INBOUND if inbound else Message.Kind.OUTBOUND,
            channel=setting.channel,
            contact_id=ticket.contact_id if inbound else None,
            author=None if inbound else ticket.assignee,
            from_name=ticket.contact.name if inbound else "Support",
            from_address=f"person{ticket.contact_id}@bulk.example" if inbound else setting.channel.address,
            subject=ticket.subject,
            text=text,
            reply_text=text,
            language="en",
            mail_id=f"{ticket.pk}.{n}.{chance.getrandbits(40):x}@bulk.example",
            at=ticket.opened_at + (ticket.activity_at - ticket.opened_at) * (n / ticket.message_count),
            indexed=True,
        )


def _index(tickets: list[Ticket], messages: list[Message]) -> None:
    found: dict[int, dict[str, None]] = {
        ticket.pk: dict.fromkeys(search.words(f"{ticket.pk + NUMBER_OFFSET} {ticket.subject} {ticket.contact.name}"))
        for ticket in tickets
    }
    for message in messages:
        found[message.ticket_id].update(dict.fromkeys(search.words(message.text)))
    TicketWords.objects.bulk_create(
        [TicketWords(ticket_id=key, words=tuple(words)) for key, words in found.items()],
    )


def _sentence(chance: random.Random, words: int) -> str:
    return " ".join(chance.choices(WORDS, k=words)).capitalize() + "."
