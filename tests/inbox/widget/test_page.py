"""The widget as a guest on somebody else's page: it takes nothing, leaves nothing, and nothing there breaks it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.inbox.widget.conftest import OPEN_ROOTS, Host, Server, opened, say, shown, tab, visit
from tests.inbox.widget.test_talk import LENA, WELCOME, until

pytestmark = [pytest.mark.chromium, pytest.mark.once]
HOSTILE = """
* { display: none !important; color: red !important; font: 3px fantasy !important; position: static !important; }
html, body, body * { display: block !important } html { font-size: 62.5%; direction: rtl }
guichet-chat { display: none !important; opacity: 0 !important; transform: scale(.1) !important; visibility: hidden !important;
  z-index: -1 !important; pointer-events: none !important; width: 1px !important; filter: blur(9px) !important }
button, textarea { background: red !important; width: 100% !important } body { transform: rotate(3deg) }
"""


def test_no_cookie_no_third_party_no_trace(server: Server, host: Host, browser: Any) -> None:
    context = browser.new_context(locale="en-GB")
    context.add_init_script(OPEN_ROOTS)
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = tab(context, host)
    page.locator(".launcher").click()
    say(page, "Hello")
    page.get_by_text("Sent", exact=True).wait_for()
    assert context.cookies() == []
    assert {r["cookie"] for r in server.control()["received"] if r["door"] == "http"} == {None}
    assert [url for url in asked if not url.startswith((host.url, server.url, "data:"))] == []
    assert page.evaluate("Object.keys(localStorage)") == ["guichet:demo-key-0001"]
    assert page.evaluate("Object.getOwnPropertyNames(window).filter((n) => /guichet/.test(n)).sort()") == [
        "guichet",
        "guichetSettings",
    ]


def test_it_works_where_storage_is_blocked(server: Server, host: Host, browser: Any) -> None:
    context = browser.new_context(locale="en-GB")
    context.add_init_script(OPEN_ROOTS)
    context.add_init_script(
        "for (const name of ['localStorage', 'sessionStorage'])"
        " Object.defineProperty(window, name, {get() { throw new DOMException('no', 'SecurityError') }})"
    )
    page = tab(context, host)
    page.locator(".launcher").click()
    say(page, "Private mode")
    page.get_by_text("Sent", exact=True).wait_for()
    assert shown(page) == [WELCOME, "Private mode"]
    assert page.complaints == []


def test_it_works_on_a_page_without_tls_and_locks(server: Server, host: Host, browser: Any) -> None:
    context = browser.new_context(locale="en-GB")
    context.add_init_script(OPEN_ROOTS)
    context.add_init_script(
        "delete Navigator.prototype.locks; delete Crypto.prototype.randomUUID; delete Crypto.prototype.subtle"
    )
    page = tab(context, host)
    page.locator(".launcher").click()
    say(page, "Plain")
    page.get_by_text("Sent", exact=True).wait_for()
    name = server.received("say")[0]["said"]["id"]
    assert len(name) == 36 and name[14] == "4"


def test_the_launcher_moves_nothing(server: Server, host: Host, browser: Any) -> None:
    host.before = (
        "window.moved = 0; new PerformanceObserver((list) => list.getEntries().forEach((e) => moved += e.value))"
        ".observe({type: 'layout-shift', buffered: true}); window.early = document.documentElement.scrollHeight"
    )
    page = visit(browser, host)
    page.wait_for_timeout(300)
    assert page.evaluate("moved") == 0
    height = page.evaluate("document.documentElement.scrollHeight")
    page.locator(".launcher").click()
    page.wait_for_timeout(200)
    assert page.evaluate("moved") == 0
    assert page.evaluate("[document.documentElement.scrollHeight, document.documentElement.scrollWidth]") == [
        height,
        1280,
    ]
    assert page.evaluate("document.body.contains(document.querySelector('guichet-chat'))") is False


def test_the_page_is_loaded_before_the_chat_answers(server: Server, host: Host, browser: Any) -> None:
    context = browser.new_context()
    context.add_init_script(OPEN_ROOTS)
    context.route("**/session", lambda route: None)  # never
    page = tab(context, host, wait=False)
    page.wait_for_load_state("load")
    assert page.evaluate("document.readyState") == "complete"
    assert page.locator("guichet-chat").count() == 0
    assert page.evaluate("typeof guichet.open") == "function"


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_hostile_styles(server: Server, host: Host, browser: Any, direction: str) -> None:
    host.css = HOSTILE
    host.html = host.html.replace("<html", f'<html dir="{direction}"')
    page = opened(browser, host)
    say(page, "Still readable")
    page.get_by_text("Sent", exact=True).wait_for()
    style = page.locator(".mine .bubble").evaluate(
        "e => { const s = getComputedStyle(e); return [s.fontSize, s.direction, s.color, s.backgroundColor] }"
    )
    assert style == ["15px", "ltr", "rgb(255, 255, 255)", "rgb(11, 92, 173)"]
    box = page.locator(".panel").bounding_box()
    assert (box["width"], round(box["x"] + box["width"])) == (384, 1260)
    assert page.locator("guichet-chat").evaluate(
        "e => { const s = getComputedStyle(e); return [s.opacity, s.transform, s.visibility, s.filter, s.pointerEvents, s.position] }"
    ) == ["1", "none", "visible", "none", "auto", "fixed"]


def test_hebrew_in_a_talk_reads_from_right_to_left(server: Server, host: Host, browser: Any) -> None:
    page = opened(browser, host)
    say(page, "שלום, המכונה דולפת")
    page.get_by_text("Sent", exact=True).wait_for()
    assert page.locator(".mine .bubble").evaluate("e => getComputedStyle(e).direction") == "rtl"


SETTINGS = [
    ({"position": "left"}, "g left light", "#0b5cad"),
    ({"theme": "dark", "colour": "#f2c14e"}, "g right dark", "#f2c14e"),
    ({"position": "top; } * { x", "theme": "<b>", "colour": "red"}, "g right light", "#0b5cad"),
    ({"colour": "#FFFFFF"}, "g right light", "#0b5cad"),
    ({"colour": "#12345"}, "g right light", "#0b5cad"),
    ({"colour": "#123456;background:url(//evil)"}, "g right light", "#0b5cad"),
    ({"colour": ["#123456"], "position": {"x": 1}, "theme": None}, "g right light", None),
]


@pytest.mark.parametrize(("settings", "kind", "colour"), SETTINGS)
def test_settings_are_checked(
    server: Server, host: Host, browser: Any, settings: dict[str, Any], kind: str, colour: str | None
) -> None:
    """S-13"""
    host.settings = settings
    page = visit(browser, host)
    root = page.locator("guichet-chat .g")
    assert root.get_attribute("class") == kind
    if colour:
        assert root.evaluate("e => e.style.getPropertyValue('--c')") == colour


def test_markup_stays_text_everywhere(server: Server, host: Host, browser: Any) -> None:
    """S-03, S-13: title, label, names, messages, files, words and errors."""
    evil = '"><img src=x onerror="window.__xss=1"><script>window.__xss=1</script>'
    server.plan(
        look={"title": evil, "welcome": evil, "launcher": evil},
        agent={"name": evil, "initials": evil, "picture": "javascript:window.__xss=1"},
        texts={"online": evil, "write": evil, "send": evil},
    )
    host.settings = {"launcherLabel": evil[:40], "user": {"identifier": evil, "name": evil, "attributes": {"a": evil}}}
    page = opened(browser, host)
    say(page, evil)
    page.get_by_text("Sent", exact=True).wait_for()
    server.control(answer=evil, more={"files": [{"id": "f", "name": evil, "type": evil, "size": 1, "image": False}]})
    server.control(add={"kind": "note", "text": evil})
    server.control(tell=True)
    page.locator(".line").filter(has_text="<script>").wait_for()
    assert page.evaluate("window.__xss") is None
    root = "document.querySelector('guichet-chat').shadowRoot"
    assert page.evaluate(f"{root}.querySelectorAll('script, .bubble img, h2 img, .launcher img').length") == 0
    assert shown(page) == [evil, evil, evil]
    assert page.locator("h2").inner_text() == evil


def test_links(server: Server, host: Host, browser: Any) -> None:
    server.control(
        answer="See https://a.test/x?y=1&z=(2). Mail mailto:a@b.test, call tel:+4940123! Not javascript:alert(1),"
        " data:text/html,x or 网址https://b.test/路径。谢谢 http://c.test"
    )
    page = opened(browser, host)
    links = page.locator(".bubble a")
    hrefs = links.evaluate_all("all => all.map((a) => a.getAttribute('href'))")
    assert hrefs == [
        "https://a.test/x?y=1&z=(2",
        "mailto:a@b.test",
        "tel:+4940123",
        "https://b.test/路径",
        "http://c.test",
    ]
    assert set(links.evaluate_all("all => all.map((a) => a.rel + ' ' + a.target)")) == {
        "noreferrer nofollow ugc _blank"
    }


def test_messages_between_windows_are_ignored(server: Server, host: Host, browser: Any) -> None:
    """S-77"""
    page = opened(browser, host)
    page.evaluate(
        "for (const data of [{about: 'events', seq: 9, events: [{seq: 9, kind: 'answer', text: 'forged', at: 0}]},"
        " 'guichet:open', {do: 'say', text: 'forged'}, null, [1]]) window.postMessage(data, '*')"
    )
    page.wait_for_timeout(200)
    assert shown(page) == [WELCOME]
    assert server.control()["events"] == []
    assert page.complaints == []


def test_the_interface_of_the_page(server: Server, host: Host, browser: Any) -> None:
    host.before = (
        "window.told = []; for (const name of ['ready', 'message', 'error'])"
        " document.addEventListener('guichet:' + name, (e) => told.push([name, e.detail]));"
        " (window.guichet = window.guichet || []).push(['identify', {identifier: '7', identifier_hash: 'ab', name: 'Anna'}]);"
        " guichet.push(['set', {position: 'left'}]); guichet.push(['open']); guichet.push(['nonsense', 1])"
    )
    host.settings = {"locale": "zh-hant"}
    page = visit(browser, host)
    page.locator(".panel").wait_for()
    first = server.received("session")[0]["said"]
    assert first["user"] == {"identifier": "7", "identifier_hash": "ab", "name": "Anna"}
    assert first["locale"] == "zh-hant"
    assert first["page"] == {"url": host.url, "title": "Shop", "referrer": ""}
    assert page.locator(".g").get_attribute("class") == "g left light"
    assert page.evaluate("told") == [["ready", {"duty": "open"}]]
    page.evaluate("guichet.close()")
    page.locator(".panel").wait_for(state="hidden")
    server.control(add={"kind": "said", "text": "Hello", "id": "aaaaaaaa-1"}, state={"status": "open"})
    page.evaluate("guichet.identify({identifier: '8', identifier_hash: 'cd'})")
    until(page, lambda: len(server.received("session")) == 2)
    assert server.received("session")[1]["said"]["user"] == {"identifier": "8", "identifier_hash": "cd"}
    page.evaluate("guichet.open()")
    until(page, lambda: server.control()["sockets"] == 1)
    server.control(answer="Hi", more={"agent": LENA})
    until(page, lambda: len(page.evaluate("told")) == 2)
    name, detail = page.evaluate("told")[1]
    assert (name, detail["kind"], detail["text"], detail["agent"]) == ("message", "answer", "Hi", LENA)
    page.evaluate("guichet.setLocale('zh-hans')")
    until(page, lambda: len(server.received("session")) == 3)
    assert server.received("session")[2]["said"]["locale"] == "zh-hans"
    assert page.evaluate("Object.keys(guichet)") == ["open", "close", "identify", "set", "setLocale", "reset", "push"]
    page.evaluate("guichet.push(['close'])")
    page.locator(".panel").wait_for(state="hidden")


def test_words_change_with_the_language_and_what_was_typed_stays(server: Server, host: Host, browser: Any) -> None:
    page = opened(browser, host)
    page.get_by_label("Your message").fill("half a")
    server.plan(locale="zh-hans", texts={"text": "您的留言", "send": "发送"})
    page.evaluate("guichet.setLocale('zh-hans')")
    page.get_by_label("您的留言").wait_for()
    assert page.get_by_label("您的留言").input_value() == "half a"
    assert page.locator(".g").get_attribute("lang") == "zh-hans"
    assert page.locator(".panel").is_visible()


def test_an_own_launcher(server: Server, host: Host, browser: Any) -> None:
    host.settings = {"launcher": False}
    page = visit(browser, host, wait=False)
    page.evaluate("document.getElementById('own').onclick = () => guichet.open()")
    page.locator("guichet-chat").wait_for(state="attached")
    assert not page.locator(".launcher").is_visible()
    page.locator("#own").click()
    page.locator(".panel").wait_for()
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") == "own"


def test_a_site_that_may_not_use_it_shows_nothing(server: Server, host: Host, browser: Any) -> None:
    server.plan(session={"code": "origin", "title": "This site may not use the chat.", "status": 403})
    host.before = "window.told = []; document.addEventListener('guichet:error', (e) => told.push(e.detail.code))"
    page = visit(browser, host, wait=False)
    until(page, lambda: page.evaluate("told").__len__() == 1)
    page.wait_for_timeout(200)
    assert page.evaluate("told") == ["origin"]
    assert page.locator("guichet-chat").count() == 0
    assert len(server.received("session")) == 1


def test_an_identity_that_is_refused_does_not_cost_the_chat(server: Server, host: Host, browser: Any) -> None:
    host.settings = {"user": {"identifier": "7", "identifier_hash": "forged"}}
    host.before = "window.told = []; document.addEventListener('guichet:error', (e) => told.push(e.detail.code))"
    context = browser.new_context()
    context.add_init_script(OPEN_ROOTS)
    answer = {
        "status": 400,
        "headers": {"access-control-allow-origin": "*"},
        "body": '{"code": "invalid", "title": "No"}',
    }
    context.route(
        "**/session", lambda r: r.fulfill(**answer) if "forged" in (r.request.post_data or "") else r.continue_()
    )
    page = tab(context, host)
    assert page.evaluate("told") == ["invalid"]
    assert "user" not in server.received("session")[0]["said"]


def test_a_server_that_is_away_is_asked_again(server: Server, host: Host, browser: Any) -> None:
    server.plan(session={"code": "later", "title": "One moment.", "status": 503})
    page = visit(browser, host, wait=False, clock=True)
    until(page, lambda: len(server.received("session")) == 1)
    server.plan(session=None)
    page.clock.run_for(2_500)
    page.locator(".launcher").wait_for()


def test_a_server_that_never_answers_is_asked_ever_less(server: Server, host: Host, browser: Any) -> None:
    """So it looks on a site that the chat does not know: the browser keeps the refusal to itself."""
    host.before = "window.told = 0; document.addEventListener('guichet:error', () => told++)"
    context = browser.new_context()
    context.route("**/session", lambda route: route.abort())
    context.clock.install()
    page = tab(context, host, wait=False)
    until(page, lambda: page.evaluate("told") == 1)
    for n in range(2, 13):  # 2 + 4 + … s: within two hours
        until(page, lambda n=n: page.evaluate("told") >= n, step=2_000 * 2 ** (n - 2))
    before = page.evaluate("told")
    for _ in range(3):
        page.clock.run_for(20 * 60_000)
        page.wait_for_timeout(50)
    assert page.evaluate("told") <= before + 1


@pytest.mark.parametrize("key", ["", "short", "a/../../b", '"><script>', "x" * 65])
def test_a_key_that_can_be_none_asks_nothing(server: Server, host: Host, browser: Any, key: str) -> None:
    host.key = key.replace('"', "&quot;")
    page = visit(browser, host, wait=False)
    page.wait_for_timeout(150)
    assert server.received("session") == []
    assert page.locator("guichet-chat").count() == 0


def test_twice_on_a_page_is_once(server: Server, host: Host, browser: Any) -> None:
    line = host.html[host.html.index('<script nonce="n0" async') : host.html.index("</body>")]
    host.html = host.html.replace(line, line + line)
    page = visit(browser, host)
    page.wait_for_timeout(200)
    assert page.locator("guichet-chat").count() == 1
    assert len(server.received("session")) == 1


def test_articles_have_their_place(server: Server, host: Host, browser: Any) -> None:
    page = opened(browser, host)
    page.evaluate(
        "() => { const a = document.createElement('p'); a.slot = 'articles'; a.textContent = 'Descaling in five steps';"
        " document.querySelector('guichet-chat').append(a) }"
    )
    box, foot = page.get_by_text("Descaling in five steps").bounding_box(), page.locator(".foot").bounding_box()
    panel = page.locator(".panel").bounding_box()
    assert panel["y"] < box["y"] < foot["y"]
    assert panel["x"] <= box["x"] and box["width"] <= panel["width"]
