"""Long lists of words searched fast: a linear-time engine says "certainly not" first, the exact pattern decides.

The standard library tries each of some hundred alternatives at every character: a tenth of a millisecond a kilobyte.
RE2 reads the text once, but knows no lookarounds and other classes of characters. So a wider pattern is derived from
the exact one, by dropping what RE2 does not have, and only a text that it lets through is searched exactly.
"""

from __future__ import annotations

import re
import re._constants as op  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
from functools import cached_property
from typing import Any

import re2

_ANY = "(?s:.)"
_CLASSES = {
    op.CATEGORY_SPACE: r"\s\v\x{1c}-\x{1f}\x{85}\p{Z}",
    op.CATEGORY_DIGIT: r"\d\p{Nd}",
    op.CATEGORY_WORD: r"\w\p{L}\p{M}\p{N}",
}
_MEMORY = 64 << 20


class Screened:
    """A case-insensitive pattern of the standard library that is quick to say no.

    Compiled on first use: a process that reads no mail starts half a second sooner.
    """

    def __init__(self, pattern: str, flags: int = re.IGNORECASE) -> None:
        self.pattern = pattern
        self._flags = flags

    @cached_property
    def _exact(self) -> re.Pattern[str]:
        return re.compile(self.pattern, self._flags)

    @cached_property
    def _screen(self) -> Any:
        options = re2.Options()
        options.max_mem, options.never_capture, options.log_errors = _MEMORY, True, False
        return re2.compile("(?i)" + wider(self.pattern, self._flags), options)

    def search(self, text: str) -> re.Match[str] | None:
        """As `re.Pattern.search`."""
        if not text or self._screen.search(text) is None:
            return None
        return self._exact.search(text)

    def match(self, text: str) -> re.Match[str] | None:
        """As `re.Pattern.match`."""
        return self._exact.match(text)


def wider(pattern: str, flags: int = 0) -> str:
    """A pattern of RE2 that matches in every text in which `pattern` of the standard library does."""
    return _sequence(parser.parse(pattern, flags))


def _sequence(items: Any) -> str:
    return "".join(_item(kind, value) for kind, value in items)


def _item(kind: Any, value: Any) -> str:
    if kind is op.LITERAL:
        return _literal(value)
    if kind is op.IN:
        return _class(value)
    if kind is op.BRANCH:
        return "(?:" + "|".join(_sequence(branch) for branch in value[1]) + ")"
    if kind is op.SUBPATTERN:
        return f"(?:{_sequence(value[3])})"
    if kind is op.ATOMIC_GROUP:
        return f"(?:{_sequence(value)})"
    if kind in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
        least, most, inner = value
        body = _sequence(inner)
        if not body:
            return ""
        if (least, most) == (1, 1):
            return f"(?:{body})"
        return f"(?:{body})" + ("?" if (least, most) == (0, 1) else "+" if least else "*")
    if kind in (op.AT, op.ASSERT, op.ASSERT_NOT):
        return ""
    if kind is op.GROUPREF:
        return _ANY + "*"
    return _ANY


def _literal(code: int) -> str:
    return rf"\x{{{code:x}}}" if code < 0xD800 or code > 0xDFFF else _ANY


def _class(members: Any) -> str:
    parts = []
    for kind, value in members:
        if kind is op.LITERAL:
            parts.append(_literal(value))
        elif kind is op.RANGE:
            parts.append(f"{_literal(value[0])}-{_literal(value[1])}")
        elif kind is op.CATEGORY and value in _CLASSES:
            parts.append(_CLASSES[value])
        else:
            return _ANY
    return f"[{''.join(parts)}]"
