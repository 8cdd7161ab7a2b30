"""What time alone does to tasks and appointments. Safe to run twice; catches up after any pause with one run."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from crm.organisation.models import User
from crm.planning import notices
from crm.planning.models import Appointment, AppointmentReminder, Task, TaskReminder
from routing.models import QueueMember

BATCH = 100


def remind() -> int:
    """Tell people of what is due, once a task and due time, and of what begins soon; how many were told.

    Under the row's lock the reminder is written and `remind_at` is emptied; the constraint makes it once, whatever is
    killed, runs twice, or turns the clock back (R-32). After a pause each task is told of once.
    """
    return _remind_tasks() + _remind_appointments()


def _remind_tasks() -> int:
    told = 0
    waiting = Task.objects.filter(state=Task.State.OPEN, remind_at__lte=timezone.now())
    while keys := list(waiting.order_by("remind_at").values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            rows = waiting.select_for_update(of=("self",), no_key=True).filter(pk__in=keys).order_by("pk")
            tasks = list(rows.select_related("assignee"))
            known = set(TaskReminder.objects.filter(task__in=tasks).values_list("task_id", "due_at"))
            fresh = [task for task in tasks if (task.pk, _moment(task)) not in known]
            TaskReminder.objects.bulk_create(TaskReminder(task=task, due_at=_moment(task)) for task in fresh)
            members = _members(task.queue_id for task in fresh if task.assignee is None)
            for task in fresh:
                mine = [task.assignee] if task.assignee else members.get(task.queue_id, [])
                notices.due(task, [user for user in mine if user.is_active])
            Task.objects.filter(pk__in=[task.pk for task in tasks]).update(remind_at=None)
        told += len(fresh)
    return told


def _remind_appointments() -> int:
    told = 0
    now = timezone.now()
    waiting = Appointment.objects.filter(state=Appointment.State.AGREED, remind_at__lte=now)
    while keys := list(waiting.order_by("remind_at").values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            rows = waiting.select_for_update(of=("self",), no_key=True).filter(pk__in=keys).order_by("pk")
            found = list(rows.prefetch_related("people"))
            known = set(
                AppointmentReminder.objects.filter(appointment__in=found).values_list("appointment_id", "due_at")
            )
            # One that is over was slept through: "it begins soon" would be wrong, and the list shows it as open.
            fresh = [row for row in found if row.ends_at > now and (row.pk, row.starts_at) not in known]
            AppointmentReminder.objects.bulk_create(
                AppointmentReminder(appointment=row, due_at=row.starts_at) for row in fresh
            )
            members = _members(row.queue_id for row in fresh if not row.people.all())
            for row in fresh:
                mine = list(row.people.all()) or members.get(row.queue_id, [])
                notices.soon(row, [user for user in mine if user.is_active])
            Appointment.objects.filter(pk__in=[row.pk for row in found]).update(remind_at=None)
        told += len(fresh)
    return told


def _moment(task: Task) -> datetime:
    """What a reminder is about: the due time, or the reminder's own where nothing is due."""
    return task.due_at or task.remind_at or timezone.now()


def _members(queues: Iterable[int | None]) -> dict[int | None, list[User]]:
    found: dict[int | None, list[User]] = {}
    wanted = {queue for queue in queues if queue is not None}
    for member in QueueMember.objects.filter(queue__in=wanted, user__is_active=True).select_related("user"):
        found.setdefault(member.queue_id, []).append(member.user)
    return found
