"""What is looked up for the screens of tasks and appointments."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from crm.customers import timeline
from crm.planning.models import Appointment, Task, TaskQuerySet

if TYPE_CHECKING:
    from crm.organisation.models import User

MOST = 200
"""Open tasks that the working list shows; who has more looks into the long list."""
MINE, QUEUES, ASKED, ALL = "mine", "queues", "asked", "all"


@dataclass(slots=True)
class Agenda:
    """Open tasks in the order in which somebody works, and what he finished today."""

    overdue: list[Task] = field(default_factory=list)
    today: list[Task] = field(default_factory=list)
    later: list[Task] = field(default_factory=list)
    some_day: list[Task] = field(default_factory=list)
    finished: list[Task] = field(default_factory=list)
    cut: bool = False
    """There are more than are shown."""


def scoped(user: User, scope: str) -> TaskQuerySet:
    """The tasks of a tab: his, those of his queues that nobody has taken, those he asked others for, or all he sees."""
    tasks = Task.objects.visible_to(user)
    if scope == QUEUES:
        return tasks.filter(assignee=None, queue__members__user=user)
    if scope == ASKED:
        return tasks.filter(created_by=user).exclude(assignee=user)
    if scope == ALL:
        return tasks
    return tasks.filter(assignee=user)


def agenda(user: User, scope: str) -> Agenda:
    """What is to be done, by the reader's clock."""
    rows = with_all(scoped(user, scope))
    found = list(rows.filter(state=Task.State.OPEN)[: MOST + 1])
    plan, now, night = Agenda(cut=len(found) > MOST), timezone.now(), end_of_day()
    for task in found[:MOST]:
        if task.due_at is None:
            plan.some_day.append(task)
        elif task.due_at < now:
            plan.overdue.append(task)
        else:
            (plan.today if task.due_at < night else plan.later).append(task)
    ended = rows.exclude(state=Task.State.OPEN).filter(finished_at__gte=night - timedelta(days=1))
    plan.finished = list(ended.order_by("-finished_at")[:20])
    link(user, found)
    return plan


def counts(user: User) -> dict[str, int]:
    """How many open tasks each tab has."""
    return {scope: scoped(user, scope).filter(state=Task.State.OPEN).count() for scope in (MINE, QUEUES, ASKED, ALL)}


def due_today(user: User) -> tuple[int, int]:
    """How many of his open tasks are overdue, and how many more are due today."""
    found = scoped(user, MINE).filter(state=Task.State.OPEN, due_at__lt=end_of_day())
    now = timezone.now()
    row = found.order_by().aggregate(late=Count("pk", filter=Q(due_at__lt=now)), today=Count("pk"))
    return row["late"], row["today"] - row["late"]


def appointments_today(user: User) -> int:
    """How many agreed appointments he has today."""
    night = end_of_day()
    rows = Appointment.objects.filter(state=Appointment.State.AGREED, people=user)
    return rows.filter(starts_at__gte=night - timedelta(days=1), starts_at__lt=night).count()


def link(user: User, tasks: Collection[Task]) -> None:
    """Give each task the link to what it is about, where `user` may see that."""
    found = timeline.links(user, {task.reference for task in tasks})
    for task in tasks:
        task.link = found.get(task.reference)


def with_all(rows: QuerySet[Task]) -> QuerySet[Task]:
    """Everything that a line of a list shows."""
    return rows.select_related("contact", "customer", "assignee", "queue").prefetch_related("contact__points")


def end_of_day() -> datetime:
    """Midnight at the end of today by the reader's clock."""
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    return timezone.make_aware(today + timedelta(days=1))
