"""The screens of calls: log, page, card, form, statistics, exports (S-03, S-26, S-64)."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from crm.customers import consent
from crm.customers.models import Contact, ContactPoint
from crm.planning.models import Appointment, Task
from crm.service.models import Ticket
from inbox.channels.phone.settings import PhoneSettings
from inbox.models import Attachment, Call, Delivery, Message
from routing.models import RuleRun
from tests import factories
from tests.inbox.calls.conftest import NUMBER, log_form, only_call

pytestmark = pytest.mark.django_db
MARKUP = '"><img src=x onerror=__xss=1>'
FORMULA = "=cmd|'/C calc'!A0"


@pytest.fixture
def stranger(phone: Any) -> Client:
    """An agent of another queue."""
    user = factories.StaffFactory(name="Otto Other", role="agent", extension="99")
    factories.QueueMemberFactory(queue=factories.QueueFactory(name="Elsewhere"), user=user)
    client = Client()
    client.force_login(user, backend="crm.organisation.backends.PasswordBackend")
    return client


# The log


def test_the_log_shows_what_was_and_narrows(desk: Client, report: Any, post: Callable[[], None], caller: Any) -> None:
    report("newCall", "1")
    report("hangup", "1", cause="cancel")
    report("newCall", "2", **{"from": "+4930222333"})
    report("answer", "2", answeringNumber="21")
    report("hangup", "2")
    post()
    ids = lambda query: [call.call_id for call in desk.get(f"/desk/calls/{query}").context["page"].calls]  # noqa: E731
    assert ids("") == ["2", "1"]
    assert ids("?view=missed") == ["1"]
    assert ids("?view=mine") == ["2"]
    assert ids("?view=live") == []
    assert ids("?q=030+555+716-00") == ids("?q=Schmidt") == ids(f"?contact={caller.pk}") == ["1"]
    assert ids("?q=222333") == ["2"]
    assert ids("?direction=out") == ids("?kind=visit") == ids("?since=2099-01-01") == []
    assert ids(f"?since={timezone.localdate()}&until={timezone.localdate()}") == ["2", "1"]
    page = desk.get("/desk/calls/").content.decode()
    assert "Anna Schmidt" in page and 'data-dial="+4930222333"' in page and "tel:" not in page


@pytest.mark.parametrize("query", ["view=x", "queue=a", "since=x", "since=0001-01-01", "kind=x", "after=x", "agent=²"])
def test_a_filter_that_does_not_exist(desk: Client, phone: Any, query: str) -> None:
    assert desk.get(f"/desk/calls/?{query}").status_code == 400


def test_pages_of_the_log_lose_and_double_nothing(desk: Client, phone: Any) -> None:
    at = timezone.now()
    Call.objects.bulk_create(
        Call(channel=phone, call_id=str(n), queue=phone.queue, state="ended", started_at=at - timedelta(seconds=n // 7))
        for n in range(75)
    )
    seen, after = [], ""
    for _page in range(4):
        page = desk.get(f"/desk/calls/?after={after}").context["page"]
        seen += [call.call_id for call in page.calls]
        after = page.older
        if not after:
            break
    assert len(seen) == 75 and len(set(seen)) == 75


def test_another_teams_calls_do_not_exist(
    desk: Client, stranger: Client, report: Any, post: Callable[[], None], caller: Any, lena: Any
) -> None:
    report("newCall")
    pk = only_call().pk
    before = Call.objects.values().get()
    assert desk.get(f"/desk/calls/{pk}/").status_code == desk.get(f"/desk/calls/{pk}/card/").status_code == 200
    for name in ("", "card/"):
        assert stranger.get(f"/desk/calls/{pk}/{name}").status_code == 404
    for name in ("notes", "ticket", "person", "recording"):
        assert stranger.post(f"/desk/calls/{pk}/{name}/", {"note": "x", "name": "x"}).status_code == 404
    assert stranger.get("/desk/calls/ringing/").json() == {"calls": []}
    assert stranger.get("/desk/calls/").context["page"].calls == []
    assert b"55571600" not in b"".join(stranger.get("/desk/calls/?export=csv").streaming_content)
    assert Call.objects.values().get() == before


def test_markup_in_a_callers_name_is_text(desk: Client, report: Any, post: Callable[[], None], caller: Any) -> None:
    Contact.objects.update(name=MARKUP)
    report("newCall", **{"from": MARKUP[:90], "queue": MARKUP, "user[]": MARKUP}, call=MARKUP[:200])
    report("newCall", "2")
    for call in Call.objects.all():
        for page in (f"/desk/calls/{call.pk}/", f"/desk/calls/{call.pk}/card/", "/desk/calls/"):
            assert b"<img src=x" not in desk.get(page).content
    assert b"<img src=x" not in desk.get(f"/desk/calls/new/?contact={caller.pk}").content
    assert desk.get("/desk/calls/find/?q=img").headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_an_export_holds_text(desk: Client, report: Any, post: Callable[[], None], caller: Any, kind: str) -> None:
    Contact.objects.update(name=FORMULA)
    report("newCall", queue=FORMULA)
    report("hangup", cause="cancel")
    post()
    answer = desk.get(f"/desk/calls/?export={kind}")
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    if kind == "csv":
        line = content.decode("utf-8-sig").splitlines()[1]
        assert f"'{FORMULA}" in line and "+493055571600" in line and "'+49" not in line
        return
    sheet = load_workbook(io.BytesIO(content)).active
    cells = {cell.value: cell.data_type for cell in sheet[2]}
    assert cells[FORMULA] == "s" and cells["+493055571600"] == "s"


# The card


def test_the_card_knows_the_caller_and_goes_when_somebody_answered(
    desk: Client, report: Any, caller: Any, lena: Any, ticket: Any, login: Any, queue: Any
) -> None:
    other = factories.StaffFactory(name="Tom", role="agent", extension="22")
    factories.QueueMemberFactory(queue=queue, user=other)
    consent.refuse_calls(NUMBER, by=None)
    report("newCall")
    pk = only_call().pk
    card = desk.get(f"/desk/calls/{pk}/card/").content.decode()
    for text in ("Anna Schmidt", "Kaffeehaus Schmidt", "The machine leaks", "+49 30 55571600", "Do not call"):
        assert text in card
    assert desk.get("/desk/calls/ringing/").json() == {"calls": [pk]}
    report("answer", answeringNumber="21")
    assert desk.get(f"/desk/calls/{pk}/card/").status_code == 200
    theirs = login(other)
    assert theirs.get(f"/desk/calls/{pk}/card/").status_code == 204
    assert theirs.get("/desk/calls/ringing/").json() == {"calls": []}
    report("hangup", cause="normalClearing")
    assert theirs.get(f"/desk/calls/{pk}/card/").status_code == 204
    assert theirs.get("/desk/calls/ringing/").json() == {"calls": []}
    desk = login(lena)
    card = desk.get(f"/desk/calls/{pk}/card/").content.decode()
    assert "The call is over" in card
    assert "The call is about this ticket" not in card
    assert desk.post(f"/desk/calls/{pk}/ticket/", {"ticket": ticket.number}).status_code == 409
    assert only_call().ticket != ticket
    assert desk.get("/desk/calls/ringing/").json() == {"calls": [pk]}
    desk.post(f"/desk/calls/{pk}/notes/", {"note": "", "outcome": "solved"})
    assert desk.get(f"/desk/calls/{pk}/card/").status_code == 204
    assert desk.get("/desk/calls/ringing/").json() == {"calls": []}


def test_the_card_of_a_talk_that_is_over_goes_by_itself(desk: Client, report: Any, caller: Any) -> None:
    report("newCall")
    report("answer", answeringNumber="21")
    report("hangup", cause="normalClearing")
    pk = only_call().pk
    assert desk.get(f"/desk/calls/{pk}/card/").status_code == 200
    Call.objects.update(ended_at=timezone.now() - timedelta(minutes=5))
    assert desk.get(f"/desk/calls/{pk}/card/").status_code == 204
    assert desk.get("/desk/calls/ringing/").json() == {"calls": []}


def test_a_card_whose_end_was_never_told_goes_by_itself(desk: Client, report: Any, caller: Any) -> None:
    report("newCall")
    pk = only_call().pk
    assert desk.get("/desk/calls/ringing/").json() == {"calls": [pk]}
    Call.objects.update(started_at=timezone.now() - timedelta(minutes=16))
    assert desk.get("/desk/calls/ringing/").json() == {"calls": []}
    assert desk.get(f"/desk/calls/{pk}/card/").status_code == 204


def test_notes_of_the_card_become_the_message(
    desk: Client, report: Any, post: Callable[[], None], caller: Any, lena: Any
) -> None:
    report("newCall")
    report("answer", answeringNumber="21")
    pk = only_call().pk
    kept = desk.post(f"/desk/calls/{pk}/notes/", {"note": "Valve 2 leaks.", "outcome": "solved"})
    assert kept.status_code == 200
    assert desk.post(f"/desk/calls/{pk}/notes/", {"note": "x", "outcome": "nonsense"}).status_code == 400
    report("hangup", cause="normalClearing")
    post()
    assert (only_call().outcome, only_call().message.text, only_call().ticket.preview) == (
        "solved",
        "Valve 2 leaks.",
        "Valve 2 leaks.",
    )
    desk.post(f"/desk/calls/{pk}/notes/", {"note": "And valve 3.", "outcome": ""})
    assert list(Message.objects.order_by("seq").values_list("kind", "text")) == [
        ("call", "Valve 2 leaks."),
        ("note", "And valve 3."),
    ]


def test_the_call_goes_to_the_ticket_it_is_about(
    desk: Client, report: Any, post: Callable[[], None], caller: Any, ticket: Any
) -> None:
    report("newCall")
    pk = only_call().pk
    foreign = factories.TicketFactory(queue=factories.QueueFactory(name="Elsewhere"))
    assert desk.post(f"/desk/calls/{pk}/ticket/", {"ticket": foreign.number}).status_code == 404
    assert desk.post(f"/desk/calls/{pk}/ticket/", {"ticket": ticket.number}).status_code == 200
    report("answer", answeringNumber="21")
    report("hangup", cause="normalClearing")
    post()
    assert only_call().message.ticket == ticket and Ticket.objects.count() == 2


def test_a_new_ticket_from_the_card_is_the_one_the_call_ends_on(
    desk: Client, report: Any, post: Callable[[], None], lena: Any
) -> None:
    report("newCall")
    pk = only_call().pk
    for _twice in range(2):
        answer = desk.post(f"/desk/calls/{pk}/ticket/").json()
    ticket = Ticket.objects.get()
    assert answer["open"] == reverse("inbox:ticket", args=[ticket.number])
    assert ticket.assignee == lena and ticket.events.get(what="opened").actor == lena
    report("hangup", cause="cancel")
    post()
    assert only_call().message.ticket == ticket and Ticket.objects.count() == 1


def test_rules_for_opened_tickets_see_what_the_card_opens(
    desk: Client, report: Any, post: Callable[[], None], caller: Any, lena: Any
) -> None:
    def rule(name: str, fact: str, operator: str, value: Any, *actions: dict[str, Any]) -> None:
        conditions = {"match": "all", "items": [{"fact": fact, "operator": operator, "value": value}]}
        factories.RuleFactory(name=name, event="ticket.opened", conditions=conditions, actions=list(actions))

    template = factories.TemplateFactory(purpose="automatic", texts={"en": ("We have it", "Thank you.")})
    tag, answer = {"action": "add_tags", "tags": ["call"]}, {"action": "auto_answer", "template": str(template.pk)}
    rule("Called", "called_number", "is", "+4940555100", tag, answer)
    rule("Caller", "sender", "is", NUMBER, {"action": "set_priority", "priority": "3"})
    rule("By phone", "talk_kind", "is", "call", {"action": "add_tags", "tags": ["phone"]})
    rule("Missed", "missed", "yes", None, {"action": "add_tags", "tags": ["missed"]})
    rule("Talked", "body", "contains", "talked", {"action": "add_tags", "tags": ["talked"]})
    report("newCall")
    report("answer", answeringNumber="21")
    desk.post(f"/desk/calls/{only_call().pk}/ticket/")
    report("hangup", cause="normalClearing")
    post()
    ticket = Ticket.objects.get()
    assert (sorted(tag.name for tag in ticket.tags.all()), ticket.priority) == (["call", "phone"], 3)
    assert (ticket.assignee, ticket.message_count) == (lena, 1)
    (run,) = RuleRun.objects.filter(event="ticket.opened")
    assert [match["name"] for match in run.matched] == ["Called", "Caller", "By phone"]
    assert not Delivery.objects.exists()


def test_somebody_else_calls_from_that_number(desk: Client, report: Any, post: Callable[[], None], caller: Any) -> None:
    report("newCall")
    pk = only_call().pk
    assert b"Nobody is known" in desk.post(f"/desk/calls/{pk}/person/").content
    card = desk.post(f"/desk/calls/{pk}/person/", {"name": "Cleo  New"}).content.decode()
    assert "Cleo New" not in card and "Anna Schmidt" in card, "the number is Anna's: it is her until somebody says who"
    other = factories.ContactFactory(name="Cleo")
    assert b"Cleo" in desk.post(f"/desk/calls/{pk}/person/", {"contact": other.pk}).content
    report("hangup", cause="cancel")
    post()
    assert only_call().ticket.contact == other


def test_an_unknown_number_becomes_a_contact_by_its_name(desk: Client, report: Any) -> None:
    report("newCall")
    pk = only_call().pk
    assert b"Cleo New" in desk.post(f"/desk/calls/{pk}/person/", {"name": "Cleo New"}).content
    assert ContactPoint.objects.get(value=NUMBER).contact.name == "Cleo New"


def test_a_recording_is_attached(desk: Client, report: Any, post: Callable[[], None], caller: Any) -> None:
    report("newCall")
    report("hangup", cause="cancel")
    pk = only_call().pk
    upload = lambda: {"file": io.BytesIO(b"RIFF")}  # noqa: E731
    desk.post(f"/desk/calls/{pk}/recording/", upload())
    assert not Attachment.objects.exists()
    post()
    desk.post(f"/desk/calls/{pk}/recording/", upload())
    assert Attachment.objects.get().message == only_call().message


def test_a_recording_is_played_from_any_place(
    desk: Client, report: Any, post: Callable[[], None], caller: Any, login: Any
) -> None:
    report("newCall")
    report("hangup", cause="cancel")
    post()
    pk, sound = only_call().pk, bytes(range(256)) * 8
    for name in ("talk.wav", "talk.html"):
        file = SimpleUploadedFile(name, sound, "text/html")
        desk.post(f"/desk/calls/{pk}/recording/", {"file": file})
    played, other = Attachment.objects.order_by("pk")
    address = f"/desk/calls/{pk}/listen/?file={played.pk}"
    page = desk.get(f"/desk/calls/{pk}/")
    assert page.content.decode().count("<audio") == 1
    assert f'src="{address}"' in page.content.decode()
    assert "media-src 'self'" in page["Content-Security-Policy"]

    whole = desk.get(address)
    assert (whole.status_code, whole["Content-Type"], whole["Accept-Ranges"]) == (200, "audio/wav", "bytes")
    assert whole.getvalue() == sound
    for wanted, first, last in (("bytes=0-", 0, 2047), ("bytes=100-199", 100, 199), ("bytes=2000-9999", 2000, 2047)):
        part = desk.get(address, headers={"Range": wanted})
        assert (part.status_code, part["Content-Range"]) == (206, f"bytes {first}-{last}/2048")
        assert part["Content-Length"] == str(last - first + 1)
        assert part.getvalue() == sound[first : last + 1]
        assert (part["X-Content-Type-Options"], part["Content-Security-Policy"][:7]) == ("nosniff", "sandbox")
    assert desk.get(address, headers={"Range": "bytes=2048-"}).status_code == 416
    for nonsense in ("bytes=-5", "bytes=1-2,4-5", "lines=1-2", "bytes=9-1x"):
        assert desk.get(address, headers={"Range": nonsense}).getvalue() == sound, nonsense
    assert desk.get(f"/desk/calls/{pk}/listen/?file={other.pk}").status_code == 404, "no page of a stranger's is played"
    assert desk.get(f"/desk/calls/{pk}/listen/?file=x").status_code == 404
    assert login(factories.StaffFactory(role="agent")).get(address).status_code == 404


# The form


def test_the_form_finds_people_by_number_in_any_spelling_and_by_name(desk: Client, phone: Any, caller: Any) -> None:
    for text in ("030 555 716 00", "+49 (30) 55571600", "004930/55571600", "55571600", "schmidt anna", "Kaffeehaus"):
        found = desk.get("/desk/calls/find/", {"q": text}).json()["results"]
        assert [(each["id"], each["number"]) for each in found] == [(caller.pk, "+49 30 55571600")], text
    assert desk.get("/desk/calls/find/", {"q": "x"}).json() == {"results": [], "number": ""}
    assert desk.get("/desk/calls/find/", {"q": "\x00" * 50 + "%_" * 500}).status_code == 200


def test_the_form_shows_numbers_as_people_read_them(
    desk: Client, phone: Any, report: Any, caller: Any, ticket: Any
) -> None:
    report("newCall")
    asked = (f"ticket={ticket.number}", f"contact={caller.pk}", f"call={only_call().pk}", f"number=%2B{NUMBER[1:]}")
    for query in asked:
        assert log_form(desk, f"?{query}")["who"] == "+49 30 55571600", query
    desk.post("/desk/calls/new/", log_form(desk, f"?contact={caller.pk}"))
    assert Call.objects.latest("id").number == NUMBER


def test_a_call_is_logged_from_nothing(desk: Client, phone: Any, lena: Any) -> None:
    answer = desk.post("/desk/calls/new/", log_form(desk, who="030 222 333", minutes="4"))
    ticket = Ticket.objects.get()
    assert answer.url == reverse("inbox:ticket", args=[ticket.number])
    call = only_call()
    assert (call.number, call.direction, call.state, call.talk_seconds) == ("+4930222333", "out", "ended", 240)
    assert (call.agent, call.logged_by, call.ticket, call.message.text) == (
        lena,
        lena,
        ticket,
        "Talked about the valve.",
    )
    assert ticket.assignee == lena and ticket.waiting_since is None


def test_the_same_form_sent_twice_is_one_call(desk: Client, phone: Any) -> None:
    sent = log_form(desk, who="030 222 333")
    assert desk.post("/desk/calls/new/", sent).url == desk.post("/desk/calls/new/", sent).url
    assert Call.objects.count() == Message.objects.count() == 1


def test_a_call_is_logged_from_a_ticket_with_all_that_follows(
    desk: Client, phone: Any, caller: Any, ticket: Any, lena: Any
) -> None:
    tomorrow = timezone.localtime() + timedelta(days=1)
    sent = log_form(
        desk,
        f"?ticket={ticket.number}",
        outcome="call-again",
        follow_up_at=tomorrow.strftime("%Y-%m-%dT%H:%M"),
        call_back_at=tomorrow.strftime("%Y-%m-%dT%H:%M"),
        resolves="on",
        files=[io.BytesIO(b"%PDF-1.4 scan")],
    )
    assert sent["contact"] == caller.pk and sent["who"] == "+49 30 55571600"
    desk.post("/desk/calls/new/", sent)
    call = only_call()
    assert (call.ticket, call.contact, call.outcome) == (ticket, caller, "call-again")
    ticket.refresh_from_db()
    assert ticket.status == Ticket.Status.RESOLVED
    task, appointment = Task.objects.get(), Appointment.objects.get()
    assert (task.kind, task.assignee, task.contact) == ("follow-up", lena, caller)
    assert (appointment.kind, list(appointment.people.all()), appointment.phone) == ("call-back", [lena], NUMBER)
    assert Attachment.objects.get().message == call.message


@pytest.mark.parametrize(
    ("what", "kind", "direction", "waits"),
    [("visit", "visit", "in", False), ("letter-in", "letter", "in", True), ("letter-out", "letter", "out", False)],
)
def test_visits_and_letters_are_the_same_form(
    desk: Client, phone: Any, caller: Any, what: str, kind: str, direction: str, waits: bool
) -> None:
    desk.post("/desk/calls/new/", log_form(desk, f"?contact={caller.pk}", what=what))
    call = only_call()
    assert (call.kind, call.direction, call.contact, call.state) == (kind, direction, caller, "ended")
    assert (call.ticket.waiting_since is not None) is waits
    assert not Task.objects.exists()


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"who": ""}, "who"),
        ({"who": "12"}, "who"),
        ({"contact": "999999"}, "contact"),
        ({"ticket": "999999"}, "ticket"),
        ({"what": "fax"}, "what"),
        ({"outcome": "nonsense"}, "outcome"),
        ({"key": "x"}, "key"),
        ({"call_back_at": "2001-01-01T10:00"}, "call_back_at"),
        ({"minutes": "-1"}, "minutes"),
    ],
)
def test_what_cannot_be_logged_changes_nothing(desk: Client, phone: Any, changed: dict[str, Any], field: str) -> None:
    answer = desk.post("/desk/calls/new/", log_form(desk, **{"who": "030 222 333", **changed}))
    assert answer.status_code == 422 and field in answer.context["form"].errors
    assert not Call.objects.exists() and not Contact.objects.exists() and not Ticket.objects.exists()


def test_nothing_of_others_gets_into_the_form(desk: Client, phone: Any) -> None:
    foreign = factories.TicketFactory(queue=factories.QueueFactory(name="Elsewhere"), subject="Secret")
    assert desk.get(f"/desk/calls/new/?ticket={foreign.number}").status_code == 404
    answer = desk.post("/desk/calls/new/", log_form(desk, who="030 222 333", ticket=foreign.number))
    assert answer.status_code == 422 and b"Secret" not in answer.content
    assert not Call.objects.exists()


def test_without_a_telephone_channel_the_form_says_so(login: Any, agent: Any) -> None:
    assert b"There is no telephone channel yet" in login(agent).get("/desk/calls/new/").content


# Click to call


class TestDialling:
    @pytest.fixture(autouse=True)
    def channel(self, phone: Any) -> None:
        self.phone = phone

    def set(self, **settings: str) -> None:
        self.phone.settings = {**self.phone.settings, **settings}
        self.phone.save()

    def test_without_a_telephone_system_it_is_a_link(self, desk: Client) -> None:
        assert desk.post("/desk/calls/dial/", {"number": "030 222 333"}).json() == {
            "open": "tel:+4930222333",
            "said": "",
        }

    def test_the_address_takes_extension_and_number_whole(self, desk: Client, lena: Any) -> None:
        self.set(click_url="https://pbx.example.com/call?from={from}&to={to}", click_how="open")
        type(lena).objects.update(extension="2 1&to=evil")
        answer = desk.post("/desk/calls/dial/", {"number": NUMBER}).json()
        assert answer["open"] == "https://pbx.example.com/call?from=2%201%26to%3Devil&to=%2B493055571600"

    @pytest.mark.parametrize(
        ("url", "how", "fault"),
        [
            ("https://10.0.0.5/call?from={from}&to={to}", "call", "10.0.0.5 belongs to a private network"),
            ("https://localhost/call?to={to}", "call", "localhost belongs to a private network"),
            ("http://pbx.example.com/{to}", "call", "https addresses only"),
            ("https://pbx.example.com/{to}", "call", ""),
            ("https://10.0.0.5/call?to={to}", "open", ""),
        ],
    )
    def test_an_address_that_our_server_would_never_call_is_told_when_it_is_saved(
        self, url: str, how: str, fault: str
    ) -> None:
        form = PhoneSettings({"click_url": url, "click_how": how})
        told = " ".join(form.errors.get("click_url", []))
        assert (fault in told) if fault else told == ""

    def test_who_has_no_extension_is_told(self, desk: Client, lena: Any) -> None:
        self.set(click_url="https://pbx.example.com/call?from={from}&to={to}", click_how="open")
        type(lena).objects.update(extension="")
        assert desk.post("/desk/calls/dial/", {"number": NUMBER}).status_code == 422

    def test_numbers_that_must_not_be_called_are_refused_in_words(self, desk: Client, caller: Any) -> None:
        consent.refuse_calls(NUMBER, by=None, reason="asked in writing")
        answer = desk.post("/desk/calls/dial/", {"number": "030 555 716 00"})
        assert (answer.status_code, answer.json()) == (422, {"said": "Wants no calls: asked in writing"})

    @pytest.mark.parametrize("number", ["", "112", "javascript:alert(1)", "sip:evil@example.com"])
    def test_what_is_no_number(self, desk: Client, number: str) -> None:
        assert desk.post("/desk/calls/dial/", {"number": number}).status_code == 422

    def test_our_server_asks_nothing_within_our_network(self, desk: Client) -> None:
        self.set(click_url="https://127.0.0.1/call?from={from}&to={to}", click_how="call")
        answer = desk.post("/desk/calls/dial/", {"number": NUMBER})
        assert (answer.status_code, answer.json()) == (502, {"said": "The telephone system cannot be reached."})


# Statistics


def test_figures_are_those_of_the_calls(desk: Client, phone: Any, lena: Any, login: Any) -> None:
    day = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    rows = [
        ("in", "ended", 0, lena, 10, 100),
        ("in", "ended", 5, lena, 20, 300),
        ("in", "missed", 26, None, 30, None),
        ("in", "voicemail", 26, None, 5, None),
        ("out", "ended", 3, lena, 4, 50),
        ("out", "unreached", 3, lena, 4, None),
    ]
    for number, (direction, state, hours, agent, wait, talk) in enumerate(rows):
        Call.objects.create(
            channel=phone,
            call_id=str(number),
            queue=phone.queue,
            direction=direction,
            state=state,
            agent=agent,
            wait_seconds=wait,
            talk_seconds=talk,
            started_at=day + timedelta(hours=hours),
        )
    Call.objects.create(channel=phone, call_id="v", kind="visit", queue=phone.queue, state="ended", started_at=day)
    Call.objects.create(
        channel=phone, call_id="x", queue=factories.QueueFactory(name="Elsewhere"), state="ended", started_at=day
    )
    page = desk.get("/desk/calls/statistics/?since=2026-03-01&until=2026-03-03").context
    total = page["total"]
    assert (total.answered, total.missed, total.reached, total.unreached) == (2, 2, 1, 1)
    assert (total.wait, total.talk, total.talked, total.share) == (15, 150, 450, 0.5)
    assert [(row.label, row.answered, row.missed, row.outgoing) for row in page["rows"]] == [
        ("1 Mar", 0, 0, 0),
        ("2 Mar", 2, 0, 2),
        ("3 Mar", 0, 2, 0),
    ]
    by = lambda what: desk.get(f"/desk/calls/statistics/?since=2026-03-01&until=2026-03-03&by={what}").context["rows"]  # noqa: E731
    assert [(row.label, row.incoming, row.outgoing) for row in by("agent")] == [("Lena Berg", 2, 2), ("Nobody", 2, 0)]
    assert [(row.label, row.incoming) for row in by("queue")] == [("Support", 4)]
    with timezone.override("Europe/Berlin"):
        hours = {row.label: row.incoming for row in by("hour")}
    assert sum(hours.values()) == 4 and list(hours) == [f"{hour:02}:00" for hour in range(8, 18)]


def test_charts_bring_no_script_and_no_style(desk: Client, phone: Any) -> None:
    Call.objects.create(channel=phone, call_id="1", queue=phone.queue, state="missed")
    page = desk.get("/desk/calls/statistics/").content.decode()
    assert page.count('<svg role="img"') == 2
    chart = page[page.index('<svg role="img"') :]
    chart = chart[: chart.index("</svg>")]
    assert "<script" not in chart and "<style" not in chart and "style=" not in chart


@pytest.mark.parametrize(
    ("calls", "lines"),
    [(0, "0 1"), (1, "0 1"), (3, "0 1 2 3"), (7, "0 2 4 6 8"), (12, "0 5 10 15"), (20, "0 5 10 15 20")],
)
def test_a_chart_counts_in_whole_calls(desk: Client, phone: Any, calls: int, lines: str) -> None:
    Call.objects.bulk_create(
        Call(channel=phone, call_id=str(n), queue=phone.queue, state="missed") for n in range(calls)
    )
    page = desk.get("/desk/calls/statistics/").content.decode()
    chart = page[page.index('<svg role="img"') :]
    chart = chart[: chart.index("</svg>")]
    assert re.findall(r"<text[^>]*>(\d+)</text>", chart) == lines.split()


@pytest.mark.parametrize(
    "query", ["days=8", "by=x", "since=2020-01-01", "since=2026-03-03&until=2026-03-01", "queue=x"]
)
def test_a_period_that_does_not_exist(desk: Client, phone: Any, query: str) -> None:
    assert desk.get(f"/desk/calls/statistics/?{query}").status_code == 400


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_figures_as_a_file_hold_text(desk: Client, phone: Any, lena: Any, kind: str) -> None:
    type(lena).objects.update(name=FORMULA)
    Call.objects.create(channel=phone, call_id="1", queue=phone.queue, state="ended", agent=lena, talk_seconds=60)
    answer = desk.get(f"/desk/calls/statistics/?by=agent&export={kind}")
    if kind == "csv":
        assert answer.content.decode("utf-8-sig").splitlines()[1].startswith(f"'{FORMULA},1,0,1.0,0,0,,60,60")
        return
    cell = load_workbook(io.BytesIO(answer.content)).active["A2"]
    assert (cell.value, cell.data_type) == (FORMULA, "s")


# The channel's page


def test_the_address_of_a_channel_is_shown_once(login: Any, administrator: Any, phone: Any, client: Client) -> None:
    admin = login(administrator)
    page = admin.post(f"/desk/calls/channels/{phone.pk}/token/", follow=True).content.decode()
    address = page[page.index("/api/v1/cti/") :].split("<")[0].split()[0]
    assert address not in admin.get(f"/desk/channels/{phone.pk}/").content.decode()
    event = {"event": "newCall", "callId": "1", "from": "1", "to": "2", "direction": "in"}
    assert client.post(address, event).status_code == 200


def test_agents_make_no_addresses(desk: Client, phone: Any) -> None:
    before = dict(phone.settings)
    assert desk.post(f"/desk/calls/channels/{phone.pk}/token/").status_code in (302, 403)
    phone.refresh_from_db()
    assert phone.settings == before


@time_machine.travel("2026-03-02T10:00:00Z", tick=False)
def test_the_queries_of_the_log_do_not_grow_with_it(
    desk: Client, phone: Any, lena: Any, django_assert_max_num_queries: Any
) -> None:
    for number in range(40):
        contact = factories.ContactFactory(customer=factories.CustomerFactory())
        ticket = factories.TicketFactory(queue=phone.queue, contact=contact)
        Call.objects.create(
            channel=phone,
            call_id=str(number),
            queue=phone.queue,
            agent=lena,
            contact=contact,
            ticket=ticket,
            state="ended",
        )
    desk.get("/desk/calls/")
    with django_assert_max_num_queries(14):
        desk.get("/desk/calls/")
    with django_assert_max_num_queries(16):
        desk.get("/desk/calls/statistics/?days=30")
