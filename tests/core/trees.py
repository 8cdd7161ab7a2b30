"""Pages grown at random out of what breaks sanitisers: as a Hypothesis strategy, and thousands of them in a second."""

from __future__ import annotations

import random
from collections.abc import Iterator

from hypothesis import strategies as st

TAGS = [
    "p", "div", "a", "img", "table", "tr", "td", "svg", "math", "mtext", "style", "script", "noscript", "template", "select",
    "option", "form", "b", "i", "title", "textarea", "iframe", "xmp", "annotation-xml", "foreignObject", "mglyph", "li",
    "ul", "br", "h1", "font", "pre", "mi", "malignmark", "desc", "caption", "col", "plaintext", "noembed", "center",
]  # fmt: skip
PLAIN = ["p", "div", "a", "img", "table", "tr", "td", "b", "li", "font", "pre", "blockquote", "h1", "br"]
NAMES = [
    "href", "src", "style", "title", "onclick", "onerror", "class", "id", "data-remote", "srcset", "background",
    "xlink:href", "width", "name", "dir", "align", "alt", "encoding",
]  # fmt: skip
VALUES = [
    "javascript:x", "https://canary.test/", "cid:known@example.com", "color:red", "background:url(x)", "</style><img onerror=x>",
    '"><script>', "'", "&quot;", "`", "java&#10;script:x", "text/html", "--><img src=x onerror=y>", "&lt;img src=x&gt;", "\u00a0",
]  # fmt: skip
LEAVES = [
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "</p>",
    "</svg>",
    "<",
    ">",
    "&lt;",
    "\x00",
    "</title>",
    "&#0;",
    "</br>",
    "\n",
]

_VALUE = st.one_of(st.sampled_from(VALUES), st.text(max_size=12))
_LEAF = st.one_of(st.text(max_size=20), st.sampled_from(LEAVES))


def _element(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    attribute = st.tuples(st.sampled_from(NAMES), _VALUE, st.sampled_from(['"', "'", ""])).map(
        lambda each: f"{each[0]}={each[2]}{each[1]}{each[2]}"
    )
    return st.tuples(
        st.sampled_from(TAGS), st.lists(attribute, max_size=3), st.lists(children, max_size=3), st.booleans()
    ).map(lambda each: f"<{each[0]} {' '.join(each[1])}>{''.join(each[2])}" + (f"</{each[0]}>" if each[3] else ""))


TREES = st.recursive(_LEAF, _element, max_leaves=15)


def grown(count: int, seed: int = 4) -> Iterator[str]:
    """So many trees, the same ones each time."""
    dice = random.Random(seed)
    for _ in range(count):
        yield "".join(_tree(dice, 4) for _ in range(dice.randint(1, 3)))


def _tree(dice: random.Random, depth: int) -> str:
    if not depth or dice.random() < 0.2:
        return dice.choice(LEAVES) if dice.random() < 0.5 else _signs(dice)
    tag = dice.choice(TAGS if dice.random() < 0.4 else PLAIN)
    attributes = (
        f"{dice.choice(NAMES)}={quote}{dice.choice(VALUES) if dice.random() < 0.8 else _signs(dice)}{quote}"
        for quote in (dice.choice(['"', "'", ""]) for _ in range(dice.randint(0, 3)))
    )
    inside = "".join(_tree(dice, depth - 1) for _ in range(dice.randint(0, 3)))
    return f"<{tag} {' '.join(attributes)}>{inside}" + (f"</{tag}>" if dice.random() < 0.6 else "")


def _signs(dice: random.Random) -> str:
    return "".join(
        chr(dice.choice((dice.randint(32, 126), dice.randint(160, 0x2FFF)))) for _ in range(dice.randint(0, 9))
    )
