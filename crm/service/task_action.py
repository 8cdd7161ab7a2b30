"""The rules' action “make a task”: about the ticket, for its people or for somebody else, due in business hours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.organisation import access
from crm.organisation.models import User
from crm.planning import services
from crm.planning.models import Task
from crm.service.changes import Change, Effect
from routing.models import Queue
from routing.registry import ActionKind, Parameter, register_action

ASSIGNEE, QUEUE, PERSON = "assignee", "queue", "person"
DEFAULT_HOURS = 8
"""Business hours: the same time on the next working day."""
LONGEST_HOURS = 2_000
"""A year of working days."""


@dataclass(slots=True)
class OpenTask(Effect):
    """A task that a rule or a macro wants."""

    title: str
    kind: str
    whom: tuple[str, int]
    """`ASSIGNEE`, `QUEUE` or `PERSON`, and a primary key; 0 with the first two: the ticket's own."""
    hours: int
    by: User | None
    name: str
    """Of the rule or the person."""

    @classmethod
    def write(cls, items: list[tuple[Change, OpenTask]]) -> None:
        """Make the tasks, but none that the ticket has open already: a rule on every change must not pile them up."""
        open_now = {
            (reference, title)
            for reference, title in Task.objects.filter(
                reference__in={_reference(change) for change, _task in items}, state=Task.State.OPEN
            ).values_list("reference", "title")
        }
        for change, wanted in items:
            key = _reference(change), wanted.title
            if key not in open_now:
                open_now.add(key)
                wanted._open(change)

    def _open(self, change: Change) -> None:
        ticket = change.ticket
        assignee, queue = _hands(self.whom, change)
        services.open_task(
            services.NewTask(
                title=self.title,
                kind=self.kind,
                assignee=assignee,
                queue=queue,
                contact=ticket.contact,
                customer=ticket.customer,
                reference=_reference(change),
                due_at=services.due_in(self.hours * 60, queue or ticket.queue),
                priority=ticket.priority,
            ),
            by=self.by,
            name=self.name,
        )


def _reference(change: Change) -> str:
    return f"ticket:{change.ticket.pk}"


def _hands(whom: tuple[str, int], change: Change) -> tuple[User | None, Queue | None]:
    """Who gets it; the ticket's queue where the person named is gone or nobody has the ticket."""
    ticket = change.ticket
    match whom:
        case "person", key:
            user = User.objects.filter(pk=key).first()
        case "queue", key if key:
            return None, Queue.objects.select_related("hours").filter(pk=key).first() or ticket.queue
        case "assignee", _:
            user = ticket.assignee
        case _:
            user = None
    return (user, None) if access.is_staff(user) else (None, ticket.queue)


def _make(change: Change, values: Mapping[str, Any], rule: str) -> str:
    title = " ".join(str(values["title"]).split())[:250]
    what, _colon, key = str(values["whom"]).partition(":")
    hours = values.get("hours")
    wait = DEFAULT_HOURS if hours is None else min(max(int(hours), 0), LONGEST_HOURS)
    with change.acting_by(rule):
        task = OpenTask(title, Task.Kind(values["kind"]), (what, int(key or 0)), wait, change.actor, change.name)
    change.after(task)
    return title


def _whom() -> list[tuple[str, Any]]:
    people = [u for u in User.objects.filter(is_staff=True, is_active=True).order_by("name") if access.works_tickets(u)]
    return [
        (ASSIGNEE, gettext_lazy("the ticket’s assignee")),
        (QUEUE, gettext_lazy("the ticket’s queue")),
        *((f"{PERSON}:{user.pk}", str(user)) for user in people),
        *((f"{QUEUE}:{queue.pk}", str(queue)) for queue in Queue.objects.all()),
    ]


def register() -> None:
    """Say to the engine that rules and macros can make tasks. Called once at start."""
    register_action(
        ActionKind(
            "make_task",
            gettext_lazy("make a task"),
            (
                Parameter("title", gettext_lazy("title")),
                Parameter("kind", gettext_lazy("kind"), "choice", lambda: Task.Kind.choices),
                Parameter("whom", gettext_lazy("for whom"), "choice", _whom),
                Parameter("hours", gettext_lazy("due in business hours"), "number", required=False),
            ),
            _make,
            changes=False,
            told=lambda title: _("task: %(title)s") % {"title": title},
        )
    )
