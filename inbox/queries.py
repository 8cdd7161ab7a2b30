"""Lists of tickets: filters, views, pages and counts. Everything starts from `visible_to`."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm.organisation.models import User
from crm.service.models import Ticket, TicketQuerySet
from inbox import search
from inbox.models import Mention, SavedView, TicketSeen
from routing.models import Queue

Filters = dict[str, list[str]]
"""Names out of `FILTERS` with the values asked for; what is not named is not filtered."""

PAGE = 20
PAGE_MOST = 100
COUNT_LIMIT = 100
"""Counts stop here and are shown as 99+: they never scan."""


class FilterInvalid(ValueError):
    """A filter that does not exist, or a value that it does not take."""


def _ids(values: Sequence[str]) -> list[int]:
    if not all(v.isascii() and v.isdigit() and len(v) < 18 for v in values):
        raise FilterInvalid("not an id")
    return [int(v) for v in values]


def _known(values: Sequence[str], allowed: Iterable[str]) -> list[str]:
    if not set(values) <= set(allowed):
        raise FilterInvalid("not one of the choices")
    return list(values)


def _status(tickets: TicketQuerySet, values: Sequence[str], user: User) -> TicketQuerySet:
    return tickets.filter(status__in=_known(values, Ticket.Status.values))


def _priority(tickets: TicketQuerySet, values: Sequence[str], user: User) -> TicketQuerySet:
    return tickets.filter(priority__in=_known(values, [str(p) for p in Ticket.Priority.values]))


def _queue(tickets: TicketQuerySet, values: Sequence[str], user: User) -> TicketQuerySet:
    return tickets.filter(queue_id__in=_ids(values))


def _assignee(tickets: TicketQuerySet, values: Sequence[str], user: User) -> TicketQuerySet:
    wanted = Q(assignee=None) if "none" in values else Q(pk__in=[])
    people = [str(user.pk) if v == "me" else v for v in values if v != "none"]
    if people:
        wanted = wanted | Q(assignee_id__in=_ids(people)) if "none" in values else Q(assignee_id__in=_ids(people))
    return tickets.filter(wanted)


def _tag(tickets: TicketQuerySet, values: Sequence[str], user: User) -> TicketQuerySet:
    with_tag = Ticket.tags.through.objects.filter(tag__name__in=values).values("ticket_id")
    return tickets.filter(pk__in=with_tag)


def _customer(tickets: TicketQuerySet, values: Sequence[str], user: User) -> TicketQuerySet:
    return tickets.filter(customer_id__in=_ids(values))


def _contact(tickets: TicketQuerySet, values: Sequence[str], user: User) -> TicketQuerySet:
    return tickets.filter(contact_id__in=_ids(values))


def _channel(tickets: TicketQuerySet, values: Sequence[str], user: User) -> TicketQuerySet:
    return tickets.filter(origin__in=[v[:20] for v in values])


def _due(tickets: TicketQuerySet, values: Sequence[str], user: User) -> TicketQuerySet:
    hours = {"over": 0, "soon": 4, "day": 24}
    latest = max(hours[v] for v in _known(values, hours))
    return tickets.filter(due_at__lte=timezone.now() + timedelta(hours=latest))


def _mentions(tickets: TicketQuerySet, values: Sequence[str], user: User) -> TicketQuerySet:
    _known(values, ["me"])
    return tickets.filter(pk__in=Mention.objects.filter(user=user).values("ticket_id"))


def _text(tickets: TicketQuerySet, values: Sequence[str], user: User) -> TicketQuerySet:
    return search.matching(tickets, values[0])


FILTERS: dict[str, Callable[[TicketQuerySet, Sequence[str], User], TicketQuerySet]] = {
    "status": _status,
    "priority": _priority,
    "queue": _queue,
    "assignee": _assignee,
    "tag": _tag,
    "customer": _customer,
    "contact": _contact,
    "channel": _channel,
    "due": _due,
    "mentions": _mentions,
    "q": _text,
}
"""What a list can be narrowed by; the only names that a URL or a saved view may hold (S-69)."""

ORDERS: dict[str, tuple[str, bool]] = {"newest": ("activity_at", True), "oldest": ("activity_at", False)}
ORDERS["due"] = ("due_at", False)
"""Name of an order → field, and whether it descends. The primary key decides between equals."""


@dataclass(frozen=True)
class View:
    """A list with a name in the left pane. `key` is what the URL says."""

    key: str
    label: str | Promise
    icon: str
    filters: Filters
    order: str = "newest"
    colour: str = ""
    saved: SavedView | None = None


_OPEN = {"status": ["new", "open"]}
VIEWS = (
    View("mine", _("My open tickets"), "user", {"assignee": ["me"], "status": ["new", "open", "pending"]}),
    View("unassigned", _("Unassigned"), "inbox", {"assignee": ["none"], **_OPEN}),
    View("open", _("All open"), "ticket", _OPEN),
    View("mentions", _("Mentions"), "at", {"mentions": ["me"], "status": ["new", "open", "pending", "snoozed"]}),
    View("due", _("Due soon"), "flag", {"due": ["soon"], **_OPEN}, order="due"),
    View("pending", _("Waiting for customer"), "status-pending", {"status": ["pending"]}),
    View("snoozed", _("Snoozed"), "status-snoozed", {"status": ["snoozed"]}),
    View("resolved", _("Resolved"), "status-resolved", {"status": ["resolved", "closed"]}),
    View("all", _("All tickets"), "list", {}),
)


def read_filters(asked: Mapping[str, Any]) -> Filters:
    """The filters of a query string or a stored view. Raises FilterInvalid for an unknown name or another shape."""
    found: Filters = {}
    for name in asked:
        if name not in FILTERS:
            raise FilterInvalid("unknown filter")
        values = asked.getlist(name) if hasattr(asked, "getlist") else asked[name]
        if not isinstance(values, list) or len(values) > 50 or not all(isinstance(v, str) for v in values):
            raise FilterInvalid("not a list of texts")
        values = [v for v in (value.replace("\x00", "").strip()[:200] for value in values) if v]
        if values:
            found[name] = values
    return found


def narrow(tickets: TicketQuerySet, filters: Filters, user: User) -> TicketQuerySet:
    """Those of `tickets` that the filters let through; merged ones only when asked for. Raises FilterInvalid."""
    if "status" not in filters:
        tickets = tickets.exclude(status=Ticket.Status.MERGED)
    for name, values in filters.items():
        if name not in FILTERS:
            raise FilterInvalid("unknown filter")
        tickets = FILTERS[name](tickets, values, user)
    return tickets


def queues_of(user: User) -> list[Queue]:
    """The queues whose tickets a colleague sees, in their order."""
    queues = Queue.objects.filter(active=True)
    if not user.roles & {"administrator", "supervisor"}:
        queues = queues.filter(members__user=user)
    return list(queues)


def views_of(user: User, queues: Sequence[Queue]) -> list[View]:
    """Every view of the left pane: the fixed ones, the saved ones (own and shared), one a queue."""
    saved = SavedView.objects.filter(Q(user=user) | Q(user=None))
    own = [View(f"saved-{s.pk}", s.name, "users" if s.user_id is None else "star", s.filters, saved=s) for s in saved]
    lines = [View(f"queue-{q.pk}", q.name, "", {"queue": [str(q.pk)], **_OPEN}, colour=q.colour) for q in queues]
    return [*VIEWS, *own, *lines]


@dataclass(frozen=True)
class Page:
    """Some rows of a list, and the cursor that asks for the next ones (empty at the end)."""

    tickets: list[Ticket]
    after: str


def _cursor(ticket: Ticket, field: str) -> str:
    return base64.urlsafe_b64encode(f"{getattr(ticket, field).isoformat()} {ticket.pk}".encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[datetime, int]:
    try:
        moment, number = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().rsplit(" ", 1)
        at = datetime.fromisoformat(moment)
        if at.tzinfo is None or not number.isdigit() or len(number) > 17:
            raise FilterInvalid("not a cursor")
        return at, int(number)
    except (ValueError, binascii.Error, UnicodeError) as fault:
        raise FilterInvalid("not a cursor") from fault


def page(
    tickets: TicketQuerySet, user: User, *, text: str = "", order: str = "newest", after: str = "", size: int = PAGE
) -> Page:
    """One page of `tickets` (of those that the question `text` finds) by keyset, each row with `unread`.

    Raises FilterInvalid for an unknown order or cursor.
    """
    if order not in ORDERS:
        raise FilterInvalid("unknown order")
    field, descends = ORDERS[order]
    sign = "-" if descends else ""
    if field == "due_at":
        tickets = tickets.filter(due_at__isnull=False)
    if after:
        at, number = _read_cursor(after)
        side, tie = ("lte", "gte") if descends else ("gte", "lte")
        # One bound that the index can start at, and one exclusion of what was shown at that very moment.
        tickets = tickets.filter(**{f"{field}__{side}": at}).exclude(**{field: at, f"pk__{tie}": number})
    size = max(1, min(size, PAGE_MOST))
    tickets = tickets.order_by(f"{sign}{field}", f"{sign}pk")
    if text:
        tickets = search.on_page(tickets, text, size + 1, field=field, descends=descends)
    rows = _rows(tickets, user, size + 1)
    more = len(rows) > size
    rows = rows[:size]
    for row in rows:
        row.unread = row.seen_seq is None or row.seen_seq < row.sequence  # type: ignore[attr-defined]
    return Page(rows, _cursor(rows[-1], field) if more else "")


def _rows(tickets: TicketQuerySet, user: User, most: int) -> list[Ticket]:
    seen = TicketSeen.objects.filter(user=user, ticket=OuterRef("pk")).values("seq")[:1]
    # The keys come first and by themselves: joined before the limit, hundreds of rows would be dressed to show twenty.
    return list(
        Ticket.objects.filter(pk__in=tickets.values("pk")[:most])
        .select_related("contact", "customer", "queue", "assignee", "chat__visitor")
        .prefetch_related("tags", "contact__points")
        .annotate(seen_seq=Subquery(seen))
        .order_by(*tickets.query.order_by)
    )


def counts(base: TicketQuerySet, views: Sequence[View], user: User) -> dict[str, int]:
    """How many tickets each view holds, up to COUNT_LIMIT, in one statement."""
    keys: list[str] = []
    parts: list[str] = []
    params: list[Any] = []
    for view in views:
        try:
            rows = narrow(base, view.filters, user).order_by(*_walk(view)).values("pk")[:COUNT_LIMIT]
            sql, values = rows.query.sql_with_params()
        except (EmptyResultSet, FilterInvalid):
            continue
        keys.append(view.key)
        parts.append(f"(SELECT COUNT(*) FROM ({sql}) AS t)")  # noqa: S608 - the parts come parametrised from the ORM
        params += values
    if not parts:
        return {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(parts), params)
        return dict(zip(keys, cursor.fetchone(), strict=True))


def _walk(view: View) -> tuple[str, ...]:
    """In which order a hundred are looked for. Without one PostgreSQL walks the table from its oldest rows on.

    What is due and what sleeps have indexes in orders of their own: there no order is quicker.
    """
    own_index = view.order != "newest" or view.filters.get("status") == [Ticket.Status.SNOOZED]
    return () if own_index else ("-activity_at", "-pk")
