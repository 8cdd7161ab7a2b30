"""What several drafts need from the database, asked once for all of them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from django.utils import timezone

from crm.customers.identity import contacts_for, normalise_email
from crm.customers.models import Contact, ContactPoint
from crm.service.changes import Change
from crm.service.models import NUMBER_OFFSET, Ticket, TicketParticipant
from crm.service.rules import Board
from inbox.channels.email import tokens
from inbox.intake.draft import Draft
from inbox.models import Channel, RawMessage, ThreadKey
from routing.models import KeywordSet

_CLAIM = re.compile(r"(?:^|\+)t(\d{1,12})(?:-[0-9a-z]*)?(?:\.|$|@)")
_HOOK = re.compile(
    r"(?:ticket|工单|工單|案件)\s*[#＃:：]?\s*(\d{6,12})\b|\[[^\]\d]{0,40}#\s?(\d{6,12})\]|#(\d{6,12})\b", re.IGNORECASE
)
MAX_REFERENCES = 50


def digest(message_id: str) -> str:
    """How a Message-ID is kept in `ThreadKey`."""
    return hashlib.sha256(message_id.strip().encode("utf-8", "surrogatepass")).hexdigest()[:32]


def named_ids(draft: Draft) -> list[str]:
    """The ids a message answers to, nearest first: In-Reply-To, then References from the end; capped."""
    inbound = draft.inbound
    ordered = [inbound.in_reply_to, *reversed(inbound.references)]
    return list(dict.fromkeys(i for i in ordered if i))[:MAX_REFERENCES]


def marked_tickets(draft: Draft) -> list[int]:
    """Tickets whose valid mark of ours the message carries."""
    marks = [tokens.ticket_of_message_id(i) for i in named_ids(draft)]
    marks += [tokens.ticket_of_address(a) for a in draft.own_addresses_written]
    return list(dict.fromkeys(m for m in marks if m))


def claimed_tickets(draft: Draft) -> list[int]:
    """Tickets that the message names without proof: a number in the subject, a mark that is not valid."""
    claims = [match.group(1) for i in named_ids(draft) if (match := _CLAIM.match(i))]
    claims += [m.group(1) for a in draft.own_addresses_written if (m := _CLAIM.search(a.partition("@")[0] + "@"))]
    keys = [int(c) for c in claims]
    for match in _HOOK.finditer(draft.inbound.subject):
        number = int(next(g for g in match.groups() if g))
        if number > NUMBER_OFFSET:
            keys.append(number - NUMBER_OFFSET)
    return list(dict.fromkeys(keys))


class Batch:
    """Look-ups shared by the drafts of one transaction. Open it inside the transaction: found tickets are locked."""

    def __init__(self, drafts: list[Draft]) -> None:
        self.drafts = drafts
        self.board = Board()
        self.now = timezone.now()
        self.channels = {
            c.pk: c for c in Channel.objects.select_related("queue__sla__hours", "queue__hours", "acknowledge")
        }
        self.own = {a: c for c in self.channels.values() if c.active for a in c.addresses}
        self.changes: dict[int, Change] = {}
        self.threads: dict[str, list[Change]] = {}
        self.expected: dict[str, list[Change]] = {}
        self.taking_part: dict[int, set[int]] = {}
        self.done_before: dict[str, RawMessage] = {}
        self.contacts: dict[str, Contact] = {}
        self._keywords: list[KeywordSet] | None = None

    def keyword_sets(self) -> list[KeywordSet]:
        """The words that staff maintain, read when the first rule asks."""
        if self._keywords is None:
            self._keywords = list(KeywordSet.objects.filter(active=True))
        return self._keywords

    def find_duplicates(self) -> None:
        """Which of the drafts were posted before, by fingerprint."""
        marks = [d.fingerprint for d in self.drafts]
        rows = RawMessage.objects.filter(fingerprint__in=marks, state=RawMessage.State.DONE).order_by("-id")
        self.done_before = {row.fingerprint: row for row in rows}

    def find_people(self) -> None:
        """The contacts of the senders, made where missing."""
        wanted = {d.contact_key: d.inbound.sender.name for d in self.drafts if d.contact_key and d.inbound.sender}
        if wanted:
            self.contacts = contacts_for(ContactPoint.Kind.EMAIL, wanted)
        nobody = [d for d in self.drafts if not d.contact_key and not d.outcome and d.contact is None]
        made = Contact.objects.bulk_create(
            Contact(name=d.inbound.sender.name[:200] if d.inbound.sender else "") for d in nobody
        )
        for draft, contact in zip(nobody, made, strict=True):
            draft.contact = contact
        for draft in self.drafts:
            draft.contact = draft.contact or self.contacts.get(draft.contact_key)

    def find_threads(self) -> None:
        """The tickets that the drafts may belong to, locked, with those who take part in them."""
        ids = {digest(i) for d in self.drafts for i in (*named_ids(d), d.inbound.message_id) if i}
        keys = list(ThreadKey.objects.filter(digest__in=ids)) if ids else []
        wanted = {k.ticket_id for k in keys}
        wanted |= {key for d in self.drafts for key in (*marked_tickets(d), *claimed_tickets(d))}
        wanted |= {int(d.raw.facts["ticket"]) for d in self.drafts if d.raw.facts.get("ticket")}
        existing = dict(Ticket.objects.filter(pk__in=wanted).values_list("pk", "merged_into_id"))
        goal = {key: self._end_of_merges(key, into) for key, into in existing.items()}
        locked = Change.lock_all(goal.values()) if goal else []
        by_key = {c.ticket.pk: c for c in locked}
        self.changes = {key: by_key[target] for key, target in goal.items()}
        for change in locked:
            change.board = self.board
            self.taking_part[change.ticket.pk] = set()
        for ticket, contact in TicketParticipant.objects.filter(ticket_id__in=by_key).values_list("ticket", "contact"):
            self.taking_part[ticket].add(contact)
        for key in keys:
            if key.ticket_id in self.changes:
                table = self.expected if key.ancestor else self.threads
                table.setdefault(key.digest, []).append(self.changes[key.ticket_id])

    @staticmethod
    def _end_of_merges(key: int, into: int | None) -> int:
        seen = {key}
        while into is not None and into not in seen:
            seen.add(into)
            key = into
            into = Ticket.objects.filter(pk=key).values_list("merged_into_id", flat=True).first()
        return key

    def named(self, draft: Draft) -> list[Change]:
        """Tickets with a message, or an ancestor of one, that the draft names; nearest first."""
        found: list[Change] = []
        for mail_id in named_ids(draft):
            mark = digest(mail_id)
            found += self.threads.get(mark, [])
            found += self.expected.get(mark, [])
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
        if draft.inbound.message_id:
            self.threads.setdefault(digest(draft.inbound.message_id), []).append(draft.change)
        for mail_id in named_ids(draft):
            self.expected.setdefault(digest(mail_id), []).append(draft.change)

    def own_channels(self, addresses: Iterable[str]) -> list[Channel]:
        """Our channels among these addresses, with marks taken off."""
        found = (self.own.get(normalise_email(tokens.without_mark(a))) for a in addresses)
        return list(dict.fromkeys(c for c in found if c))
