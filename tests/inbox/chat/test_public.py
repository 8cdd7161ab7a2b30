"""What leaves the house towards visitors (S-79, S-53), and what of theirs is only text (S-13, S-14, S-51)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.conf import settings as site

from crm.service.models import Ticket
from inbox.channels.chat.forms import ChatSettings
from inbox.models import Visitor
from inbox.services import chats, replies
from tests import factories
from tests.inbox.chat.conftest import ORIGIN, Browser

pytestmark = pytest.mark.django_db
XSS = '"><img src=x onerror=__xss=1>'

EVENT = {"seq": int, "kind": str, "id": str, "at": str, "text": str, "html": str, "files": list, "state": str}
FILE = {"id": str, "name": str, "type": str, "size": int, "image": bool}
STATE = {"duty": str, "typing": bool, "seen": int, "status": str}
AGENT = {"name", "picture", "initials"}
WELCOME = {"token", "locale", "texts", "look", "duty", "can", "limits", "person", "conversation"}


def check_state(given: dict[str, Any], *more: str) -> None:
    assert set(given) - {"wait"} == {*STATE, "agent", *more}
    assert all(type(given[name]) is kind for name, kind in STATE.items())
    if given["agent"] is not None:
        assert set(given["agent"]) == AGENT


def check_event(event: dict[str, Any]) -> None:
    assert set(event) == {*EVENT, "agent"}
    assert all(type(event[name]) is kind for name, kind in EVENT.items())
    assert event["agent"] is None or set(event["agent"]) == AGENT
    for file in event["files"]:
        assert {name: type(value) for name, value in file.items()} == FILE


def test_every_payload_has_public_fields_and_no_others(chat: Any, queue: Any) -> None:
    nameless = factories.StaffFactory(email="hidden.person@guichet.test", name="", role="agent")
    named = factories.StaffFactory(email="lena.vogt@guichet.test", name="Lena Vogt", role="agent")
    for colleague in (nameless, named):
        factories.QueueMemberFactory(queue=queue, user=colleague)
    browser = Browser(chat)
    assert set(browser.welcome) == WELCOME
    assert set(browser.welcome["look"]) == {"colour", "position", "theme", "title", "welcome", "launcher"}
    browser.say("Hello")
    ticket = Ticket.objects.get()
    chats.take_over(ticket, nameless)
    replies.reply(ticket, author=nameless, text="From nobody")
    chats.take_over(ticket, named)
    answer = replies.reply(ticket, author=named, text="From Lena", attached=[("a.png", "image/png", b"x")])
    factories.MessageFactory(ticket=ticket, kind="automatic", channel=chat, to=answer.to, text="Automatic")
    replies.add_note(ticket, author=named, text="He is a difficult one")
    chats.end(ticket, named)
    news = browser.events()
    check_state({k: v for k, v in news.items() if k not in ("events", "seq")})
    for event in news["events"]:
        check_event(event)
    assert {e["kind"] for e in news["events"]} == {"said", "answer", "auto", "note"}
    notes = [e["text"] for e in news["events"] if e["kind"] == "note"]
    assert notes == ["A colleague has joined.", "Lena Vogt has joined.", "The chat has ended."]
    told = json.dumps([news, browser.enter()])
    for secret in ("hidden.person", "lena.vogt", "@guichet.test", "difficult", "127.0.0.1", "/cart", "customers"):
        assert secret not in told
    assert [e["agent"]["initials"] for e in news["events"] if e["kind"] == "answer"] == ["OT", "LV"]


def test_markup_of_visitors_is_text(chat: Any, here: Any, login: Any) -> None:
    """S-13, S-14."""
    browser = Browser(chat, enter=False)
    browser.enter(
        page={"url": f"{ORIGIN}/?utm_source={XSS}", "title": XSS, "referrer": f"javascript:{XSS}"},
        locale=XSS,
    )
    assert browser.welcome["locale"] == "en"
    browser.post("person", name=XSS)
    browser.say(f"{XSS} javascript:alert(1) https://shop.test/'onmouseover='x")
    (event,) = browser.events()["events"]
    assert "<img" not in event["html"]
    assert 'href="javascript' not in event["html"]
    assert "onmouseover='x" not in event["html"].replace("&#x27;", "&").replace("&#39;", "&")
    row = Visitor.objects.get()
    assert (row.page_title, row.referrer) == (XSS, f"javascript:{XSS}")
    page = login(here).get(f"/desk/inbox/{Ticket.objects.get().number}/")
    assert page.status_code == 200
    assert b"<img src=x" not in page.content


def test_attributes_are_few_short_plain_values(chat: Any) -> None:
    """S-31: a page sets nothing but what is asked for."""
    from tests.inbox.chat.test_identity import user

    given: dict[str, Any] = {f"name{n}": "x" * 900 for n in range(50)}
    given |= {"is_staff": True, "deep": {"a": 1}, "list": [1], "none": None, "big": 10**30, XSS: XSS}
    Browser(chat, user=user("u-1", attributes={"plan": "gold", "seats": 3, **given}))
    kept = Visitor.objects.get().attributes
    assert len(kept) == 20
    assert (kept["plan"], kept["seats"]) == ("gold", 3)
    assert all(isinstance(v, str | int | bool) and len(str(v)) <= 300 for v in kept.values())


@pytest.mark.parametrize(
    ("given", "locale"),
    [("en-GB", "en"), ("zh-CN", "zh-hans"), ("zh_TW", "zh-hant"), ("zh-Hant-HK", "zh-hant"), ("fr", "en"), ("", "en")],
)
def test_the_locale_comes_from_the_list(given: str, locale: str, chat: Any) -> None:
    browser = Browser(chat, locale=given)
    assert browser.welcome["locale"] == locale
    assert browser.welcome["locale"] in dict(site.LANGUAGES)


@pytest.mark.parametrize("colour", ["red", "#fff", "#0b5cadd", 'url("x")', "#0b5cag", XSS, "#0b5cad\n"])
def test_a_colour_is_a_colour(colour: str, chat: Any) -> None:
    form = ChatSettings({"origins": ORIGIN, "colour": colour})
    assert form.is_valid() is (colour.strip() == "#0b5cad")
    chat.settings["colour"] = colour
    chat.save()
    assert Browser(chat).welcome["look"]["colour"] == "#0b5cad"


@pytest.mark.parametrize(
    ("line", "right"),
    [
        ("https://www.shop.test", "https://www.shop.test"),
        ("HTTPS://Shop.test:443/", "https://shop.test"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("https://bücher.test", "https://xn--bcher-kva.test"),
        ("*", "*"),
        ("null", None),
        ("https://shop.test/path", None),
        ("shop.test", None),
        ("ftp://shop.test", None),
        ("https://user@shop.test", None),
        ("https://*.shop.test", None),
        ("https://shop.test:99999", None),
    ],
)
def test_origins_are_kept_in_one_spelling(line: str, right: str | None) -> None:
    form = ChatSettings({"origins": line})
    assert form.is_valid() is (right is not None)
    if right:
        assert form.settings()["origins"] == right


def test_text_is_limited_and_odd_signs_do_no_harm(chat: Any) -> None:
    browser = Browser(chat)
    for text, status in (("x" * 5_000, 200), ("x" * 5_001, 413), ("", 400), (" \n", 400), ("\x00", 400), (7, 400)):
        name = f"00000000-0000-0000-0000-{status}{len(str(text)):09d}"
        assert browser.post("say", id=name, text=text).status_code == status
    browser.say("nul \x00 and half a sign \ud83d and U+2028 \u2028 \u202e")
    assert "\x00" not in Ticket.objects.get().messages.latest("seq").text
    for body in ("[]", "not json", "[" * 9000, b"\xff", '{"id": 1}', '{"id": "../../x", "text": "x"}'):
        assert browser.ask("POST", "say", body).status_code == 400
    assert browser.ask("POST", "say", "{" + '"a":1,' * 20_000 + '"b":1}').status_code == 413
