"""The two doors: every message arrives once and is shown once, whatever happens to socket, net, token or page."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from tests.inbox.widget.conftest import Host, Server, opened, say, shown, tab, visit

pytestmark = [pytest.mark.chromium, pytest.mark.once]
LENA = {"name": "Lena Vogt", "picture": None, "initials": "LV"}
WELCOME = "Hello! What can we do for you?"


def stored(server: Server) -> list[str]:
    return [event["text"] for event in server.control()["events"]]


def timed(browser: Any, host: Host) -> Any:
    """An open panel whose clock the test moves: `page.clock.run_for(milliseconds)`."""
    return opened(browser, host, clock=True)


def connected(page: Any, times: int = 1) -> bool:
    """Whether the page has been told that its socket is up, so many times by now."""
    return page.heard.count("ready") == times


def token_of(page: Any) -> str | None:
    return page.evaluate("JSON.parse(localStorage['guichet:demo-key-0001']).token")


def until(page: Any, true: Any, step: int = 0) -> None:
    """Wait until `true()`; with `step` the page's clock goes on by so many milliseconds each time."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if true():
            return
        if step:
            page.clock.run_for(step)
        page.wait_for_timeout(30)
    raise AssertionError("it never came true")


def test_a_message_and_its_answer(server: Server, host: Host, browser: Any) -> None:
    page = opened(browser, host)
    say(page, "My machine leaks")
    page.get_by_text("Sent", exact=True).wait_for()
    server.control(set={"agent": LENA}, answer="Where does it leak?")
    page.get_by_text("Where does it leak?").wait_for()
    assert shown(page) == [WELCOME, "My machine leaks", "Where does it leak?"]
    assert re.fullmatch(r"Lena Vogt · \d\d?:\d\d.*", page.locator(".theirs .by").last.inner_text())
    assert [r["door"] for r in server.received("say")] == ["socket"]
    assert page.evaluate("window.__mode") == "closed"
    assert page.complaints == []


def test_acknowledgements_and_events_may_come_twice(server: Server, host: Host, browser: Any) -> None:
    server.plan(acks=3, echo=3)
    page = opened(browser, host)
    say(page, "One")
    page.get_by_text("Sent", exact=True).wait_for()
    server.control(answer="Two")
    server.control(push={"about": "said", "id": "00000000-0000-4000-8000-000000000000", "seq": 9})
    server.control(push={"about": "events", "seq": 1, "events": server.control()["events"][:1]})
    server.control(answer="Three")
    page.get_by_text("Three").wait_for()
    assert shown(page) == [WELCOME, "One", "Two", "Three"]


def test_one_id_five_times_over_both_doors(server: Server, host: Host, browser: Any) -> None:
    """R-25: neither the acknowledgement nor the echo of the first four attempts arrives."""
    page = timed(browser, host)
    until(page, lambda: connected(page))
    server.plan(lost=4, echo=0)
    say(page, "Only once")
    until(page, lambda: len(server.received("say")) == 5, step=1000)
    page.get_by_text("Sent", exact=True).wait_for()
    tries = server.received("say")
    assert [r["door"] for r in tries] == ["socket", "http", "socket", "http", "socket"]
    assert len({r["said"]["id"] for r in tries}) == 1
    assert stored(server) == ["Only once"]
    assert shown(page) == [WELCOME, "Only once"]


def test_messages_keep_their_order(server: Server, host: Host, browser: Any) -> None:
    page = timed(browser, host)
    until(page, lambda: connected(page))
    server.plan(lost=1, echo=0)
    for text in ("A", "B", "C"):
        say(page, text)
    until(page, lambda: len(stored(server)) == 3, step=1000)
    assert stored(server) == ["A", "B", "C"]
    assert shown(page) == [WELCOME, "A", "B", "C"]


@pytest.mark.parametrize("seconds", [1, 30, 1800])
def test_a_cut(server: Server, host: Host, browser: Any, seconds: int) -> None:
    """R-22: after a cut of any length the screen is what a fresh load would show."""
    page = timed(browser, host)
    say(page, "Before")
    page.get_by_text("Sent", exact=True).wait_for()
    server.control(set={"socket": False, "http": False}, cut=4000)
    server.control(answer="Meanwhile 1")
    say(page, "From the dark")
    page.clock.run_for(min(seconds, 60) * 1000)
    if seconds > 60:
        page.clock.fast_forward((seconds - 60) * 1000)
    server.control(answer="Meanwhile 2")
    server.plan(socket=True, http=True)
    until(page, lambda: len(stored(server)) == 4 and len(shown(page)) == 5, step=1000)
    fresh = tab(page.context, host)
    fresh.locator(".launcher").click()
    assert shown(page) == [WELCOME, *stored(server)] == shown(fresh)
    assert stored(server) == ["Before", "Meanwhile 1", "Meanwhile 2", "From the dark"]


