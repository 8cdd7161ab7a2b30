"""Two colleagues before real browsers: what happens appears, is held, survives a lost connection, and appears once."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from crm.service import services
from inbox.models import Message
from inbox.services import replies
from tests import factories
from tests.processes import free_port

pytestmark = [pytest.mark.chromium, pytest.mark.django_db(transaction=True)]

AT_ONCE = 9_000
"""Milliseconds in which something is pushed: a page whose socket is away asks by itself every ten seconds."""
STATE = """() => ({
    entries: [...document.querySelectorAll('#entries > [data-entry]')].map(e => [e.dataset.entry, e.innerText.trim()]),
    head: document.querySelector('#ticket-head').innerText,
    seq: document.querySelector('#ticket').dataset.seq,
})"""


LINES = """(() => {
  const lines = [];
  let cut = false;
  window.WebSocket = class extends WebSocket {
    constructor(...how) {
      super(...how);
      lines.push(this);
      for (const what of ["message", "close"]) this.addEventListener(what, (event) => this.deaf && event.stopImmediatePropagation());
      if (cut) this.close();
    }
  };
  window.__deafen = () => lines.forEach((line) => { line.deaf = true; });
  window.__lines = () => lines.filter((line) => line.readyState < 2).length;
  window.__cut = (on) => { cut = on; if (on) for (const line of lines) line.close(); };
})()"""
"""A browser that is offline keeps the sockets that it has: these can be cut."""


class Desk:
    """One colleague's browser."""

    def __init__(self, browser: Any, site: str, user: Any, **options: Any) -> None:
        self.site = site
        self.context = browser.new_context(viewport={"width": 1400, "height": 900}, **options)
        client = Client()
        client.force_login(user, backend="crm.organisation.backends.PasswordBackend")
        name = settings.SESSION_COOKIE_NAME
        self.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": site}])
        self.context.add_init_script(LINES)
        self.page = self.context.new_page()
        self.faults: list[str] = []
        self.page.on("pageerror", lambda fault: self.faults.append(str(fault)))
        self.page.on("dialog", lambda dialog: self.faults.append(f"dialog: {dialog.message}"))

    def open(self, path: str) -> Any:
        self.page.goto(self.site + path)
        self.page.wait_for_selector("#live[data-state=live]", state="attached")
        return self.page

    def state(self) -> dict[str, Any]:
        return self.page.evaluate(STATE)

    def cut(self) -> None:
        """No request and no socket comes through."""
        self.page.evaluate("__cut(true)")
        self.page.wait_for_selector("#live[data-state=polling]", state="attached")
        self.context.set_offline(True)

    def mend(self) -> None:
        """The net is there again."""
        self.page.evaluate("__cut(false)")
        self.context.set_offline(False)


@pytest.fixture
def desks(browser, site, agent, supervisor, ticket, channel):
    made = [Desk(browser, site, user) for user in (agent, supervisor)]
    yield made
    for desk in made:
        desk.context.close()
        assert desk.faults == []


def arrives(ticket, text: str) -> Message:
    """A message from the customer, written in another process than the site's: no hint reaches its sockets."""
    return factories.MessageFactory(ticket=ticket, contact=ticket.contact, text=text)


def test_a_message_appears_without_reload_and_holds_the_answer(desks, ticket, agent, supervisor):
    one, two = desks
    path = f"/desk/inbox/{ticket.number}/"
    first, second = one.open(path), two.open(path)
    first.get_by_text("Supervisor is looking at this ticket").wait_for()
    second.locator("#text").press_sequentially("An answer of ours")
    first.get_by_text("Supervisor is typing").wait_for()

    # The other one notes something through the site's own process: both see it at once.
    first.keyboard.press("n")
    first.locator("#text").fill("Look at the seal kit first")
    first.keyboard.press("Control+Enter")
    second.get_by_text("Look at the seal kit first").wait_for(timeout=AT_ONCE)

    # A message comes in behind the page's back: the answer is held, shown, and sent on demand.
    second.evaluate(
        "window.fetch = (original => (url, ...rest) => String(url).includes('/after/') ? new Promise(() => {}) : original(url, ...rest))(window.fetch)"
    )
    second.set_viewport_size({"width": 1400, "height": 560})
    arrives(ticket, "Wait, it is the other machine")
    second.keyboard.press("Control+Enter")
    second.get_by_text("Not sent yet: something new has arrived").wait_for()
    # In the list it may stand as well, as the ticket's preview.
    news = second.locator("#entries").get_by_text("Wait, it is the other machine")
    assert news.count() == 1
    seen = "(news) => news.getBoundingClientRect().bottom <= document.querySelector('#talk').getBoundingClientRect().bottom"
    assert news.evaluate(seen)
    assert second.locator("#text").input_value() == "An answer of ours"
    assert not Message.objects.filter(kind="outbound").exists()
    second.get_by_role("button", name="Send anyway").click()
    second.locator(".g-message--ours", has_text="An answer of ours").wait_for()
    assert Message.objects.filter(kind="outbound").count() == 1
    assert second.locator("#text").input_value() == ""


