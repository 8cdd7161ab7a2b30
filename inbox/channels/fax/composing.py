"""An answer as the pages of a fax: a cover from a template, the text, the files."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings as site
from django.core.exceptions import ValidationError
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from core import merge_fields
from core.said import said
from inbox.channels.base import NotComposable, Outbound
from inbox.channels.email import outgoing_headers as headers
from inbox.channels.fax import numbers
from inbox.channels.fax.forms import NO_COVER, STANDARD
from inbox.channels.fax.pages import rendering, tiff
from inbox.channels.fax.pages.rendering import Result
from inbox.models import Channel, Delivery, Message, Template
from inbox.services.files import read_blob

if TYPE_CHECKING:
    from crm.organisation.models import User
    from crm.service.models import Ticket

File = tuple[str, str, bytes]
PAGES_MARK = "\ue000pages\ue000"
"""Stands for the number of pages until it is known."""


def kind_of(name: str, content_type: str, content: bytes) -> str:
    """`tiff`, `pdf`, `picture` or `text`: by what it is, not by what it is called; empty when it cannot be faxed."""
    if content[:4] in (b"II*\0", b"MM\0*"):
        return "tiff"
    if content.startswith(b"%PDF-"):
        return "pdf"
    if content.startswith((b"\x89PNG\r\n", b"\xff\xd8\xff")):
        return "picture"
    plain = content_type.lower().partition(";")[0] == "text/plain" or name.lower().endswith(".txt")
    if plain and b"\x00" not in content[:4096]:
        return "text"
    return ""


def refuse_files(attached: Sequence[File]) -> None:
    """Raises ValidationError that names the first file that cannot become pages."""
    for name, content_type, content in attached:
        kind = kind_of(name, content_type, content)
        if not kind:
            raise ValidationError(
                _("“%(name)s” cannot be faxed. PDF, TIFF, PNG, JPEG and plain text can.") % {"name": name[:80]}
            )
        if kind == "tiff":
            try:
                tiff.read(content)
            except tiff.TiffUnreadable:
                raise ValidationError(_("“%(name)s” is damaged.") % {"name": name[:80]}) from None


def compose(delivery: Delivery, channel: Channel | None) -> Outbound:
    """The fax, or the gateway's mail with it. Raises NotComposable."""
    message = delivery.message
    if message is None or channel is None:
        raise NotComposable(said("There is nothing to fax."))
    told = delivery.content
    since = told.get("unclear")
    kept = {"mark": hashlib.sha256(delivery.mail_id.encode()).hexdigest()[:20], **told.get("kept", {})}
    unclear_for = max(0.0, timezone.now().timestamp() - float(since)) if since else None
    by_mail = channel.settings.get("out_by") == "mail"
    if kept.get("job") and not by_mail:
        off = bool(told.get("call_off"))
        return Outbound(delivery.pk, delivery.recipient, "", b"", kept=kept, unclear_for=unclear_for, call_off=off)
    form = "pdf" if by_mail or site.MAIL_SINK is not None else str(channel.settings.get("out_document") or "tiff")
    result = pages_of(message, channel, form=form, recipient=delivery.recipient)
    if not result.document:
        raise NotComposable(refusal(result, [file.name for file in message.attachments.all()]))
    if by_mail:
        return _by_gateway(delivery, message, channel, result.document)
    return Outbound(delivery.pk, delivery.recipient, "", result.document, kept=kept, unclear_for=unclear_for)


def refusal(result: Result, names: Sequence[str]) -> str:
    """Why there is no fax, in words."""
    why = str(rendering.WORDS.get(result.refused, rendering.WORDS["broken"]))
    if result.refused == "too-many":
        why = _("A fax has at most %(n)s pages.") % {"n": rendering.MOST_SENT}
    if 0 <= result.file < len(names):
        return _("“%(name)s” cannot be faxed: %(why)s") % {"name": names[result.file][:80], "why": why}
    return why


def pages_of(
    message: Message, channel: Channel | None, *, form: str = "tiff", recipient: str = "", width: int = 0
) -> Result:
    """The pages of an answer that is written down."""
    if channel is None:
        return Result(refused="empty")
    kept = [(f.name, f.content_type, read_blob("attachments", f.blob)) for f in message.attachments.all()]
    return draw(
        ticket=message.ticket,
        author=message.author,
        text=message.text,
        attached=kept,
        channel=channel,
        recipient=recipient or (message.to[0][0] if message.to else ""),
        language=message.language,
        form=form,
        width=width,
    )


