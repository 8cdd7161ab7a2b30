"""A fax before a colleague's browser: pages seen, paged and turned by keys, an answer looked at before it leaves."""

from __future__ import annotations

import time

import pytest
from django.conf import settings
from django.test import Client

from inbox.models import Delivery, FaxDocument
from inbox.services import fax_pages
from tests import factories
from tests.inbox.fax import sheets
from tests.inbox.fax.conftest import CALLER, settings_of

pytestmark = [pytest.mark.chromium, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(browser, site, agent):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    client = Client()
    client.force_login(agent, backend="crm.organisation.backends.PasswordBackend")
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": site}])
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    yield page
    context.close()
    assert faults == []


def test_a_fax_is_read_turned_and_answered(page, site, fax, contact, queue, agent):
    fax.settings = settings_of(in_ocr="off", out_by="hfaxd", out_host="fax.test")
    fax.save()
    factories.PointFactory(contact=contact, kind="fax", value=CALLER)
    ticket = factories.TicketFactory(queue=queue, contact=contact, subject="Fax")
    message = factories.MessageFactory(
        ticket=ticket, contact=contact, channel=fax, from_address=CALLER, text="Order 4711"
    )
    factories.AttachmentFactory(message=message, name="fax.tif", content_type="image/tiff", content=sheets.three())
    page.goto(f"{site}/desk/inbox/{ticket.number}/")
    page.get_by_text("The pages are being drawn…").wait_for()
    while fax_pages.draw_waiting():
        pass
    thumbs = page.locator(".fax__sheet img")
    page.get_by_text("3 pages").wait_for()
    assert thumbs.count() == 3
    assert page.get_by_role("group", name="Text").get_attribute("tabindex") == "0", "its words scroll, also by keys"
    page.wait_for_function("() => [...document.querySelectorAll('.fax__sheet img')].every(i => i.naturalWidth === 160)")

    thumbs.nth(1).click()
    at = page.locator("[data-fax-at]")
    viewer = page.locator("[data-fax-viewer]")
    viewer.wait_for()
    page.wait_for_function("() => document.querySelector('[data-fax-at]').textContent === '2'")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.querySelector('[data-fax-at]').textContent === '3'")
    page.keyboard.press("Home")
    page.wait_for_function("() => document.querySelector('[data-fax-at]').textContent === '1'")
    wide = viewer.locator("img").first.bounding_box()["width"]
    page.keyboard.press("+")
    assert viewer.locator("img").first.bounding_box()["width"] == pytest.approx(wide * 1.25, rel=0.02)
    page.keyboard.press("0")
    page.keyboard.press("r")
    page.wait_for_function(
        "() => { const i = document.querySelector('[data-sheet] img'); return i.src.endsWith('turn=90') && i.naturalWidth > i.naturalHeight; }"
    )
    assert FaxDocument.objects.get().turn == 90
    assert at.text_content() in ("1", "2", "3")
    page.keyboard.press("Escape")
    page.wait_for_function("() => document.querySelector('.fax__sheet img').src.includes('turn=90')")

    page.keyboard.press("r")
    page.locator("#text").press_sequentially("On its way. 已经发货。")
    page.get_by_role("button", name="Preview").click()
    page.get_by_text("This is what will be faxed").wait_for()
    page.wait_for_function("() => document.querySelector('[data-sheet] img').naturalWidth === 1000")
    assert page.locator("[data-sheet]").count() == 1
    page.keyboard.press("Escape")
    assert Delivery.objects.count() == 0
    page.locator("#send").click()
    end = time.monotonic() + 10
    while not Delivery.objects.exists():
        assert time.monotonic() < end
        page.wait_for_timeout(100)
    assert (Delivery.objects.get().recipient, Delivery.objects.get().channel) == (CALLER, fax)
