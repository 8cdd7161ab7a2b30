"""Payloads as mails, through the real intake, in a real browser (S-01, S-02, S-07, S-08, S-09, S-10, S-11).

Cleaning and frame must each hold alone: once the policy is taken away, once the cleaning (see `layers`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.test import Client

from inbox.models import Channel, Message, RawMessage
from tests import factories
from tests.security import corpus
from tests.servers.site import Sites

pytestmark = [pytest.mark.chromium, pytest.mark.django_db(transaction=True)]

PROBE = """
() => {
  const wrong = [];
  for (const box of document.querySelectorAll("iframe")) {
    const inside = box.contentDocument, place = box.getAttribute("src");
    if (!inside || !inside.body) { wrong.push(place + " has left our origin"); continue; }
    const head = [...inside.head.children].map((part) => part.tagName).filter((tag) => !/^(META|STYLE|TITLE)$/.test(tag));
    if (head.length || inside.body.attributes.length) wrong.push(`${place}: head or body are not ours`);
    for (const each of inside.body.querySelectorAll("*")) {
      for (const { name, value } of each.attributes) {
        if (/^(on|hx-|x-|v-|ng-|formaction|ping|srcset|srcdoc|id$|class$|name$)/i.test(name))
          wrong.push(`${place}: ${name}=${value}`);
      }
      if (/^(SCRIPT|FORM|INPUT|BUTTON|TEXTAREA|SELECT|IFRAME|OBJECT|EMBED|BASE|LINK|SVG|MATH|VIDEO|AUDIO)$/i.test(each.tagName))
        wrong.push(`${place}: <${each.tagName}>`);
      if (each.tagName === "A" && each.hasAttribute("href")) {
        const written = /^(https?:|mailto:|tel:)/i.test(each.getAttribute("href"));
        if (!written || !/^(https?|mailto|tel|):$/.test(each.protocol)) wrong.push(`${place}: ${each.href}`);
        if (each.target !== "_blank" || !/noopener/.test(each.rel)) wrong.push(`${place}: opens here ${each.href}`);
      }
      for (const kind of ["mouseover", "focus", "pointerenter", "toggle", "error"])
        each.dispatchEvent(new Event(kind));
    }
    if (box.contentWindow.__xss) wrong.push(`${place}: it ran`);
  }
  return wrong;
}
"""


@dataclass
class Watch:
    """What pages of a context do that they should not."""

    home: str
    outside: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)

    def over(self, context: Any) -> None:
        context.on("request", self._request)
        context.on("requestfailed", self._failed)
        context.on("console", lambda line: self.said.append(line.text) if line.type in ("error", "warning") else None)
        context.on("weberror", lambda fault: self.said.append(str(fault.error)))
        context.on("dialog", self._dialog)
        context.on("page", lambda page: page.on("framenavigated", self._navigated))

    def _request(self, request: Any) -> None:
        self.asked.append(request.url)
        if request.url.startswith(("http:", "https:", "ws:", "wss:", "ftp:")) and not request.url.startswith(self.home):
            self.outside.append(request.url)

    def _failed(self, request: Any) -> None:
        """What the policy stopped in the browser never went out."""
        if request.failure in ("csp", "origin") and request.url in self.outside:
            self.outside.remove(request.url)
            self.stopped.append(request.url)

    def _dialog(self, dialog: Any) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def _navigated(self, frame: Any) -> None:
        if not frame.url.startswith((self.home, "about:", "chrome-error:")):
            self.left.append(frame.url)

    @property
    def harm(self) -> list[str]:
        return [*self.outside, *self.dialogs, *self.left]


@pytest.fixture
def home(sites: Sites, transactional_db: None) -> Iterator[str]:
    with sites.serving("tests.security.layers:application") as address:
        yield address


@pytest.fixture
def anna(db: None) -> Any:
    user = factories.UserFactory(email="anna@schmidt.test", name="Anna", language="en")
    contact = factories.ContactFactory(name="Anna", user=user)
    factories.PointFactory(contact=contact, value=user.email, verified=True)
    return user


Open = Callable[..., tuple[Any, Watch]]


@pytest.fixture
def enter(browser: Any, home: str) -> Open:
    """`enter(user, only="…")`: a page of somebody who is logged in, and what watches it."""

    def visit(user: Any, only: str = "") -> tuple[Any, Watch]:
        client = Client()
        client.force_login(user, backend="crm.organisation.backends.PasswordBackend")
        headers = {"X-Only": only} if only else {}
        context = browser.new_context(
            extra_http_headers=headers, locale="en-GB", viewport={"width": 1300, "height": 900}
        )
        name = settings.SESSION_COOKIE_NAME
        context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": home}])
        watch = Watch(home)
        watch.over(context)
        return context.new_page(), watch

    return visit


def received(channel: Channel, bodies: list[str], *, html: bool, subject: str) -> list[Message]:
    return corpus.receive(channel, bodies, html=html, sender="Anna <anna@schmidt.test>", subject=subject)


def in_frames(page: Any, home: str, addresses: list[str]) -> list[str]:
    """What is wrong with these addresses in frames without a sandbox."""
    wrong = []
    for at in range(0, len(addresses), 70):
        some = addresses[at : at + 70]
        page.goto(f"{home}/-frames/?" + urlencode([("at", address) for address in some]), wait_until="load")
        assert page.locator("iframe").count() == len(some)
        wrong += page.evaluate(PROBE)
    return wrong


def opened(page: Any, address: str) -> Any:
    """The conversation with the frames of all its mails open, first without pictures, then with them."""
    page.goto(address, wait_until="load")
    buttons = page.locator("[data-frame][aria-expanded=false]")
    page.evaluate("document.querySelectorAll('[data-frame][aria-expanded=false]').forEach((b) => b.click())")
    assert buttons.count() == 0
    page.wait_for_load_state("networkidle")
    return page


def test_cleaning_holds_without_any_policy(enter: Open, home: str, channel: Channel, agent: Any, anna: Any) -> None:
    pages = received(channel, corpus.PAYLOADS, html=True, subject="Pages")
    texts = received(channel, corpus.texts(), html=False, subject="Texts")
    page, watch = enter(agent, only="cleaning")
    frames = [f"/desk/inbox/messages/{m.pk}/frame/" for m in pages]
    assert in_frames(page, home, frames) == []
    pictured = [m for m in pages if "canary.test" in m.html and "<img" in m.html.lower()]
    assert len(pictured) > 5
    assert in_frames(page, home, [f"/desk/inbox/messages/{m.pk}/frame/?pictures=1" for m in pictured]) == []
    assert any("/usercontent/" in url for url in watch.asked)
    assert watch.harm == []

    page, _watch = enter(agent, only="nothing")
    assert (
        len([line for line in in_frames(page, home, frames[:9]) if line.endswith("it ran")]) > 2
    )  # else it sees nothing

    page, watch = enter(anna, only="cleaning")
    originals = [f"/my/messages/{m.pk}/original/" for m in [*pages[::8], *texts]]
    assert in_frames(page, home, originals) == []
    assert in_frames(page, home, [f"/my/messages/{m.pk}/original/?pictures=1" for m in pictured[:5]]) == []
    assert watch.harm == []


def test_the_frame_holds_without_any_cleaning(enter: Open, home: str, channel: Channel, agent: Any, anna: Any) -> None:
    own = '<img src="cid:none@x"><script>top.__xss=1;parent.__xss=1;document.title="ran"</script>'
    pages = received(channel, [*corpus.grouped(), own], html=True, subject="Pages")
    page, watch = enter(agent, only="frame")
    opened(page, f"{home}/desk/inbox/{pages[0].ticket.number}/")
    assert page.evaluate("window.__xss") is None
    bodies = [frame for frame in page.frames if "/frame/" in frame.url]
    assert len(bodies) > 30
    assert "__xss" in bodies[0].content()  # the cleaning is really off
    assert watch.harm == []
    refused = [line for line in watch.said if "Content Security Policy" in line or "Blocked script" in line]
    assert len(refused) > 20

    page, watch = enter(anna, only="frame")
    page.goto(f"{home}/my/tickets/{pages[0].ticket.number}/")
    page.evaluate("document.querySelectorAll('details.p-original').forEach((d) => { d.open = true })")
    for shown in page.locator("iframe").all():
        shown.scroll_into_view_if_needed()
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.__xss") is None
    assert len([frame for frame in page.frames if "/original/" in frame.url]) > 30
    assert watch.harm == []


def test_every_page_that_shows_a_mail_is_quiet(
    enter: Open, home: str, channel: Channel, agent: Any, administrator: Any, anna: Any
) -> None:
    pages = received(channel, corpus.grouped(), html=True, subject=corpus.PAYLOADS[20])
    rest = received(channel, corpus.texts(), html=False, subject=corpus.PAYLOADS[0])
    numbers = [pages[0].ticket.number, rest[0].ticket.number]

    page, watch = enter(agent)
    for number in numbers:
        opened(page, f"{home}/desk/inbox/{number}/")
        page.evaluate("document.querySelectorAll('[data-pictures]').forEach((b) => b.click())")
        page.wait_for_load_state("networkidle")
        assert page.evaluate("window.__xss") is None
    assert any("/usercontent/" in url for url in watch.asked)
    page.goto(f"{home}/desk/inbox/?q=script")
    assert (watch.harm, watch.said) == ([], [])

    page, watch = enter(anna)
    for address in ("/", "/my/tickets/", *(f"/my/tickets/{number}/" for number in numbers)):
        page.goto(home + address)
        page.evaluate("document.querySelectorAll('details.p-original').forEach((d) => { d.open = true })")
        page.wait_for_load_state("networkidle")
        assert page.evaluate("window.__xss") is None
    assert (watch.harm, watch.said) == ([], [])

    page, watch = enter(administrator)
    for raw in RawMessage.objects.order_by("pk")[1::12]:
        page.goto(f"{home}/desk/journal/{raw.pk}/")
        assert page.evaluate("window.__xss") is None
    page.goto(f"{home}/desk/templates/new/")
    for text in (corpus.PAYLOADS[0] + corpus.PAYLOADS[20], corpus.grouped()[2]):
        page.fill("[name=subject_en]", text.splitlines()[0][:190])
        page.fill("[name=body_en]", text)
        with page.expect_response(lambda answer: "/preview/" in answer.url) as shown:
            page.locator("[formtarget=preview]").first.click()
        assert shown.value.status == 200
    assert page.evaluate("window.__xss") is None
    assert (watch.harm, watch.said) == ([], [])