def test_a_sleeping_machine_asks_whether_the_line_is_alive(server: Server, host: Host, browser: Any) -> None:
    page = timed(browser, host)
    until(page, lambda: connected(page))
    page.clock.fast_forward(30 * 60 * 1000)
    until(page, lambda: server.received("ping"), step=1000)
    assert len(server.received("hello")) == 1
    server.plan(socket="deaf")
    page.clock.run_for(26_000)
    page.clock.run_for(8_000)
    server.plan(socket=True)
    until(page, lambda: len(server.received("hello")) >= 2, step=1000)


def test_a_restart_is_followed_by_a_quick_return(server: Server, host: Host, browser: Any) -> None:
    page = visit(browser, host, clock=True)
    sockets: list[Any] = []
    passed: list[str] = []

    def pass_on(socket: Any) -> None:
        def back(frame: str) -> None:
            socket.send(frame)
            passed.append(frame)

        socket.connect_to_server().on_message(back)
        sockets.append(socket)

    page.route_web_socket(re.compile("/ws/chat/"), pass_on)
    page.reload()
    page.locator(".launcher").click()
    until(page, lambda: passed)
    page.clock.run_for(20_000)  # not so long that it pings: the answer would have to come within five of these seconds
    sockets[0].close(code=1012, reason="restart")
    until(page, lambda: server.control()["sockets"] == 0)
    page.clock.run_for(6_000)
    until(page, lambda: connected(page, 2))
    assert len(server.received("hello")) == 2


@pytest.mark.parametrize("socket", [None, False, "deaf"])
def test_polling_where_sockets_are_blocked(server: Server, host: Host, browser: Any, socket: Any) -> None:
    server.plan(socket=socket)
    page = timed(browser, host)
    page.clock.run_for(12_000)
    say(page, "By HTTP")
    page.get_by_text("Sent", exact=True).wait_for()
    server.control(answer="Heard")
    until(page, lambda: shown(page)[-1] == "Heard", step=1000)
    assert [r["door"] for r in server.received("say")] == ["http"]
    polls = len(server.received("events"))
    page.clock.run_for(8_000)
    until(page, lambda: len(server.received("events")) > polls)
    assert len(server.received("events")) - polls <= 4


def test_nothing_answers_is_asked_ever_less_and_who_looks_asks_at_once(
    server: Server, host: Host, browser: Any
) -> None:
    """Also a site that was taken off the list: the browser keeps the refusal to itself."""
    page = timed(browser, host)
    until(page, lambda: connected(page))
    server.control(set={"socket": False, "http": False}, state={"status": "open"}, cut=4000)
    until(page, lambda: page.get_by_text("No connection").count() == 1, step=1000)
    for _ in range(20):
        page.clock.run_for(60_000)
    polls = len(server.received("events"))
    for _ in range(10):
        page.clock.run_for(60_000)
    assert 5 <= len(server.received("events")) - polls <= 11
    server.plan(socket=True, http=True)
    times = page.heard.count("ready")
    page.evaluate("dispatchEvent(new Event('online'))")
    until(page, lambda: connected(page, times + 1))


HANGING = """
window.hanging = 0; window.most = 0; window.deaf = false;
const real = window.fetch;
window.fetch = (url, how) => {
  if (!deaf || !String(url).includes("/events")) return real(url, how);
  most = Math.max(most, ++hanging);
  return new Promise((then, fail) => how.signal.addEventListener("abort", () => { hanging--; fail(how.signal.reason); }));
};
"""


def test_no_second_question_beside_one_that_hangs(server: Server, host: Host, browser: Any) -> None:
    host.before = HANGING
    server.plan(socket=None)
    page = timed(browser, host)
    page.evaluate("deaf = true")
    until(page, lambda: page.evaluate("hanging") == 1, step=1000)
    for event in ("online", "online"):
        page.evaluate(f"dispatchEvent(new Event('{event}'))")
        page.clock.run_for(2_000)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    assert page.evaluate("most") == 1


def test_a_page_that_may_not_have_the_chat_any_more_loses_it(server: Server, host: Host, browser: Any) -> None:
    host.before = "window.errors = []; document.addEventListener('guichet:error', (e) => errors.push(e.detail))"
    page = timed(browser, host)
    say(page, "Hello")
    page.get_by_text("Sent", exact=True).wait_for()
    server.control(cut=4403)
    until(page, lambda: page.locator("guichet-chat").count() == 0)
    assert page.evaluate("errors") == [{"code": "origin"}]
    asked = len(server.control()["received"])
    page.evaluate("guichet.open()")
    page.evaluate("dispatchEvent(new Event('online'))")
    page.clock.run_for(120_000)
    assert len(server.control()["received"]) == asked
    assert server.control()["sockets"] == 0


