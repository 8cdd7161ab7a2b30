"""Lists of calls: filters, and pages that do not grow slower with the log. Everything starts from `visible_to`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.utils import timezone

from crm.customers import numbers
from crm.customers.models import Contact, ContactPoint
from crm.organisation.models import User
from inbox.models import Call
from inbox.models.call import CallQuerySet
from routing.models import Queue, QueueMember

PAGE = 30
VIEWS = ("all", "mine", "missed", "live")


class AskedWrong(ValueError):
    """A filter that does not exist, or a value that it does not take."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a list or a statistic is narrowed to."""

    view: str = "all"
    queue: int = 0
    agent: int = 0
    contact: int = 0
    direction: str = ""
    kind: str = ""
    since: date | None = None
    until: date | None = None
    text: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Asked:
        """Out of the address of the page. Raises AskedWrong."""
        view, direction, kind = (query.get(name, "") for name in ("view", "direction", "kind"))
        if view not in ("", *VIEWS) or direction not in ("", *Call.Direction) or kind not in ("", *Call.Kind):
            raise AskedWrong("no such choice")
        return cls(
            view=view or "all",
            queue=_number(query.get("queue", "")),
            agent=_number(query.get("agent", "")),
            contact=_number(query.get("contact", "")),
            direction=direction,
            kind=kind,
            since=_day(query.get("since", "")),
            until=_day(query.get("until", "")),
            text=query.get("q", "").replace("\x00", "")[:100].strip(),
        )

    def query(self, **changed: Any) -> str:
        """The address again, with some of it changed."""
        named: dict[str, Any] = {
            "view": "" if self.view == "all" else self.view,
            "queue": self.queue,
            "agent": self.agent,
            "contact": self.contact,
            "direction": self.direction,
            "kind": self.kind,
            "since": self.since,
            "until": self.until,
            "q": self.text,
        }
        return urlencode({name: value for name, value in {**named, **changed}.items() if value})

    @property
    def is_narrowed(self) -> bool:
        """Anything but the view is asked for."""
        return bool(self.query(view=""))


def narrow(calls: CallQuerySet, asked: Asked, user: User) -> CallQuerySet:
    """The calls that were asked for."""
    if asked.view == "mine":
        calls = calls.filter(agent=user)
    elif asked.view == "missed":
        calls = calls.filter(state__in=(Call.State.MISSED, Call.State.VOICEMAIL))
    elif asked.view == "live":
        calls = calls.filter(state__in=Call.LIVE)
    for field in ("queue", "agent", "contact"):
        if value := getattr(asked, field):
            calls = calls.filter(**{f"{field}_id": value})
    for field in ("direction", "kind"):
        if value := getattr(asked, field):
            calls = calls.filter(**{field: value})
    if asked.since:
        calls = calls.filter(started_at__gte=midnight(asked.since))
    if asked.until:
        calls = calls.filter(started_at__lt=midnight(asked.until + timedelta(days=1)))
    return search(calls, asked.text) if asked.text else calls


def search(calls: CallQuerySet, text: str) -> CallQuerySet:
    """Calls with this number in any spelling, or with a person of this name."""
    digits = "".join(sign for sign in text if sign.isdigit())
    if len(digits) >= 3 and not any(sign.isalpha() for sign in text):
        return calls.filter(Q(number__in=numbers.readings(text)) | Q(number__contains=digits.lstrip("0") or digits))
    people = Contact.objects.filter(name__icontains=text).values("pk")
    return calls.filter(Q(contact__in=people) | Q(contact__customer__name__icontains=text))


def people(user: User, text: str, region: str, most: int = 8) -> list[tuple[Contact, str]]:
    """Contacts with this number in any spelling, or with this name, each with a number to reach it by."""
    text = text.replace("\x00", "").strip()[:100]
    if len(text) < 2:
        return []
    rows = Contact.objects.visible_to(user).filter(merged_into=None)  # type: ignore[attr-defined]
    digits = "".join(sign for sign in text if sign.isdigit())
    if len(digits) >= 4 and not any(sign.isalpha() for sign in text):
        known = Q(value__in=numbers.readings(text, region)) | Q(value__contains=digits.lstrip("0"))
        rows = rows.filter(pk__in=ContactPoint.objects.filter(known, kind=ContactPoint.Kind.PHONE).values("contact_id"))
    else:
        for word in text.split()[:6]:
            rows = rows.filter(
                Q(name__icontains=word)
                | Q(customer__name__icontains=word)
                | Q(pk__in=ContactPoint.objects.filter(value__icontains=word).values("contact_id"))
            )
    found = rows.select_related("customer").prefetch_related("points").order_by("name", "id")[:most]
    return [(contact, number_of(contact)) for contact in found]


def number_of(contact: Contact) -> str:
    """The first telephone number of a contact whose points are there; empty when there is none."""
    return next((p.value for p in contact.points.all() if p.kind == ContactPoint.Kind.PHONE), "")


@dataclass(frozen=True, slots=True)
class Page:
    """Calls, the newest first, and where the older ones begin."""

    calls: list[Call]
    older: str


def page(calls: CallQuerySet, after: str = "", size: int = PAGE) -> Page:
    """One page; `after` is what the page before said. Raises AskedWrong."""
    rows = calls.order_by("-started_at", "-id")
    if after:
        moment, key = _place(after)
        rows = rows.filter(Q(started_at__lt=moment) | Q(started_at=moment, id__lt=key))
    shown = list(rows.select_related("contact__customer", "agent", "queue", "ticket")[: size + 1])
    more = len(shown) > size
    shown = shown[:size]
    return Page(shown, f"{shown[-1].started_at.timestamp():.6f}_{shown[-1].pk}" if more else "")


def queues_of(user: User, sees_all: bool) -> list[Queue]:
    """Queues to narrow by."""
    rows = Queue.objects.filter(active=True)
    return list(rows if sees_all else rows.filter(pk__in=QueueMember.objects.filter(user=user).values("queue_id")))


def midnight(day: date) -> datetime:
    """The beginning of the day in the reader's zone."""
    return timezone.make_aware(datetime.combine(day, time()))


def _place(after: str) -> tuple[datetime, int]:
    moment, _line, key = after.partition("_")
    try:
        return datetime.fromtimestamp(float(moment), tz=timezone.get_current_timezone()), _number(key)
    except (ValueError, OverflowError, OSError) as fault:
        raise AskedWrong("no such place") from fault


def _number(text: str) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) < 18):
        raise AskedWrong("not a number")
    return int(text)


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError as fault:
        raise AskedWrong("not a day") from fault
    if not 1990 < day.year < 2200:
        raise AskedWrong("not a day of ours")
    return day
