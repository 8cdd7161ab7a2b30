"""The bytes of one delivery: headers as conventions want them, the agent's words as text and HTML, files, the quote."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import translation
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from core import zones
from core.html import linkify
from core.said import said
from crm.service.models import Ticket
from inbox.channels.base import NotComposable, Outbound
from inbox.channels.email import hooks, tokens
from inbox.channels.email import outgoing_headers as headers
from inbox.models import Channel, Delivery, Message
from inbox.services import scanning
from inbox.services.files import read_blob

SUBJECT_LIMIT = 110
"""Characters of a subject, its mark included."""
REFERENCES = 10
"""Ids kept in References: the oldest and the newest."""
QUOTE_LIMIT = 20_000
"""Characters of the previous message that are quoted."""
_REPLY = re.compile(r"\s*(re|aw|sv|fwd?|wg|tr|回复|答复|回覆|轉寄|转发)\s*[:：]", re.IGNORECASE)
_CONTENT_TYPE = re.compile(r"(?!message/|multipart/)[a-z0-9][a-z0-9.+_-]{0,60}/[a-z0-9][a-z0-9.+_-]{0,60}")
_BAD_IN_NAME = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069/\\]+")


def compose(delivery: Delivery, channel: Channel | None = None) -> Outbound:
    """The whole mail. `channel` sends account mail, which has none of its own. Raises NotComposable."""
    channel = channel or delivery.channel
    if delivery.message is None:
        return _account_mail(delivery, channel)
    if channel is None or not channel.address:
        raise NotComposable(said("The channel has no address to write from."))
    with translation.override(delivery.message.language or delivery.message.ticket.language or channel.language):
        return _ticket_mail(delivery, delivery.message, channel)


def _ticket_mail(delivery: Delivery, message: Message, channel: Channel) -> Outbound:
    automatic = delivery.purpose == Delivery.Purpose.AUTOMATIC
    # Several answers of a chat in one mail, see `inbox.services.handover`.
    together = str(delivery.content.get("together", ""))
    earlier = _earlier(message)
    parent = next((m for m in reversed(earlier) if m.kind == Message.Kind.INBOUND), earlier[-1] if earlier else None)
    known = _known_ids(earlier, delivery.recipient)
    in_reply_to = known.get(parent.pk, "") if parent else ""
    lines = [
        headers.fixed("Date", format_datetime(delivery.created_at)),
        headers.addresses("From", [(channel.address, channel.display_name)]),
        headers.addresses("To", ([] if together else _people(message.to)) or [(delivery.recipient, "")]),
        headers.addresses("Cc", _people(message.cc)),
        headers.unstructured(
            "Subject",
            subject(
                str(delivery.content.get("subject") or message.subject or message.ticket.subject),
                message.ticket,
                channel.settings,
                is_answer=bool(in_reply_to) and not automatic,
            ),
        ),
        headers.ids("Message-ID", [delivery.mail_id]),
        headers.ids("In-Reply-To", [in_reply_to]),
        headers.ids("References", _references(list(known.values()), in_reply_to)),
    ]
    envelope = channel.address
    if channel.settings.get("plus_addressing"):
        marked = tokens.reply_address(channel.address, message.ticket_id)
        lines.append(headers.addresses("Reply-To", [(marked, channel.display_name)]))
        envelope = tokens.return_path(channel.address, delivery.mail_id)
    if automatic:
        lines += _machine_lines("auto-replied")
        envelope = ""  # RFC 3834, 3.3: an answer to an automatic answer has nowhere to go
    text = message.text if automatic else _signed(together or message.text, message, channel)
    # What was said elsewhere is not quoted: whoever gets this mail may not be who said it.
    quoted, quoted_html = ("", "") if automatic or together or parent is None else _quote(parent, message)
    body = _body(text + quoted, f"<div>{_as_html(text)}</div>{quoted_html}")
    for each in [*Message.objects.filter(ticket=message.ticket_id, pk__in=delivery.content.get("with", [])), message]:
        _attach(body, each)
    return Outbound(delivery.pk, delivery.recipient, envelope, b"".join(lines) + body.as_bytes(policy=SMTP))


def _account_mail(delivery: Delivery, channel: Channel | None) -> Outbound:
    content: dict[str, Any] = delivery.content
    name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    if channel is not None and channel.address:
        name, address = channel.display_name or name, channel.address
    lines = [
        headers.fixed("Date", format_datetime(delivery.created_at)),
        headers.addresses("From", [(address, name)]),
        headers.addresses("To", [(delivery.recipient, "")]),
        headers.unstructured("Subject", str(content.get("subject", ""))[:SUBJECT_LIMIT]),
        headers.ids("Message-ID", [delivery.mail_id]),
        *_machine_lines("auto-generated"),
    ]
    envelope = address
    if channel is not None and channel.settings.get("plus_addressing"):
        envelope = tokens.return_path(address, delivery.mail_id)
    text = str(content.get("text", ""))
    body = _body(text, str(content.get("html") or "") or f"<div>{_as_html(text)}</div>")
    return Outbound(delivery.pk, delivery.recipient, envelope, b"".join(lines) + body.as_bytes(policy=SMTP))


def _machine_lines(kind: str) -> list[bytes]:
    return [headers.fixed("Auto-Submitted", kind), headers.fixed("X-Auto-Response-Suppress", "All")]


def subject(text: str, ticket: Ticket, options: dict[str, Any], *, is_answer: bool) -> str:
    """The subject with the ticket's mark, at most 110 characters; a mark of ours that it has already is moved."""
    hook = hooks.of(options)
    mark = f"[{hook}{ticket.number}]"
    plain = re.sub(rf"\s*\[{re.escape(hook)}\d+\]\s*", " ", headers.one_line(text)).strip()
    if is_answer and not _REPLY.match(plain):
        plain = f"Re: {plain}"
    plain = plain[: SUBJECT_LIMIT - len(mark) - 1].rstrip()
    return f"{mark} {plain}".rstrip() if options.get("subject_side") == "left" else f"{plain} {mark}".lstrip()


