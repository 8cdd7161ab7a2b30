"""Words of the portal: its name, and a ticket's state as the customer sees it."""

from __future__ import annotations

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django import template
from django.conf import settings
from django.utils.safestring import SafeString

from core import html
from core.templatetags.guichet import status
from crm.service.models import Ticket
from inbox.models import Message
from portal.my.wording import state_of

register = template.Library()


@register.simple_tag
def site_name() -> str:
    """What the site calls itself."""
    return settings.WAGTAIL_SITE_NAME


@register.filter
def can_be_dropped(factor: Authenticator) -> bool:
    """Whether its owner may do without it."""
    return get_adapter().can_delete_authenticator(factor)


@register.simple_tag
def ticket_state(ticket: Ticket) -> SafeString:
    """Where the ticket stands, in the customer's words."""
    word, label = state_of(ticket.status)
    return status(word, str(label))


@register.simple_tag
def spoken(message: Message) -> SafeString:
    """What somebody wrote, without quotes and signature, as harmless HTML with links; the whole when that is empty."""
    return html.linkify(message.reply_text or message.text)
