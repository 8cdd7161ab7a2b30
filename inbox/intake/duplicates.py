"""The same mail twice, and our own mail coming back."""

from __future__ import annotations

import hashlib
import re

from core.html import to_text
from crm.service.changes import Change
from inbox.channels.base import InboundFile
from inbox.channels.email import tokens
from inbox.intake import automatic
from inbox.intake.batch import Batch, digest
from inbox.intake.draft import Draft
from inbox.models import Delivery, Message, RawMessage
from inbox.services import files

LOOKED_AT = 10
"""Messages of one id on one ticket that a mail is compared with."""
_TARGET = re.compile(r"""\b(?:href|src|background|action)\s*=\s*["']?\s*([^"'\s>]+)""", re.IGNORECASE)


def fingerprint(draft: Draft) -> str:
    """One hash of what the sender wrote: the Message-ID together with the content.

    The Message-ID alone would let an attacker who knows it send first and have the real mail suppressed (R-07).
    A name and a size do not tell two scans apart, nor the words of a link its target: the bytes and the HTML count too.
    Without a Message-ID the sender's date takes its place, without both the bytes themselves.
    """
    inbound = draft.inbound
    identity = inbound.message_id or (inbound.sent_at.isoformat() if inbound.sent_at else draft.raw.digest)
    whose = inbound.sender.address.lower() if inbound.sender else ""
    text = _words(inbound.text)
    html = (_words(inbound.html),) if inbound.html else ()
    attached = (f"{f.name}:{f.size}:{hashlib.sha256(f.content).hexdigest()}" for f in inbound.files)
    hashed = hashlib.sha256()
    for piece in (identity, whose, inbound.subject, text, *html, *attached):
        hashed.update(piece.encode("utf-8", "surrogatepass") + b"\0")
    return hashed.hexdigest()


def own_mail(draft: Draft, batch: Batch) -> None:
    """What we sent ourselves and what came back to us (a Bcc, a list, a rule at the provider) is nothing new.

    Whoever got an answer of ours knows its Message-ID: a mail that he sends under it must not vanish (R-07).
    """
    inbound = draft.inbound
    if inbound.sender is None or inbound.ambiguous_sender or not tokens.ticket_of_message_id(inbound.message_id):
        return
    if batch.is_ours(inbound.sender.address) or _handed_round(draft):
        draft.settle(RawMessage.Outcome.IGNORED, "our own message")
        draft.answer = "our own message"


def _handed_round(draft: Draft) -> bool:
    """True for our own words under their own id that a list passed on in its name (DMARC makes lists rewrite From)."""
    inbound = draft.inbound
    if not draft.automatic:
        return False
    delivery = Delivery.objects.select_related("message").filter(mail_id=inbound.message_id).first()
    ours = delivery.message if delivery else None
    return (
        ours is not None
        and _same_words(ours.text, inbound.reply_text or inbound.text)
        and (not inbound.html or _words(to_text(inbound.html)).startswith(_words(ours.text)))
        and _brings_no_file(ours, inbound.files)
    )


def same_mail(draft: Draft, batch: Batch) -> None:
    """Posted before, or earlier in this batch: through another folder, another of our addresses, or a list."""
    before = batch.done_before.get(draft.fingerprint) or _through_a_list(draft, batch)
    if before is None:
        batch.done_before[draft.fingerprint] = draft.raw
        return
    draft.settle(RawMessage.Outcome.DUPLICATE, f"the same mail as number {before.pk}")
    for other in batch.drafts:
        if other.raw is before and other.change is not None:
            draft.change = other.change
            other.change.also_queues |= _queue_of(draft, other.change.ticket.queue_id)
            _still_to_be_answered(draft, batch, other.change, other.answer)
            return
    # Merging and splitting may have taken the message to another ticket since.
    now = Message.objects.filter(pk=before.message_id or 0).values_list("ticket_id", flat=True).first()
    draft.raw.ticket_id, draft.raw.message_id = now or before.ticket_id, before.message_id
    locked = batch.threads.get(digest(draft.inbound.message_id), []) if draft.inbound.message_id else []
    change = next((change for change in locked if change.ticket.pk == draft.raw.ticket_id), None)
    _still_to_be_answered(draft, batch, change, before.answer)
    if before.ticket_id and before.channel_id != draft.channel.pk:
        draft.also_queues |= {draft.channel.queue_id}


