"""A talk as a mail to the visitor: at once to an address that is proved to be his, else after a click in a mail."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from core import limits
from inbox.models import Conversation, Message, Visitor
from inbox.services import chat_addresses, chats, guests, visitors
from inbox.services.mail_look import as_html

A_DAY = 5
"""Transcripts to one proven address."""
MESSAGES = 500


class NoAddress(Exception):
    """Nobody knows where to send it."""


def request(talk: Conversation) -> bool:
    """Send the transcript, or ask the owner of an unproven address first; whether it went at once.

    Raises NoAddress, and guests.TooMany.
    """
    address, proven = visitors.address_of(talk.visitor)
    if not address:
        raise NoAddress
    if proven:
        if not limits.hit(f"chat-transcript:{address}", limit=A_DAY, seconds=24 * 3600):
            raise guests.TooMany(_("We sent several transcripts to this address today. Please try again tomorrow."))
        _send(talk, address)
        return True
    chat_addresses.ask(talk, chat_addresses.TRANSCRIPT)
    return False


def confirm(token: str) -> bool:
    """Note that the address is his, and send what the link is for; False when it is wrong, too old or used."""
    found = chat_addresses.confirm(token)
    if found is None:
        return False
    talk, then = found
    if then == chat_addresses.TRANSCRIPT:
        _send(talk, talk.visitor.email)
    return True


def _send(talk: Conversation, address: str) -> None:
    rows = (
        talk.ticket.messages.filter(kind__in=Message.PUBLIC)
        .select_related("author")
        .prefetch_related("attachments")
        .order_by("-seq")[:MESSAGES]
    )
    with translation.override(talk.visitor.locale):
        said = chats.messages_for(talk, list(reversed(rows)))
        subject = _("Your chat with %(site)s") % {"site": settings.WAGTAIL_SITE_NAME}
        with timezone.override(chats.zone_of(talk.visitor)):
            text = "\n\n".join(_lines(said, talk.visitor))
        mail = EmailMultiAlternatives(subject, text, settings.DEFAULT_FROM_EMAIL, [address])
        mail.attach_alternative(as_html(subject, text), "text/html")
    mail.send()


def _lines(messages: Sequence[Message], visitor: Visitor) -> list[str]:
    lines = []
    for message in messages:
        if message.kind == Message.Kind.INBOUND:
            who = visitor.name or _("You")
        else:
            who = (message.author.name if message.author else "") or _("Our team")
        when = date_format(timezone.localtime(message.at), pgettext("moment (Django date format)", "j M Y, H:i"))
        files = [f"[{file.name}]" for file in message.attachments.all()]
        lines.append("\n".join(filter(None, [f"{who} ({when}):", message.text.strip(), *files])))
    return lines
