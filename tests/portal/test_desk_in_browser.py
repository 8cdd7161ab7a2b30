"""Every page of the desk in a real browser, with the policy enforced: no violation, no script error, nothing too wide."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.base import ContentFile

from crm.customers.models import Region, Tag
from crm.marketing.importing import service
from crm.organisation.models import Notification
from tests import factories
from tests.portal.test_browser import trouble

pytestmark = [pytest.mark.chromium, pytest.mark.django_db(transaction=True)]
MARKUP = '"><img src=x onerror=__xss=1>'
CLIPPED = """[...document.querySelectorAll(":is(.s-page, .s-form) :is(.g-card, .g-button, .g-input)")].filter((part) => {
  const box = part.getBoundingClientRect();
  return box.width > 0 && box.right > innerWidth + 1;
}).map((part) => part.outerHTML.slice(0, 120))"""
"""Parts of a page that reach beyond the window; main hides what is too wide, so the page's own width tells nothing."""


@pytest.fixture
def pages(administrator: Any, channel: Any, queue: Any) -> list[str]:
    """Addresses of all screens, each with a record whose names are markup."""
    customer = factories.CustomerFactory(name=MARKUP)
    contact = factories.ContactFactory(name=MARKUP, customer=customer)
    factories.PointFactory(contact=contact, value="x@customer.test")
    ticket = factories.TicketFactory(contact=contact, subject=MARKUP, queue=queue)
    message = factories.MessageFactory(ticket=ticket, contact=contact, text=MARKUP)
    delivery = factories.DeliveryFactory(message=message, channel=channel, state="failed", response=MARKUP)
    raw = factories.RawMessageFactory(channel=channel, state="dead", reason=MARKUP)
    template = factories.TemplateFactory(name=MARKUP, texts={"en": (MARKUP, MARKUP)})
    tag, region = Tag.objects.create(name=MARKUP), Region.objects.create(name=MARKUP)
    department = factories.DepartmentFactory(name=MARKUP)
    rule, macro, words = factories.RuleFactory(), factories.MacroFactory(), factories.KeywordSetFactory()
    hours, sla = factories.BusinessHoursFactory(), factories.SLAPolicyFactory()
    factories.PointFactory(contact=contact, kind="phone", value="+494012345678")
    task = factories.TaskFactory(title=MARKUP, note=MARKUP, assignee=administrator, contact=contact, queue=queue)
    appointment = factories.AppointmentFactory(topic=MARKUP, place=MARKUP, contact=contact, people=[administrator])
    script = factories.CallScriptFactory(name=MARKUP, texts={"en": (MARKUP, [MARKUP])})
    calls = factories.CallListFactory(name=MARKUP, purpose=MARKUP, script=script, people=[administrator])
    factories.CallListEntryFactory(call_list=calls, note=MARKUP)
    job = service.upload(calls, ContentFile(f"{MARKUP};Phone\n{MARKUP};1\n".encode(), name=MARKUP), by=None)
    Notification.objects.create(user=administrator, text=MARKUP)
    return [
        "", "gallery/", "profile/", "notifications/", "tickets/",
        "customers/", "customers/new/", f"customers/{customer.pk}/", f"customers/edit/{customer.pk}/", f"customers/delete/{customer.pk}/", f"customers/history/{customer.pk}/",
        "contacts/", "contacts/new/", f"contacts/{contact.pk}/", f"contacts/edit/{contact.pk}/",
        "tags/", f"tags/edit/{tag.pk}/", "regions/", f"regions/edit/{region.pk}/",
        "people/", "people/new/", f"people/edit/{administrator.pk}/", "departments/", f"departments/edit/{department.pk}/",
        "channels/", "channels/new/", f"channels/{channel.pk}/", f"channels/edit/{channel.pk}/",
        "templates/", "templates/new/", f"templates/edit/{template.pk}/", "journal/", f"journal/{raw.pk}/", "deliveries/", f"deliveries/{delivery.pk}/",
        "rules/", "rules/new/", f"rules/edit/{rule.pk}/", "queues/", f"queues/edit/{queue.pk}/", "hours/", f"hours/edit/{hours.pk}/",
        "sla/", f"sla/edit/{sla.pk}/", "macros/", f"macros/edit/{macro.pk}/", "keywords/", f"keywords/edit/{words.pk}/",
        "tasks/", f"tasks/{task.pk}/", "tasks/all/", "tasks/all/new/", f"tasks/all/edit/{task.pk}/", f"tasks/all/history/{task.pk}/",
        "appointments/", "appointments/new/", f"appointments/{appointment.pk}/", f"appointments/edit/{appointment.pk}/",
        "call-lists/", "call-lists/new/", f"call-lists/{calls.pk}/", f"call-lists/{calls.pk}/?preview=1", f"call-lists/edit/{calls.pk}/", f"call-lists/{calls.pk}/import/{job.pk}/",
        "call-entries/", "call-scripts/", f"call-scripts/{script.pk}/", f"call-scripts/edit/{script.pk}/", "refused-numbers/", "refused-numbers/new/",
        "inbox/", f"inbox/{ticket.number}/", "nothing-here/",
    ]  # fmt: skip