def test_polling_where_the_pages_policy_forbids_sockets(server: Server, host: Host, browser: Any) -> None:
    host.policy = host.policy.replace(" {socket}", "")
    page = timed(browser, host)
    say(page, "Still here")
    page.get_by_text("Sent", exact=True).wait_for()
    server.control(answer="So am I")
    until(page, lambda: shown(page)[-1] == "So am I", step=1000)


@pytest.mark.parametrize("door", ["http", "socket"])
def test_a_token_that_has_ended_is_renewed(server: Server, host: Host, browser: Any, door: str) -> None:
    if door == "http":
        server.plan(socket=None)
    page = timed(browser, host)
    page.clock.run_for(2_000)
    server.plan(expired=True)
    server.control(cut=4401)
    say(page, "Who am I?")
    until(page, lambda: stored(server) == ["Who am I?"], step=1000)
    page.get_by_text("Sent", exact=True).wait_for()
    # Two calls may be told of the same end; the later one finds the new token there and asks with that.
    _, first, *others = [r["said"].get("token") for r in server.received("session")]
    assert token_of(page) not in (first, "", None)
    assert set(others) <= {token_of(page)}
    assert shown(page) == [WELCOME, "Who am I?"]


def test_a_refusal_is_told_in_words_and_may_be_tried_again(server: Server, host: Host, browser: Any) -> None:
    server.plan(refuse={"code": "invalid", "title": "That is empty.", "status": 400})
    host.before = "window.errors = []; document.addEventListener('guichet:error', (e) => errors.push(e.detail))"
    page = opened(browser, host)
    say(page, "Hm")
    page.get_by_text("That is empty.").wait_for()
    # A slow server may refuse a message that was said again meanwhile; it is the same refusal.
    told = page.evaluate("errors")
    assert told == [{"code": "invalid", "title": "That is empty."}] * len(told) != []
    assert stored(server) == []
    server.plan(refuse=None)
    page.get_by_role("button", name="Try again").click()
    page.get_by_text("Sent", exact=True).wait_for()
    assert stored(server) == ["Hm"]
    assert page.get_by_text("That is empty.").count() == 0


def test_too_many_waits_as_long_as_the_server_says(server: Server, host: Host, browser: Any) -> None:
    server.plan(socket=None, refuse={"code": "too-many", "title": "Slower, please.", "status": 429, "retry": 20})
    page = timed(browser, host)
    say(page, "Quick")
    page.get_by_text("Slower, please.").wait_for()
    server.plan(refuse=None)
    page.clock.run_for(15_000)
    assert len(server.received("say")) == 1
    until(page, lambda: stored(server) == ["Quick"], step=1000)


def test_without_any_door_it_says_so_after_half_a_minute(server: Server, host: Host, browser: Any) -> None:
    page = timed(browser, host)
    until(page, lambda: connected(page))
    server.control(set={"socket": False, "http": False}, cut=4000)
    say(page, "Hello?")
    page.clock.run_for(20_000)
    assert page.get_by_text("Sending…").count() == 1
    until(page, lambda: page.get_by_text("Not sent.").count() == 1, step=2000)
    until(page, lambda: page.get_by_role("status").filter(has_text="No connection").count() == 1, step=1000)
    page.get_by_role("button", name="Try again").click()
    assert page.get_by_text("Sending…").count() == 1
    server.plan(socket=True, http=True)
    until(page, lambda: stored(server) == ["Hello?"], step=500)
    page.get_by_text("Sent", exact=True).wait_for()


def test_what_was_not_sent_survives_the_page(server: Server, host: Host, browser: Any) -> None:
    server.plan(socket=False, http=False)
    page = opened(browser, host)
    say(page, "Before I go")
    page.get_by_label("Your message").fill("half a sent")
    until(page, lambda: server.received("say"))
    server.plan(socket=True, http=True)
    page.reload()
    page.get_by_text("Sent", exact=True).wait_for()
    assert stored(server) == ["Before I go"]
    assert len({r["said"]["id"] for r in server.received("say")}) == 1
    assert page.get_by_label("Your message").input_value() == "half a sent"


def test_two_tabs_are_one_visitor(server: Server, host: Host, browser: Any) -> None:
    first = opened(browser, host)
    second = tab(first.context, host)
    second.locator(".launcher").click()
    say(first, "From the first")
    second.get_by_text("From the first").wait_for()
    say(second, "From the second")
    first.get_by_text("From the second").wait_for()
    server.control(answer="To both")
    for page in (first, second):
        page.get_by_text("To both").wait_for()
        assert shown(page) == [WELCOME, "From the first", "From the second", "To both"]
    assert len({r["authorization"] for r in server.received("session")[1:]}) == 1
    assert server.control()["events"][0]["seq"] == 1


