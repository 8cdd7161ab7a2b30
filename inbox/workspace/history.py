"""Changes of a ticket, in words."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from crm.service.models import Ticket, TicketEvent

ICONS = {
    "status": "refresh",
    "priority": "flag",
    "assignee": "user",
    "queue": "queue",
    "tags": "tag",
    "snoozed": "status-snoozed",
    "opened": "ticket",
    "subject": "edit",
    "merged": "merge",
    "absorbed": "merge",
    "merge-undone": "split",
    "reopened": "refresh",
    "split": "split",
    "rated": "star",
    "escalated": "bell",
    "undelivered": "warning",
}


def _label(choices: Iterable[tuple[object, object]], value: str) -> str:
    return next((str(label) for key, label in choices if str(key) == value), value)


def in_words(event: TicketEvent) -> str:
    """What was changed, as one sentence without its subject: who did it stands before it."""
    old, new = event.old, event.new
    match event.what:
        case "opened":
            return _("opened the ticket")
        case "status":
            return _("set the status to %(new)s") % {"new": _label(Ticket.Status.choices, new)}
        case "priority":
            return _("set the priority to %(new)s") % {"new": _label(Ticket.Priority.choices, new)}
        case "assignee" if new:
            return _("assigned it to %(new)s") % {"new": new}
        case "assignee":
            return _("took it from %(old)s") % {"old": old}
        case "queue" if old:
            return _("moved it from %(old)s to %(new)s") % {"old": old, "new": new}
        case "queue":
            return _("put it in %(new)s") % {"new": new}
        case "tags" if new:
            return _("added the tag %(new)s") % {"new": new}
        case "tags":
            return _("removed the tag %(old)s") % {"old": old}
        case "subject":
            return _("changed the subject to “%(new)s”") % {"new": new}
        case "snoozed":
            return _("snoozed it")
        case "merged":
            return _("merged it into %(new)s") % {"new": new or old}
        case "absorbed":
            return _("merged %(old)s into this ticket") % {"old": old or new}
        case "merge-undone":
            return _("took it apart from %(old)s again") % {"old": old}
        case "split":
            return _("made %(new)s of a part of it") % {"new": new}
        case "reopened":
            return _("reopened it")
        case "undelivered":
            return _("our answer to %(new)s came back") % {"new": new}
        case "escalated":
            return _("a promised time is missed") if new == "breach" else _("a promised time is near")
        case "rated":
            return _("rated our work %(new)s of 5") % {"new": new}
    change = " → ".join(part for part in (old, new) if part)
    return f"{event.what}: {change}" if change else event.what


def reason(event: TicketEvent) -> str:
    """Why, where the words do not say it already."""
    if event.why in ("merged", "merge-undone"):
        return ""
    if event.what == "status" and event.new == Ticket.Status.SNOOZED and event.why:
        until = parse_datetime(event.why)
        return date_format(timezone.localtime(until), "DATETIME_FORMAT") if until else event.why
    return event.why


def icon(event: TicketEvent) -> str:
    """Its sign."""
    return ICONS.get(event.what, "history")


def actor(event: TicketEvent) -> str:
    """Who did it."""
    name = event.actor_name
    if not name:
        return _("Guichet")
    if name.startswith("rule:"):
        return _("Rule “%(name)s”") % {"name": name[5:].strip()}
    return name
