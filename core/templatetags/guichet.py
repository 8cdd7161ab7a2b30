"""Tags of the components that desk and portal share. `{% load guichet %}` comes last, after Wagtail's own tags."""

from __future__ import annotations

import zlib
from datetime import datetime
from functools import cache
from typing import Any

from django import forms, template
from django.forms import BoundField
from django.template.context import Context
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language_info, pgettext

from core.telephone import spaced

register = template.Library()
register.filter(spaced)

STATES = {
    "new": ("accent", "status-new"),
    "open": ("info", "status-open"),
    "pending": ("warning", "status-pending"),
    "snoozed": ("violet", "status-snoozed"),
    "resolved": ("success", "status-resolved"),
    "closed": ("neutral", "status-closed"),
    "merged": ("neutral", "status-merged"),
    "queued": ("neutral", "clock"),
    "sending": ("info", "send"),
    "sent": ("success", "check"),
    "deferred": ("warning", "refresh"),
    "failed": ("danger", "error"),
    "uncertain": ("warning", "help"),
    "cancelled": ("neutral", "x"),
    "bounced": ("danger", "warning"),
    "held": ("warning", "clock"),
    "stored": ("info", "clock"),
    "done": ("success", "check"),
    "dead": ("danger", "error"),
    "unknown": ("neutral", "help"),
    "good": ("success", "check"),
    "trouble": ("danger", "warning"),
    "paused": ("warning", "status-pending"),
    "dropped": ("neutral", "x"),
    "agreed": ("info", "calendar"),
    "missed": ("danger", "warning"),
    "draft": ("neutral", "edit"),
    "running": ("success", "play"),
    "finished": ("neutral", "check"),
    "claimed": ("info", "phone"),
    "blocked": ("danger", "x"),
    "checking": ("info", "clock"),
    "ready": ("success", "check"),
}
"""Tone and icon of a word that says where something stands. A word that is not here is neutral, without an icon."""

PRIORITIES = {1: "low", 2: "normal", 3: "high", 4: "urgent"}
AVATAR_TONES = 5


@register.simple_tag
def icon(name: str, size: str = "", label: str = "", cls: str = "") -> SafeString:
    """The icon `name` of core/icons.svg in the colour of the text. `size` is small, large or empty.

    Without a `label` it is decoration that screen readers skip.
    """
    classes = " ".join(["g-icon", *([f"g-icon--{size}"] if size else []), *([cls] if cls else [])])
    said = format_html('role="img" aria-label="{}"', label) if label else SafeString('aria-hidden="true"')
    return format_html(
        '<svg class="{}" viewBox="0 0 20 20" {}><use href="{}#{}"></use></svg>',
        classes,
        said,
        _icons(),
        name,
    )


@cache
def _icons() -> str:
    return static("core/icons.svg")


@register.simple_tag
def status(word: str, label: str = "", bare: bool = False) -> SafeString:
    """A pill that says where something stands: `{% status ticket.status ticket.get_status_display %}`."""
    tone, name = STATES.get(str(word), ("neutral", ""))
    classes = f"g-status g-tone-{tone}" + (" g-status--bare" if bare else "")
    return format_html('<span class="{}">{}{}</span>', classes, icon(name) if name else "", label or word)


@register.simple_tag
def priority(value: int, label: str = "") -> SafeString:
    """Bars of a ticket's priority (1 to 4), with `label` read aloud and shown as a tooltip."""
    name = PRIORITIES.get(value, "normal")
    cls = {"urgent": "g-priority--urgent", "high": "g-priority--high"}.get(name, "")
    bars = icon(f"priority-{name}", "", label)
    return format_html('<span class="g-priority {}" title="{}">{}</span>', cls, label, bars)


def initials(name: str) -> str:
    """Up to two letters for `name`; of a short Chinese, Japanese or Korean name the last two signs."""
    words = [word for word in name.replace("@", " ").split() if word[:1].isalnum()]
    if not words:
        return "?"
    if ord(words[0][0]) > 0x2E80:
        return words[0][-2:] if len(words[0]) <= 4 else words[0][:2]
    return "".join(word[0] for word in {0: words[0], len(words) - 1: words[-1]}.values()).upper()


