"""What can be done to a task."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.customers.models import Contact, Customer
from crm.organisation import access
from crm.organisation.models import User
from crm.planning import notices
from crm.planning.changes import Change
from crm.planning.models import Priority, Task
from crm.planning.services.refusals import Finished, NobodyResponsible, NotPossible
from routing.models import Queue

EDITABLE = ("title", "note", "kind", "priority", "contact", "customer", "phone")
"""Fields that `edit_task` takes as they are; hands and times have verbs of their own."""


@dataclass(frozen=True, slots=True)
class NewTask:
    """A task that is to be made. At least one of `assignee` and `queue` is given."""

    title: str
    assignee: User | None = None
    queue: Queue | None = None
    kind: str = Task.Kind.TODO
    note: str = ""
    contact: Contact | None = None
    customer: Customer | None = None
    """None: the contact's."""
    phone: str = ""
    """E.164."""
    reference: str = ""
    """`ticket:123`."""
    due_at: datetime | None = None
    remind_at: datetime | None = None
    """None: when it is due."""
    priority: int = Priority.NORMAL


def open_task(wanted: NewTask, *, by: User | None, name: str = "") -> Task:
    """Make one task. `name` says who acts where it is no user (`rule: …`). Raises NotPossible."""
    return open_tasks([wanted], by=by, name=name)[0]


@transaction.atomic
def open_tasks(wanted: Iterable[NewTask], *, by: User | None, name: str = "") -> list[Task]:
    """Make tasks. Raises NotPossible for one without a title, NobodyResponsible for one that is nobody's."""
    made = []
    for each in wanted:
        title = " ".join(each.title.split())[:250]
        if not title:
            raise NotPossible(_("A task needs a title."))
        _check_hands(each.assignee, each.queue)
        task = Task(
            title=title,
            note=each.note,
            kind=Task.Kind(each.kind),
            priority=Priority(each.priority),
            contact=each.contact,
            customer=each.customer or (each.contact.customer if each.contact else None),
            phone=each.phone,
            reference=each.reference,
            assignee=each.assignee,
            queue=each.queue,
            due_at=each.due_at,
            remind_at=each.remind_at or each.due_at,
            created_by=by,
        )
        work = Change(task, by, name)
        work.record("made", new=title)
        work.tell("opened")
        made.append(work.save())
        notices.given(task, by)
    return made


@transaction.atomic
def edit_task(task: Task, values: Mapping[str, Any], *, by: User | None) -> Task:
    """Change what a task says: any of `EDITABLE`, `due_at`, `assignee` and `queue`. Raises NotPossible, Finished."""
    work = _open(task, by)
    for field in EDITABLE:
        if field in values:
            work.set(field, values[field])
    if "due_at" in values:
        _set_due(work, values["due_at"])
    if "assignee" in values or "queue" in values:
        _give(work, values.get("assignee", work.row.assignee), values.get("queue", work.row.queue))
    return work.save()


@transaction.atomic
def complete(task: Task, *, by: User | None, outcome: str = "") -> Task:
    """It is done. Does nothing when it was done before. Raises Finished when it was dropped."""
    return _finish(task, Task.State.DONE, by, outcome)


@transaction.atomic
def drop(task: Task, *, by: User | None, why: str = "") -> Task:
    """It need not be done. Does nothing when it was dropped before. Raises Finished when it was done."""
    return _finish(task, Task.State.DROPPED, by, why)


@transaction.atomic
def reopen(task: Task, *, by: User | None) -> Task:
    """It has to be done all the same. Does nothing when it is open."""
    work = Change.lock(task, by)
    if work.set("state", Task.State.OPEN):
        work.put("finished_at", None)
        due = work.row.due_at
        work.put("remind_at", due if due and due > timezone.now() else None)
        work.tell("reopened")
    return work.save()


@transaction.atomic
def hand_over(
    task: Task, *, by: User | None, assignee: User | None = None, queue: Queue | None = None, why: str = ""
) -> Task:
    """It is theirs from now on: the person's, the queue's, or both. Raises NotPossible, Finished."""
    work = _open(task, by)
    _give(work, assignee, queue, why)
    return work.save()


@transaction.atomic
def put_off(task: Task, until: datetime | None, *, by: User | None, why: str = "") -> Task:
    """It is due then, and its people are told then; None: some day. Raises Finished."""
    work = _open(task, by)
    _set_due(work, until, why)
    return work.save()


def _open(task: Task, by: User | None) -> Change[Task]:
    work = Change.lock(task, by)
    if not work.row.is_open:
        raise Finished(_("This task is finished already."))
    return work


def _finish(task: Task, state: Task.State, by: User | None, words: str) -> Task:
    work = Change.lock(task, by)
    if work.row.state == state:
        return work.row
    if not work.row.is_open:
        raise Finished(_("This task is finished already."))
    work.set("state", state, words)
    work.put("outcome", words)
    work.put("finished_at", timezone.now())
    work.put("remind_at", None)
    work.tell(state)
    return work.save()


def _set_due(work: Change[Task], due_at: datetime | None, why: str = "") -> None:
    if work.set("due_at", due_at, why):
        work.put("remind_at", due_at)


def _give(work: Change[Task], assignee: User | None, queue: Queue | None, why: str = "") -> None:
    _check_hands(assignee, queue)
    work.set("queue", queue, why)
    if work.set("assignee", assignee, why):
        notices.given(work.row, work.by)


def _check_hands(assignee: User | None, queue: Queue | None) -> None:
    if assignee is None and queue is None:
        raise NobodyResponsible(_("Say whose task it is: a person's or a queue's."))
    if assignee is not None and not access.is_staff(assignee):
        raise NotPossible(_("%(person)s does not work here (any more).") % {"person": assignee})
