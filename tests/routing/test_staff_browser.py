"""The editor and the week in a real browser, with the keyboard."""

from urllib.parse import urlsplit

import pytest
from django.conf import settings

from routing.models import BusinessHours, Rule

pytestmark = [pytest.mark.chromium, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(browser, site, login, supervisor):
    client = login(supervisor)
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": site}])
    shown = context.new_page()
    shown.faults = []
    shown.on("pageerror", lambda fault: shown.faults.append(str(fault)))
    shown.on("console", lambda said: shown.faults.append(said.text) if said.type == "error" else None)
    shown.site = site
    yield shown
    context.close()


def changed(page, act):
    """Do something that lets the server draw the rows again, and wait for them."""
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        act()
    page.wait_for_selector("[data-editor]:not([inert])", state="attached")


def focused(page):
    return page.evaluate("document.activeElement.name || document.activeElement.value")


def test_a_rule_is_made_with_the_keyboard(page):
    page.goto(f"{page.site}/desk/rules/new/")
    page.fill("[name=name]", "Invoices")
    changed(page, lambda: page.select_option("[name=c1-fact]", "subject"))
    assert focused(page) == "c1-fact"
    page.fill("[name=c1-value]", "invoice")
    changed(page, lambda: page.press("[value='add-condition g0']", "Enter"))
    assert page.input_value("[name=c1-value]") == "invoice"
    row = page.locator("[data-editor] .r-row [name$=-fact]").nth(1)
    name = row.get_attribute("name")
    assert focused(page) == name
    changed(page, lambda: row.select_option("has_attachments"))
    changed(page, lambda: page.press(f"[value='up {name.removesuffix('-fact')}']", "Enter"))
    facts = [field.input_value() for field in page.locator("[data-editor] [name$=-fact]").all()]
    assert facts == ["has_attachments", "subject"]
    changed(page, lambda: page.select_option("[name$=-action]", "set_priority"))
    page.select_option("[name$=-priority]", "3")
    page.press("[name=name]", "Enter")
    page.wait_for_url("**/desk/rules/?event=message.received*")
    rule = Rule.objects.get()
    assert rule.conditions == {
        "match": "all",
        "items": [
            {"fact": "has_attachments", "operator": "yes"},
            {"fact": "subject", "operator": "contains", "value": "invoice"},
        ],
    }
    assert rule.actions == [{"action": "set_priority", "priority": "3"}]
    assert page.locator(f"#rule-{rule.pk} .r-rule__words").inner_text().startswith("If has attachments and subject")
    assert page.faults == []


def test_the_week_grows_shrinks_and_is_copied(page):
    page.goto(f"{page.site}/desk/hours/new/")
    page.fill("[name=name]", "Office")
    page.select_option("[name=time_zone]", "Europe/Berlin")
    days = [page.locator(f"[data-day='{number}']") for number in range(7)]
    page.fill("[name=d0-closes]", "12:00")
    days[0].locator("[data-add-stretch]").press("Enter")
    days[0].locator("[name=d0-opens]").nth(1).fill("13:00")
    days[0].locator("[name=d0-closes]").nth(1).fill("18:00")
    days[0].locator("[data-copy]").click()
    assert [rect.get_attribute("x") for rect in days[1].locator(".r-bar__open").all()] == ["780", "540"]
    days[4].locator("[data-remove-stretch]").click()
    assert days[4].locator("[data-closed]").is_visible()
    page.click("footer button[type=submit]")
    page.wait_for_url("**/desk/hours/")
    shifts = [(s.weekday, f"{s.opens:%H}", f"{s.closes:%H}") for s in BusinessHours.objects.get().shifts.all()]
    assert shifts == [
        (0, "09", "12"), (0, "13", "18"), (1, "09", "12"), (1, "13", "18"), (2, "09", "17"), (3, "09", "17"),
    ]  # fmt: skip
    assert page.faults == []


def test_nothing_is_wider_than_a_telephone(page):
    page.set_viewport_size({"width": 360, "height": 700})
    for address in ("rules/", "rules/new/", "hours/new/", "queues/new/", "sla/new/", "macros/new/", "keywords/new/"):
        page.goto(f"{page.site}/desk/{address}")
        width = page.evaluate(
            "Math.max(...[...document.querySelectorAll('main *')].map((e) => e.closest('.g-tabs, .g-table-wrap') ? 0 : e.getBoundingClientRect().right))"
        )
        assert 300 < width <= 360, urlsplit(page.url).path