def _earlier(message: Message) -> list[Message]:
    """What customers have seen of the ticket before this message, oldest first. Notes are never among it (S-53)."""
    return list(
        Message.objects.filter(
            ticket_id=message.ticket_id, seq__lt=message.seq, kind__in=Message.PUBLIC, hidden=False
        ).order_by("seq")
    )


def _known_ids(earlier: Sequence[Message], recipient: str) -> dict[int, str]:
    """The Message-ID under which the recipient knows each message: every recipient of ours got one of his own."""
    ours = dict(Delivery.objects.filter(message__in=earlier, recipient=recipient).values_list("message_id", "mail_id"))
    found = {m.pk: ours.get(m.pk, m.mail_id) for m in earlier}
    return {pk: mail_id for pk, mail_id in found.items() if headers.is_id(mail_id)}


def _references(known: list[str], parent: str) -> list[str]:
    """Oldest and newest; the parent stands last (RFC 5322, 3.6.4)."""
    order = [each for each in dict.fromkeys(known) if each != parent]
    if parent:
        order.append(parent)
    return order if len(order) <= REFERENCES else [order[0], *order[1 - REFERENCES :]]


def _people(pairs: Sequence[Any]) -> list[tuple[str, str]]:
    return [(str(pair[0]), str(pair[1] if len(pair) > 1 else "")) for pair in pairs if pair]


def _signed(text: str, message: Message, channel: Channel) -> str:
    signature = (message.author.signature if message.author else "") or channel.settings.get("signature", "")
    return f"{text.rstrip()}\n\n-- \n{signature.strip()}" if signature.strip() else text


def _zone(message: Message) -> ZoneInfo | None:
    """Of the colleague who answers, as mail programs reckon; of nobody: that of the site."""
    name = message.author.time_zone if message.author else ""
    return ZoneInfo(name) if name in zones.known() else None


def _quote(parent: Message, message: Message) -> tuple[str, str]:
    words = (parent.reply_text or parent.text).strip()[:QUOTE_LIMIT]
    if not words:
        return "", ""
    who = headers.one_line(parent.from_name or parent.from_address or str(parent.author or ""))
    at = localtime(parent.sent_at or parent.at, _zone(message))
    when = date_format(at, pgettext("moment (Django date format)", "j M Y, H:i"))
    intro = _("On %(when)s, %(who)s wrote:") % {"when": when, "who": who}
    text = f"\n\n{intro}\n" + "".join(f"> {line}".rstrip() + "\n" for line in words.splitlines())
    return text, f'<br><p>{html.escape(intro)}</p><blockquote type="cite">{_as_html(words)}</blockquote>'


def _as_html(text: str) -> str:
    return linkify(text.replace("\r\n", "\n"), "<br>\n")


def _body(text: str, markup: str) -> EmailMessage:
    body = EmailMessage(policy=SMTP)
    text = text.replace("\x00", "")
    body.set_content(text.rstrip("\n") + "\n", charset="utf-8", cte=_encoding(text))
    page = f'<!DOCTYPE html>\n<html><head><meta charset="utf-8"></head><body>\n{markup}\n</body></html>\n'
    if "<html" in markup[:500].lower():
        page = markup
    body.add_alternative(page.replace("\x00", ""), subtype="html", charset="utf-8", cte=_encoding(page))
    for part in body.iter_parts():
        del part["MIME-Version"]  # it belongs to the message, not to each part
    return body


def _encoding(text: str) -> str:
    """Quoted-printable while it stays readable; both leave 7-bit lines that no server on the way has to change."""
    wide = sum(1 for char in text if char > "\x7f")
    return "base64" if wide * 6 > len(text) else "quoted-printable"


def _attach(body: EmailMessage, message: Message) -> None:
    for file in message.attachments.all():
        kind = file.content_type.lower() if _CONTENT_TYPE.fullmatch(file.content_type.lower()) else ""
        main, _slash, sub = (kind or "application/octet-stream").partition("/")
        name = _BAD_IN_NAME.sub("_", file.name.encode("utf-8", "replace").decode()).strip(" .")[:150] or "file"
        try:
            scanning.clear(file)
        except scanning.FileWithheld as why:
            raise (OSError if why.for_now else NotComposable)(str(why)) from why
        body.add_attachment(read_blob("attachments", file.blob), maintype=main, subtype=sub, filename=name)
