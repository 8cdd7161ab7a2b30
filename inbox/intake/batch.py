"""What several drafts need from the database, asked once for all of them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping

from django.conf import settings
from django.db import connection
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from core.composed import Composed
from crm.customers.identity import contacts_for, normalise_email
from crm.customers.models import Contact, ContactPoint, Tag
from crm.service.changes import Change
from crm.service.models import NUMBER_OFFSET, Ticket, TicketParticipant
from crm.service.rules import Board
from inbox.channels import registry
from inbox.channels.email import hooks, tokens
from inbox.intake.draft import Draft
from inbox.intake.talks import Talks
from inbox.models import Channel, Conversation, RawMessage, ThreadKey
from inbox.services.presence import ChatBoard
from routing.models import KeywordSet, Queue

_CLAIM = re.compile(r"(?:^|\+)t(\d{1,12})(?:-[0-9a-z]*)?(?:\.|$|@)")
MAX_REFERENCES = 50


def digest(message_id: str) -> str:
    """How a Message-ID is kept in `ThreadKey`."""
    return hashlib.sha256(message_id.strip().encode("utf-8", "surrogatepass")).hexdigest()[:32]


def named_ids(draft: Draft) -> list[str]:
    """The ids a message answers to, nearest first: In-Reply-To, then References from the end.

    Capped, but the oldest stays: programs that shorten References keep it, and it may be the only one we know.
    """
    inbound = draft.inbound
    ordered = list(dict.fromkeys(i for i in (inbound.in_reply_to, *reversed(inbound.references)) if i))
    return ordered if len(ordered) <= MAX_REFERENCES else [*ordered[: MAX_REFERENCES - 1], ordered[-1]]


def marked_tickets(draft: Draft) -> list[int]:
    """Tickets whose valid mark of ours the message carries."""
    marks = [tokens.ticket_of_message_id(i) for i in named_ids(draft)]
    marks += [tokens.ticket_of_address(a) for a in draft.own_addresses_written]
    return list(dict.fromkeys(m for m in marks if m))


def claimed_tickets(draft: Draft, known: Collection[str]) -> list[int]:
    """Tickets that the message names without proof: after a known hook in the subject, by a mark that is not valid."""
    claims = [match.group(1) for i in named_ids(draft) if (match := _CLAIM.match(i))]
    claims += [m.group(1) for a in draft.own_addresses_written if (m := _CLAIM.search(a.partition("@")[0] + "@"))]
    keys = [int(c) for c in claims]
    numbers = hooks.numbers_in(draft.inbound.subject, known)
    keys += [number - NUMBER_OFFSET for number in numbers if number > NUMBER_OFFSET]
    return list(dict.fromkeys(keys))


_channels = Composed(lambda: Channel.objects.select_related("queue__sla__hours", "queue__hours", "acknowledge"))
_contacts = Composed(lambda keys: Contact.objects.select_related("customer__region").filter(pk__in=keys).order_by())
_keyword_sets = Composed(lambda: KeywordSet.objects.filter(active=True))
_done = Composed(
    lambda marks: RawMessage.objects.filter(fingerprint__in=marks, state=RawMessage.State.DONE).order_by("-id")
)
_merges = Composed(lambda keys: Ticket.objects.filter(pk__in=keys).order_by().values_list("pk", "merged_into_id"))
_participants = Composed(
    lambda tickets: TicketParticipant.objects.filter(ticket_id__in=tickets).values_list("ticket", "contact")
)


class Batch:
    """Look-ups shared by the drafts of one transaction. Open it inside the transaction: found tickets are locked."""

    def __init__(self, drafts: list[Draft], talks: Mapping[int, Conversation] | None = None) -> None:
        self.drafts = drafts
        self._boards = {False: Board(), True: ChatBoard()}
        self.now = timezone.now()
        self.channels = {c.pk: c for c in _channels()}
        self.own = {a: c for c in self.channels.values() if c.active for a in c.addresses}
        self.hooks = {hooks.of(c.settings) for c in self.channels.values() if c.kind == "email"}
        self.changes: dict[int, Change] = {}
        self.threads: dict[str, list[Change]] = {}
        self.expected: dict[str, list[Change]] = {}
        self.taking_part: dict[int, set[int]] = {}
        self.done_before: dict[str, RawMessage] = {}
        self.contacts: dict[tuple[str, str], Contact] = {}
        self.unfinished: dict[tuple[str, int], Change | None] = {}
        self._queues: dict[int, Queue] = {}
        self.talks = Talks(drafts, talks)
        self._known: dict[int, Contact] | None = None
        self._keywords: list[KeywordSet] | None = None

    def board(self, draft: Draft) -> Board:
        """Who may be given it: for a talk that goes on now only those who are here."""
        return self._boards["live" in registry.adapter(draft.channel.kind).can]

    def known(self, contact: int) -> Contact | None:
        """A contact that a door of ours named."""
        if self._known is None:
            named = {int(d.raw.facts["contact"]) for d in self.drafts if d.raw.facts.get("contact")}
            self._known = {c.pk: c for c in _contacts(list(named))}
        return self._known.get(contact)

    def keyword_sets(self) -> list[KeywordSet]:
        """The words that staff maintain, read when the first rule asks."""
        if self._keywords is None:
            self._keywords = _keyword_sets()
        return self._keywords

    def find_duplicates(self) -> None:
        """Which of the drafts were posted before, by fingerprint."""
        self._wait_for_copies()
        self.done_before = {row.fingerprint: row for row in _done([d.fingerprint for d in self.drafts])}

    def _wait_for_copies(self) -> None:
        """Of a mail to two of our addresses another worker may have the other copy: what it makes of it must be seen.

        SQLite has one writer at a time anyway.
        """
        mails = [d for d in self.drafts if registry.has(d.channel.kind, "reads_mail")]
        if connection.vendor != "postgresql" or not mails:
            return
        # In one order, so that two workers never wait for each other.
        keys = sorted({int(digest(d.inbound.message_id or d.fingerprint)[:15], 16) for d in mails})
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(key) FROM unnest(%s::bigint[]) AS key", [keys])

    def find_people(self) -> None:
        """The contacts of the senders, made where missing."""
        wanted: dict[str, dict[str, str]] = {}
        for d in self.drafts:
            if d.contact_key and d.inbound.sender:
                wanted.setdefault(d.point, {})[d.contact_key] = d.inbound.sender.name
        for point, names in wanted.items():
            found = contacts_for(point, names)
            self.contacts.update({(point, address): contact for address, contact in found.items()})
        silent = [d for d in self.drafts if not d.contact_key and not d.outcome and d.contact is None]
        nobody = [d for d in silent if d.inbound.report is None]
        made = Contact.objects.bulk_create(
            Contact(name=d.inbound.sender.name[:200] if d.inbound.sender else "") for d in nobody
        )
        for draft, contact in zip(nobody, made, strict=True):
            draft.contact = contact
        for draft in self.drafts:
            draft.contact = draft.contact or self.contacts.get((draft.point, draft.contact_key))
        self._to_be_completed()

    def _to_be_completed(self) -> None:
        """Mark whom we know by nothing but a number: a mail address says more of its owner than a fax number does."""
        new = {
            contact.pk
            for (point, _address), contact in self.contacts.items()
            if point in ContactPoint.Kind.values and point != ContactPoint.Kind.EMAIL and contact.created_at >= self.now
        }
        if not new:
            return
        with translation.override(settings.LANGUAGE_CODE):  # one tag, whoever's language is spoken at the moment
            tag = Tag.objects.get_or_create(name=_("to be completed"))[0]
        through = Contact.tags.through
        through.objects.bulk_create((through(contact_id=pk, tag_id=tag.pk) for pk in new), ignore_conflicts=True)

    def find_threads(self) -> None:
        """The tickets that the drafts may belong to, locked, with those who take part in them."""
        ids = {digest(i) for d in self.drafts for i in (*named_ids(d), d.inbound.message_id) if i}
        keys = list(ThreadKey.objects.filter(digest__in=ids)) if ids else []
        wanted = {k.ticket_id for k in keys}
        wanted |= {key for d in self.drafts for key in (*marked_tickets(d), *claimed_tickets(d, self.hooks))}
        wanted |= {int(d.raw.facts["ticket"]) for d in self.drafts if d.raw.facts.get("ticket")}
        recent = self._recent()
        wanted |= {ticket for tickets in recent.values() for ticket in tickets}
        wanted |= self.talks.tickets()
        existing = dict(_merges(list(wanted)))
        goal = {key: self._end_of_merges(key, into) for key, into in existing.items()}
        locked = Change.lock_all(goal.values()) if goal else []
        by_key = {c.ticket.pk: c for c in locked}
        self.changes = {key: by_key[target] for key, target in goal.items()}
        for change in locked:
            self.taking_part[change.ticket.pk] = set()
        for ticket, contact in _participants(list(by_key)):
            self.taking_part[ticket].add(contact)
        for key in keys:
            if key.ticket_id in self.changes:
                table = self.expected if key.ancestor else self.threads
                table.setdefault(key.digest, []).append(self.changes[key.ticket_id])
        for place, tickets in recent.items():
            self.unfinished[place] = next((self.changes[t] for t in tickets if t in self.changes), None)

    def _recent(self) -> dict[tuple[str, int], list[int]]:
        """Unfinished tickets that may take a message in by its sender alone, by kind of channel and contact.

        The contacts are locked: two workers that take two calls of one person must not open two tickets.
        """
        asking = [(d.channel.kind, d.contact.pk, d.joins) for d in self.drafts if d.joins and d.contact]
        if not asking:
            return {}
        people = {contact for _kind, contact, _joins in asking}
        list(Contact.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=people).order_by("pk"))
        found: dict[tuple[str, int], list[int]] = {}
        for kind, contact, joins in dict.fromkeys(asking):
            rows = Ticket.objects.filter(contact_id=contact, origin=kind, status__in=Ticket.UNFINISHED)
            rows = rows.filter(activity_at__gt=self.now - joins).order_by("-activity_at", "-id")
            found[kind, contact] = list(rows.values_list("pk", flat=True)[:1])
        return found

    def queue_of(self, draft: Draft) -> Queue:
        """Where a new ticket of it waits: what the door says, else the channel's queue."""
        wanted = draft.raw.facts.get("queue")
        if not wanted:
            return self.channels[draft.channel.pk].queue
        if wanted not in self._queues:
            rows = Queue.objects.select_related("sla__hours", "hours")
            self._queues[wanted] = rows.filter(pk=wanted).first() or self.channels[draft.channel.pk].queue
        return self._queues[wanted]

    @staticmethod
    def _end_of_merges(key: int, into: int | None) -> int:
        seen = {key}
        while into is not None and into not in seen:
            seen.add(into)
            key = into
            into = Ticket.objects.filter(pk=key).values_list("merged_into_id", flat=True).first()
        return key

    def named(self, draft: Draft, *, ancestors: bool = True) -> list[Change]:
        """Tickets with a message, or also an ancestor of one, that the draft names; nearest first."""
        found: list[Change] = []
        for mail_id in named_ids(draft):
            mark = digest(mail_id)
            found += self.threads.get(mark, [])
            found += self.expected.get(mark, []) if ancestors else []
        return found

    def awaiting(self, draft: Draft) -> list[Change]:
        """Tickets whose messages named the draft before it came."""
        return self.expected.get(digest(draft.inbound.message_id), []) if draft.inbound.message_id else []

    def takes_part(self, draft: Draft, change: Change) -> bool:
        """True when the draft's sender is one of the ticket's participants."""
        if draft.contact is None:
            return False
        return draft.contact.pk in change.participants or draft.contact.pk in self.taking_part.get(
            change.ticket.pk or 0, set()
        )

    def remember(self, draft: Draft) -> None:
        """Let the later drafts of this batch find the ticket this one goes to."""
        if draft.change is None:
            return
        if draft.joins and draft.contact is not None:
            self.unfinished[draft.channel.kind, draft.contact.pk] = draft.change
        if draft.inbound.message_id:
            self.threads.setdefault(digest(draft.inbound.message_id), []).append(draft.change)
        for mail_id in named_ids(draft):
            self.expected.setdefault(digest(mail_id), []).append(draft.change)

    def own_channels(self, addresses: Iterable[str]) -> list[Channel]:
        """Our channels among these addresses, with marks and what plus addressing allows taken off."""
        found = (self._own_channel(a) for a in addresses)
        return list(dict.fromkeys(c for c in found if c))

    def _own_channel(self, address: str) -> Channel | None:
        known = self.own.get(normalise_email(address)) or self.own.get(normalise_email(tokens.without_mark(address)))
        if known is None:
            base = self.own.get(normalise_email(tokens.without_plus(address)))
            known = base if base and base.settings.get("plus_addressing") else None
        return known

    def is_ours(self, address: str) -> bool:
        """True for an address of any channel; one that is closed now may have sent before."""
        plain = normalise_email(tokens.without_mark(address))
        return any(plain in channel.addresses for channel in self.channels.values())
