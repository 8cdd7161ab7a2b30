"""Search patterns that people write, on an engine whose time grows linearly with the text (RE2)."""

from __future__ import annotations

import unicodedata

import re2
from django.utils.translation import gettext as _

MAX_LENGTH = 1_000
"""Characters of a pattern."""
MAX_TEXT = 50_000
"""Characters of a text that are searched; what follows is ignored."""
MAX_PROGRAM = 1_000
"""Steps that a pattern may be compiled to: counted repetitions of repetitions grow large quickly."""
MAX_WORK = 2_500_000
"""Program × text: what RE2 does at worst, when its fast path runs out of memory. About 40 ms; a pattern with a large
program therefore sees less of a long text (S-67)."""
MAX_MEMORY = 1024 * 1024
"""Bytes for one pattern and the fast path of its search."""


_PIECE = 8_192


def plain(text: str, most: int) -> str:
    """The text with full-width and other compatibility characters made plain (NFKC), about `most` characters of it.

    One character can become eighteen, so it is done piece by piece until there is enough: the time is bounded by what
    comes out.
    """
    if text.isascii():
        return text[:most]
    parts, size = [], 0
    for start in range(0, len(text), _PIECE):
        parts.append(unicodedata.normalize("NFKC", text[start : start + _PIECE]))
        size += len(parts[-1])
        if size >= most:
            break
    return "".join(parts)[:most]


class PatternInvalid(ValueError):
    """The pattern cannot be used; the message says why, in words for the person who wrote it."""


class Pattern:
    """A compiled pattern that ignores case."""

    __slots__ = ("_limit", "_search", "source")

    def __init__(self, source: str) -> None:
        """Compile. Raises PatternInvalid: too long, too large, or not in the syntax of RE2."""
        if len(source) > MAX_LENGTH:
            raise PatternInvalid(_("A pattern has at most %(count)d characters.") % {"count": MAX_LENGTH})
        options = re2.Options()
        options.case_sensitive = False
        options.log_errors = False
        options.never_capture = True
        options.max_mem = MAX_MEMORY
        try:
            compiled = re2.compile(source, options)
        except re2.error as fault:
            reason = fault.args[0] if fault.args else ""
            if isinstance(reason, bytes):
                reason = reason.decode("utf-8", "replace")
            raise PatternInvalid(
                _("This is not a pattern we can search for: %(reason)s") % {"reason": reason}
            ) from None
        size = max(1, compiled.programsize, compiled.reverseprogramsize)
        if size > MAX_PROGRAM:
            raise PatternInvalid(_("This pattern is too large: use fewer or shorter repetitions."))
        self.source = source
        self._limit = min(MAX_TEXT, MAX_WORK // size)
        self._search = compiled.search

    def find(self, text: str) -> str | None:
        """The first passage that matches, or None, in the text as it is or with full-width characters made plain."""
        text = text[: self._limit]
        if not text.isascii():
            # Undecodable bytes arrive as lone surrogates, which have no UTF-8.
            text = text.encode("utf-8", "replace").decode()
        found = self._search(text)
        if found is None and not text.isascii():
            found = self._search(plain(text, self._limit))
        return None if found is None else found.group()
