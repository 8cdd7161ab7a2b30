"""Looking through a file of people to call, and taking it in. Both go the same way; only the second one writes."""

from __future__ import annotations

import itertools
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import IO, Any

from django.db import transaction
from django.utils.translation import gettext_lazy

from crm.customers import consent, identity
from crm.customers.models import Contact, ContactPoint
from crm.marketing.importing import reading
from crm.marketing.models import CallList, CallListEntry
from crm.marketing.services import building

FIELDS = {
    "number": gettext_lazy("Telephone number"),
    "name": gettext_lazy("Name"),
    "language": gettext_lazy("Language"),
    "note": gettext_lazy("Note"),
}
"""What a column can be, and nothing else: a column called `id`, `user` or `password` has nowhere to go (S-32)."""
WORDS = {
    "number": ("phone", "telephone", "tel", "number", "mobile", "telefon", "nummer", "电话", "手机", "電話", "手機"),
    "name": ("name", "contact", "姓名", "名称", "聯絡人", "联系人", "名稱"),
    "language": ("language", "sprache", "语言", "語言"),
    "note": ("note", "remark", "comment", "bemerkung", "备注", "備註"),
}
"""Headings by which a column is known, in lower case."""
LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z]{2,6})?", re.ASCII)
"""`de`, `zh-hans`."""
SHOWN = 100
"""Bad rows that a report names."""
CHUNK = 500


@dataclass(slots=True)
class Report:
    """What a file holds, or what became of it."""

    rows: int = 0
    new: int = 0
    """Numbers that come to the list."""
    known: int = 0
    """Stand on it already."""
    doubles: int = 0
    """Stand in the file more than once."""
    refused: int = 0
    """Of the new ones: must not be called, and come as blocked."""
    contacts: int = 0
    """Of the new ones: belong to nobody yet, so that a contact is made."""
    bad: int = 0
    faults: list[tuple[int, str]] = field(default_factory=list)
    """(row of the file from 1, what stands there instead of a number); the first `SHOWN`."""

    def as_json(self) -> dict[str, Any]:
        """For `CallListImport.report`."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Layout:
    """How to read the file."""

    columns: Mapping[str, int]
    """Which column (from 0) holds which of `FIELDS`; `number` is there."""
    has_heading: bool = True
    region: str = ""
    """ISO 3166: the country of numbers without +."""


@dataclass(frozen=True, slots=True)
class _Person:
    number: str
    name: str
    language: str
    note: str


def guess(heading: Sequence[str]) -> dict[str, int]:
    """Which column is probably what, by the words of the first row."""
    found: dict[str, int] = {}
    for place, cell in enumerate(heading):
        word = cell.strip().lower()
        for name, words in WORDS.items():
            if name not in found and word and any(each in word for each in words):
                found[name] = place
                break
    return found


def look_through(
    call_list: CallList,
    file: IO[bytes],
    layout: Layout,
    *,
    still_ours: Callable[[Report], bool] = lambda report: True,
) -> Report:
    """What would become of the file. Writes nothing. `still_ours` as in `take_in`. Raises reading.Unreadable."""
    report = Report()
    with _Seen() as seen:
        for people in _chunks(_people(file, layout, report)):
            if not still_ours(report):
                return report
            fresh = _new_ones(call_list, people, seen, report)
            numbers = [person.number for person in fresh]
            report.new += len(fresh)
            report.refused += len(consent.refusals(numbers))
            report.contacts += len(fresh) - _owned(numbers).count()
    return report


def take_in(
    call_list: CallList,
    file: IO[bytes],
    layout: Layout,
    *,
    still_ours: Callable[[Report], bool] = lambda report: True,
) -> Report:
    """Put the people of the file on the list, in chunks of one transaction each. Raises reading.Unreadable.

    A contact who is there already stays as he is; a missing one is made with his name and language. Doing it again adds
    nobody. `still_ours` is told in every transaction how far it is; when it says no, the work ends there.
    """
    report = Report()
    with _Seen() as seen:
        for people in _chunks(_people(file, layout, report)):
            with transaction.atomic():
                if not still_ours(report):
                    return report
                fresh = _new_ones(call_list, people, seen, report)
                found = _contacts(fresh, report)
                added = building.add(call_list, [(found[p.number], p.number) for p in fresh], [p.note for p in fresh])
                report.new += added.new
                report.known += added.known
                report.refused += added.refused
    return report


def _people(file: IO[bytes], layout: Layout, report: Report) -> Iterator[_Person]:
    """The usable rows; the others are noted in the report."""
    for place, row in enumerate(reading.rows(file), 1):
        if (layout.has_heading and place == 1) or not any(row):
            continue
        report.rows += 1
        values = {n: row[c] if c < len(row) else "" for n, c in layout.columns.items() if n in FIELDS}
        written = values.get("number", "")
        try:
            number = identity.normalise(ContactPoint.Kind.PHONE, written.lstrip("'"), layout.region)
        except identity.AddressInvalid:
            _fault(report, place, written)
            continue
        language = values.get("language", "").lower()
        yield _Person(
            number,
            identity.display_name(values.get("name", "")),
            language if LANGUAGE.fullmatch(language) else "",
            values.get("note", ""),
        )


def _fault(report: Report, place: int, written: str) -> None:
    report.bad += 1
    if len(report.faults) < SHOWN:
        report.faults.append((place, written[:80]))


def _new_ones(call_list: CallList, people: Sequence[_Person], seen: _Seen, report: Report) -> list[_Person]:
    """Those who are neither on the list nor earlier in the file."""
    first = seen.first(people)
    report.doubles += len(people) - len(first)
    numbers = [person.number for person in first]
    known = set(CallListEntry.objects.filter(call_list=call_list, number__in=numbers).values_list("number", flat=True))
    report.known += len(known)
    return [person for person in first if person.number not in known]


def _owned(numbers: Sequence[str]) -> Any:
    return ContactPoint.objects.filter(kind=ContactPoint.Kind.PHONE, value__in=numbers)


def _contacts(people: Sequence[_Person], report: Report) -> dict[str, Contact]:
    """Whose the numbers are; a contact is made where nobody has one."""
    owned = set(_owned([person.number for person in people]).values_list("value", flat=True))
    found = identity.contacts_for(ContactPoint.Kind.PHONE, {person.number: person.name for person in people})
    made = [(found[person.number], person.language) for person in people if person.number not in owned]
    report.contacts += len(made)
    speaking = []
    for contact, language in made:
        if language:
            contact.language = language
            speaking.append(contact)
    Contact.objects.bulk_update(speaking, ["language"])
    return found


def _chunks(people: Iterable[_Person]) -> Iterator[list[_Person]]:
    waiting = iter(people)
    while chunk := list(itertools.islice(waiting, CHUNK)):
        yield chunk


class _Seen:
    """The numbers of a file so far, on disk: a million of them in a set would be 100 MB."""

    def __enter__(self) -> _Seen:
        self._rows = sqlite3.connect("")
        self._rows.execute("CREATE TABLE seen (number INTEGER PRIMARY KEY)")
        return self

    def __exit__(self, *_fault: object) -> None:
        self._rows.close()

    def first(self, people: Sequence[_Person]) -> list[_Person]:
        """Those whose number has not come before."""
        found = []
        for person in people:
            if self._rows.execute("INSERT OR IGNORE INTO seen VALUES (?)", (int(person.number[1:]),)).rowcount:
                found.append(person)
        return found
