"""Putting people on a call list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass

from django.db import transaction

from crm.customers import consent
from crm.customers.models import Contact
from crm.marketing import queries, zones
from crm.marketing.models import CallList, CallListEntry
from crm.marketing.services import lists
from crm.organisation.models import User

CHUNK = 500


@dataclass(slots=True)
class Added:
    """What became of people who were to be put on a list."""

    new: int = 0
    known: int = 0
    """Stood on it already."""
    refused: int = 0
    """Of the new ones: must not be called; they stand on it as blocked, so that everybody sees why."""

    def as_json(self) -> dict[str, int]:
        """For `CallListImport.report`; `rows` are all who were looked at."""
        return {**asdict(self), "rows": self.new + self.known}


def build_from_search(call_list: CallList, search: queries.Search, *, by: User | None) -> Added:
    """Put everybody whom the search finds on the list, and note it. For many, see `importing.service.search`."""
    added = add_found(call_list, search)
    lists.note(call_list, by, "built", new=str(added.new), why=queries.in_words(search))
    return added


def add_found(
    call_list: CallList, search: queries.Search, *, still_ours: Callable[[Added], bool] = lambda added: True
) -> Added:
    """Put everybody whom the search finds on the list, each with his first number; who is there already stays as he is.

    Goes in chunks of one transaction each: a repeated or interrupted run adds only who is missing. `still_ours` is told
    in every transaction how far it is; when it says no, the work ends there.
    """
    added = Added()
    last = 0
    while points := list(queries.numbers(search).filter(pk__gt=last).order_by("pk")[:CHUNK]):
        last = points[-1].pk
        with transaction.atomic():
            if not still_ours(added):
                return added
            part = add(call_list, [(point.contact, point.value) for point in points])
        added.new, added.known, added.refused = (
            added.new + part.new,
            added.known + part.known,
            added.refused + part.refused,
        )
    return added


def add(call_list: CallList, people: Sequence[tuple[Contact, str]], notes: Sequence[str] = ()) -> Added:
    """Put contacts with their numbers (E.164) on the list; `notes` go with them in order.

    Call inside a transaction. It holds the list's lock: two who build at once add nobody twice.
    """
    row = CallList.objects.select_for_update(of=("self",), no_key=True).get(pk=call_list.pk)
    numbers = [number for _contact, number in people]
    known = set(CallListEntry.objects.filter(call_list=row, number__in=numbers).values_list("number", flat=True))
    refused = consent.refusals(numbers)
    fresh: dict[str, CallListEntry] = {}
    for place, (contact, number) in enumerate(people):
        if number in known or number in fresh:
            continue
        fresh[number] = CallListEntry(
            call_list=row,
            contact=contact,
            number=number,
            zone=zones.zone_of(contact.time_zone, number),
            state=CallListEntry.State.BLOCKED if number in refused else CallListEntry.State.OPEN,
            note=notes[place][:2000] if notes else "",
        )
    CallListEntry.objects.bulk_create(fresh.values())
    learn_zones(row, {entry.zone for entry in fresh.values()})
    return Added(len(fresh), len(people) - len(fresh), len(fresh.keys() & refused.keys()))


def learn_zones(row: CallList, found: Iterable[str]) -> None:
    """The locked list knows these zones from now on."""
    more = sorted(set(found) - set(row.zones))
    if more:
        row.zones = sorted({*row.zones, *more})
        row.save(update_fields=["zones"])