def _still_to_be_answered(draft: Draft, batch: Batch, change: Change | None, said: str) -> None:
    """A list's copy is answered by no machine; when it is the first to come, the mail itself still is.

    `said`: why the first had no automatic answer.
    """
    unheard = change is not None and change.ticket.first_answered_at is None and not change.ticket.is_finished
    if said != automatic.MACHINE % "list" or not unheard:
        draft.answer = "duplicate"
        return
    draft.change = change
    automatic.may_answer(draft, batch)


def _queue_of(draft: Draft, first: int) -> set[int]:
    return {draft.channel.queue_id} - {first}


def _through_a_list(draft: Draft, batch: Batch) -> RawMessage | None:
    """The copy that a mailing list made: same id, same sender, same words, with the list's footer or prefix added."""
    inbound = draft.inbound
    changes = batch.threads.get(digest(inbound.message_id), []) if inbound.message_id and draft.contact else []
    for change in changes:
        if change.ticket.pk is None:
            continue
        rows = Message.objects.filter(ticket=change.ticket, mail_id=inbound.message_id)
        for earlier in rows.order_by("seq")[:LOOKED_AT]:
            if (
                _may_be_of(draft, earlier.from_address)
                and _same_words(earlier.text, inbound.text)
                and _same_html(earlier.html, inbound.html)
                and _brings_no_file(earlier, inbound.files)
            ):
                return RawMessage.objects.filter(message=earlier).first()
    return _in_this_batch(draft, batch) if changes else None


def _in_this_batch(draft: Draft, batch: Batch) -> RawMessage | None:
    """The original, when it came so shortly before its copy that it is not written yet."""
    copy = draft.inbound
    for other in batch.drafts:
        first = other.inbound
        if other is draft:
            break
        if (
            other.change is not None
            and first.message_id == copy.message_id
            and _may_be_of(draft, other.sender)
            and _same_words(first.text, copy.text)
            and _same_html(first.html, copy.html)
            and {file.content for file in copy.files} <= {file.content for file in first.files}
        ):
            return other.raw
    return None


def _may_be_of(draft: Draft, sender: str) -> bool:
    """A list may put itself into From, so its copy may be of anybody's mail; what a person sends is his own."""
    return sender == draft.sender or draft.automatic == "list"


def _words(text: str) -> str:
    return " ".join(text.split())


def _same_words(one: str, other: str) -> bool:
    short, long = sorted((_words(one), _words(other)), key=len)
    return bool(short) and long.startswith(short) and len(long) - len(short) < 2000


def _same_html(earlier: str, later: str) -> bool:
    """A list may drop the HTML, or set its footer below; another target behind the same words is another message."""
    if not later:
        return True
    words, more = to_text(earlier).split(), to_text(later).split()
    targets, others = _TARGET.findall(earlier), _TARGET.findall(later)
    if words == more:
        return targets == others
    short, long = sorted((targets, others), key=len)
    return _same_words(" ".join(words), " ".join(more)) and long[: len(short)] == short


def _brings_no_file(earlier: Message, attached: tuple[InboundFile, ...]) -> bool:
    """A list may drop files, but one that is not kept yet would be lost."""
    if not attached:
        return True
    sizes = {file.size for file in attached}
    try:
        kept = {files.read_blob("attachments", a.blob) for a in earlier.attachments.all() if a.size in sizes}
    except FileNotFoundError:
        return False
    return all(file.content in kept for file in attached)
