"""Making call lists: who may, from whom, and where they stand."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from crm.customers import consent, identity
from crm.customers.models import Region, Tag
from crm.marketing import access, queries, services
from crm.marketing.importing import service
from crm.marketing.models import CallList, CallListEntry, CallListImport
from crm.marketing.queries import Search
from crm.marketing.services import building
from tests import factories


def person(name: str, number: str = "", tags: list[Any] | None = None, **customer: Any) -> Any:
    contact = factories.ContactFactory(
        name=name, language=customer.pop("language", ""), customer=factories.CustomerFactory(**customer)
    )
    if number:
        factories.PointFactory(contact=contact, kind="phone", value=number)
    contact.tags.set(tags or [])
    return contact


@pytest.fixture
def world(db: None) -> dict[str, Any]:
    europe = Region.objects.create(name="Europe")
    germany = Region.objects.create(name="Germany", parent=europe)
    china = Region.objects.create(name="China")
    tag = Tag.objects.create(name="roastery")
    person("Gold", "+494011111111", level="gold", region=germany, language="de")
    person("Silver", "+862122222222", level="silver", region=china, tags=[tag], language="zh-hans")
    person("No number", level="gold", region=germany)
    blocked = person("Blocked", "+494033333333", level="gold", region=germany, status="blocked")
    two = person("Two numbers", "+494044444444", level="gold", region=europe)
    factories.PointFactory(contact=two, kind="phone", value="+494044444445")
    merged = person("Merged", "+494055555555", level="gold", region=germany)
    identity.link(two, merged, by=None)
    tagged = person("By the company's tag", "+494066666666", level="standard", region=None)
    tagged.customer.tags.add(tag)
    return {"europe": europe, "germany": germany, "china": china, "tag": tag, "blocked": blocked}


def names(search: Search) -> set[str]:
    return {point.contact.name for point in queries.numbers(search)}


def test_whom_a_search_finds(world: dict[str, Any]) -> None:
    everybody = {"Gold", "Silver", "Blocked", "Two numbers", "By the company's tag"}
    assert names(Search()) == everybody
    assert names(Search(levels=("gold",))) == {"Gold", "Blocked", "Two numbers"}
    assert names(Search(levels=("gold",), statuses=("active",))) == {"Gold", "Two numbers"}
    assert names(Search(regions=(world["europe"].pk,))) == {"Gold", "Blocked", "Two numbers"}
    assert names(Search(tags=(world["tag"].pk,))) == {"Silver", "By the company's tag"}
    assert names(Search(languages=("de", "zh-hans"))) == {"Gold", "Silver"}
    assert names(Search(levels=("gold",), languages=("zh-hans",))) == set()


def test_built_once_and_again(world: dict[str, Any], supervisor: Any) -> None:
    calls = factories.CallListFactory(state="draft")
    consent.refuse_calls("+862122222222", by=supervisor)
    search = Search(levels=("gold", "silver"))
    assert queries.count(search, calls) == queries.Found(people=4, refused=2, known=0)
    assert CallListEntry.objects.count() == 0
    added = services.build_from_search(calls, search, by=supervisor)
    assert (added.new, added.known, added.refused) == (4, 0, 2)
    assert queries.count(search, calls) == queries.Found(people=4, refused=2, known=4)
    again = services.build_from_search(calls, search, by=supervisor)
    assert (again.new, again.known, again.refused) == (0, 4, 0)
    assert dict(calls.entries.values_list("number", "state")) == {
        "+494011111111": "open",
        "+494033333333": "blocked",
        "+494044444444": "open",
        "+862122222222": "blocked",
    }
    calls.refresh_from_db()
    assert calls.zones == ["Asia/Shanghai", "Europe/Berlin"]
    assert list(calls.events.values_list("what", "new", "why")) == [
        ("built", "4", "Gold, Silver"),
        ("built", "0", "Gold, Silver"),
    ]


def test_a_search_is_taken_in_in_steps(world: dict[str, Any], supervisor: Any, monkeypatch: Any) -> None:
    """A worker that is killed in the middle leaves what it has done; the next one adds what is missing."""
    monkeypatch.setattr(building, "CHUNK", 2)
    calls = factories.CallListFactory(state="draft")
    job = service.search(calls, Search(levels=("gold", "silver")), by=supervisor)
    real, told = building.add, []

    def killed(*given: Any) -> Any:
        if told:
            raise SystemExit
        told.append(len(given[1]))
        return real(*given)

    with monkeypatch.context() as patch:
        patch.setattr(building, "add", killed)
        with pytest.raises(SystemExit):
            service.work_waiting()
    job.refresh_from_db()
    assert (calls.entries.count(), job.state, job.report["rows"], job.report["of"]) == (2, "running", 0, 4)
    assert service.work_waiting() == 0, "somebody else may still be at it"
    CallListImport.objects.update(lease_until=timezone.now())
    assert service.work_waiting() == 1
    job.refresh_from_db()
    assert (job.state, job.report) == ("done", {"rows": 4, "new": 2, "known": 2, "refused": 1})
    assert calls.entries.count() == 4
    assert [(e.what, e.new, e.why) for e in calls.events.all()] == [("built", "2", "Gold, Silver")]


def test_entries_move_with_the_contact(world: dict[str, Any], supervisor: Any) -> None:
    entry, kept = factories.CallListEntryFactory(), factories.ContactFactory()
    other = entry.contact
    link = identity.link(kept, other, by=supervisor)
    entry.refresh_from_db()
    assert entry.contact == kept
    identity.unlink(link, by=supervisor)
    entry.refresh_from_db()
    assert entry.contact == other


def test_the_life_of_a_list(agent: Any, supervisor: Any) -> None:
    calls = factories.CallListFactory.build(hours=factories.BusinessHoursFactory(), state="draft", name="Spring")
    services.save_list(calls, by=supervisor, people=[])
    with pytest.raises(services.NotPossible, match="nobody on this list"):
        services.set_state(calls, "running", by=supervisor)
    factories.CallListEntryFactory(call_list=calls)
    with pytest.raises(services.NotPossible, match="who works the list"):
        services.set_state(calls, "running", by=supervisor)
    calls.max_tries = 5
    services.save_list(calls, by=supervisor, people=[agent])
    for state in ("running", "paused", "running", "finished", "running"):
        services.set_state(calls, state, by=supervisor)
    services.set_state(calls, "running", by=supervisor)
    with pytest.raises(services.NotPossible):
        services.set_state(calls, "draft", by=supervisor)
    calls.refresh_from_db()
    assert (calls.state, calls.created_by) == ("running", supervisor)
    assert list(calls.events.values_list("what", "old", "new")) == [
        ("made", "", "Spring"),
        ("max_tries", "3", "5"),
        ("people", "", "Agent"),
        ("state", "draft", "running"),
        ("state", "running", "paused"),
        ("state", "paused", "running"),
        ("state", "running", "finished"),
        ("state", "finished", "running"),
    ]


def test_who_sees_and_works_a_list(
    agent: Any, supervisor: Any, marketer: Any, editor: Any, customer_user: Any, queue: Any
) -> None:
    named = factories.CallListFactory(people=[agent])
    line = factories.CallListFactory(queue=queue, state="paused")
    foreign = factories.CallListFactory()
    draft = factories.CallListFactory(people=[agent], state="draft")
    entries = {calls: factories.CallListEntryFactory(call_list=calls) for calls in (named, line, foreign, draft)}
    for lead in (supervisor, marketer):
        assert set(CallList.objects.visible_to(lead)) == {named, line, foreign, draft}
        assert access.leads(lead)
    assert set(CallList.objects.visible_to(agent)) == {named, line}
    assert set(CallListEntry.objects.visible_to(agent)) == {entries[named], entries[line]}
    assert not access.leads(agent)
    for nobody in (editor, customer_user, None):
        assert list(CallList.objects.visible_to(nobody)) == []
        assert list(CallListEntry.objects.visible_to(nobody)) == []
    assert [access.may_work(agent, each) for each in (named, line, foreign)] == [True, True, False]
    assert [access.may_work(user, foreign) for user in (supervisor, marketer, customer_user)] == [True, False, False]


def test_progress_in_few_statements(supervisor: Any, agent: Any, django_assert_num_queries: Any) -> None:
    calls = factories.CallListFactory(people=[agent], max_tries=1)
    for _ in range(5):
        factories.CallListEntryFactory(call_list=calls)
    for outcome in ("agreed", "agreed", "no-answer", "refused"):
        services.record(services.next_entry(calls, agent), outcome, by=agent)
    with django_assert_num_queries(3):
        found = queries.progress(calls)
    assert found == queries.Progress(
        total=5,
        open=1,
        done=2,
        failed=1,
        blocked=1,
        outcomes=(("agreed", "Agreed", 2), ("no-answer", "No answer", 1), ("refused", "Wants no more calls", 1)),
        calls=4,
    )
    assert found.percent == 80
