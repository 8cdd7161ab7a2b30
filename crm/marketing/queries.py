"""What is looked up for call lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from crm.customers.models import ContactPoint, Customer, RefusedNumber, Region, Tag
from crm.marketing.models import CallList, CallListEntry, CallTry, Outcome


@dataclass(frozen=True, slots=True)
class Search:
    """Whom to look for; an empty part asks for nothing. Regions count with all that lies in them."""

    levels: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    regions: tuple[int, ...] = ()
    tags: tuple[int, ...] = ()
    """Of the contact or of its customer."""
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """How many a search would find."""

    people: int
    refused: int
    """Of them: must not be called."""
    known: int
    """Of them: on the list already."""


def numbers(search: Search) -> QuerySet[ContactPoint]:
    """The first telephone number of each contact that the search finds."""
    phone = ContactPoint.objects.filter(kind=ContactPoint.Kind.PHONE)
    earlier = phone.filter(contact=OuterRef("contact"), pk__lt=OuterRef("pk"))
    found = phone.filter(~Exists(earlier), contact__merged_into=None).select_related("contact")
    if search.levels:
        found = found.filter(contact__customer__level__in=search.levels)
    if search.statuses:
        found = found.filter(contact__customer__status__in=search.statuses)
    if search.regions:
        found = found.filter(contact__customer__region__in=_with_parts(search.regions))
    if search.tags:
        contacts = ContactPoint.contact.field.related_model.tags.through.objects.filter(tag__in=search.tags)  # type: ignore[attr-defined]
        customers = Customer.tags.through.objects.filter(tag__in=search.tags)
        found = found.filter(
            Q(contact__in=contacts.values("contact_id")) | Q(contact__customer__in=customers.values("customer_id"))
        )
    if search.languages:
        found = found.filter(contact__language__in=search.languages)
    return found


def count(search: Search, call_list: CallList) -> Found:
    """How many the search finds, before anything is written."""
    found = numbers(search)
    on_list = CallListEntry.objects.filter(call_list=call_list, number=OuterRef("value"))
    refused = Q(Exists(RefusedNumber.objects.filter(number=OuterRef("value")))) | Q(
        contact__customer__status=Customer.Status.BLOCKED
    )
    return Found(found.count(), found.filter(refused).count(), found.filter(Exists(on_list)).count())


def in_words(search: Search) -> str:
    """The search as people read it; everybody with a number when it asks for nothing."""
    words = [
        *(str(Customer.Level(level).label) for level in search.levels),
        *(str(Customer.Status(status).label) for status in search.statuses),
        *Region.objects.filter(pk__in=search.regions).values_list("name", flat=True),
        *Tag.objects.filter(pk__in=search.tags).values_list("name", flat=True),
        *search.languages,
    ]
    return ", ".join(words) or _("everybody with a number")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a list is."""

    total: int
    open: int
    """To be called, or in a call just now."""
    done: int
    failed: int
    blocked: int
    outcomes: tuple[tuple[str, str, int], ...]
    """(outcome, label, how many entries ended with it last), most first."""
    calls: int

    @property
    def percent(self) -> int:
        """Entries with which nothing more has to be done."""
        return round(100 * (self.total - self.open) / self.total) if self.total else 0


def progress(call_list: CallList) -> Progress:
    """How far it is, in three statements."""
    entries = CallListEntry.objects.filter(call_list=call_list).order_by()
    states = dict(entries.values_list("state").annotate(Count("pk")))
    ended = entries.exclude(outcome="").values_list("outcome").annotate(Count("pk"))
    outcomes = sorted(((key, str(Outcome(key).label), n) for key, n in ended), key=lambda row: -row[2])
    return Progress(
        total=sum(states.values()),
        open=states.get("open", 0) + states.get("claimed", 0),
        done=states.get("done", 0),
        failed=states.get("failed", 0),
        blocked=states.get("blocked", 0),
        outcomes=tuple(outcomes),
        calls=CallTry.objects.filter(entry__call_list=call_list).count(),
    )


def _with_parts(regions: tuple[int, ...]) -> set[int]:
    below: dict[int | None, list[int]] = {}
    for pk, parent in Region.objects.values_list("pk", "parent_id"):
        below.setdefault(parent, []).append(pk)
    found, waiting = set(regions), list(regions)
    while waiting:
        for pk in below.get(waiting.pop(), ()):
            if pk not in found:
                found.add(pk)
                waiting.append(pk)
    return found


def as_json(search: Search) -> dict[str, Any]:
    """For `CallListImport.search`."""
    return asdict(search)


def from_json(kept: Mapping[str, Any]) -> Search:
    """What `as_json` gave."""
    return Search(**{name: tuple(values) for name, values in kept.items()})
