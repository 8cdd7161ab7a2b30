"""S-31, S-32: a file of people to call. Only the mapped fields count, a second import adds nobody."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone
from openpyxl import Workbook

from crm.customers import consent
from crm.customers.models import Contact, ContactPoint
from crm.marketing.importing import reading, service, taking
from crm.marketing.models import CallListEntry, CallListImport
from crm.marketing.services import NotPossible
from crm.organisation.models import User
from tests import factories

FILE = """id,Name,Telephone,user,password,is_staff,consent,language,note
1,Anna,040 1234567,1,x,True,yes,de,first
2,Wang Li,+86 (21) 1234-5678,1,x,True,yes,zh-hans,second
3,Double,0049 40 1234567,1,x,True,yes,,
4,Broken,call me,1,x,True,yes,,
5,Empty,,1,x,True,yes,,
6,Refused,+49 40 7777777,1,x,True,yes,,
7,Admin,+49 40 8888888,1,x,True,yes,,note
"""
COLUMNS = {"name": 1, "number": 2, "language": 7, "note": 8}


def file(text: str | bytes = FILE, name: str = "people.csv") -> ContentFile[Any]:
    return ContentFile(text.encode() if isinstance(text, str) else text, name=name)


@pytest.fixture
def calls(db: None) -> Any:
    consent.refuse_calls("+49407777777", by=None)
    return factories.CallListFactory(state="draft")


def imported(calls: Any, by: Any = None, content: Any = None, **how: Any) -> CallListImport:
    row = service.upload(calls, content or file(), by=by)
    if row.state == "reading":
        assert service.beginning(row) == []
        assert service.work_waiting() == 1
        row.refresh_from_db()
    service.check(row, how.pop("columns", COLUMNS), **{"region": "DE", "has_heading": True, **how})
    assert service.work_waiting() == 1
    row.refresh_from_db()
    return row


REPORT = {
    "rows": 7,
    "new": 4,
    "known": 0,
    "doubles": 1,
    "refused": 1,
    "contacts": 3,
    "bad": 2,
    "faults": [[5, "call me"], [6, ""]],
}


def test_looked_through_then_taken_in_once(calls: Any, administrator: Any) -> None:
    admins = factories.ContactFactory(name="The administrator", user=administrator, language="en")
    factories.PointFactory(contact=admins, kind="phone", value="+49408888888")
    row = imported(calls, administrator)
    assert (row.state, row.report) == ("ready", REPORT)
    assert (CallListEntry.objects.count(), Contact.objects.count()) == (0, 1), "a dry run writes nothing"
    users = list(User.objects.values())
    service.confirm(row)
    assert service.work_waiting() == 1
    row.refresh_from_db()
    assert (row.state, row.report, bool(row.file)) == ("done", REPORT, True)
    assert list(calls.entries.values_list("number", "state", "contact__name", "contact__language", "note")) == [
        ("+49401234567", "open", "Anna", "de", "first"),
        ("+862112345678", "open", "Wang Li", "zh-hans", "second"),
        ("+49407777777", "blocked", "Refused", "", ""),
        ("+49408888888", "open", "The administrator", "en", "note"),
    ]
    assert list(User.objects.values()) == users, "no user is touched"
    assert list(admins.points.values_list("value", flat=True)) == ["+49408888888"]
    again = imported(calls, administrator)
    assert {**again.report, "faults": []} == {**REPORT, "new": 0, "known": 4, "refused": 0, "contacts": 0, "faults": []}
    service.confirm(again)
    service.work_waiting()
    again.refresh_from_db()
    assert (again.state, again.report["new"], again.report["known"]) == ("done", 0, 4)
    assert (calls.entries.count(), Contact.objects.count(), ContactPoint.objects.count()) == (4, 4, 4)
    assert list(calls.events.values_list("what", "new", "why")) == [
        ("imported", "4", "people.csv"),
        ("imported", "0", "people.csv"),
    ]


@pytest.mark.django_db(transaction=True)
def test_the_bytes_go_when_they_were_taken_in() -> None:
    row = imported(factories.CallListFactory(), content=file("Telephone\n+49401234567\n"), columns={"number": 0})
    stored = row.file.storage, row.file.name
    assert stored[0].exists(stored[1])
    service.confirm(row)
    service.work_waiting()
    row.refresh_from_db()
    assert (row.state, bool(row.file), stored[0].exists(stored[1])) == ("done", False, False)


@pytest.mark.parametrize(
    "columns",
    [{}, {"name": 1}, {"number": 2, "user": 3}, {"number": 2, "is_staff": 5}, {"number": -1}, {"number": 60}],
)
def test_only_what_can_be_mapped(calls: Any, columns: dict[str, int]) -> None:
    row = service.upload(calls, file(), by=None)
    with pytest.raises(NotPossible):
        service.check(row, columns, region="DE", has_heading=True)
    with pytest.raises(NotPossible):
        service.check(row, COLUMNS, region="XX", has_heading=True)
    with pytest.raises(NotPossible):
        service.confirm(row)
    row.refresh_from_db()
    assert (row.state, row.columns, service.work_waiting()) == ("uploaded", {}, 0)


def test_columns_are_guessed() -> None:
    assert taking.guess(FILE.splitlines()[0].split(",")) == COLUMNS
    assert taking.guess(["姓名", "手机", "备注"]) == {"name": 0, "number": 1, "note": 2}
    assert taking.guess(["", "x"]) == {}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_files_of_this_world(encoding: str, sign: str) -> None:
    table = [["姓名", "电话"], ["王丽", "+86 21 1234 5678"], ['with "quotes" and\nlines', "+49401234567"], ["", ""]]
    text = "".join(sign.join(f'"{c.replace(chr(34), chr(34) * 2)}"' for c in row) + "\r\n" for row in table)
    assert list(reading.rows(io.BytesIO(text.encode(encoding)))) == table


def workbook(rows: list[list[Any]]) -> bytes:
    book, packed = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(packed)
    return packed.getvalue()


def test_a_workbook(calls: Any) -> None:
    content = workbook([["Name", "Phone"], ["Anna", 49401234567.0], ["Li", "+86 21 12345678"], [None, None], ["X", 1]])
    row = imported(calls, content=file(content, "people.xlsx"), columns={"name": 0, "number": 1}, region="DE")
    assert (row.report["new"], row.report["bad"], row.report["faults"]) == (2, 1, [[5, "1"]])
    assert service.beginning(row)[:2] == [["Name", "Phone"], ["Anna", "49401234567"]]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 old", "old Excel file"),
        (b"PK\x03\x04 but no archive", "This workbook cannot be read"),
    ],
)
def test_what_is_no_table(calls: Any, content: bytes, said: str) -> None:
    with pytest.raises(NotPossible, match=said):
        service.upload(calls, file(content), by=None)
    assert CallListImport.objects.count() == 0


def test_a_bomb_is_not_unpacked(calls: Any) -> None:
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/sharedStrings.xml", "w") as part,
    ):
        for _ in range(90):
            part.write(b"0" * 2**20)
    with pytest.raises(NotPossible, match="too large"):
        service.upload(calls, file(packed.getvalue()), by=None)


def test_a_killed_worker_is_replaced(calls: Any, monkeypatch: Any) -> None:
    """The work is begun again after the lease, and adds only what is missing; the dead one writes nothing any more."""
    monkeypatch.setattr(taking, "CHUNK", 2)
    row = imported(calls)
    service.confirm(row)
    real, turns = taking.building.add, []

    def dies(*args: Any) -> Any:
        turns.append(1)
        if len(turns) == 2:
            raise SystemExit
        return real(*args)

    monkeypatch.setattr(taking.building, "add", dies)
    with pytest.raises(SystemExit):
        service.work_waiting()
    assert calls.entries.count() == 2
    assert service.work_waiting() == 0, "the lease of the dead one holds"
    CallListImport.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert service.work_waiting() == 1
    row.refresh_from_db()
    assert (row.state, calls.entries.count(), row.report["new"], row.report["known"]) == ("done", 4, 2, 2)


def test_who_lost_his_lease_writes_nothing(calls: Any) -> None:
    row = imported(calls)
    service.confirm(row)
    with row.file.open("rb") as opened:
        report = taking.take_in(calls, opened, taking.Layout(COLUMNS, region="DE"), still_ours=lambda _report: False)
    assert (report.new, calls.entries.count(), Contact.objects.count()) == (0, 0, 0)


def test_poison_is_put_aside(calls: Any) -> None:
    row = service.upload(calls, file(), by=None)
    service.check(row, COLUMNS, region="DE", has_heading=True)
    CallListImport.objects.update(attempts=service.MAX_ATTEMPTS)
    service.work_waiting()
    row.refresh_from_db()
    assert (row.state, row.error) == ("failed", "Work on this file was interrupted too often.")


def test_files_that_nobody_wants_are_forgotten(calls: Any) -> None:
    row = service.upload(calls, file(), by=None)
    assert service.forget_old() == 0
    CallListImport.objects.update(at=timezone.now() - timedelta(days=8))
    assert (service.forget_old(), service.forget_old()) == (1, 0)
    service.check(row, COLUMNS, region="DE", has_heading=True)
    service.work_waiting()
    row.refresh_from_db()
    assert (row.state, row.error) == ("failed", "The file is gone. Upload it again.")


def test_many_rows_need_no_memory(calls: Any, monkeypatch: Any) -> None:
    """What one row takes is given back: the peak for 4,000 rows is that for 500."""
    monkeypatch.setattr(taking, "CHUNK", 100)

    def peak(count: int) -> int:
        text = "number,padding\n" + "".join(f"+4940{1000000 + n},{'x' * 300}\n" for n in range(count))
        opened = io.BytesIO(text.encode())
        tracemalloc.start()
        report = taking.look_through(calls, opened, taking.Layout({"number": 0}))
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert report.new == count
        return size

    peak(500)
    small, large = peak(500), peak(4_000)
    assert large < small * 1.5 + 100_000
