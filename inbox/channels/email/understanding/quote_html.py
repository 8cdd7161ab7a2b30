"""Where the sender's own words end in an HTML body, by the marks that mail clients leave in its structure."""

from __future__ import annotations

import re
from html import unescape

_QUOTE_START = re.compile(
    r"<(?:div|blockquote(?![^<>]{0,400}gmail_quote)|hr|span|table|p|section|td)\b[^<>]{0,400}?(?:"
    r"class\s*=\s*[\"']?[^\"'<>]{0,80}\b(?:gmail_quote|gmail_extra|yahoo_quoted|moz-cite-prefix|protonmail_quote|"
    r"tutanota_quote|zmail_extra|OutlookMessageHeader|x_gmail_quote|ms-outlook-mobile-reference-message|"
    r"ntes-mailmaster-quote|quoted-text|mail-quote|airmail_on|cloudhq__gmail_quote|iPhone-quote|front-blockquote|"
    r"WM_cite|edo-quote|freebirdMailQuote)\b"
    r"|id\s*=\s*[\"']?(?:x_)?(?:divRplyFwdMsg|appendonsend|isReplyContent|OLK_SRC_BODY_SECTION|stopSpelling|"
    r"mail-editor-reference-message-container|reply-intro|yahoo_quoted_\d+|ymail_android_signature_end|"
    r"ms-outlook-mobile-body-separator-line|replySplit|mailContent_quote|origbody|isForwardContent_no|tmjah_g_1299)\b"
    r"|type\s*=\s*[\"']?cite\b|data-marker\s*=\s*[\"']__QUOTED_TEXT__|name\s*=\s*[\"']?(?:quote|"
    r"messageReplySection)\b"
    r"|style\s*=\s*[\"'][^\"'<>]{0,200}border(?:-top)?:\s*(?:none;\s*border-top:\s*)?solid\s*#(?:E1E1E1|"
    r"B5C4DF)\s*1\.0pt"
    r")|<includetail>|<!--\s*originalMessage\s*-->|<blockquote\b[^<>]{0,400}\bcite=",
    re.IGNORECASE,
)
_BLOCK = re.compile(r"<blockquote\b(?![^<>]{0,400}gmail_quote)[^<>]{0,400}>", re.IGNORECASE)
_DROPPED = re.compile(r"<(style|script|title|head)\b.*?</\1\s*>|<!--.*?-->", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^<>]{0,20000}>")
_FORWARDED = re.compile(
    r"forwarded message|weitergeleitete nachricht|message transféré|mensaje reenviado|messaggio inoltrato|"
    r"doorgestuurd bericht|mensagem encaminhada|转发|轉寄|転送|пересыла",
    re.IGNORECASE,
)
_LIMIT = 400_000


def own_text_length(html: str, squeezed: str) -> int:
    """How many characters of `squeezed`, the plain text without any blanks, stand before the quotation; 0 when unknown.

    The text before the first mark of a quotation has to be how the plain text begins, else the two bodies differ and
    nothing is said. A quotation that is a forwarded mail is content.
    """
    html = html[:_LIMIT]
    start = _QUOTE_START.search(html) or _last_block(html)
    if start is None or _FORWARDED.search(html[start.start() : start.start() + 3000]):
        return 0
    own = "".join(_plain(html[: start.start()]).split())
    if not own or len(own) >= len(squeezed):
        return 0
    # Bodies differ in bullets and links, hardly ever in the last words.
    tail = own[-24:]
    at = squeezed.find(tail)
    return at + len(tail) if at >= 0 and at + len(tail) < len(squeezed) else 0


def _last_block(html: str) -> re.Match[str] | None:
    """A plain `<blockquote>` with nothing behind it. Inside a letter it is how people set off what they cite."""
    start = _BLOCK.search(html)
    if start is None or _plain(html[html.lower().rfind("</blockquote") :]).strip():
        return None
    return start


def _plain(html: str) -> str:
    return unescape(_TAG.sub(" ", _dropped(html)))


def _dropped(html: str) -> str:
    """Without what is never shown. An element that is not closed would make the pattern look to the end each time."""
    lowered = html.lower()
    for name in ("style", "script", "title", "head"):
        if lowered.count(f"<{name}") > lowered.count(f"</{name}"):
            return html
    if lowered.count("<!--") > lowered.count("-->"):
        return html
    return _DROPPED.sub(" ", html)
