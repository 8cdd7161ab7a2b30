"""Requests of people without an account: kept back until the owner of the address confirms (S-50)."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from core import limits
from core.tokens import sign, verify
from inbox.channels.packed_files import File
from inbox.channels.webform.adapter import pack
from inbox.models import Channel, RawMessage
from inbox.services import files
from inbox.services.accept import accept
from inbox.services.mail_look import as_html
from inbox.services.processing import release, see_through

log = logging.getLogger(__name__)

HOUR, DAY = 3600, 24 * 3600
CONFIRM_WITHIN = timedelta(hours=24)
KEPT_UNCONFIRMED = timedelta(days=3)
PER_VISITOR_MINUTE, PER_VISITOR_HOUR, ALL_HOUR = 5, 30, 500
PER_ADDRESS_HOUR, PER_ADDRESS_DAY = 1, 3
_PURPOSE = "guest request"

_confirm_page: list[Callable[[str], str]] = []


class TooMany(Exception):
    """A limit is reached; `why` says which in words for the visitor."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def form_channel() -> Channel | None:
    """The form that the portal shows, if one is set up."""
    return Channel.objects.filter(kind="webform", active=True).order_by("id").first()


def hold(
    channel: Channel,
    *,
    visitor: str,
    name: str,
    email: str,
    subject: str,
    text: str,
    topic: str,
    sent: list[File],
    key: str = "",
) -> RawMessage:
    """Keep the request and mail the address a link to confirm it. Nobody at our side sees it before. Raises TooMany.

    `visitor` is the IP network it came from. The mail holds not a word of the visitor's: an open form must not carry
    messages to strangers.
    """
    check_visitor(visitor)
    check_address(email)
    language = translation.get_language() or ""
    content = pack(name=name, email=email, subject=subject, text=text, topic=topic, language=language, files=sent)
    key = key or f"guest-{secrets.token_hex(12)}"
    with transaction.atomic():
        raw = accept(channel, content, external_id=key, facts={"peer": visitor}, held=True)
        ask(email, sign(_PURPOSE, f"g-{raw.pk}"))
    return raw


def check_visitor(visitor: str) -> None:
    """Count one use of the open form. Raises TooMany."""
    often = _("Too many requests came from your network. Please try again later.")
    if not limits.hit(f"guest:m:{visitor}", limit=PER_VISITOR_MINUTE, seconds=60):
        raise TooMany(often)
    if not limits.hit(f"guest:h:{visitor}", limit=PER_VISITOR_HOUR, seconds=HOUR):
        raise TooMany(often)
    if not limits.hit("guest:h:all", limit=ALL_HOUR, seconds=HOUR):
        log.warning("the open form is over its limit of %s requests an hour", ALL_HOUR)
        raise TooMany(_("A great many requests are coming in at the moment. Please try again later, or sign in."))


def confirmed_at(page: Callable[[str], str]) -> None:
    """Say where a token is confirmed: `page(token)` is the path. The site above says so once, at start."""
    _confirm_page[:] = [page]


def check_address(email: str) -> None:
    """Count one mail to an address that nobody has proved to be his. Raises TooMany."""
    if not limits.hit("guest-mail:h:all", limit=ALL_HOUR, seconds=HOUR):
        log.warning("more than %s mails in an hour to addresses that nobody proved", ALL_HOUR)
        raise TooMany(_("A great many requests are coming in at the moment. Please try again later, or sign in."))
    if not limits.hit(f"guest-mail:h:{email}", limit=PER_ADDRESS_HOUR, seconds=HOUR):
        raise TooMany(_("We wrote to this address less than an hour ago. Please confirm that request first."))
    if not limits.hit(f"guest-mail:d:{email}", limit=PER_ADDRESS_DAY, seconds=DAY):
        raise TooMany(_("We wrote to this address several times today. Please try again tomorrow, or sign in."))


def ask(email: str, token: str, *, chat: bool = False) -> None:
    """Mail a link to confirm a request, or an address given in a chat. It holds not a word of the visitor's (S-50)."""
    link = settings.BASE_URL + _confirm_page[0](token)
    context = {"link": link, "site": settings.WAGTAIL_SITE_NAME, "chat": chat}
    text = render_to_string("inbox/mail/guest_confirm.txt", context)
    subject = _("Please confirm your address") if chat else _("Please confirm your request")
    mail = EmailMultiAlternatives(subject, text, settings.DEFAULT_FROM_EMAIL, [email])
    mail.attach_alternative(as_html(subject, text), "text/html")
    mail.send()


def waiting(token: str) -> RawMessage | None:
    """The request that this link is for, while it can still be confirmed."""
    payload = verify(_PURPOSE, token) or ""
    key = payload.removeprefix("g-")
    if not key.isdigit():
        return None
    held = RawMessage.objects.filter(pk=int(key), state=RawMessage.State.HELD)
    return held.filter(received_at__gt=timezone.now() - CONFIRM_WITHIN).select_related("channel").first()


def confirm(token: str) -> RawMessage | None:
    """Let the request in, once; None when the link is wrong, too old or used."""
    raw = waiting(token)
    if raw is None or not release(raw):
        return None
    return see_through(raw)


def forget_unconfirmed() -> int:
    """Delete requests that nobody confirmed, with their bytes; how many went."""
    old = RawMessage.objects.filter(
        state=RawMessage.State.HELD, channel__kind="webform", received_at__lt=timezone.now() - KEPT_UNCONFIRMED
    )
    rows = list(old.values_list("pk", "blob")[:1000])
    RawMessage.objects.filter(pk__in=[key for key, _blob in rows], state=RawMessage.State.HELD).delete()
    files.remove("raw", [blob for _key, blob in rows])
    return len(rows)
