"""Tags of the workspace: `{% load desk %}`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timeuntil
from django.utils.translation import gettext as _

from core.templatetags.guichet import icon
from inbox.workspace.conversation import on_one_line

register = template.Library()


@register.filter
def plain(value: Any) -> str:
    """A name or subject from outside on one line, with every invisible sign shown (S-15)."""
    return on_one_line(str(value or ""), 250)


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