def draw(
    *,
    ticket: Ticket,
    author: User | None,
    text: str,
    attached: Sequence[File],
    channel: Channel,
    recipient: str,
    language: str = "",
    form: str = "tiff",
    width: int = 0,
) -> Result:
    """The pages of an answer, also of one that nobody has sent yet."""
    language = language or ticket.language or ticket.contact.language or channel.language
    signature = (author.signature if author else "").strip()
    body = f"{text.rstrip()}\n\n{signature}" if signature else text
    # A language of which we have no catalogue would mix Django's words with English ones.
    with translation.override(language if language in dict(site.LANGUAGES) else channel.language):
        cover = _cover(channel, language, _fields(ticket, author, channel, recipient))
    files = [(kind_of(*file) or "text", file[2]) for file in attached]
    return rendering.make(
        cover=cover, text=body, files=files, language=language, form=form, pages_mark=PAGES_MARK, width=width
    )


def _cover(channel: Channel, language: str, fields: Mapping[str, str]) -> str:
    wanted = channel.settings.get("cover") or STANDARD
    if wanted == NO_COVER:
        return ""
    template = None
    if wanted != STANDARD:
        template = Template.objects.filter(purpose=Template.Purpose.COVER, name=wanted).first()
    if template is None:
        return merge_fields.render_lines(standard(), fields)
    versions = {text.language: text.body for text in template.texts.all()}
    body = next((versions[code] for code in (language, channel.language, "en") if code in versions), "")
    return merge_fields.render_lines(body or next(iter(versions.values()), ""), fields)


def standard() -> str:
    """The cover page where nobody wrote another, in the language that is active."""
    return "\n".join(
        [
            "# {{ channel.name }}",
            _("To") + ": {{ contact.name }}",
            _("Company") + ": {{ customer.name }}",
            _("Fax") + ": {{ fax.to }}",
            _("From") + ": {{ agent.name }}",
            _("Our fax") + ": {{ fax.from }}",
            _("Date") + ": {{ fax.date }}",
            pgettext("how many", "Pages") + ": {{ fax.pages }}",
            _("Subject") + ": {{ ticket.subject }}",
            _("Our reference") + ": Ticket#{{ ticket.number }}",
        ]
    )


def _fields(ticket: Ticket, author: User | None, channel: Channel, recipient: str) -> dict[str, str]:
    region = str(channel.settings.get("region", ""))
    own = next((a for a in channel.addresses if "@" not in a), "")
    return {
        "channel.name": channel.display_name or channel.name,
        "contact.name": ticket.contact.name,
        "customer.name": ticket.customer.name if ticket.customer else "",
        "agent.name": str(author) if author else channel.display_name or channel.name,
        "queue.name": ticket.queue.name,
        "ticket.number": str(ticket.number),
        "ticket.subject": headers.one_line(ticket.subject),
        "fax.to": numbers.shown(recipient, region),
        "fax.from": numbers.shown(own, region),
        "fax.date": date_format(timezone.localtime(), "DATE_FORMAT"),
        "fax.pages": PAGES_MARK,
    }


def _by_gateway(delivery: Delivery, message: Message, channel: Channel, document: bytes) -> Outbound:
    """The mail that a mail-to-fax gateway makes a fax of."""
    settings: Mapping[str, Any] = channel.settings
    carrier = Channel.objects.filter(kind="email", active=True, name=settings.get("out_channel", "")).first()
    if carrier is None:
        raise NotComposable(said("The e-mail channel that carries faxes to the gateway is not there."))
    to = numbers.in_address(delivery.recipient, str(settings.get("out_address", "")), str(settings.get("region", "")))
    lines = [
        headers.fixed("Date", format_datetime(delivery.created_at)),
        headers.addresses("From", [(carrier.address, channel.display_name)]),
        headers.addresses("To", [(to, "")]),
        headers.unstructured("Subject", f"Fax {delivery.recipient}"),
        headers.ids("Message-ID", [delivery.mail_id]),
    ]
    body = EmailMessage(policy=SMTP)
    body.set_content("", charset="utf-8")
    body.add_attachment(document, maintype="application", subtype="pdf", filename=f"fax-{message.ticket.number}.pdf")
    content = b"".join(lines) + body.as_bytes(policy=SMTP)
    return Outbound(delivery.pk, to, carrier.address, content, through=carrier)