def test_after_a_cut_everything_is_there_once_and_in_order(desks, ticket, agent, supervisor):
    one, two = desks
    path = f"/desk/inbox/{ticket.number}/"
    page = one.open(path)
    page.wait_for_load_state("networkidle")  # what is under way is answered still
    one.cut()
    page.evaluate("() => 0")
    for n in range(5):
        arrives(ticket, f"While away {n}")
    services.set_priority(ticket, 4, by=supervisor)
    replies.add_note(ticket, author=supervisor, text="Noted while away")
    services.assign(ticket, agent, by=supervisor)
    time.sleep(1)
    assert page.get_by_text("While away 4").count() == 0
    one.mend()
    page.get_by_text("Noted while away").first.wait_for()
    page.wait_for_function("seq => document.querySelector('#ticket').dataset.seq === seq", arg=str(_sequence(ticket)))
    page.wait_for_timeout(2_000)  # longer than it had waited by itself before it tried again
    assert page.evaluate("__lines()") == 1
    fresh = two.open(path)
    fresh.wait_for_selector("#entries > [data-entry]")
    kept, loaded = one.state(), two.state()
    assert kept["entries"] == loaded["entries"]
    assert kept["head"] == loaded["head"]
    numbers = [int(seq) for seq, _text in kept["entries"]]
    assert numbers == sorted(set(numbers))


def test_a_line_that_has_gone_silent_is_given_up_at_once(desks, ticket):
    """R-22: half-open, as after a sleep. The browser tells of its end only after a minute."""
    page = desks[0].page
    page.clock.install()
    desks[0].open(f"/desk/inbox/{ticket.number}/")
    page.evaluate("__deafen()")
    arrives(ticket, "While it was deaf")
    page.clock.run_for(45_000)
    page.wait_for_function("() => __lines() === 1 && document.querySelector('#live').dataset.state === 'live'")
    page.locator("#entries").get_by_text("While it was deaf").wait_for()


def _sequence(ticket) -> int:
    ticket.refresh_from_db()
    return ticket.sequence


def test_a_ticket_that_goes_out_of_sight_leaves_the_screen_and_is_asked_for_no_more(desks, ticket, agent, supervisor):
    one, two = desks
    page, other = (desk.open(f"/desk/inbox/{ticket.number}/") for desk in (one, two))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/after/" in request.url else None)
    elsewhere = factories.QueueFactory(name="Elsewhere")
    # Through the site's own process, so that its hints reach the sockets.
    other.evaluate(
        """async ([url, queue]) => {
            const body = new FormData(); body.set("value", queue); body.set("seen", "0");
            await fetch(url, {method: "POST", body, headers: {"HX-Request": "true", "X-CSRFToken": document.getElementById("desk").dataset.csrf}});
        }""",
        [f"/desk/inbox/{ticket.number}/do/queue/", str(elsewhere.pk)],
    )
    page.locator("#conversation").get_by_text("No ticket is open").wait_for(timeout=15_000)
    assert page.locator("#ticket").count() == 0
    before = len(asked)
    page.wait_for_timeout(1_500)
    assert (before <= 2, len(asked)) == (True, before)


def test_the_page_lives_on_when_the_server_comes_back(browser, sites, agent, queue, ticket, channel):
    """The server is stopped, things happen, it starts again: the page catches up by itself."""
    port = free_port()
    with sites.serving(port=port) as site:
        desk = Desk(browser, site, agent)
        page = desk.open(f"/desk/inbox/{ticket.number}/")
        page.locator("#text").fill("A draft that must survive")
    page.wait_for_selector("#live[data-state=polling]")
    arrives(ticket, "Said while the server was away")
    with sites.serving(port=port):
        page.wait_for_selector("#live[data-state=live]", timeout=60_000)
        page.get_by_text("Said while the server was away").wait_for()
        assert page.locator("#text").input_value() == "A draft that must survive"
        page.reload()
        page.wait_for_function("() => document.querySelector('#text').value === 'A draft that must survive'")
        desk.context.close()
    assert desk.faults == []


