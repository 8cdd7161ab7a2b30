"""What a visitor does in the panel, by mouse, by keyboard and by ear."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.inbox.widget.conftest import Host, Server, opened, say, shown, tab, visit
from tests.inbox.widget.test_talk import LENA, WELCOME, until

pytestmark = [pytest.mark.chromium, pytest.mark.once]
TALK = [{"kind": "said", "text": "Hello", "id": "aaaaaaaa-1"}, {"kind": "answer", "text": "Hi", "agent": LENA}]


def talking(server: Server, status: str = "open") -> None:
    for event in TALK:
        server.control(add=event)
    server.control(state={"status": status})


def labelled(page: Any, words: str) -> Any:
    """The control of this label that one sees."""
    return page.get_by_label(words).filter(visible=True)


def focused(page: Any) -> str:
    """Label of what has the focus inside the widget; "" when nothing there has it."""
    return page.evaluate(
        "(() => { const e = document.querySelector('guichet-chat').shadowRoot.activeElement;"
        " return e ? e.ariaLabel || e.textContent || e.name || e.id : '' })()"
    )


def test_the_whole_way_by_keyboard(server: Server, host: Host, browser: Any) -> None:
    talking(server)
    page = visit(browser, host)
    launcher = page.locator(".launcher")
    assert launcher.get_attribute("aria-expanded") == "false"
    page.keyboard.press("Tab")  # the page's own button
    page.locator("#own").focus()
    page.keyboard.press("Tab")
    assert focused(page) == "Open chat"
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Halden")
    assert dialog.is_visible()
    assert launcher.get_attribute("aria-expanded") == "true"
    assert dialog.get_attribute("aria-modal") is None
    assert focused(page) == "Your message"
    page.keyboard.type("By keyboard")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("and a second line")
    page.keyboard.press("Enter")
    page.get_by_text("Sent", exact=True).wait_for()
    assert shown(page)[-1] == "By keyboard\nand a second line"
    page.keyboard.press("Shift+Tab")
    assert focused(page) == "Attach files"
    labelled(page, "More").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Request a call").wait_for()
    page.keyboard.press("Escape")
    assert page.get_by_role("button", name="Request a call").count() == 0
    assert focused(page) == "More"
    page.keyboard.press("Escape")
    assert not dialog.is_visible()
    assert focused(page).startswith("Open chat")
    assert page.complaints == []


def test_escape_gives_the_focus_back_to_the_page(server: Server, host: Host, browser: Any) -> None:
    page = visit(browser, host)
    page.locator("#own").focus()
    page.evaluate("guichet.open()")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") == "own"


def test_keys_typed_here_do_not_reach_the_page(server: Server, host: Host, browser: Any) -> None:
    host.before = "window.keys = []; document.addEventListener('keydown', (e) => keys.push(e.key))"
    page = opened(browser, host)
    page.keyboard.type("j/k")
    assert page.evaluate("keys") == []
    assert labelled(page, "Your message").input_value() == "j/k"


def test_enter_that_ends_a_word_of_an_input_method_does_not_send(server: Server, host: Host, browser: Any) -> None:
    page = opened(browser, host)
    field = labelled(page, "Your message")
    field.fill("nihao")
    press = "(e, how) => e.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true, ...how}))"
    field.evaluate(press, {"isComposing": True, "keyCode": 13})
    field.evaluate(press, {"isComposing": False, "keyCode": 229})  # Safari
    page.wait_for_timeout(100)
    assert server.received("say") == []
    assert field.input_value() == "nihao"


def test_a_screen_reader_hears_what_is_new(server: Server, host: Host, browser: Any) -> None:
    talking(server)
    page = opened(browser, host)
    log = page.get_by_role("log", name="Messages")
    first = log.locator("> *").first
    first.evaluate("e => e.kept = true")
    page.evaluate(
        "() => { const log = document.querySelector('guichet-chat').shadowRoot.querySelector('[role=log]');"
        " window.changes = []; new MutationObserver((all) => all.forEach((m) => changes.push("
        "[...m.addedNodes].map((n) => n.textContent).join(), [...m.removedNodes].length))).observe(log, {childList: true}) }"
    )
    server.control(answer="And you?", more={"agent": LENA})
    page.get_by_text("And you?").wait_for()
    changes = page.evaluate("changes")
    assert len(changes) == 2
    assert "Lena Vogt" in changes[0] and changes[0].endswith("And you?")
    assert changes[1] == 0
    assert first.evaluate("e => e.kept")
    assert page.get_by_role("status").filter(has_text="We are here for you").count() == 1


def test_unread_answers_are_counted_on_the_launcher_and_in_the_title(server: Server, host: Host, browser: Any) -> None:
    page = opened(browser, host)
    say(page, "Hello")
    page.get_by_text("Sent", exact=True).wait_for()
    page.keyboard.press("Escape")
    told = page.locator("p.unseen[role=status]").last
    assert told.inner_text() == ""
    server.control(answer="One")
    server.control(answer="Two")
    page.get_by_role("button", name="Open chat, Unread: 2").wait_for()
    assert page.locator(".launcher b").inner_text() == "2"
    assert told.inner_text() == "Unread: 2"  # heard without the button having the focus
    assert page.title() == "(2) Shop"
    page.evaluate("document.title = 'Basket'; guichet.set({})")
    assert page.title() == "(2) Basket"
    other = tab(page.context, host)
    assert other.title() == "(2) Shop"
    page.locator(".launcher").click()
    until(page, lambda: page.title() == "Basket" and other.title() == "Shop")
    assert page.locator(".launcher b").inner_text() == ""
    again = tab(page.context, host)
    assert again.title() == "Shop"


def test_a_number_that_the_page_wrote_itself_stays(server: Server, host: Host, browser: Any) -> None:
    host.html = host.html.replace("<title>Shop", "<title>(3) Shop")
    page = opened(browser, host)
    say(page, "Hello")
    page.get_by_text("Sent", exact=True).wait_for()
    assert page.title() == "(3) Shop"
    page.keyboard.press("Escape")
    told = page.locator("p.unseen[role=status]").last
    assert told.inner_text() == ""
    server.control(answer="One")
    page.get_by_role("button", name="Unread: 1").wait_for()
    assert page.title() == "(1) (3) Shop"
    page.locator(".launcher").click()
    until(page, lambda: page.title() == "(3) Shop")


def test_the_title_may_be_left_alone(server: Server, host: Host, browser: Any) -> None:
    host.settings = {"title": False}
    page = opened(browser, host)
    say(page, "Hello")
    page.get_by_text("Sent", exact=True).wait_for()
    page.keyboard.press("Escape")
    told = page.locator("p.unseen[role=status]").last
    assert told.inner_text() == ""
    server.control(answer="One")
    page.get_by_role("button", name="Unread: 1").wait_for()
    assert page.title() == "Shop"


def test_who_waits_sees_his_place(server: Server, host: Host, browser: Any) -> None:
    server.plan(duty="busy", wait=3)
    page = opened(browser, host)
    say(page, "Hello")
    page.get_by_role("status").filter(has_text="Your place in line: 3").wait_for()
    server.control(set={"wait": 0, "duty": "open", "agent": LENA}, tell=True)
    page.get_by_role("heading", name="Lena Vogt").wait_for()
    page.get_by_role("status").filter(has_text="We are here for you").wait_for()


def test_the_agents_picture(server: Server, host: Host, browser: Any) -> None:
    picture = f"/chat/v1/{host.key}/file/lena"
    server.plan(agent={**LENA, "picture": picture})
    talking(server)
    page = opened(browser, host)
    image = page.locator("header .face img")
    image.wait_for()
    assert image.get_attribute("src") == server.url + picture
    assert image.get_attribute("alt") == ""
    server.control(set={"agent": {**LENA, "name": "Tom", "picture": "/missing.png", "initials": "T"}}, tell=True)
    page.get_by_role("heading", name="Tom").wait_for()
    assert page.locator("header .face").inner_text() == "T"


def test_an_address_for_answers_to_come(server: Server, host: Host, browser: Any) -> None:
    page = opened(browser, host)
    assert not page.get_by_text("Leave your e-mail address").is_visible()
    say(page, "Hello")
    page.get_by_text("Leave your e-mail address").click()
    labelled(page, "E-mail address").fill("anna@customer.test")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("a mail asks you to confirm the address").wait_for()
    assert server.received("person")[0]["said"] == {"email": "anna@customer.test"}
    assert not page.get_by_text("Leave your e-mail address").is_visible()
    assert focused(page) == "Your message"


def test_the_end_and_the_rating(server: Server, host: Host, browser: Any) -> None:
    talking(server)
    page = opened(browser, host)
    labelled(page, "More").click()
    page.get_by_role("button", name="End chat").click()
    page.get_by_text("You ended the chat.").wait_for()
    stars = page.get_by_role("group", name="How did we do?")
    stars.get_by_label("Good", exact=True).check()
    labelled(page, "Anything to add?").fill("Quick!")
    page.locator(".talk, .body").get_by_role("button", name="Send").click()
    page.get_by_text("Thank you for your rating.").wait_for()
    assert focused(page) == "Your message"
    assert server.received("rating")[0]["said"] == {"score": 4, "comment": "Quick!"}
    assert stars.count() == 0
    again = tab(page.context, host)
    again.locator(".launcher").click()
    assert again.get_by_role("group", name="How did we do?").count() == 0
    say(again, "One thing more")
    again.get_by_text("Sent", exact=True).wait_for()
    assert server.control()["events"][-1]["text"] == "One thing more"


def test_a_transcript_goes_to_the_known_address(server: Server, host: Host, browser: Any) -> None:
    server.plan(person={"name": "Anna", "email": True, "identified": False})
    talking(server)
    page = opened(browser, host)
    labelled(page, "More").click()
    page.get_by_role("button", name="Send me this chat by e-mail").click()
    page.get_by_text("The chat is on its way to your mailbox.").wait_for()
    assert server.received("transcript")[0]["said"] == {}


def test_a_transcript_asks_for_the_address(server: Server, host: Host, browser: Any) -> None:
    talking(server)
    page = opened(browser, host)
    labelled(page, "More").click()
    page.get_by_role("button", name="Send me this chat by e-mail").click()
    labelled(page.locator(".body"), "E-mail address").fill("anna@customer.test")
    page.locator(".body").get_by_role("button", name="Send").click()
    page.get_by_role("heading", name="Please confirm your address").wait_for()
    assert server.received("transcript")[0]["said"] == {"email": "anna@customer.test"}
    page.get_by_role("button", name="Back").click()
    assert shown(page)[-1] == "Hi"


def test_a_form_when_nobody_is_there(server: Server, host: Host, browser: Any) -> None:
    server.plan(duty="closed")
    host.settings = {
        "user": {"identifier": "7", "identifier_hash": "00", "name": "Anna Schmidt", "email": "anna@customer.test"}
    }
    page = opened(browser, host)
    page.get_by_role("heading", name="Leave us a message").wait_for()
    assert labelled(page, "Your name").input_value() == "Anna Schmidt"
    assert labelled(page, "E-mail address").input_value() == "anna@customer.test"
    send = page.get_by_role("button", name="Send")
    send.click()
    assert server.received("form") == []  # the message is missing
    labelled(page, "Your message").fill("Do you open on Sunday?")
    send.click()
    page.get_by_role("heading", name="Please check your mail").wait_for()
    assert focused(page).startswith("Please check your mail")
    said = server.received("form")[0]["said"]
    assert said.pop("id")
    assert said == {
        "name": "Anna Schmidt",
        "email": "anna@customer.test",
        "phone": "",
        "text": "Do you open on Sunday?",
    }


def test_a_form_that_is_on_its_way_keeps_the_focus_and_goes_once(server: Server, host: Host, browser: Any) -> None:
    server.plan(duty="closed", session=None)
    host.before = """
        window.let_go = []; const real = window.fetch;
        window.fetch = async (url, how) => {
          if (String(url).endsWith("/form")) await new Promise((then) => let_go.push(then));
          return real(url, how);
        };"""
    page = opened(browser, host)
    for name, value in {"Your name": "Anna", "E-mail address": "anna@customer.test", "Your message": "Open?"}.items():
        labelled(page, name).fill(value)
    send = page.locator(".body").get_by_role("button", name="Send")
    send.focus()
    for _ in range(2):
        page.keyboard.press("Enter")
        page.wait_for_timeout(50)
        assert focused(page) == "Send"
    page.evaluate("let_go.forEach((go) => go())")
    page.get_by_role("heading", name="Please check your mail").wait_for()
    assert "Please check your mail" in focused(page)
    assert len(server.received("form")) == 1


def test_a_form_begun_stays_when_somebody_comes(server: Server, host: Host, browser: Any) -> None:
    server.plan(duty="closed")
    page = opened(browser, host)
    labelled(page, "Your message").fill("Half of a long")
    server.control(set={"duty": "open"}, tell=True)
    page.get_by_text("We are here for you").wait_for()
    assert labelled(page, "Your message").input_value() == "Half of a long"
    page.get_by_role("button", name="Back").click()
    assert shown(page) == [WELCOME]


def test_a_talk_that_ended_may_be_read_when_nobody_is_there(server: Server, host: Host, browser: Any) -> None:
    talking(server, "ended")
    server.plan(duty="closed", can={"files": True, "callback": False, "rating": False, "transcript": False})
    page = opened(browser, host)
    assert shown(page) == [WELCOME, "Hello", "Hi"]
    page.get_by_role("button", name="Leave us a message").click()
    assert labelled(page, "E-mail address").is_visible()


def test_a_call_at_a_proposed_time(server: Server, host: Host, browser: Any) -> None:
    page = opened(browser, host, timezone_id="Europe/Berlin")
    labelled(page, "More").click()
    page.get_by_role("button", name="Request a call").click()
    labelled(page, "Your name").fill("Anna")
    labelled(page, "Phone number").fill("+49 40 123456")
    labelled(page, "When may we call?").locator("option").nth(2).wait_for(state="attached")
    labelled(page, "When may we call?").select_option(index=2)
    labelled(page, "What is it about?").fill("An offer")
    page.get_by_role("button", name="Request a call").click()
    page.get_by_role("heading", name="We will call you: ").wait_for()
    assert "9:30" in page.get_by_role("heading", name="We will call you: ").inner_text()
    said = server.received("callback")[1]["said"]
    assert said.pop("id")
    assert said == {"name": "Anna", "phone": "+49 40 123456", "at": "2026-12-01T09:30:00+01:00", "topic": "An offer"}


def test_a_refused_form_says_why_and_keeps_what_was_written(server: Server, host: Host, browser: Any) -> None:
    page = opened(browser, host)
    page.route(
        "**/callback",
        lambda route: (
            route.fulfill(
                status=400,
                headers={"access-control-allow-origin": "*"},
                body=json.dumps({"code": "invalid", "title": "This is no number."}),
            )
            if route.request.method == "POST"
            else route.continue_()
        ),
    )
    labelled(page, "More").click()
    page.get_by_role("button", name="Request a call").click()
    labelled(page, "Your name").fill("Anna")
    labelled(page, "Phone number").fill("abc")
    page.get_by_role("button", name="Request a call").click()
    page.get_by_role("alert").filter(has_text="This is no number.").wait_for()
    assert labelled(page, "Phone number").input_value() == "abc"


def test_files_by_picker_paste_and_drop(server: Server, host: Host, browser: Any) -> None:
    page = opened(browser, host)
    page.locator(".composer input").set_input_files(
        {"name": "a.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1"}
    )
    page.get_by_role("button", name="Download a.pdf").wait_for()
    page.get_by_text("a.pdf 1 kB").wait_for()
    give = """([kind, key]) => {
      const data = new DataTransfer(); data.items.add(new File([new Uint8Array(9)], 'shot.png', {type: 'image/png'}));
      const root = document.querySelector('guichet-chat').shadowRoot;
      const event = kind === 'paste' ? new ClipboardEvent(kind, {clipboardData: data, bubbles: true, cancelable: true})
        : new DragEvent(kind, {dataTransfer: data, bubbles: true, cancelable: true});
      root.querySelector(key).dispatchEvent(event); return event.defaultPrevented; }"""
    assert page.evaluate(give, ["paste", "textarea"])
    until(page, lambda: len(server.control()["events"]) == 2)
    assert page.evaluate(give, ["dragover", ".panel"])
    assert page.evaluate(give, ["drop", ".panel"])
    until(page, lambda: len(server.control()["events"]) == 3)
    files = [event["files"][0] for event in server.control()["events"]]
    assert [(f["name"], f["size"]) for f in files] == [("a.pdf", 6), ("shot.png", 9), ("shot.png", 9)]
    page.locator(".file canvas").nth(1).wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download a.pdf").click()
    assert download.value.suggested_filename == "a.pdf"
    tokens = {r["authorization"] for r in server.control()["received"] if r.get("path", "").startswith("file")}
    assert len(tokens) == 1 and tokens.pop().startswith("Bearer token-")
    assert page.complaints == []


def test_files_beyond_the_limits_are_not_sent(server: Server, host: Host, browser: Any) -> None:
    page = opened(browser, host)
    one = {"name": "x.txt", "mimeType": "text/plain", "buffer": b"x"}
    page.locator(".composer input").set_input_files([one] * 6)
    page.get_by_text("At most 5 files at once.").wait_for()
    until(page, lambda: len(server.control()["events"]) == 5)
    page.locator(".composer input").set_input_files({**one, "name": "huge.bin", "buffer": b"x" * 1_000_001})
    page.get_by_text("huge.bin is larger than 1 MB.").wait_for()
    assert len(server.received("file")) == 5


def test_without_leave_there_are_no_files(server: Server, host: Host, browser: Any) -> None:
    server.plan(can={"files": False, "callback": False, "rating": False, "transcript": False})
    page = opened(browser, host)
    assert labelled(page, "Attach files").count() == 0
    dropped = """() => {
      const data = new DataTransfer(); data.items.add(new File(['x'], 'x.txt'));
      const event = new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true});
      document.querySelector('guichet-chat').shadowRoot.querySelector('.panel').dispatchEvent(event);
      return event.defaultPrevented }"""
    assert page.evaluate(dropped)  # else the browser would leave the page
    page.wait_for_timeout(100)
    assert server.received("file") == []
    assert labelled(page, "More").count() == 0


def test_the_panel_stays_open_from_page_to_page(server: Server, host: Host, browser: Any) -> None:
    page = opened(browser, host)
    page.locator("#own").focus()
    page.reload()
    page.locator(".panel").wait_for()
    assert focused(page) == ""  # but nobody's focus is taken
    page.locator(".launcher").click()
    page.reload()
    page.locator(".launcher").wait_for()
    assert not page.locator(".panel").is_visible()