def fit(page: Any, width: int, scheme: str) -> None:
    """Show the page in a window so wide, and in these colours."""
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    page.evaluate("new Promise((then) => requestAnimationFrame(() => requestAnimationFrame(then)))")


def test_walk(site: str, browser: Any, login: Any, administrator: Any, pages: list[str]) -> None:
    session = login(administrator).cookies["session"].value
    context = browser.new_context(reduced_motion="reduce")  # the menu slides after a change of width
    context.add_cookies([{"name": "session", "value": session, "url": site}])
    complaints: list[str] = []
    asked: list[str] = []
    page = context.new_page()
    page.on("console", lambda m: complaints.append(f"{page.url}: {m.text}") if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    page.on("dialog", lambda dialog: complaints.append(f"{page.url}: dialog {dialog.message}"))
    page.on("request", lambda request: asked.append(request.url))
    looks = [(360, "dark"), (1280, "light")]
    fit(page, *looks[0])
    for path in pages:
        response = page.goto(f"{site}/desk/{path}", wait_until="load")
        assert response.status == (404 if path == "nothing-here/" else 200), path
        page.wait_for_timeout(150)
        for look in looks:
            if look is not looks[0]:
                fit(page, *look)
            clipped = page.evaluate(CLIPPED)
            assert clipped == [], f"{path} at {look}"
            over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert over <= 0, f"{path} is {over} px too wide at {look}"
        assert page.evaluate("window.__xss") is None, path
        looks.reverse()  # the next one is loaded in the look in which this one was left
    foreign = [url for url in asked if not url.startswith((site, "data:", "blob:"))]
    assert foreign == []
    assert [each for each in complaints if "nothing-here" not in each] == []


@pytest.mark.parametrize("look", [(360, "light"), (1280, "dark")])
def test_everybody_can_use_it(
    look: tuple[int, str], site: str, browser: Any, login: Any, administrator: Any, ticket: Any, channel: Any
) -> None:
    """What is worked with most, by eye of axe-core (WCAG 2.2 AA)."""
    session = login(administrator).cookies["session"].value
    context = browser.new_context()
    context.add_cookies([{"name": "session", "value": session, "url": site}])
    page = context.new_page()
    fit(page, *look)
    worked = ("", "inbox/", f"inbox/{ticket.number}/", "rules/", "rules/new/", f"channels/{channel.pk}/")
    assert [each for path in worked for each in trouble(page, site, f"/desk/{path}")] == []


def test_a_contact_is_found_by_typing(site: str, browser: Any, login: Any, administrator: Any, contact: Any) -> None:
    """The picker with the keyboard alone; what it shows is text."""
    other = factories.ContactFactory(name=f"Anna {MARKUP}")
    factories.PointFactory(contact=other, value="second@customer.test")
    session = login(administrator).cookies["session"].value
    context = browser.new_context()
    context.add_cookies([{"name": "session", "value": session, "url": site}])
    page = context.new_page()
    page.goto(f"{site}/desk/contacts/{contact.pk}/")
    field = page.get_by_role("combobox", name="Is the same person as")
    field.fill("second@")
    option = page.get_by_role("option").filter(has_text="second@customer.test")
    option.wait_for()
    assert option.inner_text().splitlines()[0] == f"Anna {MARKUP}"
    field.press("Enter")
    assert field.input_value() == f"Anna {MARKUP}"
    page.get_by_role("button", name="Link").click()
    page.get_by_text("The two contacts are one person now.").wait_for()
    assert page.evaluate("window.__xss") is None


def test_a_preview_runs_nothing(site: str, browser: Any, login: Any, administrator: Any) -> None:
    session = login(administrator).cookies["session"].value
    context = browser.new_context()
    context.add_cookies([{"name": "session", "value": session, "url": site}])
    page = context.new_page()
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    page.goto(f"{site}/desk/templates/new/")
    page.locator("[name=body_en]").fill("Hello {{ contact.name }} <script>top.__xss=1</script> https://example.com")
    page.locator("button[formtarget=preview]").first.click()
    frame = page.frame_locator("iframe[name=preview]")
    frame.get_by_text("Hello Anna Schmidt <script>top.__xss=1</script>").wait_for()
    assert page.evaluate("window.__xss") is None
    assert page.url.endswith("/desk/templates/new/")
