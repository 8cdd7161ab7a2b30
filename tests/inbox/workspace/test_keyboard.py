"""A colleague who works with the keyboard alone, in a real browser."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from crm.customers.models import Tag
from routing.models import Macro
from tests import factories
from tests.inbox.workspace.test_browser import Desk

pytestmark = [pytest.mark.chromium, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def desk(browser, site, agent):
    opened = Desk(browser, site, agent)
    yield opened
    opened.context.close()
    assert opened.faults == []


def tickets(queue, channel, count):
    contact = factories.ContactFactory(email="k@customer.test")
    made = []
    for n in range(count):
        made.append(factories.TicketFactory(queue=queue, contact=contact, subject=f"Question {n}", status="new"))
        factories.MessageFactory(ticket=made[-1], contact=contact, from_address="k@customer.test")
    return made


def test_a_walk_down_the_list_meets_every_ticket_once(desk, queue, channel):
    """What got a note goes to the top, what was answered or resolved leaves; nothing throws the walker back."""
    tickets(queue, channel, 6)
    page = desk.open("/desk/inbox/?view=open")
    order = page.locator("[data-row]").evaluate_all("(rows) => rows.map((row) => row.dataset.number)")
    met = []

    def onwards():
        before = page.url
        page.keyboard.press("j")
        page.wait_for_url(lambda url: url != before)
        page.wait_for_function("() => location.pathname.includes(document.querySelector('#ticket')?.dataset.number)")
        met.append(re.search(r"inbox/(\d+)/", page.url)[1])

    def written(key):
        page.keyboard.press(key)
        page.wait_for_function("() => document.activeElement.id === 'text'")
        page.keyboard.type("Written.")
        page.keyboard.press("Control+Enter")

    def has_left():
        page.wait_for_function(f"() => !document.querySelector('[data-row][data-number=\"{met[-1]}\"]')")

    onwards()
    onwards()
    written("n")
    page.wait_for_function(f"() => document.querySelector('[data-row]').dataset.number === '{met[-1]}'")
    onwards()
    written("r")
    has_left()
    onwards()
    page.keyboard.press("e")
    has_left()
    onwards()
    assert met == order[:5]


def test_enter_takes_what_is_pointed_at_and_a_new_tag_only_where_none_begins_so(desk, queue, channel):
    [ticket] = tickets(queue, channel, 1)
    for name in ("roastery", "steam"):
        Tag.objects.create(name=name)
    page = desk.open(f"/desk/inbox/{ticket.number}/")

    def tagged(word, pointed):
        page.keyboard.press("t")
        page.locator("details[data-menu=tag] [data-choices-find]").wait_for()
        page.keyboard.type(word)
        assert page.locator("details[data-menu=tag] .is-pointed").inner_text().strip() == pointed
        page.keyboard.press("Enter")

    tagged("ste", "steam")
    page.locator("#ticket-head .g-badge--outline", has_text="steam").wait_for()
    tagged("oast", "Add oast")
    page.locator("#ticket-head .g-badge--outline", has_text="oast").wait_for()
    assert set(ticket.tags.values_list("name", flat=True)) == {"steam", "oast"}


def test_nothing_is_done_by_enter_before_a_word_was_typed(desk, queue, channel):
    [ticket] = tickets(queue, channel, 1)
    Macro.objects.create(name="Close it", actions=[{"action": "set_priority", "priority": "4"}])
    page = desk.open(f"/desk/inbox/{ticket.number}/")
    page.keyboard.press("y")
    page.locator("dialog [data-choices-find]").wait_for()
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)
    assert page.locator("dialog [data-choices-find]").is_visible()
    page.keyboard.type("clo")
    assert page.locator("dialog .is-pointed").inner_text().strip() == "Close it"


def test_who_types_before_the_choices_have_come_loses_nothing(desk, queue, channel, supervisor):
    """And sets nothing off: `a` took the ticket for whoever pressed Enter too soon, the `e` of a macro's name resolved."""
    [ticket] = tickets(queue, channel, 1)
    Macro.objects.create(name="Close it", actions=[{"action": "set_priority", "priority": "4"}])
    page = desk.open(f"/desk/inbox/{ticket.number}/")
    page.route("**/choices/**", lambda route: (page.wait_for_timeout(700), route.continue_()))
    page.keyboard.press("a")
    page.keyboard.type("super")
    page.keyboard.press("Enter")
    page.locator("details[data-menu=assign] > summary", has_text="Supervisor").wait_for()
    page.keyboard.press("y")
    page.keyboard.type("close")
    page.locator("dialog .is-pointed", has_text="Close it").wait_for()
    ticket.refresh_from_db()
    assert (ticket.assignee, ticket.status) == (supervisor, "new")


def test_the_next_letter_finds_the_field_of_a_menu(desk, queue, channel):
    """However soon it comes: the browser tells that a menu has opened only after it."""
    [ticket] = tickets(queue, channel, 1)
    page = desk.open(f"/desk/inbox/{ticket.number}/")
    assert page.evaluate(
        """async () => {
          document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "a", bubbles: true }));
          for (let n = 0; n < 20; n += 1) await null;
          return document.activeElement.matches("[data-choices-find]");
        }"""
    )


def test_a_menu_of_one_value_begins_at_the_one_that_is_set(desk, queue, channel):
    [ticket] = tickets(queue, channel, 1)
    page = desk.open(f"/desk/inbox/{ticket.number}/")
    page.keyboard.press("f")
    page.wait_for_function("() => document.activeElement.textContent.trim() === 'Normal'")


def test_escape_closes_what_is_suggested_and_goes_on_typing(desk, queue, channel):
    """The letters that follow would be taken for the page's keys, and `e` resolves."""
    [ticket] = tickets(queue, channel, 1)
    factories.TemplateFactory(name="Serial number", purpose="canned", shortcut="serial")
    page = desk.open(f"/desk/inbox/{ticket.number}/")
    page.keyboard.press("r")
    page.keyboard.type("/")
    page.locator(".desk-suggest button").wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("Backspace")
    page.keyboard.type("here")
    assert page.locator("#text").input_value() == "here"
    page.keyboard.press("Escape")
    page.wait_for_function("() => document.activeElement.id !== 'text'")


def test_a_time_of_ones_own_begins_with_tomorrow_morning(desk, queue, channel):
    [ticket] = tickets(queue, channel, 1)
    page = desk.open(f"/desk/inbox/{ticket.number}/")
    page.keyboard.press("s")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.locator("dialog input[type=datetime-local]").wait_for()
    page.keyboard.press("Enter")
    page.locator("#ticket-head", has_text="Snoozed").wait_for()
    ticket.refresh_from_db()
    assert ticket.snoozed_until.strftime("%H:%M") == "09:00"
    assert timezone.now() < ticket.snoozed_until < timezone.now() + timedelta(days=2)