@register.simple_tag
def avatar(name: Any, size: str = "", square: bool = False) -> SafeString:
    """Initials of `name` on a colour that is always the same for that name. Decoration: the name stands beside it."""
    text = str(name or "")
    classes = ["g-avatar", f"g-avatar--{zlib.crc32(text.encode()) % AVATAR_TONES}"]
    classes += [f"g-avatar--{size}"] if size else []
    classes += ["g-avatar--square"] if square else []
    return format_html('<span class="{}" aria-hidden="true">{}</span>', " ".join(classes), initials(text))


@register.simple_tag
def phone(number: str) -> SafeString:
    """A number in E.164 as people of the world write it, to be dialled by a click.

    The desk's script makes a link of it: without it nobody would ask whether the number may be called.
    """
    return format_html('<a class="g-tel" data-dial="{}"><bdi>{}</bdi></a>', number, spaced(number))


@register.filter
def language_name(code: str) -> str:
    """The name of `zh-hans` or `de-AT` in the reader's language; a code that nobody knows stays."""
    for each in (code, code.partition("-")[0]):
        try:
            return str(get_language_info(each.lower())["name_translated"])
        except KeyError:
            continue
    return code


@register.simple_tag
def when(at: datetime | None, full: bool = False) -> SafeString | str:
    """A moment in the reader's zone: the time today, the day this year, else the date; the whole of it as tooltip."""
    if at is None:
        return ""
    local, now = timezone.localtime(at), timezone.localtime()
    whole = date_format(local, pgettext("moment (Django date format)", "j M Y, H:i"))
    if full:
        short = whole
    elif local.date() == now.date():
        short = date_format(local, "H:i")
    elif local.year == now.year:
        short = date_format(local, pgettext("day of this year (Django date format)", "j M"))
    else:
        short = date_format(local, pgettext("day (Django date format)", "j M Y"))
    return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), whole, short)


@register.simple_tag
def stars(score: int, label: str = "") -> SafeString:
    """A rating of 1 to 5 as it was given."""
    filled, empty = icon("star-full", cls="is-full"), icon("star")
    row = SafeString("".join([filled] * score + [empty] * (5 - score)))
    return format_html('<span class="g-stars--shown" role="img" aria-label="{}">{}</span>', label or f"{score}/5", row)


@register.simple_tag(takes_context=True)
def theme(context: Context) -> str:
    """`light` or `dark` when the visitor chose one, else empty: the system decides."""
    request = context.get("request")
    chosen = request.COOKIES.get("theme", "") if request else ""
    return chosen if chosen in ("light", "dark") else ""


@register.inclusion_tag("core/components/field.html")
def field(
    bound: BoundField, hint: str = "", label: str = "", help_text: str | None = None, rows: int = 0
) -> dict[str, Any]:
    """A form field with label, help and errors, tied together for screen readers.

    `hint` stands beside the label (such as "optional"); `label` and `help_text` replace the form's own.
    """
    if help_text is not None:
        bound.help_text = help_text
    widget = bound.field.widget
    kind = "input"
    look, extra = "g-input", {}
    if isinstance(widget, forms.CheckboxInput):
        kind, look = "check", ""
    elif isinstance(widget, forms.RadioSelect | forms.CheckboxSelectMultiple):
        kind, look = "choices", ""
    elif isinstance(widget, forms.Select):
        look = "g-select"
    elif isinstance(widget, forms.Textarea):
        look, extra = "g-textarea", {"rows": str(rows)} if rows else {}
    elif isinstance(widget, forms.FileInput):
        kind, look = "file", ""
    classes = " ".join(filter(None, [str(widget.attrs.get("class", "")), look]))
    # Forms of allauth say their label again in the field, in words of their own.
    attributes: dict[str, str | bool] = {"placeholder": False, **extra, **({"class": classes} if classes else {})}
    return {
        "field": bound,
        "kind": kind,
        "control": bound.as_widget(attrs=attributes),
        "hint": hint,
        "label": label or bound.label,
    }
