"""Tags of calls: `{% load calls %}`."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from core.templatetags.guichet import icon
from crm.marketing.models import Outcome
from inbox.calls.words import CAUSES, OUTCOMES
from inbox.models import Call
from inbox.services import call_journal

register = template.Library()

ICONS = {
    "missed": "phone-missed",
    "unreached": "phone-missed",
    "voicemail": "voicemail",
    "forwarded": "phone-forwarded",
}
TONES = {
    "ringing": "accent",
    "talking": "info",
    "ended": "success",
    "missed": "danger",
    "unreached": "neutral",
    "voicemail": "warning",
    "forwarded": "neutral",
}


@register.simple_tag
def call_icon(call: Call, size: str = "") -> SafeString:
    """What it was, as a sign."""
    if call.kind == Call.Kind.VISIT:
        return icon("user", size)
    if call.kind == Call.Kind.LETTER:
        return icon("letter", size)
    return icon(ICONS.get(call.state) or ("phone-out" if call.direction == Call.Direction.OUT else "phone-in"), size)


@register.simple_tag
def call_words(call: Call) -> str:
    """What it was, in two or three words."""
    incoming = call.direction == Call.Direction.IN
    if call.kind == Call.Kind.VISIT:
        return _("Visit")
    if call.kind == Call.Kind.LETTER:
        return _("Letter received") if incoming else _("Letter sent")
    if call.state == Call.State.MISSED:
        return _("Missed call")
    if call.state == Call.State.VOICEMAIL:
        return _("Voice message")
    if call.state == Call.State.UNREACHED:
        return _("Call, not reached")
    if call.state == Call.State.FORWARDED:
        return _("Forwarded call")
    return _("Incoming call") if incoming else _("Outgoing call")


@register.filter
def cause(word: str) -> str:
    """Why a call ended, in words."""
    return str(CAUSES.get(word, word))


STATE_ICONS = {"ringing": "bell", "talking": "phone", "ended": "check", **ICONS}


@register.simple_tag
def call_state(call: Call) -> SafeString:
    """Where it stands, as a pill."""
    return format_html(
        '<span class="g-status g-tone-{}">{}{}</span>',
        call_tone(call),
        icon(STATE_ICONS.get(call.state, "check")),
        call.get_state_display() if call.kind == Call.Kind.CALL else _("Logged"),
    )


@register.filter
def call_tone(call: Call) -> str:
    """The tone of its state."""
    return TONES.get(call.state, "neutral")


@register.filter
def clock(seconds: float | None) -> str:
    """`3:05`; empty when it is not known."""
    return call_journal.clock(None if seconds is None else round(seconds))


@register.filter
def outcome(word: str) -> str:
    """What came of it, in words."""
    return str(OUTCOMES.get(word) or dict(Outcome.choices).get(word, word))


@register.filter
def percent(share: float) -> str:
    """`83 %`."""
    return pgettext("share", "%(number)d %%") % {"number": round(share * 100)}
