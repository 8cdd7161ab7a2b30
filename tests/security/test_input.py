"""Names that deceive, rules that chase themselves, questions that hurt, links used twice (S-15, S-68 … S-70, S-81, S-83)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import timedelta
from email.header import Header
from typing import Any
from urllib.parse import quote

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.conf import settings
from django.core import mail
from django.test import Client
from django.utils import timezone

from crm.service.models import Ticket
from inbox.models import Channel, Delivery, Message, RawMessage
from inbox.search import index_waiting
from tests import factories
from tests.security.conftest import entered

Receive = Callable[[bytes], RawMessage]
HIDDEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")

# Names and subjects (S-15)


def letter(name: str, address: str, subject: str) -> bytes:
    shown, said = Header(name, "utf-8").encode(linesep="\r\n"), Header(subject, "utf-8").encode(linesep="\r\n")
    return f"From: {shown} <{address}>\r\nTo: support@example.com\r\nSubject: {said}\r\n\r\nHello\r\n".encode()


WHO = '<span class="g-message__who">support@bank.test</span>'
"""In the conversation the name stands as it was written, beside the address."""
DECEIVERS = [
    ("support@bank.test", "x@evil.test", "Your account"),
    ("\u202emoc.knab@troppus", "x@evil.test", "\u202egnp.exe"),
    ("Ban\u200bk\u2066\u2069\ufeff", "x@evil.test", "Zero\u200bwidth\u00ad"),
    ("Bank\x07\x1b[31m\x85", "x@evil.test", "Bell\x07"),
    ("B" * 10_000, "x@evil.test", "S" * 10_000),
    ("\u0421\u0410\u0420", "x@evil.test", "\u0440\u0430ypal"),
    ("a\u0301" + "\u0301" * 500, "x@evil.test", "Z\u0351" * 200),
]  # fmt: skip


@pytest.mark.parametrize("given", DECEIVERS, ids=range(len(DECEIVERS)))
def test_a_deceiving_name_is_shown_with_the_true_address(
    given: tuple[str, str, str], receive: Receive, agent: Any, supervisor: Any
) -> None:
    raw = receive(letter(*given))
    number, contact = raw.ticket.number, raw.ticket.contact
    assert contact.address == "x@evil.test"
    while index_waiting():
        pass
    for person, paths in (
        (agent, (f"{number}/", f"{number}/about/", "?view=open", "rows/?view=open", "find/?q=hello")),
        (
            supervisor,
            (f"../contacts/{contact.pk}/", "../contacts/", "../tickets/", f"../journal/{raw.pk}/", "../journal/"),
        ),
    ):
        client = entered(person)
        for path in paths:
            answer = client.get(f"/desk/inbox/{path}".replace("/inbox/../", "/"))
            page = answer.content.decode()
            assert answer.status_code == 200, path
            shown = page.partition("<main")[2] or page
            assert HIDDEN.search(shown) is None, (path, HIDDEN.search(shown))
            heading = shown.partition("<pre")[0]  # below it stands the mail as it came
            assert "B" * 400 not in heading and "S" * 400 not in heading, path
            if path.startswith((str(number), "../contacts/")):
                assert "x@evil.test" in page, path
            if (
                given[0] == "support@bank.test" and "journal" not in path
            ):  # where there is room for one line only, it is not the address of somebody else
                assert "x@evil.test" in shown and f">{given[0]}<" not in shown.replace(WHO, ""), path


# Rules (S-68)


def test_a_rule_that_writes_to_our_own_mailbox_ends(receive: Receive, channel: Channel) -> None:
    """Our own automatic answer, come back as a mail of a customer, is not answered again."""
    template = factories.TemplateFactory(purpose="automatic", texts={"en": ("We have it", "Thank you")})
    factories.RuleFactory(actions=[{"action": "auto_answer", "template": str(template.pk)}])
    raw = receive(letter("Loop", channel.address, "Hello"))
    for n in range(6):
        last = Delivery.objects.order_by("-pk").first()
        mark = last.mail_id if last else "none@x.test"
        raw = receive(
            f"From: {channel.address}\r\nTo: {channel.address}\r\nSubject: Re: {n}\r\nMessage-ID: <own{n}@x.test>\r\n"
            f"In-Reply-To: <{mark}>\r\n\r\nThank you\r\n".encode()
        )
    assert raw.state == "done"
    assert Delivery.objects.count() == 0


def test_rules_that_set_each_other_off_are_paused_and_the_mail_is_kept(receive: Receive, channel: Channel) -> None:
    for one, other in (("a", "b"), ("b", "a")):
        factories.RuleFactory(
            event="ticket.changed",
            conditions={"match": "all", "items": [{"fact": "tags", "operator": "has_any", "value": [one]}]},
            actions=[{"action": "remove_tags", "tags": [one]}, {"action": "add_tags", "tags": [other]}],
        )
    factories.RuleFactory(event="ticket.opened", actions=[{"action": "add_tags", "tags": ["a"]}])
    start = time.monotonic()
    raw = receive(letter("Anna", "anna@schmidt.test", "Round"))
    assert (raw.outcome, Message.objects.filter(ticket=raw.ticket, kind="inbound").count()) == ("opened", 1)
    second = receive(letter("Ben", "ben@schmidt.test", "Round"))
    assert second.outcome == "opened" and time.monotonic() - start < 10


# Filters, orders and searches (S-69, S-70)

LISTS = ("tickets", "customers", "contacts", "journal", "deliveries", "rules", "people", "tags", "templates")
QUERIES = (
    "order=id;DROP", "ordering=id;DROP TABLE x", "ordering=-(select 1)", "ordering=password", "ordering=contact__user__password",
    "status__regex=(a%2B)%2B$", "subject__icontains=x&_connector=OR%201=1", "_negated=1", "__class__=x", "p=0", "p=-1",
    "p=999999999999999999999", "p=x", "queue=x", "queue=1%27%20OR%201=1", "opened_at_from=9999-99-99", "tags=999999999",
    "contact__user__password__startswith=p", "export=exe", "q=%00", "q=%ED%A0%80", "q=%25_%5C%27%22", "page=1&order_by=\"x\"",
)  # fmt: skip


@pytest.mark.parametrize("screen", LISTS)
def test_no_query_string_reaches_the_database_unread(screen: str, ticket: Ticket, administrator: Any) -> None:
    client = entered(administrator)
    for query in QUERIES:
        answer = client.get(f"/desk/{screen}/?{query}")
        assert answer.status_code in (200, 302, 400, 404), query


def test_an_order_that_is_not_offered_orders_by_nothing_secret(administrator: Any, db: None) -> None:
    """Sorting by a hidden field tells it, letter by letter."""
    for name in ("b", "a"):
        factories.StaffFactory(name=name, email=f"{name}@guichet.test")
    client = entered(administrator)
    pages = [client.get(f"/desk/people/?ordering={sign}password").content.decode() for sign in ("", "-")]
    orders = {tuple(re.findall(r"([ab])@guichet\.test", page)) for page in pages}
    assert len(orders) == 1 and {"a", "b"} == set(orders.pop())


ODD = ("²", "9" * 25, "9" * 4_999, "٣", "\x00", "-1")
"""What `isdigit` or `int` takes, or nearly, and no database."""


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_no_odd_number_is_a_fault(odd: str, ticket: Ticket, administrator: Any) -> None:
    factories.ChannelFactory(kind="phone", address="+49301234567", settings={"region": "DE"})
    client, here = entered(administrator), f"/desk/inbox/{ticket.number}"
    for path in ("/desk/inbox/choices/people/?ticket=", "/desk/calls/new/?call=", "/desk/calls/new/?contact="):
        assert client.get(path + quote(odd)).status_code == 404, path
    assert client.post(f"{here}/split/", {"message": odd}).status_code == 404
    assert client.post("/desk/calls/new/", {"contact": odd, "what": "call-out", "who": "x"}).status_code == 422
    assert client.post("/desk/tasks/all/new/", {"contact": odd, "customer": odd}).status_code == 200


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_the_ends_of_the_calendar_are_no_fault(day: str, ticket: Ticket, administrator: Any) -> None:
    """In another zone than ours they are no days at all."""
    factories.ChannelFactory(kind="phone", address="+49301234567", settings={"region": "DE"})
    queue = ticket.queue
    for zone in ("Asia/Shanghai", "America/New_York"):
        administrator.time_zone = zone
        administrator.save()
        client, moment = entered(administrator), f"{day}T{'00:00' if day < '1' else '23:59'}"
        for path, name in ((f"/desk/queues/history/{queue.pk}/", "timestamp"), ("/desk/tasks/all/", "due_at")):
            for end in ("from", "to"):
                assert client.get(f"{path}?{name}_{end}={day}").status_code == 200, (path, end)
        told = {"topic": "x", "title": "x", "kind": "visit", "starts_at": moment, "due_at": moment, "queue": queue.pk}
        assert client.post("/desk/appointments/new/", told).status_code == 200
        assert client.post("/desk/tasks/all/new/", told).status_code == 200
        times = {"at": moment, "follow_up_at": moment, "call_back_at": moment}
        for name in times:
            sent = {"what": "call-out", "who": "+49 30 555", "key": "0" * 16, name: moment}
            assert client.post("/desk/calls/new/", sent).status_code == 422, name


HOSTILE = [
    '"' * 50_000,
    "(" * 2_000,
    "a" * 1_000_000,
    "%_\\" * 100,
    "a & | ! <-> :*",
    "\x00",
    "\ud800",
    "'; DROP TABLE x--",
    "*" * 500,
    "🂡" * 3_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_question_is_answered_in_a_second(text: str, ticket: Ticket, anna: Any, supervisor: Any) -> None:
    sent = {"q": text.encode("utf-8", "surrogatepass")}
    for client, paths in (
        (entered(anna), ("/my/tickets/",)),
        (
            entered(supervisor),
            ("/desk/tickets/", "/desk/contacts/", "/desk/customers/", "/desk/inbox/", "/desk/pick/contact/"),
        ),
    ):
        for path in paths:
            start = time.process_time()
            answer = client.get(path, sent)
            assert answer.status_code in (200, 400, 404), path
            assert time.process_time() - start < 1, path


# Links (S-83)


def reset_link(client: Client, address: str) -> str:
    mail.outbox.clear()
    client.post("/accounts/password/reset/", {"email": address})
    return re.search(r"https?://[^/\s]+(/\S+)", mail.outbox[0].body)[1]


def change(client: Client, link: str, password: str) -> None:
    shown = client.get(link, follow=True)
    where = shown.redirect_chain[-1][0] if shown.redirect_chain else link
    client.post(where, {"password1": password, "password2": password})


@pytest.fixture
def person(db: None) -> Any:
    user = factories.UserFactory(email="anna@schmidt.test", language="en")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def test_a_reset_link_works_once_and_looking_does_not_use_it(person: Any) -> None:
    link = reset_link(Client(), person.email)
    Client().head(link)
    Client().get(link, follow=True)
    change(Client(), link, "first wish 99")
    person.refresh_from_db()
    assert person.check_password("first wish 99")
    change(Client(), link, "second wish 99")
    person.refresh_from_db()
    assert person.check_password("first wish 99")


@pytest.mark.parametrize("how", ["old", "another's", "cut", "changed address", "new password"])
def test_a_reset_link_that_is_not_good_any_more(how: str, person: Any) -> None:
    link = reset_link(Client(), person.email)
    now = timezone.now()
    if how == "old":
        now += timedelta(hours=1, minutes=1)
    elif how == "another's":
        other = factories.UserFactory(email="ben@schmidt.test")
        own, foreign = _key(link), _uid(reset_link(Client(), _verified(other).email))
        link = link.replace(f"/{own[0]}-", f"/{foreign}-")
    elif how == "cut":
        link = link.rstrip("/")[:-3] + "/"
    elif how == "changed address":
        person.email = "new@schmidt.test"
        person.save()
        EmailAddress.objects.filter(user=person).update(email=person.email)
    else:
        person.set_password("meanwhile 99")
        person.save()
    before = list(type(person).objects.order_by("pk").values_list("password", flat=True))
    with time_machine.travel(now):
        change(Client(), link, "evil wish 99")
    assert list(type(person).objects.order_by("pk").values_list("password", flat=True)) == before


def _verified(user: Any) -> Any:
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def _key(link: str) -> tuple[str, str]:
    return re.search(r"/key/([^-/]+)-([^/]+)/", link).groups()


def _uid(link: str) -> str:
    return _key(link)[0]


def test_a_session_that_somebody_planted_is_not_the_one_after_login(person: Any) -> None:
    """S-81: fixation. The old key opens nothing, and the token of forms is another."""
    client = Client()
    session = client.session
    session["planted"] = True
    session.save()
    planted = session.session_key
    client.cookies[settings.SESSION_COOKIE_NAME] = planted
    client.get("/accounts/login/")
    token = client.cookies[settings.CSRF_COOKIE_NAME].value
    answer = client.post("/accounts/login/", {"login": person.email, "password": "correct horse"})
    assert (answer.status_code, answer["Location"]) == (302, "/my/tickets/")
    assert client.cookies[settings.SESSION_COOKIE_NAME].value != planted
    assert client.cookies[settings.CSRF_COOKIE_NAME].value != token
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = planted
    assert thief.get("/my/tickets/").status_code == 302
