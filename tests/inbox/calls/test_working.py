"""Agents work through call lists: one person at a time, and nobody who must not be called."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from crm.customers import consent
from crm.marketing.models import CallListEntry, CallTry
from crm.service.models import Ticket
from inbox.models import Call
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def work(phone: Any, lena: Any) -> Any:
    """A list of Lena's with a script."""
    script = factories.CallScriptFactory(texts={"en": ("Good day {{ contact.name }}", ["Does it still leak?"])})
    return factories.CallListFactory(name="Spring service", people=[lena], script=script)


@pytest.fixture
def desk(login: Any, lena: Any) -> Client:
    return login(lena)


def mine(work: Any) -> CallListEntry:
    return work.entries.get(state="claimed")


def test_the_next_person_with_script_and_number(desk: Client, work: Any) -> None:
    entry = factories.CallListEntryFactory(call_list=work, contact=factories.ContactFactory(name="Anna Schmidt"))
    assert b"Spring service" in desk.get("/desk/calls/work/").content
    page = desk.get(f"/desk/calls/work/{work.pk}/").content.decode()
    assert "Next person" in page and entry.number not in page
    page = desk.post(f"/desk/calls/work/{work.pk}/next/", follow=True).content.decode()
    for text in ("Anna Schmidt", "Good day Anna Schmidt", "Does it still leak?", f'data-dial="{entry.number}"'):
        assert text in page


def test_a_call_is_recorded_logged_and_the_next_comes(desk: Client, work: Any, lena: Any) -> None:
    first, second = (factories.CallListEntryFactory(call_list=work) for _ in range(2))
    desk.post(f"/desk/calls/work/{work.pk}/next/")
    sent = {"entry": first.pk, "outcome": "talked", "note": "Wants a quote.", "minutes": "3"}
    desk.post(f"/desk/calls/work/{work.pk}/record/", sent)
    first.refresh_from_db()
    assert (first.state, first.outcome, mine(work)) == ("done", "talked", second)
    call = Call.objects.get()
    assert (call.number, call.contact, call.agent, call.state) == (first.number, first.contact, lena, "ended")
    assert (call.talk_seconds, call.outcome, call.note) == (180, "talked", "Spring service\nWants a quote.")
    assert call.ticket.status == Ticket.Status.RESOLVED
    # The back button sends it once more.
    desk.post(f"/desk/calls/work/{work.pk}/record/", sent)
    assert Call.objects.count() == CallTry.objects.count() == 1


def test_an_open_request_is_not_closed_by_a_call_of_a_list(desk: Client, work: Any, phone: Any) -> None:
    entry = factories.CallListEntryFactory(call_list=work)
    open_ticket = factories.TicketFactory(queue=phone.queue, contact=entry.contact, origin="phone")
    factories.MessageFactory(ticket=open_ticket, contact=entry.contact)
    desk.post(f"/desk/calls/work/{work.pk}/next/")
    desk.post(f"/desk/calls/work/{work.pk}/record/", {"entry": entry.pk, "outcome": "no-answer"})
    open_ticket.refresh_from_db()
    assert Call.objects.get().ticket == open_ticket and not open_ticket.is_finished


def test_who_wants_no_calls_is_asked_about_no_more(desk: Client, work: Any) -> None:
    entry, other = (factories.CallListEntryFactory(call_list=work) for _ in range(2))
    desk.post(f"/desk/calls/work/{work.pk}/next/")
    desk.post(f"/desk/calls/work/{work.pk}/record/", {"entry": entry.pk, "outcome": "refused"})
    answer = desk.post("/desk/calls/dial/", {"number": entry.number, "entry": entry.pk})
    assert answer.status_code == 422 and "Wants no calls" in answer.json()["said"]
    assert mine(work) == other


def test_barred_while_the_page_is_open(desk: Client, work: Any) -> None:
    entry = factories.CallListEntryFactory(call_list=work)
    desk.post(f"/desk/calls/work/{work.pk}/next/")
    consent.refuse_calls(entry.number, by=None)
    page = desk.get(f"/desk/calls/work/{work.pk}/").content.decode()
    assert "must not be called now" in page and f'data-dial="{entry.number}"' not in page
    assert desk.post("/desk/calls/dial/", {"number": entry.number}).status_code == 422


def test_no_time_for_calls_where_he_is(desk: Client, work: Any, monkeypatch: Any) -> None:
    entry = factories.CallListEntryFactory(call_list=work)
    desk.post(f"/desk/calls/work/{work.pk}/next/")
    monkeypatch.setattr("inbox.calls.working.zones.allowed", lambda *_args: False)
    answer = desk.post("/desk/calls/dial/", {"number": entry.number, "entry": entry.pk})
    assert (answer.status_code, answer.json()["said"]) == (422, "This is not a time for calls where this person is.")


def test_later_needs_a_time_and_giving_back_is_no_call(desk: Client, work: Any) -> None:
    entry = factories.CallListEntryFactory(call_list=work)
    desk.post(f"/desk/calls/work/{work.pk}/next/")
    sent = {"entry": entry.pk, "outcome": "later", "note": "He is on a ladder.", "minutes": "2"}
    page = desk.post(f"/desk/calls/work/{work.pk}/record/", sent).content.decode()
    assert "Say when to call again." in page and mine(work) == entry
    assert "He is on a ladder.</textarea>" in page and 'value="2"' in page, "what was written is not lost"
    assert re.search(r'value="later"[^>]*checked', page)
    desk.post(f"/desk/calls/work/{work.pk}/stay/")
    desk.post(f"/desk/calls/work/{work.pk}/release/")
    entry.refresh_from_db()
    assert (entry.state, entry.tries) == ("open", 0) and not Call.objects.exists()


def test_lists_of_others_do_not_exist(login: Any, work: Any, phone: Any) -> None:
    entry = factories.CallListEntryFactory(call_list=work)
    stranger = login(factories.StaffFactory(role="agent"))
    assert stranger.get(f"/desk/calls/work/{work.pk}/").status_code == 404
    for deed in ("next", "release", "stay", "record"):
        answer = stranger.post(f"/desk/calls/work/{work.pk}/{deed}/", {"entry": entry.pk, "outcome": "talked"})
        assert answer.status_code == 404
    entry.refresh_from_db()
    assert entry.state == "open" and b"Spring" not in stranger.get("/desk/calls/work/").content
