"""The portal in a real browser: the whole way of a new customer, and every page by eye of axe-core (WCAG 2.2 AA)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect

from crm.service.models import Ticket
from inbox.models import Channel, Delivery, Message

pytestmark = [pytest.mark.chromium, pytest.mark.django_db(transaction=True)]
LEVELS = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
PASSWORD = "window seat 42"
expect.set_options(timeout=20_000)


class Watch:
    """Collects what a browser complains of, on all pages of a context."""

    def __init__(self, context: BrowserContext) -> None:
        self.complaints: list[str] = []
        context.on("console", lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None)
        context.on("weberror", lambda e: self.complaints.append(str(e.error)))


def mailed_link(address: str) -> str:
    text = Delivery.objects.filter(recipient=address).latest("id").content["text"]
    return re.search(r"https?://\S+", text)[0]


def test_from_sign_up_to_an_answer(site: str, browser: Browser, form_channel: Channel) -> None:
    context = browser.new_context(locale="en-GB")
    watch, page = Watch(context), context.new_page()
    page.goto(site)
    page.get_by_role("link", name="Sign in", exact=True).click()
    page.get_by_role("link", name="Create one").click()
    page.get_by_label("Your name").fill("Nora Neu")
    page.get_by_label("E-mail address").fill("nora@new.test")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    page.get_by_role("heading", level=1, name="Check your mail", exact=True).wait_for()
    page.goto(mailed_link("nora@new.test"))
    with page.expect_navigation():
        page.get_by_role("button", name="Yes, confirm").click()
    page.goto(f"{site}/my/tickets/")
    if page.url.startswith(f"{site}/accounts/login/"):
        page.get_by_label("E-mail address").fill("nora@new.test")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="New request").click()
    page.get_by_label("Topic").select_option("Delivery")
    page.get_by_label("Subject").fill("Second parcel is missing")
    page.get_by_label("Your message").fill("Only one of two arrived.")
    page.get_by_label("Files").set_input_files({"name": "label.png", "mimeType": "image/png", "buffer": b"x"})
    page.get_by_role("button", name="Send request").click()
    page.get_by_role("link", name="label.png").wait_for()
    ticket = Ticket.objects.get()
    assert page.url == f"{site}/my/tickets/{ticket.number}/"
    page.get_by_label("Your message").fill("One thing more: the order is A-20931.")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator(".g-message__text").last).to_have_text("One thing more: the order is A-20931.")
    page.get_by_role("button", name="This is solved").click()
    page.get_by_title("Very good").click()
    page.get_by_role("button", name="Send rating").click()
    page.get_by_role("img", name="5/5").wait_for()
    assert page.get_by_role("img", name="4/5").count() == 0
    assert Message.objects.filter(ticket=ticket, kind=Message.Kind.INBOUND).count() == 2
    page.get_by_label("Appearance").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.get_by_label("Language").click()
    page.keyboard.press("Escape")
    expect(page.locator("details[open]")).to_have_count(0)
    assert watch.complaints == []


def test_a_guest_confirms(site: str, browser: Browser, form_channel: Channel) -> None:
    context = browser.new_context(locale="en-GB", java_script_enabled=False)
    watch, page = Watch(context), context.new_page()
    page.goto(f"{site}/contact/")
    page.get_by_label("Your name").fill("Guest")
    page.get_by_label("Your e-mail address").fill("guest@new.test")
    page.get_by_label("Subject").fill("A question")
    page.get_by_label("Your message").fill("Are you open on Sunday?")
    page.wait_for_timeout(3200)
    with page.expect_navigation():
        page.get_by_role("button", name="Send request").click()
    page.goto(mailed_link("guest@new.test"))
    assert Ticket.objects.count() == 0
    with page.expect_navigation():
        page.get_by_role("button", name="Yes, send my request").click()
    assert f"#{Ticket.objects.get().number}" in page.get_by_role("main").inner_text()
    assert watch.complaints == []


def test_a_mails_html_runs_and_fetches_nothing(site: str, browser: Browser, annas: Ticket, anna: Any) -> None:
    Message.objects.filter(ticket=annas, seq=1).update(
        html='<p>Hi</p><script>parent.__xss=1</script><img src="https://canary.test/x.png" onerror="parent.__xss=1">'
    )
    context = signed_in(site, browser, anna)
    asked: list[str] = []
    context.on("request", lambda r: asked.append(r.url))
    page = context.new_page()
    page.goto(f"{site}/my/tickets/{annas.number}/")
    page.get_by_text("Show original").click()
    frame = page.frame_locator("iframe")
    assert frame.locator("p").inner_text() == "Hi"
    page.wait_for_timeout(300)
    assert page.evaluate("window.__xss") is None
    assert [url for url in asked if not url.startswith(site)] == []


def signed_in(site: str, browser: Browser, user: Any, **options: Any) -> BrowserContext:
    EmailAddress.objects.get_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})
    client = Client()
    client.force_login(user, backend="crm.organisation.backends.PasswordBackend")
    context = browser.new_context(locale="en-GB", **options)
    context.add_cookies([{"name": "session", "value": client.cookies["session"].value, "url": site}])
    return context


OPEN_PAGES = ["/", "/contact/", "/contact/sent/", "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/", "/accounts/confirm-email/"]  # fmt: skip
OWN_PAGES = ["/", "/my/tickets/", "/my/tickets/?state=closed", "/my/tickets/?q=x", "/contact/", "/my/account/", "/accounts/email/", "/accounts/password/change/", "/accounts/2fa/", "/accounts/logout/"]  # fmt: skip


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1600, "dark")])
def test_everybody_can_use_it(width: int, scheme: str, site: str, browser: Browser, annas: Ticket, anna: Any) -> None:
    # The site is no test run: it knows Argon2 only.
    hasher = Argon2PasswordHasher()
    anna.password = hasher.encode(PASSWORD, hasher.salt())
    anna.save()
    Ticket.objects.filter(pk=annas.pk).update(subject="Donaudampfschifffahrtsgesellschaftskapitän " * 5)
    options = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme}
    visitor = browser.new_context(locale="en-GB", **options).new_page()
    customer = signed_in(site, browser, anna, **options).new_page()
    customer.goto(f"{site}/my/tickets/{annas.number}/")
    number = f"/my/tickets/{annas.number}/"
    found = [trouble(visitor, site, path) for path in OPEN_PAGES]
    found += [trouble(customer, site, path) for path in (*OWN_PAGES, number)]
    with customer.expect_navigation():
        customer.get_by_role("button", name="This is solved").click()
    found.append(trouble(customer, site, number))
    customer.goto(f"{site}/accounts/2fa/totp/activate/")
    found.append(findings(customer))
    customer.get_by_label("Password").fill(PASSWORD)
    with customer.expect_navigation():
        customer.get_by_role("button", name="Confirm").click()
    customer.get_by_label("Six digits").wait_for()
    found.append(findings(customer))
    assert [each for pages in found for each in pages] == []


def trouble(page: Page, site: str, path: str) -> list[str]:
    """`findings` of the page at `path`."""
    page.goto(site + path)
    return findings(page)


def findings(page: Page) -> list[str]:
    """What axe finds to be of weight on the page that is shown, and whether it is wider than the window."""
    too_wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    found = [f"{page.url}: {too_wide} px too wide"] if too_wide > 0 else []
    for each in Axe().run(page, options=LEVELS).response["violations"]:
        if each["impact"] in ("serious", "critical", "moderate"):
            found.append(f"{page.url}: {each['id']}: {each['nodes'][0]['html'][:200]}")
    return found
