"""HTML from strangers comes out inert, and stays so (S-01 … S-05, S-07 … S-09)."""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser
from pathlib import Path

import nh3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.html import clean, linkify, to_text
from tests.core import trees

pytestmark = pytest.mark.once

PAYLOADS = (Path(__file__).parent / "xss" / "payloads.txt").read_text("utf-8").splitlines()
HARMLESS_TAGS = {
    "a", "abbr", "address", "article", "b", "bdi", "big", "blockquote", "br", "caption", "center", "cite", "code",
    "col", "colgroup", "dd", "del", "dfn", "div", "dl", "dt", "em", "figcaption", "figure", "font", "footer", "h1",
    "h2", "h3", "h4", "h5", "h6", "header", "hr", "i", "img", "ins", "kbd", "li", "main", "mark", "ol", "p", "pre",
    "q", "rp", "rt", "ruby", "s", "samp", "section", "small", "span", "strike", "strong", "sub", "sup", "table",
    "tbody", "td", "tfoot", "th", "thead", "time", "tr", "tt", "u", "ul", "var", "wbr",
}  # fmt: skip
HARMLESS_ATTRIBUTES = {
    "style", "title", "dir", "lang", "href", "src", "alt", "width", "height", "align", "valign", "border", "hspace",
    "vspace", "data-remote", "bgcolor", "cellpadding", "cellspacing", "colspan", "rowspan", "nowrap", "span",
    "size", "color", "noshade", "face", "start", "type", "value", "datetime", "rel", "target",
}  # fmt: skip
PICTURE = "/files/7/picture"
LINK = 'target="_blank" rel="noopener noreferrer nofollow"'


