"""Many new rows at once: they are what single ones would be."""

from __future__ import annotations

from datetime import datetime, timedelta
from datetime import timezone as zones

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy

from core.rows import insert, update
from inbox.models import RawMessage
from routing.models import RuleRun
from tests import factories

pytestmark = pytest.mark.django_db


def _raw(channel, number: int, **values) -> RawMessage:
    return RawMessage(channel=channel, external_id=f"id-{number}", digest="0" * 64, size=3, **values)


def test_rows_come_back_as_they_were_given():
    channel = factories.ChannelFactory()
    elsewhere = datetime(2026, 3, 1, 9, 30, 1, 250_000, tzinfo=zones(timedelta(hours=8)))
    given = [
        _raw(channel, 1, body=b"\x00\\N\t\xff\n", facts={"a": ["“x”\\", None, 1.5]}, done_at=elsewhere),
        _raw(channel, 2, folder="Tab\tline\nback\\slash 中文", reason="\\N", state=RawMessage.State.HELD),
        _raw(channel, 3, reason=gettext_lazy("Ignored"), blob="b", uidvalidity=2**40),
    ]
    insert(given)
    assert [row.pk for row in given] == sorted({row.pk for row in given})
    for row in given:
        found = RawMessage.objects.get(pk=row.pk)
        for field in RawMessage._meta.concrete_fields:
            value = getattr(found, field.attname)
            wanted = getattr(row, field.attname)
            assert (bytes(value) if isinstance(value, memoryview) else value) == wanted, field.name
        assert not row._state.adding
    given[0].outcome = "opened"
    given[0].save()
    assert RawMessage.objects.count() == 3


def test_keys_go_on_from_there():
    insert([RuleRun(event="a", subject="s", matched=[], errors=[]) for _ in range(3)])
    alone = RuleRun.objects.create(event="b", subject="s", matched=[], errors=[])
    more = [RuleRun(event="c", subject="s", matched=[], errors=[])]
    insert(more)
    keys = list(RuleRun.objects.order_by("pk").values_list("pk", flat=True))
    assert keys[-2:] == [alone.pk, more[0].pk]
    assert len(set(keys)) == 5


def test_one_that_may_not_be_keeps_all_out():
    channel = factories.ChannelFactory()
    insert([_raw(channel, 1)])
    with pytest.raises(IntegrityError), transaction.atomic():
        insert([_raw(channel, 2), _raw(channel, 1), _raw(channel, 3)])
    assert RawMessage.objects.count() == 1


def test_nothing_is_no_work(django_assert_num_queries):
    with django_assert_num_queries(0):
        insert([])


def test_fields_that_set_themselves_are_set():
    before = timezone.now()
    run = RuleRun(event="a", subject="s", matched=[], errors=[])
    insert([run])
    assert RuleRun.objects.get(pk=run.pk).at >= before


def test_changed_rows_are_as_saved_ones_and_others_stay():
    channel = factories.ChannelFactory()
    rows = [_raw(channel, number) for number in range(4)]
    insert(rows)
    *changed, untouched = rows
    names = {"facts", "body", "done_at", "reason", "uidvalidity", "folder", "attempts"}
    changed[0].facts, changed[0].body, changed[0].done_at = {"a": ["{“x”,\\}", None]}, b"\x00{,}\xff", timezone.now()
    changed[1].reason, changed[1].uidvalidity, changed[1].folder = "NULL", 2**40, 'with "quotes", {braces} \\ 中文'
    changed[2].attempts, changed[2].size = 7, 99
    update(changed, names, {"outcome": "opened", "lease_until": None})
    for row in changed:
        found = RawMessage.objects.get(pk=row.pk)
        for name in names:
            value = getattr(found, name)
            assert (bytes(value) if isinstance(value, memoryview) else value) == getattr(row, name), name
    assert RawMessage.objects.get(pk=changed[2].pk).size == 3, "only the named columns are written"
    outcomes = dict(RawMessage.objects.values_list("pk", "outcome"))
    assert outcomes == {untouched.pk: "", **{row.pk: "opened" for row in changed}} and changed[0].outcome == ""
    assert RawMessage.objects.get(pk=untouched.pk).attempts == 0


@pytest.mark.postgresql  # SQLite knows no lengths
def test_a_text_that_is_too_long_is_refused_and_not_cut():
    (row,) = rows = [_raw(factories.ChannelFactory(), 1)]
    insert(rows)
    row.reason = "x" * 301
    with pytest.raises(DatabaseError), transaction.atomic():
        update(rows, {"reason"})