def test_two_new_tabs_do_not_become_two_visitors(server: Server, host: Host, browser: Any) -> None:
    page = visit(browser, host, wait=False)
    others = [page.context.new_page() for _ in range(3)]
    for each in others:
        each.goto(host.url, wait_until="commit")
    for each in (page, *others):
        each.locator(".launcher").wait_for()
    tokens = [r["said"].get("token") for r in server.received("session")]
    assert tokens[0] is None
    assert len(tokens) == 4
    assert len(set(tokens[1:])) == 1


def test_reset_leaves_nothing(server: Server, host: Host, browser: Any) -> None:
    first = opened(browser, host)
    say(first, "Private")
    first.get_by_text("Sent", exact=True).wait_for()
    second = tab(first.context, host)
    server.control(fresh=True)
    first.evaluate("guichet.reset()")
    until(first, lambda: len(server.received("session")) >= 2)
    assert len(server.received("leave")) == 1
    assert not server.received("session")[0]["said"]["token"]
    for page in (first, second):
        until(page, lambda page=page: shown(page) == [WELCOME])
    assert {r["said"].get("token") for r in server.received("session")[1:]} == {token_of(first)}


def test_earlier_messages(server: Server, host: Host, browser: Any) -> None:
    server.plan(page=5)
    for i in range(12):
        server.control(add={"kind": "said" if i % 2 else "answer", "text": f"Line {i}"})
    page = opened(browser, host)
    assert shown(page) == [f"Line {i}" for i in range(7, 12)]
    page.get_by_role("button", name="Show earlier messages").click()
    page.get_by_text("Line 2", exact=True).wait_for()
    page.get_by_role("button", name="Show earlier messages").click()
    page.get_by_text("Line 0", exact=True).wait_for()
    assert shown(page) == [WELCOME, *(f"Line {i}" for i in range(12))]
    assert page.get_by_role("button", name="Show earlier messages").count() == 0


def test_read_marks_and_typing(server: Server, host: Host, browser: Any) -> None:
    page = opened(browser, host)
    say(page, "Hello")
    page.get_by_text("Sent", exact=True).wait_for()
    server.control(push={"about": "seen", "seq": 1})
    page.get_by_text("Read", exact=True).wait_for()
    server.control(set={"agent": LENA}, tell=True)
    server.control(push={"about": "typing", "on": True})
    page.get_by_text("Lena Vogt is typing").wait_for()
    server.control(answer="Hi")
    page.get_by_text("Hi", exact=True).wait_for()
    assert page.get_by_text("is typing").count() == 0
    until(page, lambda: server.received("seen"))
    assert server.received("seen")[-1]["said"]["seq"] == 2
    page.get_by_label("Your message").press_sequentially("What", delay=10)
    until(page, lambda: server.received("typing"))
    assert len(server.received("typing")) == 1


def test_who_stops_typing_is_not_shown_typing_for_ever(server: Server, host: Host, browser: Any) -> None:
    page = opened(browser, host, clock=True)
    say(page, "Hello")
    until(page, lambda: page.get_by_text("Sent", exact=True).count(), step=100)
    server.control(push={"about": "typing", "on": True})
    until(page, lambda: page.get_by_text("is typing").count())
    page.clock.run_for(5_000)
    assert page.get_by_text("is typing").count() == 1
    until(page, lambda: not page.get_by_text("is typing").count(), step=1_000)


def test_a_line_about_the_talk_does_not_hide_the_mark(server: Server, host: Host, browser: Any) -> None:
    page = opened(browser, host)
    say(page, "Hello")
    page.get_by_text("Sent", exact=True).wait_for()
    server.control(add={"kind": "note", "text": "Lena Vogt has joined."}, tell=True)
    page.get_by_text("Lena Vogt has joined.").wait_for()
    assert page.get_by_text("Sent", exact=True).count() == 1
    server.control(push={"about": "seen", "seq": 1})
    page.get_by_text("Read", exact=True).wait_for()


def test_the_visitor_moves_on(server: Server, host: Host, browser: Any) -> None:
    page = opened(browser, host)
    say(page, "Hello")
    page.get_by_text("Sent", exact=True).wait_for()
    page.evaluate("history.pushState({}, '', '/basket?step=2#token=secret')")
    until(page, lambda: server.received("page"))
    assert server.received("page")[0]["said"]["url"] == f"{host.url}basket?step=2"
