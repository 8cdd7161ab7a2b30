"""One task or appointment being changed: fields set in memory, then one save with its history."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, TypeVar

from django.db import models
from django.utils import timezone

from crm.customers.models import TimelineEntry
from crm.organisation.models import User
from crm.planning.models import Appointment, AppointmentEvent, Task, TaskEvent

Row = TypeVar("Row", Task, Appointment)


class Change(Generic[Row]):
    """The row, new or under its lock, and what was done to it."""

    def __init__(self, row: Row, by: User | None, name: str = "") -> None:
        self.row: Row = row
        self.by = by
        self.name = name or (str(by) if by else "")
        self._dirty: list[str] = []
        self._lines: list[dict[str, Any]] = []
        self._told: list[str] = []

    @classmethod
    def lock(cls, row: Row, by: User | None, name: str = "") -> Change[Row]:
        """The row as it is now, locked until the transaction ends. Raises DoesNotExist."""
        rows: Any = type(row)._default_manager.select_for_update(of=("self",), no_key=True)
        return cls(rows.select_related("contact", "queue").get(pk=row.pk), by, name)

    def set(self, field: str, value: Any, why: str = "") -> bool:
        """Give the field this value and note it; whether that changed anything."""
        old = getattr(self.row, field)
        if old == value:
            return False
        setattr(self.row, field, value)
        self._dirty.append(field)
        self.record(field, _said(old), _said(value), why)
        return True

    def put(self, field: str, value: Any) -> None:
        """Give the field this value; it is not worth a line of history."""
        setattr(self.row, field, value)
        self._dirty.append(field)

    def record(self, what: str, old: str = "", new: str = "", why: str = "") -> None:
        """Note one line of history."""
        self._lines.append({"what": what, "old": old[:300], "new": new[:300], "why": why[:300]})

    def tell(self, what: str) -> None:
        """Put one line on the contact's timeline: `task.WHAT` and the title."""
        self._told.append(what)

    def save(self) -> Row:
        """Write the row, its history and the timeline, inside the caller's transaction."""
        row: Any = self.row
        if row._state.adding:
            row.save()
        elif self._dirty:
            row.save(update_fields=sorted(set(self._dirty)))
        now = timezone.now()
        history: type[models.Model] = TaskEvent if isinstance(row, Task) else AppointmentEvent
        kind = "task" if isinstance(row, Task) else "appointment"
        history._default_manager.bulk_create(
            history(**{kind: row}, at=now, actor=self.by, actor_name=self.name[:200], **line) for line in self._lines
        )
        if row.contact_id:
            TimelineEntry.objects.bulk_create(
                TimelineEntry(
                    contact_id=row.contact_id,
                    at=now,
                    kind=f"{kind}.{what}",
                    title=str(row)[:300],
                    reference=f"{kind}:{row.pk}",
                    actor=self.by,
                )
                for what in self._told
            )
        return self.row


def _said(value: Any) -> str:
    if value is None:
        return ""
    return value.isoformat(timespec="minutes") if isinstance(value, datetime) else str(value)
