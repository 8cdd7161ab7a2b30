"""Tags of the workspace: `{% load desk %}`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timeuntil
from django.utils.translation import gettext as _

from core.templatetags.guichet import icon, language_name
from crm.organisation import access
from inbox.channels import registry
from inbox.services import chats
from inbox.workspace.conversation import on_one_line
from inbox.workspace.words import notice_words

register = template.Library()


@register.filter
def plain(value: Any) -> str:
    """A name or subject from outside on one line, with every invisible sign shown (S-15)."""
    return on_one_line(str(value or ""), 250)


@register.filter
def language(code: str) -> str:
    """The name of what a browser calls `en-GB`, in the reader's language; a code that nobody knows stays."""
    return on_one_line(language_name(code), 40)


@register.simple_tag
def due(at: datetime) -> SafeString:
    """A promise: how long it still has, or that it is broken."""
    left = at - timezone.now()
    minutes = int(left.total_seconds() // 60)
    if minutes < 0:
        tone, text = "danger", _("overdue")
    elif minutes < 60:
        tone, text = "warning", _("%(count)d min") % {"count": minutes}
    elif minutes < 24 * 60:
        tone, text = "neutral", _("%(count)d h") % {"count": minutes // 60}
    else:
        return SafeString("")
    title = _("Answer due in %(time)s") % {"time": timeuntil(at)} if minutes >= 0 else _("The answer is overdue")
    sign = icon("clock", "small")
    return format_html('<span class="g-badge g-tone-{}" title="{}">{}{}</span>', tone, title, sign, text)


@register.filter
def works_tickets(user: Any) -> bool:
    """Whether the workspace is open to this user."""
    return access.works_tickets(user)


@register.simple_tag
def waited(since: datetime) -> SafeString:
    """How long somebody has waited before his screen, in minutes: soon a warning."""
    minutes = max(0, int((timezone.now() - since).total_seconds() // 60))
    tone = "danger" if minutes >= 5 else "warning" if minutes >= 2 else "neutral"
    if minutes >= 120:
        text = _("%(count)d h") % {"count": minutes // 60}
    else:
        text = _("%(count)d min") % {"count": minutes} if minutes else _("now")
    title = _("Waiting since %(time)s") % {"time": date_format(timezone.localtime(since), "H:i")}
    return format_html(
        '<span class="g-badge g-tone-{}" title="{}">{}{}</span>', tone, title, icon("clock", "small"), text
    )


@register.inclusion_tag("inbox/everywhere.html")
def everywhere() -> dict[str, Any]:
    """What every page of the desk carries for whoever works tickets: the socket's scripts and what they say."""
    return {"notices": notice_words()}


@register.simple_tag
def medium(origin: str, size: str = "small") -> SafeString | str:
    """The sign of the channel that a ticket came by."""
    if origin not in registry.kinds():
        return ""
    adapter = registry.adapter(origin)
    sign = icon(adapter.icon, size, str(adapter.label))
    return format_html('<span class="desk-medium" title="{}">{}</span>', adapter.label, sign)


@register.filter
def is_here(visitor: Any) -> bool:
    """Whether a visitor gave a sign of life lately."""
    return chats.is_here(visitor)
