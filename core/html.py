"""HTML from strangers: cleaned for display, made from plain text, and turned into plain text.

`clean` and `linkify` give what a page may show; nothing may change their result afterwards, because every later change
can undo them.
"""

from __future__ import annotations

import html as references
import re
from collections.abc import Callable, Mapping
from typing import Literal
from urllib.parse import unquote

import nh3
from django.utils.safestring import SafeString

LENGTH_LIMIT = 2_000_000
"""Characters of HTML that are looked at."""
DEPTH_LIMIT = 2_000
"""Elements inside each other beyond which a page is shown as text: the parser's time grows with the square (S-20)."""
REFERENCE_LIMIT = 100_000
"""Character references beyond which a page is shown as text, for the same reason."""

_SCHEMES = {"http", "https", "mailto", "tel", "cid"}
_TAGS = {
    "a", "abbr", "address", "article", "b", "bdi", "big", "blockquote", "br", "caption", "center", "cite", "code",
    "col", "colgroup", "dd", "del", "dfn", "div", "dl", "dt", "em", "figcaption", "figure", "font", "footer", "h1",
    "h2", "h3", "h4", "h5", "h6", "header", "hr", "i", "img", "ins", "kbd", "li", "main", "mark", "ol", "p", "pre",
    "q", "rp", "rt", "ruby", "s", "samp", "section", "small", "span", "strike", "strong", "sub", "sup", "table",
    "tbody", "td", "tfoot", "th", "thead", "time", "tr", "tt", "u", "ul", "var", "wbr",
}  # fmt: skip
_WITH_CONTENT = {
    "script", "style", "title", "head", "template", "noscript", "iframe", "object", "embed", "applet", "svg",
    "math", "textarea", "select", "noembed", "noframes", "xmp", "plaintext", "audio", "video", "canvas", "frameset",
    "frame",
}  # fmt: skip
_BOX = {"align", "valign", "width", "height", "bgcolor"}
_ATTRIBUTES: dict[str, set[str]] = {
    "*": {"style", "title", "dir", "lang"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height", "align", "border", "hspace", "vspace", "data-remote"},
    "table": _BOX | {"border", "cellpadding", "cellspacing"},
    "tr": _BOX, "td": _BOX | {"colspan", "rowspan", "nowrap"}, "th": _BOX | {"colspan", "rowspan", "nowrap"},
    "thead": _BOX, "tbody": _BOX, "tfoot": _BOX, "col": _BOX | {"span"}, "colgroup": _BOX | {"span"},
    "div": {"align"}, "p": {"align"}, "h1": {"align"}, "h2": {"align"}, "h3": {"align"},
    "hr": {"width", "size", "align", "color", "noshade"},
    "font": {"color", "face", "size"}, "ol": {"start", "type"}, "ul": {"type"}, "li": {"value"}, "time": {"datetime"},
}  # fmt: skip
_PROPERTIES = {
    "background-color", "border", "border-bottom", "border-bottom-color", "border-bottom-style",
    "border-bottom-width", "border-collapse", "border-color", "border-left", "border-left-color",
    "border-left-style", "border-left-width", "border-radius", "border-right", "border-right-color",
    "border-right-style", "border-right-width", "border-spacing", "border-style", "border-top", "border-top-color",
    "border-top-style", "border-top-width", "border-width", "clear", "color", "direction", "display", "float",
    "font", "font-family", "font-size", "font-style", "font-variant", "font-weight", "height", "letter-spacing",
    "line-height", "list-style-type", "margin", "margin-bottom", "margin-left", "margin-right", "margin-top",
    "max-height", "max-width", "min-width", "padding", "padding-bottom", "padding-left", "padding-right",
    "padding-top", "table-layout", "text-align", "text-decoration", "text-indent", "text-transform",
    "vertical-align", "white-space", "width", "word-break", "word-wrap",
}  # fmt: skip
# No backslash (escapes hide names), no brackets but those of rgb(), no negative lengths (they draw over the page).
_STYLE_VALUE = re.compile(
    r"(?:rgba?\([\d.,%\s/]{1,40}\)|hsla?\([\d.,%\s/deg]{1,40}\)|(?<![\w-])-(?!\d|\.)|[^\\()@:<>{}/*;-]|(?<=\w)-)*",
    re.IGNORECASE,
)
_REMOTE = re.compile(r'(<img\b[^<>]*? )src="(https?:[^"]*)"', re.IGNORECASE)
_PRE = re.compile(r"(<pre\b[^<>]*>)\n+")
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"}
_ADDRESS = re.compile(
    r"(?P<web>https?://[^\s<>\"'`\x00-\x20\u200b-\u200f\u2028-\u202e\u2066-\u2069\u3000-\u303f\uff00-\uffef]{3,2000})"
    r"|(?P<host>\bwww\.[a-z0-9-]{1,63}\.[^\s<>\"'`\x00-\x20\u200b-\u200f\u2028-\u202e\u2066-\u2069\u3000-\u303f\uff00-\uffef]{2,2000})"
    r"|(?P<mail>(?<![\w.%+@/:-])[a-z0-9][a-z0-9._%+-]{0,63}@[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?\.[a-z]{2,24}\b)",
    re.IGNORECASE,
)
_LINK = 'target="_blank" rel="noopener noreferrer nofollow"'

Remote = Literal["block"] | Callable[[str], str]


def clean(html: str, pictures: Mapping[str, str] = {}, remote: Remote = "block") -> SafeString:
    """The harmless part of an HTML body, safe inside a page.

    `pictures` gives an address of ours for each Content-ID of the same mail; no other `cid:` is resolved (S-09).
    Pictures from elsewhere are not requested: the address is kept in `data-remote`. A function as `remote` is given
    such an address and answers the one of our proxy, once the reader has asked to load them (S-07). Applying it again
    changes nothing (S-04).
    """
    html = html[:LENGTH_LIMIT].replace("\x00", "")
    if html.count("&") > REFERENCE_LIMIT or _too_deep(html):
        plain = SafeString(f"<div>{linkify(to_text(html), '<br>')}</div>")
        return plain if plain.count("&") > REFERENCE_LIMIT else _pass(plain, pictures, None)
    # The first pass makes every tag well-formed, so that exact patterns can set the addresses aside, and the line ends
    # that every reader of a <pre> would take one more of. The second is the last step, and brings the attributes of
    # links into the order that they keep.
    html = _PRE.sub(r"\1", _pass(html, pictures, None))
    if remote == "block":
        return _pass(_REMOTE.sub(r'\1data-remote="\2"', html), pictures, None)
    return _pass(html, pictures, remote)


def _pass(html: str, pictures: Mapping[str, str], remote: Callable[[str], str] | None) -> SafeString:
    ours = frozenset(pictures.values())

    def filtered(tag: str, attribute: str, value: str) -> str | None:
        if attribute == "style":
            return _style(value) or None
        if attribute == "href":
            return value if value.strip().lower().startswith(("http:", "https:", "mailto:", "tel:")) else None
        if attribute == "data-remote":
            return value if value.lower().startswith(("http:", "https:")) else None
        if attribute == "src":
            lower = value.strip().lower()
            if lower.startswith("cid:"):
                return pictures.get(value.strip()[4:]) or pictures.get(unquote(value.strip()[4:]))
            if value in ours:
                return value
            if lower.startswith(("http:", "https:")):
                return remote(value) if remote else value
            return None
        return value

    cleaned = nh3.clean(
        html,
        tags=_TAGS,
        clean_content_tags=_WITH_CONTENT,
        attributes=_ATTRIBUTES,
        attribute_filter=filtered,
        strip_comments=True,
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
        url_schemes=_SCHEMES,
    )
    return SafeString(cleaned)


def _style(declarations: str) -> str:
    kept = []
    for declaration in declarations.split(";"):
        name, colon, value = declaration.partition(":")
        name, value = name.strip().lower(), value.strip()
        if colon and name in _PROPERTIES and 0 < len(value) < 200 and _STYLE_VALUE.fullmatch(value):
            kept.append(f"{name}:{value}")
    return ";".join(kept)


def _too_deep(html: str) -> bool:
    if html.count("<") <= DEPTH_LIMIT:
        return False
    depth = deepest = 0
    for closing, name in _TAG.findall(html):
        if name.lower() not in _VOID:
            depth = max(0, depth - 1) if closing else depth + 1
            deepest = max(deepest, depth)
    return deepest > DEPTH_LIMIT


def linkify(text: str, line_end: str = "\n") -> SafeString:
    """Plain text as HTML: everything escaped, web and mail addresses made links (S-02).

    Each end of a line becomes `line_end`, HTML of ours. Where it stays as it is, show it with `white-space: pre-wrap`.
    """

    def plain(words: str) -> str:
        return references.escape(words).replace("\n", line_end)

    out: list[str] = []
    at = 0
    for found in _ADDRESS.finditer(text):
        shown = _without_trailing_marks(found[0])
        href = shown if found["web"] else ("https://" if found["host"] else "mailto:") + shown
        if found["web"] and len(shown) < len("http://x"):
            continue
        out.append(plain(text[at : found.start()]))
        out.append(f'<a href="{references.escape(href)}" {_LINK}>{references.escape(shown)}</a>')
        at = found.start() + len(shown)
    out.append(plain(text[at:]))
    return SafeString("".join(out))


def _without_trailing_marks(address: str) -> str:
    while address:
        shorter = address.rstrip(".,:;!?*_~'|\\")
        unopened = shorter.endswith(")") and shorter.count(")") > shorter.count("(")
        if unopened or shorter.endswith(("]", "}")):
            shorter = shorter[:-1]
        if shorter == address:
            return address
        address = shorter
    return address


_BREAKS = {
    "address": 1, "article": 1, "blockquote": 1, "center": 1, "dd": 1, "div": 1, "dl": 1, "dt": 1, "fieldset": 1,
    "figure": 1, "footer": 1, "form": 1, "h1": 2, "h2": 2, "h3": 2, "h4": 2, "h5": 2, "h6": 2, "header": 1, "hr": 1,
    "li": 1, "main": 1, "ol": 1, "p": 2, "pre": 1, "section": 1, "table": 1, "tbody": 1, "tr": 1, "ul": 1,
}  # fmt: skip
_SILENT = {"script", "style", "title", "template", "textarea", "select", "object", "xml", "noframes", "iframe"}
_NAME = re.compile(r"/?[a-zA-Z][^\s/>]*")
_SPACE = re.compile(r"[ \t\r\n\f\v]+")


class _TextMaker:
    """Collects the words of an HTML page with line breaks where a browser shows them."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.line: list[str] = []
        self.wanted = 0
        """Line breaks to make before the next word."""
        self.marks: list[bool] = []
        self.preformatted = 0

    def words(self, text: str) -> None:
        """Text between two tags."""
        if not text:
            return
        text = references.unescape(text).replace("\xa0", " ")
        if self.preformatted:
            first, *rest = text.replace("\r\n", "\n").split("\n")
            self._append(first)
            for line in rest:
                self._end_line()
                self._append(line)
            return
        text = _SPACE.sub(" ", text)
        if self.wanted or not self.line or self.line[-1].endswith(" "):
            text = text.lstrip(" ")
        self._append(text)

    def tag(self, name: str, tag: str) -> None:
        """A tag, by its lower-case name with the slash of a closing one, and all of it."""
        plain = name.lstrip("/")
        closing = plain != name
        if plain == "br" and not closing:
            self._break_lines()
            self._end_line()
            return
        if plain in _BREAKS and (self.lines or self.line):
            ends_here = not self.line and not self.wanted
            self.wanted = max(self.wanted, _BREAKS[plain] - ends_here)
        if plain in ("td", "th") and closing:
            self.words(" ")
        elif plain == "li" and not closing:
            self._append("* ")
        elif plain == "pre":
            self.preformatted = max(0, self.preformatted + (-1 if closing else 1))
        elif plain == "blockquote" and not closing and len(self.marks) < 100:
            self.marks.append("cite" in tag.lower() or "gmail_quote" in tag)
        elif plain == "blockquote" and closing and self.marks:
            self._break_lines()
            self.marks.pop()

    def result(self) -> str:
        """Everything so far."""
        self._end_line()
        text = "\n".join(line.rstrip() for line in self.lines)
        return re.sub(r"\n{3,}", "\n\n", text).strip("\n")

    def _append(self, text: str) -> None:
        if not text:
            return
        self._break_lines()
        if not self.line and any(self.marks):
            self.line.append("> " * min(sum(self.marks), 20))
        self.line.append(text)

    def _break_lines(self) -> None:
        if self.wanted and (self.lines or self.line):
            for _ in range(self.wanted):
                self._end_line()
        self.wanted = 0

    def _end_line(self) -> None:
        self.lines.append("".join(self.line))
        self.line.clear()


def to_text(html: str) -> str:
    """The words of an HTML body as plain text: lines where a browser breaks them, quotations marked with `> `."""
    maker = _TextMaker()
    silent, comment, carried = "", False, ""
    pieces = html[:LENGTH_LIMIT].split("<")
    maker.words(pieces[0])
    for piece in pieces[1:]:
        if comment:
            end = piece.find("-->")
            if end >= 0:
                comment = False
                maker.words(piece[end + 3 :])
            continue
        if piece.startswith("!--"):
            end = piece.find("-->", 2)
            comment = end < 0
            if not comment and not silent:
                maker.words(piece[end + 3 :])
            continue
        if carried:
            piece, carried = carried + "<" + piece, ""
        named = _NAME.match(piece)
        if named is None and piece[:1] not in ("!", "?", "/"):
            if not silent:
                maker.words("<" + piece)
            continue
        name = named[0].lower() if named else ""
        if silent and name != "/" + silent:
            continue
        end = _tag_end(piece)
        if end < 0:
            if piece.count('"') % 2 and len(piece) < 2000:
                carried = piece
            continue
        tag, text = piece[:end], piece[end + 1 :]
        if silent:
            silent = ""
        elif name in _SILENT and not tag.endswith("/"):
            silent = name
            continue
        else:
            maker.tag(name, tag)
        maker.words(text)
    return maker.result()


def _tag_end(piece: str) -> int:
    end = piece.find(">")
    if end >= 0 and piece.count('"', 0, end) % 2:
        quote = piece.find('"', end)
        later = piece.find(">", quote) if quote >= 0 else -1
        return later if later >= 0 else end
    return end
