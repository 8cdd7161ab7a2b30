"""Pages of faxes: drawn and read before their message is understood, so that rules and search see the words.

A fax is in the journal first. Its message waits a little for the words (a setting of the channel); should nobody draw
the pages in time, it goes its way without them, and the words are added when they are there. Whatever a document does
to the program that draws it, the message comes (S-19).
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from core import fault, ledger
from crm.service.changes import Change
from crm.service.models import Ticket
from inbox import live
from inbox.channels import registry
from inbox.channels.email.understanding.language import detect
from inbox.channels.fax.pages import rendering
from inbox.channels.fax.pages.rendering import Result
from inbox.models import Channel, FaxDocument, FaxPage, Message, RawMessage
from inbox.models.message import preview
from inbox.services import files, wake

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
DRAWING_LEASES = 4
"""So many leases long a document may be drawn before another worker begins with it too; only one of them writes."""
STORAGE_PAUSE = timedelta(seconds=20)
LOOK_AGAIN = 0.2
"""Seconds between two looks at a document that a worker has in hand."""
TEXT_MOST = 200_000
_BETWEEN_SIGNS = re.compile(
    r"(?<=[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]) +(?=[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef])"
)
State = FaxDocument.State


def plan(raws: Sequence[RawMessage]) -> None:
    """Have the pages of these faxes drawn, and let their messages wait for the words. In the caller's transaction."""
    FaxDocument.objects.bulk_create(FaxDocument(raw=raw) for raw in raws)
    now = timezone.now()
    for raw in raws:
        if seconds := waits(raw.channel):
            raw.next_at = now + timedelta(seconds=seconds)
            raw.save(update_fields=["next_at"])
    wake.pages()


def waits(channel: Channel) -> float:
    """Seconds that a fax of this channel waits for its words; 0 where nothing can read them."""
    if not ocr_pages(channel):
        return 0
    return float(channel.settings.get("in_ocr_wait") or 0)


def ocr_pages(channel: Channel | None) -> int:
    """Pages of a fax whose words are read; 0 when they are not."""
    if channel is None or channel.settings.get("in_ocr", "all") == "off" or not rendering.tesseract()[0]:
        return 0
    return int(channel.settings.get("in_ocr_pages") or 10)


def of(message: Message) -> FaxDocument:
    """The pages of this message; they are asked for when nobody did before."""
    found = FaxDocument.objects.filter(raw__message=message).order_by("id").first()
    if found is None:
        # The words of an answer are known, and those of what came earlier were read by people.
        found, made = FaxDocument.objects.get_or_create(message=message, defaults={"told": True})
        if made:
            wake.pages()
    return found


def turn(document: FaxDocument, degrees: int) -> int:
    """Turn the pages by so many degrees (a multiple of 90) for everybody; how they stand now."""
    with transaction.atomic():
        row = FaxDocument.objects.select_for_update().get(pk=document.pk)
        row.turn = (row.turn + degrees) % 360
        row.save(update_fields=["turn"])
    return row.turn


def draw_waiting() -> int:
    """Claim one document and draw it, then hand words over; how many documents that was."""
    rows = FaxDocument.objects.filter(state=State.WAITING)
    drawn = _draw_one(rows) if rows.filter(ledger.due()).exists() else 0
    return drawn + hand_over()


def read_through(raw: RawMessage) -> None:
    """Have this fax read now, here or by the worker who has it in hand, for no longer than its message waits for that.

    For whoever has to tell what became of it, and does not know whether any worker runs.
    """
    document = FaxDocument.objects.filter(raw=raw, told=False)
    until = time.monotonic() + waits(raw.channel)
    while time.monotonic() < until and document.exists():
        _draw_one(document.filter(state=State.WAITING))
        if not sum(_hand_over(each) for each in document.exclude(state=State.WAITING)):
            time.sleep(LOOK_AGAIN)


def _draw_one(rows: QuerySet[FaxDocument]) -> int:
    """Claim one of them and draw it; how many that was."""
    claimed = ledger.claim(rows, limit=1, seconds=DRAWING_LEASES * settings.LEASE_SECONDS)
    for document in claimed:
        _draw(document)
    return len(claimed)


def _draw(document: FaxDocument) -> None:
    fault.point("fax.claimed")
    try:
        if document.attempts > MAX_ATTEMPTS:
            result = Result(refused="broken")
        else:
            result = _result(document)
        fault.point("fax.drawn")
        _write(document, result)
    except (OSError, DatabaseError) as why:
        _put_off(document, why)
    except Exception:
        log.exception("fax %s cannot be drawn", document.pk)
        _write(document, Result(refused="broken"))


def _put_off(document: FaxDocument, why: Exception) -> None:
    """The fault is the disk's or the database's: the document waits, and the attempt does not count."""
    log.warning("fax %s waits: %s", document.pk, why)
    ledger.held(FaxDocument.objects.all(), document).update(
        attempts=max(0, document.attempts - 1),
        next_at=timezone.now() + STORAGE_PAUSE,
        lease_token="",
        lease_until=None,
        error=f"{type(why).__name__}: {why}",
    )


