"""The same mail twice, and our own mail coming back."""

from __future__ import annotations

import hashlib
import re

from core.html import to_text
from inbox.channels.base import InboundFile
from inbox.channels.email import tokens
from inbox.intake.batch import Batch, digest
from inbox.intake.draft import Draft
from inbox.models import Message, RawMessage
from inbox.services import files

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
    text = " ".join(inbound.text.split())
    html = (" ".join(inbound.html.split()),) if inbound.html else ()
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
    if batch.is_ours(inbound.sender.address):
        draft.settle(RawMessage.Outcome.IGNORED, "our own message")
        draft.answer = "our own message"


def same_mail(draft: Draft, batch: Batch) -> None:
    """Posted before, or earlier in this batch: through another folder, another of our addresses, or a list."""
    before = batch.done_before.get(draft.fingerprint) or _through_a_list(draft, batch)
    if before is None:
        batch.done_before[draft.fingerprint] = draft.raw
        return
    draft.settle(RawMessage.Outcome.DUPLICATE, f"the same mail as number {before.pk}")
    draft.answer = "duplicate"
    for other in batch.drafts:
        if other.raw is before and other.change is not None:
            draft.change = other.change
            other.change.also_queues |= _queue_of(draft, other.change.ticket.queue_id)
            return
    draft.raw.ticket_id, draft.raw.message_id = before.ticket_id, before.message_id
    if before.ticket_id and before.channel_id != draft.channel.pk:
        draft.also_queues |= {draft.channel.queue_id}


def _queue_of(draft: Draft, first: int) -> set[int]:
    return {draft.channel.queue_id} - {first}


def _through_a_list(draft: Draft, batch: Batch) -> RawMessage | None:
    """The copy that a mailing list made: same id, same sender, same words, with the list's footer or prefix added."""
    if not draft.inbound.message_id or draft.contact is None:
        return None
    for change in batch.threads.get(digest(draft.inbound.message_id), []):
        if change.ticket.pk is None:
            continue
        earlier = Message.objects.filter(
            ticket=change.ticket, mail_id=draft.inbound.message_id, from_address=draft.sender
        ).first()
        if (
            earlier
            and _same_words(earlier.text, draft.inbound.text)
            and _same_html(earlier.html, draft.inbound.html)
            and _brings_no_file(earlier, draft.inbound.files)
        ):
            return RawMessage.objects.filter(message=earlier).first()
    return None


def _same_words(one: str, other: str) -> bool:
    short, long = sorted((" ".join(one.split()), " ".join(other.split())), key=len)
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