def test_a_morning_with_the_keyboard_alone(browser, site, agent, queue, channel):
    """Open, take, answer, resolve, next: four keys and the text, never the mouse."""
    contact = factories.ContactFactory(email="k@customer.test")
    for n in range(4):
        ticket = factories.TicketFactory(queue=queue, contact=contact, subject=f"Question {n}", status="new")
        factories.MessageFactory(ticket=ticket, contact=contact, from_address="k@customer.test")
    desk = Desk(browser, site, agent)
    page = desk.open("/desk/inbox/?view=open")
    for _ in range(4):
        before = page.url
        page.keyboard.press("j")
        page.keyboard.press("r")  # at once: it is meant for the ticket that comes
        page.wait_for_url(lambda url, before=before: url != before)
        page.wait_for_function("() => document.activeElement.id === 'text'")
        page.keyboard.type("Answered.")
        page.keyboard.press("Control+Enter")
        page.locator(".g-message--ours", has_text="Answered.").wait_for()
        page.wait_for_timeout(400)
    assert Message.objects.filter(kind="outbound").count() == 4
    desk.context.close()
    assert desk.faults == []


XSS = '"><img src=x onerror="window.__xss=1"><svg onload="window.__xss=1">'


def test_no_payload_runs_anywhere_in_the_workspace(browser, site, agent, queue, channel):
    """S-01, S-03: policy enforced; names, subjects, bodies, files, notes, tags."""
    contact = factories.ContactFactory(name=XSS, email="x@customer.test")
    ticket = factories.TicketFactory(queue=queue, contact=contact, subject=XSS, preview=XSS)
    ticket.tags.create(name=XSS[:60])
    html = f'<p>{XSS}<script>window.top.__xss=1</script><a href="javascript:window.top.__xss=1">x</a><base href="https://canary.test/"></p>'
    message = factories.MessageFactory(
        ticket=ticket, contact=contact, from_name=XSS, from_address="x@customer.test", text=XSS, html=html, subject=XSS
    )
    factories.AttachmentFactory(message=message, name=XSS, content=b"x", content_type="text/html")
    factories.MessageFactory(ticket=ticket, kind="note", author=agent, text=XSS)
    desk = Desk(browser, site, agent)
    outside: list[str] = []
    desk.page.on("request", lambda request: request.url.startswith((site, "data:")) or outside.append(request.url))
    page = desk.open(f"/desk/inbox/{ticket.number}/?view=all")
    page.locator("[data-frame]").first.click()
    page.wait_for_timeout(700)
    page.keyboard.press("Control+k")
    page.locator("#palette-input").fill(str(ticket.number))
    page.wait_for_timeout(700)
    assert page.locator("#palette-list").inner_text().startswith('"><img src=x')
    assert page.evaluate("window.__xss") is None
    assert outside == []
    assert page.evaluate("document.title").startswith(f'#{ticket.number} "><img')
    desk.context.close()
    assert desk.faults == []


def beyond_the_edge(page, selector):
    """Left and right edges of what does not lie wholly inside of the window."""
    return page.locator(selector).evaluate_all(
        "all => all.map(e => e.getBoundingClientRect()).filter(r => r.width && (r.left < 0 || r.right > innerWidth))"
        ".map(r => [r.left, r.right])"
    )


def test_a_menu_opens_to_the_side_that_has_room(browser, site, agent, ticket, channel):
    """The tags stand further to the right or to the left, as wide as the window is and as much as stands before them."""
    services.tag(ticket, add=["steam", "vip"], by=agent)
    services.assign(ticket, agent, by=agent)
    desk = Desk(browser, site, agent)
    page = desk.open(f"/desk/inbox/{ticket.number}/?view=open")
    menu = page.locator("[data-menu=tag]")
    for width in range(1000, 1500, 60):
        page.set_viewport_size({"width": width, "height": 800})
        menu.locator("summary").click()
        menu.get_by_role("button", name="steam").wait_for(state="visible")
        page.wait_for_function(
            "() => { const box = document.querySelector('[data-menu=tag] .g-menu__panel').getBoundingClientRect();"
            " return box.left >= 0 && box.right <= innerWidth; }",
            timeout=10_000,
        )
        page.keyboard.press("Escape")
    desk.context.close()
    assert desk.faults == []


