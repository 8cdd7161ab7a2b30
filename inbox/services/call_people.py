"""Who is meant by the names and numbers that a telephone system sends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Q

from crm.customers import numbers
from crm.customers.models import Contact, ContactPoint
from crm.organisation import access
from crm.organisation.models import User
from inbox.channels.phone.settings import pairs
from inbox.models import Channel
from routing.models import Queue, QueueMember

RING_MOST = 50
"""Colleagues whose screens one call shows at; a hint each."""
EXTENSION_LONGEST = 4
"""Digits; a longer number is somebody outside."""


def region_of(channel: Channel) -> str:
    """Country of numbers without a country code."""
    return str(channel.settings.get("region") or "")


def caller(sent: str, region: str) -> tuple[str, Contact | None]:
    """The number in E.164 (empty when it is none) and whose it is. A reading that somebody has wins over the first."""
    found = numbers.readings(sent, region)
    if not found:
        return "", None
    points = ContactPoint.objects.filter(kind__in=ContactPoint.NUMBERS, value__in=found).order_by("kind")
    by_value = {point.value: point.contact for point in points.select_related("contact__customer")}
    number = next((each for each in found if each in by_value), found[0])
    return number, by_value.get(number)


def is_extension(sent: str) -> bool:
    """True for a line of our own house: a few digits, or a name."""
    digits = sent.lstrip("+")
    return bool(digits) and digits.isdigit() and len(digits) <= EXTENSION_LONGEST


def colleagues(channel: Channel, names: Iterable[str]) -> list[User]:
    """The colleagues behind these names, extensions or addresses, in order; unknown names are left out."""
    asked = [name.strip() for name in names if name.strip()]
    if not asked:
        return []
    mapped = pairs(str(channel.settings.get("people") or ""))
    wanted = [mapped.get(name.lower(), name) for name in asked]
    condition = Q(extension__in=wanted) | Q(name__in=wanted)
    for each in wanted:
        condition |= Q(email__iexact=each) if "@" in each else Q()
    people = list(User.objects.filter(condition, is_staff=True, is_active=True).prefetch_related("groups"))
    for user in people:
        if not user.is_superuser:
            user.__dict__["roles"] = frozenset(group.name for group in user.groups.all())
    found: list[User] = []
    for name in wanted:
        # An extension is one line; a name that two colleagues bear names neither.
        for test in (_by_extension, _by_address, _by_name):
            fits = [user for user in people if test(user, name) and access.works_tickets(user)]
            if len(fits) == 1 and fits[0] not in found:
                found.append(fits[0])
            if fits:
                break
    return found


def _by_extension(user: User, name: str) -> bool:
    return bool(user.extension) and user.extension == name


def _by_address(user: User, name: str) -> bool:
    return user.email.lower() == name.lower()


def _by_name(user: User, name: str) -> bool:
    return user.name == name


def queue_of(settings: Mapping[str, Any], default: Queue, called: str, named: str) -> Queue:
    """Where a call belongs: by the number called, else by the telephone system's queue, else the channel's."""
    mapped = pairs(str(settings.get("queues") or ""))
    region = str(settings.get("region") or "")
    by_number = {numbers.one(key, region) or key: value for key, value in mapped.items()}
    wanted = by_number.get(numbers.one(called, region) or called.lower()) or mapped.get(named.lower()) or named
    if not wanted:
        return default
    return Queue.objects.filter(name__iexact=wanted, active=True).first() or default


def on_duty(queue: Queue) -> list[User]:
    """The queue's people who take new work."""
    rows = QueueMember.objects.filter(queue=queue, user__is_active=True, user__is_staff=True, user__is_available=True)
    return [member.user for member in rows.select_related("user").order_by("id")[:RING_MOST]]
