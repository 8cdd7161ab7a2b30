"""Changes of what staff configure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import time
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Max, Q

from routing.models import BusinessHours, Queue, QueueMember, Rule, Shift, SLAPolicy

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser

Listener = Callable[[Iterable[Queue]], None]
_listeners: list[Listener] = []


def on_promises_changed(listener: Listener) -> None:
    """Call `listener` with the queues whose promises are others now. Upper layers say so once, at start."""
    if listener in _listeners:
        raise ValueError("this listener is registered already")
    _listeners.append(listener)


def promises_changed(by: Queue | SLAPolicy | BusinessHours) -> None:
    """Say that what this record promises was changed, or is about to end with it."""
    queues = [by] if isinstance(by, Queue) else list(Queue.objects.filter(_promised_by(by)))
    for listener in _listeners:
        listener(queues)


def _promised_by(record: SLAPolicy | BusinessHours) -> Q:
    return Q(sla=record) if isinstance(record, SLAPolicy) else Q(hours=record) | Q(sla__hours=record)


@transaction.atomic
def save_rule(rule: Rule) -> Rule:
    """Save; a rule that is new to its event goes to the end of it."""
    known = Rule.objects.filter(pk=rule.pk).values_list("event", flat=True).first()
    if known != rule.event:
        last = Rule.objects.filter(event=rule.event).aggregate(last=Max("position"))["last"]
        rule.position = 1 if last is None else last + 1
    rule.save()
    return rule


@transaction.atomic
def move_rule(rule: Rule, steps: int) -> None:
    """Move a rule up (negative) or down among the rules of its event; beyond the end is the end."""
    rules = list(Rule.objects.select_for_update().filter(event=rule.event).order_by("position", "id"))
    place = next((number for number, other in enumerate(rules) if other.pk == rule.pk), None)
    if place is None:
        return
    rules.insert(max(0, place + steps), rules.pop(place))
    for number, other in enumerate(rules, start=1):
        if other.position != number:
            Rule.objects.filter(pk=other.pk).update(position=number)


def switch_rule(rule: Rule, active: bool) -> None:
    """Switch a rule on or off. Switching on wakes one that was paused."""
    rule.active = active
    rule.save()


@transaction.atomic
def set_members(queue: Queue, people: Iterable[AbstractBaseUser]) -> None:
    """Make these the people of the queue. Who stays keeps his turn."""
    wanted = {person.pk for person in people}
    known = set(queue.members.values_list("user_id", flat=True))
    queue.members.filter(user_id__in=known - wanted).delete()
    QueueMember.objects.bulk_create(QueueMember(queue=queue, user_id=pk) for pk in sorted(wanted - known))


@transaction.atomic
def set_week(hours: BusinessHours, week: Iterable[tuple[int, time, time]]) -> None:
    """Replace the shifts by these (weekday, opens, closes), and let built calendars be built again."""
    hours.shifts.all().delete()
    Shift.objects.bulk_create(Shift(hours=hours, weekday=day, opens=o, closes=c) for day, o, c in week)
    hours.save(update_fields=["revision"])