def test_one_pane_at_a_time_on_a_phone(browser, site, agent, ticket, channel):
    desk = Desk(browser, site, agent)
    desk.page.set_viewport_size({"width": 360, "height": 740})
    page = desk.open("/desk/inbox/?view=open")
    assert page.locator("#rows").is_visible()
    page.get_by_role("link", name="The machine leaks").click()
    page.locator("#composer").wait_for()
    assert not page.locator("#rows").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.locator("#text").fill("A few words")
    page.locator("#draft-note:not(:empty)").wait_for()
    assert beyond_the_edge(page, "#composer .desk-composer__foot > *") == []
    for menu in page.locator(".desk-head .g-menu").all():
        menu.locator("summary").click()
        menu.locator(".g-menu__panel").wait_for(state="visible")
        assert beyond_the_edge(page, ".desk-head .g-menu[open] .g-menu__panel") == []
        page.keyboard.press("Escape")
    page.go_back()
    page.locator("#rows").wait_for(state="visible")
    assert not page.locator("#composer").is_visible()
    desk.context.close()
    assert desk.faults == []


def test_an_answer_goes_the_way_that_was_chosen(browser, site, agent, ticket, channel):
    """With keys alone: w, an address that is typed, Enter, the text. The draft keeps the choice over a reload."""
    Message.objects.filter(ticket=ticket).update(channel=channel)
    sales = factories.ChannelFactory(name="Sales", address="sales@example.com", queue=ticket.queue)
    desk = Desk(browser, site, agent)
    page = desk.open(f"/desk/inbox/{ticket.number}/")
    assert page.locator("#way").inner_text().strip() == "anna@customer.test"
    page.keyboard.press("w")
    page.wait_for_function("() => document.activeElement.matches('[data-ways-find]')")
    page.keyboard.type("boss@customer.test")
    page.locator("#ways-list [data-way-choice]", has_text="boss@customer.test").filter(has_text="Sales").wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.locator("#way").inner_text().strip() == "boss@customer.test"
    page.keyboard.type("For the boss")
    page.get_by_text("Draft kept in this browser").wait_for()
    page.reload()
    page.wait_for_function("() => document.querySelector('#text').value === 'For the boss'")
    assert page.locator("#way").inner_text().strip() == "boss@customer.test"
    page.locator("#text").press("Control+Enter")
    page.locator(".g-message--ours", has_text="For the boss").wait_for()
    sent = Message.objects.get(kind="outbound").deliveries.get()
    assert (sent.channel, sent.recipient) == (sales, "boss@customer.test")
    page.locator("#way", has_text="anna@customer.test").wait_for()  # the next one goes the customer's own way
    desk.context.close()
    assert desk.faults == []


def test_an_answer_whose_acknowledgement_was_lost_is_sent_once(browser, site, agent, ticket, channel):
    """The line is cut after the server has the answer; the colleague sends again, also after a reload."""
    desk = Desk(browser, site, agent)
    page = desk.open(f"/desk/inbox/{ticket.number}/")

    def cut(route):
        route.fetch()
        route.abort()

    page.route("**/reply/", cut)
    page.locator("#text").fill("Once only")
    page.get_by_text("Draft kept in this browser").wait_for()
    page.locator("#send").click()
    page.locator(".g-toast.g-tone-danger").wait_for()
    page.locator("#send").click()
    page.locator(".g-toast.g-tone-danger").nth(1).wait_for()
    page.unroute("**/reply/")
    page.reload()
    page.wait_for_function("() => document.querySelector('#text').value === 'Once only'")
    page.locator("#send").click()
    page.wait_for_function("() => document.querySelector('#text').value === ''")
    assert Message.objects.filter(kind="outbound").count() == 1
    # The next answer is another one, though its words are the same.
    page.locator("#text").fill("Once only")
    page.locator("#send").click()
    page.locator(".g-message--ours").nth(1).wait_for()
    assert Message.objects.filter(kind="outbound").count() == 2
    desk.context.close()
    assert desk.faults == []
