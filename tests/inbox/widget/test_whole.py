"""The whole way: a visitor on somebody else's site, a colleague at the desk, the real server between them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from PIL import Image

from crm.service.models import Satisfaction, Ticket
from inbox.channels.chat.forms import new_key
from inbox.models import Channel, Message, Presence, RawMessage, Visitor
from inbox.services import channel_setup, chats, replies
from tests import factories
from tests.inbox.widget.conftest import OPEN_ROOTS, Host, hosting, say, shown, tab, visit
from tests.inbox.widget.test_talk import connected, until
from tests.processes import free_port
from tests.servers.site import Sites

pytestmark = [pytest.mark.chromium, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def here(agent: Any) -> Any:
    """`agent`, who is here."""
    Presence.objects.create(user=agent)
    return agent


@pytest.fixture
def shop(transactional_db: None) -> Iterator[Host]:
    """A page of another origin that will embed the chat of `base`."""
    with hosting("") as host:
        yield host


@pytest.fixture
def chat(queue: Any, shop: Host) -> Channel:
    """A chat into `queue` that stands on `shop` alone."""
    channel = factories.ChannelFactory(kind="chat", address="", display_name="", queue=queue)
    shop.key = new_key()
    known = {
        "key": shop.key,
        "origins": shop.url.rstrip("/"),
        "colour": "#0b5cad",
        "title_en": "Halden",
        "theme": "light",
    }
    return channel_setup.save_channel(channel, known, {"identity_secret": "s" * 32}, by=None)


def desk(browser: Any, site: str, user: Any) -> Any:
    context = browser.new_context(viewport={"width": 1400, "height": 900}, locale="en-GB")
    client = Client()
    client.force_login(user, backend="crm.organisation.backends.PasswordBackend")
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": site}])
    return context.new_page()


def told(page: Any) -> list[str]:
    return [text for text in shown(page) if text]


def test_a_visitor_asks_and_a_colleague_answers(site: str, shop: Host, chat: Channel, here: Any, browser: Any) -> None:
    shop.server = site
    page = visit(browser, shop)
    page.locator(".launcher").click()
    say(page, "My machine leaks, what can I do?")
    page.get_by_text("Sent", exact=True).wait_for()
    ticket = Ticket.objects.get()
    assert (ticket.subject, ticket.origin) == ("My machine leaks, what can I do?", "chat")
    message = ticket.messages.get()
    assert message.facts["page_url"] == shop.url

    colleague = desk(browser, site, here)
    colleague.goto(f"{site}/desk/inbox/{ticket.number}/")
    colleague.wait_for_selector("#live[data-state=live]", state="attached")
    colleague.get_by_text("My machine leaks, what can I do?").first.wait_for()
    colleague.keyboard.press("r")
    colleague.locator("#text").press_sequentially("Close the valve at the back")
    colleague.keyboard.press("Control+Enter")
    page.locator(".theirs").get_by_text("Close the valve at the back").wait_for()

    say(page, "It is dry now!")
    colleague.locator(".g-message__text").get_by_text("It is dry now!").wait_for()
    assert told(page) == ["My machine leaks, what can I do?", "Close the valve at the back", "It is dry now!"]
    assert list(ticket.messages.filter(kind__in=Message.PUBLIC).values_list("text", flat=True).order_by("seq")) == told(
        page
    )
    assert page.context.cookies(shop.url) == []
    assert page.complaints == []


def test_a_restart_of_the_server_in_the_middle(
    sites: Sites, shop: Host, chat: Channel, here: Any, browser: Any
) -> None:
    """R-22: what was said and answered while the server was gone stands there once, in every tab as in a fresh one."""
    port = free_port()
    with sites.serving(port=port) as site:
        shop.server = site
        page = visit(browser, shop)
        other = tab(page.context, shop)
        for each in (page, other):
            each.locator(".launcher").click()
        say(page, "Before")
        page.get_by_text("Sent", exact=True).wait_for()
        other.get_by_text("Before").wait_for()
    with page.expect_event("requestfailed"):
        say(page, "Into the void")
    ticket = Ticket.objects.get()
    chats.take_over(ticket, here)
    replies.reply(ticket, author=here, text="Written meanwhile")
    with sites.serving(port=port):
        page.get_by_text("Sent", exact=True).wait_for(timeout=20_000)
        expected = ["Before", "Written meanwhile", "Into the void"]
        for each in (page, other):
            until(each, lambda each=each: told(each) == expected)
        fresh = tab(page.context, shop)
        fresh.locator(".launcher").click()
        until(fresh, lambda: told(fresh) == expected)
    assert (
        list(ticket.messages.filter(kind__in=Message.PUBLIC).order_by("seq").values_list("text", flat=True)) == expected
    )
    assert Ticket.objects.count() == 1
    assert Visitor.objects.count() == 1


LOSING = """
window.tries = []; window.deaf = true;
const real = window.fetch;
window.fetch = async (url, how) => {
  const say = String(url).endsWith("/say");
  if (say) tries.push(JSON.parse(how.body).id);
  const answer = await real(url, how);
  if (deaf && (say || String(url).includes("/events"))) throw new TypeError("lost on the way back");
  return answer;
};
const Real = window.WebSocket;
window.WebSocket = class extends Real {
  send(frame) { if (JSON.parse(frame).do === "say") tries.push(JSON.parse(frame).id); super.send(frame); }
  set onmessage(then) {
    super.onmessage = then && (({data}) => {
      const {about, ...rest} = JSON.parse(data);
      if (!deaf) then({data});
      else if (about === "ready") then({data: JSON.stringify({...rest, about, seq: 0, events: []})});
      else if (about === "pong") then({data});
    });
  }
};
"""
"""All that is sent arrives; while `deaf`, no answer but that to a ping comes back, not even over a new socket."""


def test_five_times_with_one_id_over_both_doors(site: str, shop: Host, chat: Channel, here: Any, browser: Any) -> None:
    """R-25: no acknowledgement and no echo reaches the browser until it says so; stored once, seen once."""
    shop.server, shop.before = site, LOSING
    page = visit(browser, shop, clock=True)
    page.locator(".launcher").click()
    until(page, lambda: connected(page))
    say(page, "Only once")
    until(page, lambda: len(page.evaluate("tries")) >= 5, step=1000)
    until(page, page.get_by_role("button", name="Try again").is_visible, step=1000)
    page.evaluate("deaf = false")
    until(page, lambda: page.get_by_text("Sent", exact=True).count() == 1, step=1000)
    assert len(set(page.evaluate("tries"))) == 1
    assert [m.text for m in Message.objects.all()] == ["Only once"]
    assert told(page) == ["Only once"]


def test_a_page_that_is_not_on_the_list(site: str, shop: Host, chat: Channel, here: Any, browser: Any) -> None:
    """S-73"""
    channel_setup.save_channel(chat, {**chat.settings, "origins": "https://www.elsewhere.test"}, {}, by=None)
    shop.server = site
    context = browser.new_context()
    context.add_init_script(OPEN_ROOTS)
    page = tab(context, shop, wait=False)
    page.wait_for_timeout(1000)
    assert page.locator("guichet-chat").count() == 0
    assert Visitor.objects.count() == 0


def test_nobody_here(site: str, shop: Host, chat: Channel, browser: Any) -> None:
    form = factories.ChannelFactory(kind="webform", address="", queue=chat.queue)
    shop.server = site
    page = visit(browser, shop)
    page.locator(".launcher").click()
    page.get_by_role("heading", name="Leave us a message").wait_for()
    page.get_by_label("Your name").filter(visible=True).fill("Anna")
    page.get_by_label("E-mail address").filter(visible=True).fill("anna@customer.test")
    page.get_by_label("Your message").filter(visible=True).fill("Are you open on Sunday?")
    page.locator(".body").get_by_role("button", name="Send").click()
    page.get_by_role("heading", name="Please check your mail").wait_for()
    assert Ticket.objects.count() == 0
    held = RawMessage.objects.get(channel=form)
    assert held.state == "held"


def test_a_talk_that_is_closed_asks_for_a_rating(site: str, shop: Host, chat: Channel, here: Any, browser: Any) -> None:
    shop.server = site
    page = visit(browser, shop)
    page.locator(".launcher").click()
    say(page, "Thank you, that was all")
    page.get_by_text("Sent", exact=True).wait_for()
    replies.reply(Ticket.objects.get(), author=here, text="You are welcome")
    page.locator(".bubble").get_by_text("You are welcome").wait_for(timeout=20_000)
    page.get_by_label("More").click()
    page.get_by_role("button", name="End chat").click()
    page.get_by_text("You ended the chat.").wait_for()
    page.get_by_label("Very good").check()
    page.locator(".body").get_by_role("button", name="Send").click()
    page.get_by_text("Thank you for your rating.").wait_for()
    rating = Satisfaction.objects.get()
    assert (rating.ticket, rating.score) == (Ticket.objects.get(), 5)


def test_a_picture_goes_both_ways(site: str, shop: Host, chat: Channel, here: Any, browser: Any) -> None:
    shop.server = site
    page = visit(browser, shop)
    page.locator(".launcher").click()
    content = io.BytesIO()
    Image.new("RGB", (900, 600), "#8a5a2b").save(content, "PNG")
    page.locator(".composer input").set_input_files(
        {"name": "leak.png", "mimeType": "image/png", "buffer": content.getvalue()}
    )
    page.locator(".file canvas").wait_for()
    ticket = Ticket.objects.get()
    assert ticket.messages.get().attachments.get().name == "leak.png"
    with page.expect_download() as download:
        page.get_by_role("button", name="Download leak.png").click()
    assert Path(download.value.path()).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert page.complaints == []
