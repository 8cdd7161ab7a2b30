"""What one sees: every state by eye of axe-core, contrast for any colour, sizes of what is pressed, small and odd screens."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.inbox.widget.conftest import Host, Server, opened, say, visit
from tests.inbox.widget.test_talk import LENA, until

pytestmark = [pytest.mark.chromium, pytest.mark.once]
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
STATES = ("closed", "welcome", "talk", "menu", "unsent", "address", "ended", "form", "call", "done")


def bring(page: Any, server: Server, state: str) -> None:
    """Put an open, empty panel into this state."""
    if state in ("talk", "menu", "address", "ended"):
        say(page, "My machine leaks, see https://a.test/photo")
        page.get_by_text("Sent", exact=True).wait_for()
        file = {"id": "f1", "name": "manual.pdf", "type": "application/pdf", "size": 99000, "image": False}
        server.control(set={"agent": LENA}, answer="Where does it leak?", more={"files": [file]})
        server.control(tell=True)
        server.control(push={"about": "typing", "on": True})
        page.get_by_text("is typing").wait_for()
    if state in ("menu", "call", "done"):
        page.get_by_label("More").click()
    if state == "unsent":
        server.plan(refuse={"code": "invalid", "title": "That is too long.", "status": 400})
        say(page, "Hello")
        page.get_by_text("That is too long.").wait_for()
    if state == "address":
        page.locator(".foot summary").click()
    if state == "ended":
        server.control(add={"kind": "note", "text": "The chat has ended."}, state={"status": "ended"})
        server.control(tell=True)
        page.get_by_role("group", name="How did we do?").wait_for()
    if state in ("call", "done"):
        page.get_by_role("button", name="Request a call").click()
    if state == "done":
        page.get_by_label("Your name").filter(visible=True).fill("Anna")
        page.get_by_label("Phone number").filter(visible=True).fill("+49 40 1")
        page.get_by_role("button", name="Request a call").click()
        page.get_by_role("heading", name="Thank you. We will call you").wait_for()


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_axe_finds_nothing_serious_in_any_state(server: Server, host: Host, browser: Any, look: str) -> None:
    axe = Axe()
    found: dict[str, list[str]] = {}
    for state in STATES:
        server.control(fresh=True, set={"look": {"theme": "dark" if look == "dark" else "light"}})
        if state == "form":
            server.plan(duty="closed")
        if state == "closed":
            page = visit(browser, host, **(PHONE if look == "phone" else {}))
        else:
            page = opened(browser, host, **(PHONE if look == "phone" else {}))
        bring(page, server, state)
        result = axe.run(page)
        for violation in result.response["violations"]:
            if violation["impact"] in ("serious", "critical"):
                found.setdefault(state, []).append(f"{violation['id']}: {violation['nodes'][0]['html'][:200]}")
        ours = [check for check in result.response["passes"] if "guichet-chat" in str(check["nodes"])]
        assert len(ours) > 5, "axe did not look into the widget"
        page.context.close()
    assert found == {}


def test_black_or_white_is_readable_on_every_colour(server: Server, host: Host, browser: Any) -> None:
    page = visit(browser, host)
    worst = page.evaluate("""async () => {
      const root = document.querySelector('guichet-chat').shadowRoot.querySelector('.g');
      const linear = (v) => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
      let worst = 21;
      for (let n = 0; n < 4096; n++) {
        const parts = [n >> 8, n >> 4 & 15, n & 15].map((x) => x * 17);
        const colour = '#' + parts.map((x) => x.toString(16).padStart(2, '0')).join('');
        await guichet.set({colour});
        if (root.style.getPropertyValue('--c') !== colour) throw new Error(colour);
        const [r, g, b] = parts.map((x) => linear(x / 255));
        const l = .2126 * r + .7152 * g + .0722 * b;
        const white = root.style.getPropertyValue('--o') === '#fff';
        worst = Math.min(worst, white ? 1.05 / (l + .05) : (l + .05) / .05);
      }
      return worst;
    }""")
    assert worst >= 4.5


SMALL = """(least) => {
  const root = document.querySelector('guichet-chat').shadowRoot;
  return [...root.querySelectorAll('button, summary, input, textarea, select')].filter((e) => e.checkVisibility()).map((e) => {
    const b = e.getBoundingClientRect();
    return [e.ariaLabel || e.textContent || e.name, Math.round(b.width), Math.round(b.height)];
  }).filter(([, w, h]) => w < least || h < least) }"""


@pytest.mark.parametrize(("options", "least"), [({}, 24), (PHONE, 44)])
@pytest.mark.parametrize("state", ["talk", "menu", "unsent", "address", "ended", "call"])
def test_what_is_pressed_is_large_enough(
    server: Server, host: Host, browser: Any, options: dict[str, Any], least: int, state: str
) -> None:
    page = opened(browser, host, **options)
    bring(page, server, state)
    assert page.evaluate(SMALL, least) == []


@pytest.mark.parametrize(("width", "height"), [(320, 640), (320, 256), (360, 740)])
def test_small_screens_and_zoom(server: Server, host: Host, browser: Any, width: int, height: int) -> None:
    """1280 × 1024 at 400 % is 320 × 256: everything can be reached, nothing scrolls sideways."""
    page = opened(browser, host, viewport={"width": width, "height": height})
    say(page, "https://example.com/" + "a" * 300)
    page.get_by_text("Sent", exact=True).wait_for()
    panel = page.locator(".panel")
    assert panel.bounding_box() == {"x": 0, "y": 0, "width": width, "height": height}
    for part in (".panel", ".body"):
        assert page.locator(part).evaluate("e => e.scrollWidth - e.clientWidth") == 0
    for name in ("Send", "Attach files", "More", "Close chat"):
        control = (
            page.locator(".panel").get_by_role("button", name=name).or_(page.get_by_label(name)).filter(visible=True)
        )
        control.first.scroll_into_view_if_needed()
        box = control.first.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= width
        assert box["y"] >= -1 and box["y"] + box["height"] <= height + 1
    assert not page.locator(".launcher").is_visible()
    assert page.locator(".bubble").last.bounding_box()["height"] > 100


def test_nothing_moves(server: Server, host: Host, browser: Any) -> None:
    page = opened(browser, host, reduced_motion="reduce")
    bring(page, server, "talk")
    assert page.evaluate("document.querySelector('guichet-chat').shadowRoot.getAnimations().length") == 0


def test_forced_colours_keep_edges(server: Server, host: Host, browser: Any) -> None:
    page = opened(browser, host, forced_colors="active")
    bring(page, server, "talk")
    edges = page.evaluate("""() => ['.panel', '.mine .bubble', '.theirs .bubble', '.send', '.launcher', '.composer'].map((key) => {
      const s = getComputedStyle(document.querySelector('guichet-chat').shadowRoot.querySelector(key));
      return [s.borderTopWidth, s.borderTopColor === s.backgroundColor, s.borderTopStyle] })""")
    assert edges == [["1px", False, "solid"]] * 6


def test_the_theme_follows_the_system_when_it_may(server: Server, host: Host, browser: Any) -> None:
    server.plan(look={"theme": "auto"})
    page = opened(browser, host, color_scheme="dark")
    root = page.locator(".g")
    assert root.get_attribute("class") == "g right dark"
    page.emulate_media(color_scheme="light")
    until(page, lambda: root.get_attribute("class") == "g right auto")
    page.evaluate("guichet.set({theme: 'dark'})")
    until(page, lambda: root.get_attribute("class") == "g right dark")


@pytest.mark.parametrize(("locale", "language"), [("zh-hans", "zh-hans"), ("zh-hant", "zh-hant")])
def test_chinese_has_its_own_language_mark(
    server: Server, host: Host, browser: Any, locale: str, language: str
) -> None:
    """Browsers choose the face and the regional form of a sign by it."""
    server.plan(locale=locale)
    page = opened(browser, host)
    assert page.locator(".g").get_attribute("lang") == language
    assert page.locator(".bubble").evaluate("e => getComputedStyle(e).letterSpacing") == "normal"
