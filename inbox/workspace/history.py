"""Changes of a ticket, in words."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

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
    "chat-ended": "chat",
    "escalated": "bell",
    "undelivered": "warning",
    "complained": "warning",
    "virus": "shield",
    "call-answered": "phone",
    "call-missed": "phone-missed",
}

REASONS = {
    "answer": gettext_lazy("a colleague answered"),
    "message": gettext_lazy("the customer wrote"),
    "took over": gettext_lazy("taken over"),
    "handed over": gettext_lazy("handed over"),
    "chat ended": gettext_lazy("the chat ended"),
    "left the chat": gettext_lazy("left the chat"),
    "undelivered": gettext_lazy("an answer came back"),
    "snooze-over": gettext_lazy("the time is over"),
    "queue": gettext_lazy("by the queue"),
    "chat": pgettext_lazy("why a ticket was assigned", "chat"),
    "call": pgettext_lazy("why a ticket was assigned", "call"),
    "first": gettext_lazy("first answer"),
    "next": gettext_lazy("next answer"),
    "solution": gettext_lazy("solution"),
}
"""What services store as the reason of a change → what is read. Never words of people."""
FREE = frozenset({"opened", "rated", "undelivered", "complained", "virus"})
"""Changes whose reason is somebody's own words, or a name."""


def _label(choices: Iterable[tuple[object, object]], value: str) -> str:
    return next((str(label) for key, label in choices if str(key) == value), value)


def in_words(event: TicketEvent) -> str:
    """What was changed, as one sentence without its subject: who did it stands before it."""
    old, new = event.old, event.new
    match event.what:
        case "opened":
            return _("opened the ticket")
        case "status" if old == new:
            return _("snoozed it")
        case "status":
            shown = {"old": _label(Ticket.Status.choices, old), "new": _label(Ticket.Status.choices, new)}
            return _("changed the status from %(old)s to %(new)s") % shown
        case "priority":
            shown = {"old": _label(Ticket.Priority.choices, old), "new": _label(Ticket.Priority.choices, new)}
            return _("changed the priority from %(old)s to %(new)s") % shown
        case "assignee" if new and new == event.actor_name:
            return _("took it over from %(old)s") % {"old": old} if old else _("took it")
        case "assignee" if new and old:
            return _("passed it from %(old)s to %(new)s") % {"old": old, "new": new}
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
        case "subject" if old:
            return _("changed the subject from “%(old)s” to “%(new)s”") % {"old": old, "new": new}
        case "subject":
            return _("changed the subject to “%(new)s”") % {"new": new}
        case "snoozed":
            return _("snoozed it")
        case "merged":
            return _("merged it into %(new)s") % {"new": new or old}
        case "absorbed":
            return _("merged %(old)s into this ticket") % {"old": old or new}
        case "merge-undone":
            return _("separated it from %(old)s again") % {"old": old}
        case "split":
            return _("split off %(new)s") % {"new": new}
        case "chat-ended":
            return _("ended the chat")
        case "reopened":
            return _("reopened it")
        case "undelivered":
            return _("learnt that our answer to %(new)s came back") % {"new": new}
        case "complained":
            return _("learnt that our mail to %(new)s was reported as unwanted") % {"new": new}
        case "virus":
            return _("found a virus in “%(new)s”") % {"new": new}
        case "call-answered":
            return _("had answered the call after all")
        case "call-missed":
            return _("found that nobody had answered the call")
        case "escalated" if new == "breach":
            return _("noticed that a promised time is missed")
        case "escalated":
            return _("noticed that a promised time is near")
        case "rated":
            return _("rated our work %(new)s of 5") % {"new": new}
    change = " → ".join(part for part in (old, new) if part)
    return f"{event.what}: {change}" if change else event.what


def reason(event: TicketEvent) -> str:
    """Why, where the words do not say it already."""
    if event.why in ("merged", "merge-undone") or (event.what, event.why) == ("assignee", "took over"):
        return ""
    if event.what == "status" and event.new == Ticket.Status.SNOOZED and event.why:
        until = parse_datetime(event.why)
        whole = pgettext("moment (Django date format)", "j M Y, H:i")
        return date_format(timezone.localtime(until), whole) if until else event.why
    if event.what == "opened" and event.why.startswith("split from "):
        return _("split from %(ticket)s") % {"ticket": event.why.removeprefix("split from ")}
    if event.why.startswith("macro: "):
        return _("macro “%(name)s”") % {"name": event.why.removeprefix("macro: ")}
    return event.why if event.what in FREE else str(REASONS.get(event.why, event.why))


def icon(event: TicketEvent) -> str:
    """Its sign."""
    return ICONS.get(event.what, "history")


def actor(event: TicketEvent) -> str:
    """Who did it."""
    return named(event.actor_name) or _("Guichet")


def named(name: str) -> str:
    """A kept name as it is read: a rule's says that it is one."""
    return _("Rule “%(name)s”") % {"name": name[5:].strip()} if name.startswith("rule:") else name
