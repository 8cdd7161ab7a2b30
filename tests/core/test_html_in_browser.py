"""What the sanitiser wrote, in a real browser (S-04)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.html import clean
from tests.core import trees

pytestmark = [pytest.mark.chromium, pytest.mark.once]

AGAIN = """
(text) => JSON.parse(text).filter((page) => {
  const read = (html) => new DOMParser().parseFromString(html, "text/html");
  const once = read(page), written = once.body.innerHTML;
  const odd = [...once.querySelectorAll("body *")].some((each) =>
    each.namespaceURI !== "http://www.w3.org/1999/xhtml" || /^(SCRIPT|STYLE|FORM|INPUT|IFRAME|OBJECT|EMBED|TEMPLATE|NOSCRIPT)$/.test(each.tagName)
    || [...each.attributes].some(({ name, value }) => /^on|^id$|^name$|:/.test(name) || (/^(href|src)$/.test(name) && !/^(https?:|\\/files\\/7\\/)/i.test(value))));
  return odd || once.head.childNodes.length > 0 || read(written).body.innerHTML !== written;
})
"""


def test_a_browser_reads_what_the_sanitiser_wrote(browser: Any) -> None:
    """Another parser than the sanitiser's sees a harmless tree, and sees the same one again in what it writes."""
    page = browser.new_context().new_page()

    def odd(pages: list[str]) -> list[str]:
        return page.evaluate(AGAIN, json.dumps(pages))

    assert len(odd(["<p onclick=x>", '<a href="javascript:x">', "<svg><p>", "<p>fine</p>"])) == 3
    assert odd([clean(tree, {"known@example.com": "/files/7/picture"}) for tree in trees.grown(10_000)]) == []