class Oracle(HTMLParser):
    """Collects what a browser would act on. It reads only what the sanitiser wrote, which is always well-formed."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in HARMLESS_TAGS:
            self.faults.append(f"tag {tag}")
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.faults.append(f"twice {names}")
        for name, value in attrs:
            value = value or ""
            if name not in HARMLESS_ATTRIBUTES:
                self.faults.append(f"attribute {name}")
            if name == "href" and not re.match(r"(?i)(https?:|mailto:|tel:)", value):
                self.faults.append(f"href {value}")
            if name == "src" and value != PICTURE:
                self.faults.append(f"src {value}")
            if name == "data-remote" and (tag != "img" or not re.match(r"(?i)https?:", value)):
                self.faults.append(f"data-remote {value}")
            if name == "style" and re.search(
                r"(?i)url|expression|position|image|var\(|behavior|binding|@|\\|(?<![\w-])-\d", value
            ):
                self.faults.append(f"style {value}")
        if tag == "a" and ("target", "_blank") not in attrs:
            self.faults.append("a without target")
        if tag == "a" and ("rel", "noopener noreferrer nofollow") not in attrs:
            self.faults.append("a without rel")

    def handle_comment(self, data: str) -> None:
        self.faults.append("comment")

    def handle_decl(self, decl: str) -> None:
        self.faults.append("declaration")

    def handle_pi(self, data: str) -> None:
        self.faults.append("instruction")


def faults(html: str) -> list[str]:
    oracle = Oracle()
    oracle.feed(html)
    oracle.close()
    return oracle.faults


def test_the_oracle_sees_what_is_dangerous() -> None:
    assert faults('<img src=x onerror="y">') == ["src x", "attribute onerror"]
    assert faults("<script>x</script>") == ["tag script"]
    assert faults('<a href="javascript:x">') == ["href javascript:x", "a without target", "a without rel"]
    assert faults('<p style="background:url(x)">') == ["style background:url(x)"]
    assert faults("<!-- x -->") == ["comment"]


def test_there_are_enough_payloads() -> None:
    assert len(set(PAYLOADS)) >= 200


@pytest.mark.parametrize("payload", PAYLOADS)
def test_payload_is_inert(payload: str) -> None:
    html = clean(payload, {"known@example.com": PICTURE})
    assert faults(html) == []
    assert clean(html, {"known@example.com": PICTURE}) == html
    assert nh3.clean_text(html).count("<") == 0


@pytest.mark.parametrize("payload", PAYLOADS)
def test_payload_as_plain_text_is_inert(payload: str) -> None:
    assert faults(linkify(payload)) == []
    assert faults(linkify(to_text(payload))) == []


@pytest.mark.parametrize("payload", PAYLOADS)
def test_payload_inside_a_mail_is_inert(payload: str) -> None:
    page = f'<html><body><table><tr><td style="color:red">Hello {payload} there</td></tr></table><p>Regards</p></body></html>'
    html = clean(page)
    assert faults(html) == []
    assert clean(html) == html


def test_what_people_write_is_kept() -> None:
    page = (
        '<html><head><title>no</title></head><body><p style="color:#ff0000; margin:0 0 12px 0">Guten <b>Tag</b>,</p>'
        '<table border="0" cellpadding="4"><tr><td bgcolor="#eeeeee" style="font-family:Arial, sans-serif;text-align:left">A&amp;B</td></tr></table>'
        '<a href="https://shop.example/?a=1&amp;b=2">Shop</a><br><ul><li>one</li></ul></body></html>'
    )
    assert clean(page) == (
        '<p style="color:#ff0000;margin:0 0 12px 0">Guten <b>Tag</b>,</p>'
        '<table border="0" cellpadding="4"><tbody><tr><td bgcolor="#eeeeee" style="font-family:Arial, sans-serif;text-align:left">A&amp;B</td></tr></tbody></table>'
        '<a href="https://shop.example/?a=1&amp;b=2" target="_blank" rel="noopener noreferrer nofollow">Shop</a><br><ul><li>one</li></ul>'
    )


@pytest.mark.parametrize(
    ("style", "kept"),
    [
        ("color: rgb(10, 20, 30)", "color:rgb(10, 20, 30)"),
        ("line-height:1.5;font-size:12.0pt", "line-height:1.5;font-size:12.0pt"),
        ("font-family:'Microsoft YaHei',sans-serif", "font-family:'Microsoft YaHei',sans-serif"),
        ("font-family:sans-serif", "font-family:sans-serif"),
        ("margin:-10px", ""),
        ("margin:0 -10px", ""),
        ("margin:0 -.5em", ""),
        ("position:fixed;color:red", "color:red"),
        ("color:red;background:url(x)", "color:red"),
    ],
)
def test_style_properties(style: str, kept: str) -> None:
    assert clean(f'<p style="{style}">x</p>') == (f'<p style="{kept}">x</p>' if kept else "<p>x</p>")


def test_a_picture_from_elsewhere_waits_until_it_is_asked_for() -> None:
    page = '<p><img src="https://shop.example/a.png?x=1&amp;y=2" alt="a > b" width="20"></p>'
    assert clean(page) == '<p><img data-remote="https://shop.example/a.png?x=1&amp;y=2" alt="a &gt; b" width="20"></p>'
    loaded = clean(page, remote=lambda address: "/picture?of=" + address.partition("//")[2])
    assert loaded == '<p><img src="/picture?of=shop.example/a.png?x=1&amp;y=2" alt="a &gt; b" width="20"></p>'


def test_the_empty_lines_before_a_text_kept_as_it_is_are_taken_once_and_for_all() -> None:
    html = clean("<pre><tr>\n\n\n</tr> a\n\n b</pre>")
    assert html == "<pre> a\n\n b</pre>"
    assert clean(html) == html


@pytest.mark.parametrize("page", ["<div>" * 3_000 + 'it\'s<br>"so" https://x.test/', "&'<br>" * 110_000])
def test_a_page_that_is_shown_as_text_stays_the_same_text(page: str) -> None:
    html = clean(page)
    assert (clean(html), faults(html)) == (html, [])
    assert "<br>" in html


def test_only_pictures_of_the_same_mail_are_resolved() -> None:
    page = '<img src="cid:logo@mail"><img src="CID:logo%40mail"><img src="cid:other@mail"><img src="/files/9/secret">'
    html = clean(page, {"logo@mail": PICTURE})
    assert html == f'<img src="{PICTURE}"><img src="{PICTURE}"><img><img>'
    assert clean(html, {"logo@mail": PICTURE}) == html


def test_deep_and_long_pages_take_bounded_time() -> None:
    for page in (
        "<div>" * 400_000,
        "<b>" * 300_000,
        '<a "' * 300_000,
        "<!--" * 300_000,
        "<" * 1_000_000,
        "<table><tr><td>" * 100_000,
        "&" * 1_000_000,
    ):
        start = time.process_time()
        assert faults(clean(page)) == []
        to_text(page)
        linkify(page)
        assert time.process_time() - start < 10


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(trees.TREES)
def test_cleaning_twice_changes_nothing(page: str) -> None:
    pictures = {"known@example.com": PICTURE}
    html = clean(page, pictures)
    assert clean(html, pictures) == html
    assert faults(html) == []


def test_ten_thousand_trees_are_clean_and_stay_so() -> None:
    """S-04; a browser reads them in test_html_in_browser.py."""
    pictures = {"known@example.com": PICTURE}
    kept = 0
    for page in trees.grown(10_000):
        html = clean(page, pictures)
        assert (clean(html, pictures), faults(html)) == (html, []), page
        kept += "<" in html
    assert kept > 7_000


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200))
def test_any_text_can_be_shown(text: str) -> None:
    assert faults(linkify(text)) == []
    to_text(text)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        (
            "see https://shop.example/a?b=1&c=2.",
            'see <a href="https://shop.example/a?b=1&amp;c=2" {}>https://shop.example/a?b=1&amp;c=2</a>.',
        ),
        ("(https://wiki.example/A_(b))", '(<a href="https://wiki.example/A_(b)" {}>https://wiki.example/A_(b)</a>)'),
        ("www.shop.example, ok", '<a href="https://www.shop.example" {}>www.shop.example</a>, ok'),
        ("write to jo@shop.example!", 'write to <a href="mailto:jo@shop.example" {}>jo@shop.example</a>!'),
        (
            "请看https://shop.example/订单，谢谢",
            '请看<a href="https://shop.example/订单" {}>https://shop.example/订单</a>，谢谢',
        ),
        ("javascript:alert(1) data:text/html,x", "javascript:alert(1) data:text/html,x"),
        (
            'http://x.example/"onmouseover="y',
            '<a href="http://x.example/" {}>http://x.example/</a>&quot;onmouseover=&quot;y',
        ),
        ("a < b > c & d 'e'", "a &lt; b &gt; c &amp; d &#x27;e&#x27;"),
        ("[x](javascript:1)", "[x](javascript:1)"),
        ("[a](https://shop.example/x)", '[a](<a href="https://shop.example/x" {}>https://shop.example/x</a>)'),
    ],
)
def test_linkify(text: str, html: str) -> None:
    assert linkify(text) == html.replace("{}", LINK)


def test_ends_of_lines_are_made_where_no_address_can_break() -> None:
    made = linkify("see https://x.test/\n<b>\r\nbye\n", "<br>")
    assert made == f'see <a href="https://x.test/" {LINK}>https://x.test/</a><br>&lt;b&gt;\r<br>bye<br>'


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Hello</p><p>World</p>", "Hello\n\nWorld"),
        ("<div>One<br>Two</div><div>Three</div>", "One\nTwo\nThree"),
        ("<div>a</div><div><br></div><div>b</div>", "a\n\nb"),
        ("a&nbsp;&amp; b &lt;c&gt; &#8364; &uuml;", "a & b <c> € ü"),
        ("<style>p{}</style><script>x</script><title>t</title>Hi", "Hi"),
        ("<!-- a --><p>x<!-- <b> -->y</p>", "xy"),
        ("<!--[if mso]><p>outlook</p><![endif]--><p>others</p><![if !mso]>z<![endif]>", "others\n\nz"),
        ("<ul><li>one</li><li>two</li></ul>", "* one\n* two"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>", "a b\nc d"),
        ("Yes.<blockquote type=cite>Really?<br>Sure?</blockquote>Bye", "Yes.\n> Really?\n> Sure?\nBye"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ('<a title="a > b" href="x">link</a> 1 < 2', "link 1 < 2"),
        ("<![>x", "x"),
        ("", ""),
    ],
)
def test_to_text(html: str, text: str) -> None:
    assert to_text(html) == text