def _result(document: FaxDocument) -> Result:
    raw, message = document.raw, document.message
    if raw is not None:
        read = registry.adapter(raw.channel.kind).read(files.read_blob("raw", raw.blob), raw.channel.settings)
        contents = [file.content for file in read.files if is_document(file.content)]
        return rendering.read(
            contents, ocr_pages=ocr_pages(raw.channel), languages=raw.channel.settings.get("in_ocr", "")
        )
    if message is None:
        return Result(refused="empty")
    if message.kind == Message.Kind.INBOUND:
        kept = [files.read_blob("attachments", each.blob) for each in message.attachments.all()]
        return rendering.read([content for content in kept if is_document(content)])
    from inbox.channels.fax.composing import pages_of

    return pages_of(message, message.channel, width=rendering.WIDTH)


def is_document(content: bytes) -> bool:
    """A TIFF or a PDF, by how it begins."""
    return content[:4] in (b"II*\0", b"MM\0*") or b"%PDF-" in content[:1024]


def _write(document: FaxDocument, result: Result) -> None:
    text = tidy("\n\n".join(result.texts))[:TEXT_MOST]
    names: list[str] = []
    try:
        names = files.store_many("fax", [each for page in result.pages for each in (page.picture, page.thumb)])
        with transaction.atomic():
            row = ledger.held(FaxDocument.objects.select_for_update(of=("self",)), document).first()
            if row is None:
                files.remove("fax", names)
                return
            row.state = State.READY if result.pages else State.UNAVAILABLE
            row.reason, row.count, row.damaged, row.text = result.refused, result.count, result.damaged, text
            row.lease_token, row.lease_until, row.error = "", None, ""
            row.save()
            FaxPage.objects.bulk_create(
                FaxPage(
                    document=row,
                    number=page.number,
                    width=page.width,
                    height=page.height,
                    picture=names[2 * place],
                    thumb=names[2 * place + 1],
                )
                for place, page in enumerate(result.pages)
            )
            fault.point("fax.written")
    except BaseException:
        files.remove("fax", names)
        raise
    ticket = _ticket(document)
    if ticket is not None:
        live.changed([ticket])


def _ticket(document: FaxDocument) -> Ticket | None:
    key: int | None
    if document.raw_id:
        key = RawMessage.objects.filter(pk=document.raw_id).values_list("ticket", flat=True).first()
    else:
        key = Message.objects.filter(pk=document.message_id or 0).values_list("ticket", flat=True).first()
    return Ticket.objects.filter(pk=key).first() if key else None


def tidy(text: str) -> str:
    """Tesseract sets Chinese signs apart; they are not."""
    lines = (_BETWEEN_SIGNS.sub("", line).rstrip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def hand_over() -> int:
    """Give the messages the words of their pages, where both are there; how many that was."""
    done = 0
    drawn = FaxDocument.objects.filter(told=False).exclude(state=State.WAITING)
    for document in drawn.order_by("id")[:50]:
        done += _hand_over(document)
    return done


def _hand_over(document: FaxDocument) -> int:
    with transaction.atomic():
        row = FaxDocument.objects.select_for_update(of=("self",)).filter(pk=document.pk, told=False).first()
        if row is None:
            return 0
        raw = RawMessage.objects.select_for_update(of=("self",)).get(pk=row.raw_id) if row.raw_id else None
        if raw is not None:
            now = timezone.now()
            if raw.state == RawMessage.State.STORED and raw.lease_until and raw.lease_until > now:
                return 0  # it is being posted just now: then the message gets them
            raw.facts = {**raw.facts, "reading": _reading(row)}
            if raw.state == RawMessage.State.DONE:
                if raw.message_id:
                    _add_words(raw.message_id, row)
                raw.save(update_fields=["facts"])
            else:
                raw.next_at = now
                raw.save(update_fields=["facts", "next_at"])
                wake.processing()
        row.told = True
        row.save(update_fields=["told"])
        fault.point("fax.told")
    return 1


def _reading(row: FaxDocument) -> dict[str, object]:
    reading: dict[str, object] = {"pages": row.count, "damaged": row.damaged or row.state == State.UNAVAILABLE}
    if row.text:
        reading |= {"text": row.text, "language": detect(row.text)}
    return reading


def _add_words(message_id: int, row: FaxDocument) -> None:
    """The message was posted before its words were there: now search finds them, and the list shows them."""
    ticket_id = Message.objects.values_list("ticket", flat=True).get(pk=message_id)
    change = Change.lock(ticket_id, merged=True)
    message = Message.objects.select_for_update(of=("self",)).get(pk=message_id)
    reading = _reading(row)
    message.facts = {**message.facts, "pages": reading["pages"], "damaged": reading["damaged"]}
    if row.text and not message.text:
        message.text = message.reply_text = row.text
        message.language = message.language or str(reading["language"])
        if change.ticket.preview == preview("", message.attachments.values_list("name", flat=True)):
            change.ticket.preview = preview(row.text)
        change.ticket.language = change.ticket.language or message.language
    message.indexed = False
    message.save(update_fields=["facts", "text", "reply_text", "language", "indexed"])
    change.save()
