"""Chats before real browsers: two colleagues, visitors who write through the chat's own doors, cuts and notices."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from crm.service import services
from crm.service.models import Ticket
from inbox.models import Conversation, Message, Presence
from inbox.services import chats, replies
from tests import factories
from tests.inbox.chat.conftest import ORIGIN, make_chat
from tests.inbox.workspace.test_browser import AT_ONCE, Desk

pytestmark = [pytest.mark.chromium, pytest.mark.django_db(transaction=True)]
COUNT_NOTICES = """() => {
    window.__notices = [];
    window.Notification = class extends EventTarget {
        static permission = 'granted';
        constructor(title, options) { super(); window.__notices.push([title, options.tag]); }
        close() {}
    };
}"""


class Visitor:
    """Somebody on another site, over HTTP to the process that serves the colleagues."""

    def __init__(self, browser: Any, site: str, channel: Any, name: str) -> None:
        self.context = browser.new_context(extra_http_headers={"Origin": ORIGIN})
        self.root = f"{site}/chat/v1/{channel.settings['key']}/"
        self.count = 0
        begun = self._post("session", page={"url": f"{ORIGIN}/duo", "title": "Duo 2", "referrer": ""})
        self.headers = {"Authorization": f"Bearer {begun['token']}"}
        self._post("person", name=name)

    def _post(self, what: str, **body: Any) -> dict[str, Any]:
        answer = self.context.request.post(self.root + what, data=body, headers=getattr(self, "headers", {}))
        assert answer.ok, answer.text()
        return answer.json() if answer.text() else {}

    def say(self, text: str) -> None:
        self.count += 1
        self._post("say", id=f"client-{id(self)}-{self.count}", text=text)

    def heard(self) -> list[str]:
        answer = self.context.request.get(self.root + "events?after=0", headers=self.headers)
        return [event["text"] for event in answer.json()["events"] if event["kind"] == "answer"]


@pytest.fixture
def chat(queue, agent):
    queue.strategy = "manual"
    queue.save()
    Presence.objects.create(user=agent)
    return make_chat(queue)


@pytest.fixture
def open_desk(browser, site):
    made: list[Desk] = []

    def start(user: Any, path: str = "/desk/inbox/chats/", **options: Any) -> tuple[Desk, Any]:
        desk = Desk(browser, site, user, **options)
        desk.page.set_viewport_size({"width": 1500, "height": 850})
        made.append(desk)
        return desk, desk.open(path)

    yield start
    for desk in made:
        desk.context.close()
        assert desk.faults == []


SHOWN = """() => {
  window.__shown = [];
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (text) {
    const what = JSON.parse(text);
    if (what.do === "show") window.__shown.push(what);
    return send.call(this, text);
  };
}"""
"""What the page tells colleagues and visitors of who sits before it."""


def serious(page: Any) -> list[str]:
    """What axe finds that keeps somebody out."""
    found = Axe().run(page).response["violations"]
    return [each["id"] for each in found if each["impact"] in ("serious", "critical")]


def column(page: Any, name: str) -> Any:
    return page.locator(f"article.chat[data-name='{name}']")


def test_two_chats_at_once_a_colleague_takes_over_and_everybody_sees_it(
    browser, site, chat, agent, supervisor, open_desk
):
    _one, page = open_desk(agent)
    page.evaluate(SHOWN)
    marta, rafael = (Visitor(browser, site, chat, name) for name in ("Marta", "Rafael"))
    marta.say("Is the black one left?")
    rafael.say("The light blinks")
    page.locator("[data-line]", has_text="Marta").get_by_role("button", name="Take").click()
    column(page, "Marta").locator("textarea").wait_for(state="visible")
    page.locator("[data-line]", has_text="Rafael").get_by_role("button", name="Take").click()
    column(page, "Rafael").locator("textarea").wait_for(state="visible")

    # Both go on side by side, each in its own column.
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    page.keyboard.type("Yes, two of them")
    page.wait_for_function("() => window.__shown.at(-1)?.typing")
    page.keyboard.press("Enter")
    column(page, "Marta").locator(".chat-said--outbound", has_text="Yes, two of them").wait_for()
    # What is told again and again ends with the answer, or the visitor would see one typing who has said it all.
    page.wait_for_function("() => window.__shown.at(-1) && !window.__shown.at(-1).typing", timeout=2_000)
    rafael.say("It still does")
    column(page, "Rafael").get_by_text("It still does").wait_for(timeout=AT_ONCE)
    marta.say("Good, I take both")
    column(page, "Marta").get_by_text("Good, I take both").wait_for(timeout=AT_ONCE)
    assert column(page, "Marta").get_by_text("It still does").count() == 0
    assert (marta.heard(), rafael.heard()) == (["Yes, two of them"], [])
    marta._post("seen", seq=Conversation.objects.get(visitor__name="Marta").ticket.sequence)

    # The page the visitor is on is shown as it changes.
    marta._post("page", url=f"{ORIGIN}/delivery", title="Delivery times")
    column(page, "Marta").get_by_text("Delivery times").first.wait_for(timeout=AT_ONCE)

    # A colleague takes one over: the first one's column says so and offers no composer any more.
    ticket = Conversation.objects.get(visitor__name="Rafael").ticket
    _two, other = open_desk(supervisor, f"/desk/inbox/chats/#{ticket.number}")
    writing = column(page, "Rafael").locator("textarea")
    writing.fill("It should be")
    take_over = column(other, "Rafael").get_by_role("button", name="Take over")
    take_over.wait_for()
    expect(take_over).to_be_focused()
    take_over.click()
    page.locator("#toasts", has_text="Supervisor has this chat").wait_for()
    column(other, "Rafael").locator("textarea").fill("I am the one who knows the light")
    column(other, "Rafael").locator("textarea").press("Enter")
    column(page, "Rafael").get_by_text("Supervisor has this chat").wait_for(timeout=AT_ONCE)
    column(page, "Rafael").get_by_text("I am the one who knows the light").wait_for(timeout=AT_ONCE)
    # Who was in the middle of a word: his next letters are neither lost on another chat nor taken for keys.
    expect(writing).to_be_focused()
    page.keyboard.type("1u")
    expect(writing).to_have_value("It should be")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(writing).to_be_hidden()
    assert rafael.heard() == ["I am the one who knows the light"]
    event = Ticket.objects.get(pk=ticket.pk).events.filter(what="assignee").latest("seq")
    assert (event.old, event.new, event.why) == ("Agent", "Supervisor", "took over")
    for visitor in (marta, rafael):
        visitor.context.close()


def test_an_answer_waits_for_what_its_author_has_not_seen(browser, site, chat, agent, open_desk):
    _desk, page = open_desk(agent)
    marta = Visitor(browser, site, chat, "Marta")
    marta.say("Is the blue one in stock?")
    page.locator("[data-line]", has_text="Marta").get_by_role("button", name="Take").click()
    field = column(page, "Marta").locator("textarea")
    expect(field).to_be_focused()
    # What comes now does not reach the column by itself.
    page.evaluate(
        "window.fetch = (ask => (url, ...rest) => String(url).includes('/after/') ? new Promise(() => {}) : ask(url, ...rest))(window.fetch)"
    )
    marta.say("Sorry, the red one")
    field.fill("Yes")
    field.press("Enter")
    column(page, "Marta").get_by_text("Not sent yet").wait_for()
    column(page, "Marta").get_by_text("Sorry, the red one").wait_for()
    expect(field).to_have_value("Yes")
    assert marta.heard() == []
    field.fill("No, only the blue one")
    field.press("Enter")
    expect(field).to_have_value("")
    assert marta.heard() == ["No, only the blue one"]
    marta.context.close()


def test_a_list_that_comes_slowly_takes_nobody_from_what_he_writes(browser, site, chat, agent, open_desk):
    _desk, page = open_desk(agent)
    marta = Visitor(browser, site, chat, "Marta")
    marta.say("Is the blue one in stock?")
    page.locator("[data-line]", has_text="Marta").wait_for()
    page.evaluate(
        """() => {
          const text = Response.prototype.text;
          Response.prototype.text = async function () {
            if (this.url.includes("/chats/list/")) { window.__reading = true; await new Promise((go) => { window.__go = go; }); }
            return text.call(this);
          };
        }"""
    )
    take = page.locator("[data-line]", has_text="Marta").get_by_role("button", name="Take")
    take.focus()
    page.evaluate("dispatchEvent(new Event('online'))")  # the list is asked for, and read while he takes the chat
    page.wait_for_function("() => window.__reading")
    take.click()
    field = column(page, "Marta").locator("textarea")
    expect(field).to_be_focused()
    page.evaluate("window.__go()")
    page.wait_for_timeout(300)
    expect(field).to_be_focused()
    marta.context.close()


def test_after_a_cut_every_message_is_there_once(browser, site, chat, agent, open_desk):
    desk, page = open_desk(agent)
    marta = Visitor(browser, site, chat, "Marta")
    marta.say("Message 0")
    page.locator("[data-line]", has_text="Marta").get_by_role("button", name="Take").click()
    column(page, "Marta").locator("textarea").fill("A draft that must stay")
    desk.cut()
    for n in range(1, 6):
        marta.say(f"Message {n}")
    desk.mend()
    column(page, "Marta").get_by_text("Message 5").wait_for(timeout=30_000)
    marta.say("Message 6")
    column(page, "Marta").get_by_text("Message 6").wait_for(timeout=10_000)
    shown = column(page, "Marta").locator(".chat-said--inbound .chat-said__text").all_inner_texts()
    assert [text.strip() for text in shown] == [f"Message {n}" for n in range(7)]
    assert column(page, "Marta").locator("textarea").input_value() == "A draft that must stay"
    page.reload()
    column(page, "Marta").get_by_text("Message 6").wait_for()
    fresh = column(page, "Marta").locator(".chat-said--inbound .chat-said__text").all_inner_texts()
    assert [text.strip() for text in fresh] == [text.strip() for text in shown]
    marta.context.close()


def test_after_a_cut_a_column_is_what_a_fresh_load_shows(browser, site, chat, agent, supervisor, open_desk):
    """R-22: messages, who has the chat, read marks and its end, all of which changed in the meantime."""
    desk, page = open_desk(agent)
    marta = Visitor(browser, site, chat, "Marta")
    marta.say("Message 0")
    page.locator("[data-line]", has_text="Marta").get_by_role("button", name="Take").click()
    field = column(page, "Marta").locator("textarea")
    expect(field).to_be_focused()
    ticket = Conversation.objects.get().ticket
    desk.cut()
    marta.say("Message 1")
    chats.take_over(ticket, supervisor)
    replies.reply(ticket, author=supervisor, text="It is with me now")
    ticket.refresh_from_db()
    marta._post("seen", seq=ticket.sequence)
    chats.end(ticket, supervisor)
    desk.mend()
    column(page, "Marta").get_by_text("This chat has ended.").wait_for(timeout=30_000)
    page.keyboard.press("Escape")  # the field that he was in stays until he leaves it
    expect(field).to_be_hidden()
    kept = column(page, "Marta").inner_text()
    _again, fresh = open_desk(agent, f"/desk/inbox/chats/#{ticket.number}")
    column(fresh, "Marta").get_by_text("This chat has ended.").wait_for()
    assert kept == column(fresh, "Marta").inner_text()
    for words in ("Message 1", "It is with me now", "Seen"):
        assert kept.count(words) == 1
    marta.context.close()


def test_notices_are_asked_for_and_come_once_and_only_for_what_nobody_sees(
    browser, site, chat, agent, ticket, open_desk
):
    desk, page = open_desk(agent, f"/desk/inbox/{ticket.number}/")
    asked = page.evaluate("Notification.permission")
    assert page.locator("[data-notify-ask]").is_visible() is (asked == "default")
    # A browser without windows never grants it.
    desk.context.add_init_script("Object.defineProperty(Notification, 'permission', {get: () => 'granted'})")
    page.reload()
    page.wait_for_selector("#live[data-state=live]", state="attached")
    assert page.evaluate("Notification.permission") == "granted"
    assert not page.locator("[data-notify-ask]").is_visible()
    page.evaluate(COUNT_NOTICES)
    page.evaluate("Object.defineProperty(document, 'visibilityState', {get: () => 'hidden', configurable: true})")
    marta = Visitor(browser, site, chat, "Marta")
    marta.say("Hello?")
    page.wait_for_function("() => window.__notices.length === 1", timeout=10_000)
    talk = Conversation.objects.get()
    assert page.evaluate("window.__notices") == [["New chat: Marta", f"guichet-{talk.ticket_id}"]]
    page.wait_for_function("() => document.title === 'New chat: Marta'")

    # In another window the colleague takes it and looks at it: nothing rings there, while he sees it.
    _two, chats = open_desk(agent)
    chats.evaluate(COUNT_NOTICES)
    chats.locator("[data-line]", has_text="Marta").get_by_role("button", name="Take").click()
    column(chats, "Marta").locator("textarea").wait_for(state="visible")
    marta.say("Are you there?")
    column(chats, "Marta").get_by_text("Are you there?").wait_for(timeout=AT_ONCE)
    page.wait_for_function("() => window.__notices.length >= 2", timeout=10_000)
    assert chats.evaluate("window.__notices") == []
    marta.context.close()


def test_presence_is_switched_and_kept(chat, agent, open_desk):
    _desk, page = open_desk(agent)
    switch = page.locator("[data-presence-switch]")
    page.wait_for_function("() => document.querySelector('[data-presence-text]').textContent === 'Takes chats'")
    switch.click()
    page.wait_for_function("() => document.querySelector('[data-presence-text]').textContent === 'Away'")
    assert Presence.objects.get(user=agent).state == "away"
    page.reload()
    page.wait_for_function("() => document.querySelector('[data-presence-text]').textContent === 'Away'")
    page.locator("[data-sound-switch]").click()
    assert page.evaluate("localStorage.getItem('guichet:sound')") == "off"


def test_a_chat_is_answered_by_mail_instead(browser, site, chat, agent, channel, open_desk):
    _desk, page = open_desk(agent)
    marta = Visitor(browser, site, chat, "Marta")
    marta._post("person", email="marta@customer.test")
    marta.say("Please write to me")
    page.locator("[data-line]", has_text="Marta").get_by_role("button", name="Take").click()
    column(page, "Marta").locator("summary[aria-label=More]").click()
    column(page, "Marta").get_by_role("link", name="Answer by e-mail instead").click()
    page.locator("#ways-list [data-way-choice]", has_text="marta@customer.test").first.click()
    page.keyboard.type("As you wished, by mail")
    page.keyboard.press("Control+Enter")
    page.locator(".g-message--ours", has_text="As you wished, by mail").wait_for()
    sent = Message.objects.get(kind="outbound").deliveries.get()
    assert (sent.channel, sent.recipient) == (channel, "marta@customer.test")
    marta.context.close()


def test_on_a_phone_one_talk_stands_there_and_tabs_lead_to_the_others(browser, site, chat, agent, open_desk):
    for name in ("Marta", "Rafael"):
        visitor = Visitor(browser, site, chat, name)
        visitor.say("Hello")
        services.assign(Ticket.objects.latest("pk"), agent, by=agent)
        visitor.context.close()
    factories.TemplateFactory(name="Greeting", texts={"en": ("", "Good morning")})
    _desk, page = open_desk(agent)
    page.set_viewport_size({"width": 360, "height": 740})
    page.locator(".chats-tab", has_text="Rafael").click()
    assert column(page, "Rafael").is_visible()
    assert not column(page, "Marta").is_visible()
    assert serious(page) == []
    column(page, "Rafael").locator("textarea").press_sequentially("/gree")
    page.locator(".desk-suggest:visible", has_text="Good morning").wait_for()
    page.keyboard.press("Enter")
    assert column(page, "Rafael").locator("textarea").input_value() == "Good morning"
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.locator("#chats-back").click()
    assert page.locator("[data-line]", has_text="Marta").is_visible()
