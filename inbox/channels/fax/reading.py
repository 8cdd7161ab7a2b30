"""A fax, or the mail of a mail-to-fax gateway, understood as far as bytes alone allow."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from inbox.channels.base import Address, Inbound, InboundFile
from inbox.channels.email.reading.message import read as read_mail
from inbox.channels.fax import envelope, numbers
from inbox.channels.fax.envelope import Envelope
from inbox.channels.fax.pages import tiff

_NUMBER = re.compile(r"(?:\+|00)?\(?\d[\d\s()/.\-]{3,24}\d")
_TO = re.compile(r"\b(?:to|an|für|for|auf|at|发至|傳至|至)\b[:：]?\s*", re.IGNORECASE)


def read(raw: bytes, settings: Mapping[str, Any]) -> Inbound:
    """Never raises; what is no fax is told in `errors`."""
    found = envelope.unpack(raw)
    return _of_machine(*found, settings) if found else _of_gateway(raw, settings)


def is_pdf(content: bytes) -> bool:
    """By its first bytes; some writers put a line before them."""
    return b"%PDF-" in content[:1024]


def is_cut_pdf(content: bytes) -> bool:
    """It lacks the mark that ends every PDF (ISO 32000-1, 7.5.5)."""
    return b"%%EOF" not in content[-4096:]


def _of_machine(told: Envelope, content: bytes, settings: Mapping[str, Any]) -> Inbound:
    kind, ending = ("application/pdf", ".pdf") if is_pdf(content) else ("image/tiff", ".tif")
    name = told.name if told.name.lower().endswith((ending, ".tiff")) else (told.name or "fax") + ending
    pages, damaged, errors = _look(content)
    if told.error:
        damaged = True
        errors = (*errors, f"The fax machine says: {told.error[:200]}")
    region = str(settings.get("region", ""))
    mark = hashlib.sha256(envelope.external_id(told, content).encode()).hexdigest()[:32]
    facts = {"called_number": numbers.spelled(told.called, region), "station": told.station[:60], "damaged": damaged}
    return Inbound(
        sender=_sender(told.sender, told.station, region),
        subject=subject(told.sender or told.station, region),
        named_subject=_("Fax from %(name)s"),
        to=(Address(told.called),) if told.called else (),
        message_id=f"{mark}@fax.invalid",
        sent_at=_moment(told.received_at),
        files=(InboundFile(name, kind, content),),
        errors=errors,
        facts={**facts, "pages": pages} if pages else facts,
    )


def _sender(number: str, station: str, region: str) -> Address | None:
    """By the number that the telephone network told, else by what the machine calls itself if that is a number."""
    name = " ".join(station.split())[:60]
    name = "" if numbers.spelled(name, region) or not any(c.isalpha() for c in name) else name
    for text in (number, station):
        if spelled := numbers.spelled(text, region):
            return Address(spelled, name)
    return Address(number, name) if number or name else None


def subject(number: str, region: str) -> str:
    """How the ticket is called, in the language that is spoken: the channel's, when it is taken in."""
    return _("Fax %(number)s") % {"number": numbers.shown(number, region) or "?"}


def _look(content: bytes) -> tuple[int, bool, tuple[str, ...]]:
    """Pages as far as a glance tells, whether it is damaged, and what is wrong in words."""
    if is_pdf(content):
        return (0, True, ("The fax file is damaged: its end is missing.",)) if is_cut_pdf(content) else (0, False, ())
    try:
        document = tiff.read(content)
    except tiff.TiffUnreadable as why:
        words = {
            "empty": "The fax file is empty.",
            "not-tiff": "The file is neither a TIFF nor a PDF.",
            "cut": "The fax file is cut off before its first page ends.",
        }
        return 0, True, (words[str(why)],)
    if not document.damaged:
        return len(document.pages), False, ()
    return len(document.pages), True, ("The fax file is damaged: it ends in the middle of a page or lacks one.",)


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


def _of_gateway(raw: bytes, settings: Mapping[str, Any]) -> Inbound:
    """A mail with the fax as a file. Only the gateway that is set is believed about who called."""
    mail = read_mail(raw, trusted=str(settings.get("authserv_id", "")))
    region = str(settings.get("region", ""))
    documents = [f for f in mail.files if f.content[:4] in (b"II*\0", b"MM\0*") or is_pdf(f.content)]
    believed = bool(mail.sender and _is_gateway(mail.sender.address, str(settings.get("in_gateway", ""))))
    caller, called = _numbers(mail, str(settings.get("in_number", "subject")))
    errors = mail.errors
    if not believed:
        errors = (*errors, "This mail is not from the fax gateway of this channel: its sender is not believed.")
    if not documents:
        errors = (*errors, "The mail holds no TIFF and no PDF.")
    pages, damaged = 0, not documents
    for file in documents:
        more, bad, words = _look(file.content)
        pages, damaged, errors = pages + more, damaged or bad, (*errors, *words)
    facts: dict[str, Any] = {"called_number": numbers.spelled(called, region), "station": "", "damaged": damaged}
    return replace(
        mail,
        sender=_sender(caller, "", region) if believed else None,
        ambiguous_sender=not believed,
        subject=subject(caller, region) if believed and caller else mail.subject,
        named_subject=_("Fax from %(name)s") if believed and caller else "",
        text="",
        html="",
        reply_text="",
        language="",
        to=(Address(called),) if called else mail.to,
        cc=(),
        in_reply_to="",
        references=(),
        files=tuple(documents),
        automatic="" if believed else mail.automatic,
        report=None if believed else mail.report,
        errors=errors,
        facts={**facts, "pages": pages} if pages else facts,
    )


def _is_gateway(address: str, allowed: str) -> bool:
    """One of the addresses or domains that staff named, set apart by spaces or commas."""
    written = address.strip().lower()
    for each in allowed.lower().replace(",", " ").split():
        if written == each or ("@" not in each.lstrip("@") and written.endswith("@" + each.lstrip("@"))):
            return True
    return False


def _numbers(mail: Inbound, where: str) -> tuple[str, str]:
    """Who called and who was called, out of the place that the gateway writes it to."""
    if where == "from" and mail.sender:
        text = f"{mail.sender.address.partition('@')[0]} {mail.sender.name}"
    elif where == "name" and mail.sender:
        text = mail.sender.name
    else:
        text = mail.subject
    before, called = text, ""
    word = _TO.search(text)
    second = _NUMBER.search(text, word.end()) if word else None
    if second and _NUMBER.search(text[: second.start()]):
        before, called = text[: second.start()], second[0]
    found = _NUMBER.search(before)
    return (found[0] if found else ""), called
