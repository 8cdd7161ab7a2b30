"""Search patterns that people write, on an engine whose time grows linearly with the text (RE2)."""

from __future__ import annotations

import re2
from django.utils.translation import gettext as _

MAX_LENGTH = 1_000
"""Characters of a pattern."""
MAX_TEXT = 50_000
"""Characters of a text that are searched; what follows is ignored."""
MAX_MEMORY = 128 * 1024
"""Bytes a compiled pattern may take. It bounds the program too, and the slow path of RE2 costs program × text."""


class PatternInvalid(ValueError):
    """The pattern cannot be used; the message says why, in words for the person who wrote it."""


class Pattern:
    """A compiled pattern that ignores case."""

    __slots__ = ("_search", "source")

    def __init__(self, source: str) -> None:
        """Compile. Raises PatternInvalid: too long, too large, or not in the syntax of RE2."""
        if len(source) > MAX_LENGTH:
            raise PatternInvalid(_("A pattern has at most %(count)d characters.") % {"count": MAX_LENGTH})
        options = re2.Options()
        options.case_sensitive = False
        options.log_errors = False
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
        self.source = source
        self._search = compiled.search

    def find(self, text: str) -> str | None:
        """The first passage that matches, or None. Linear in the text."""
        found = self._search(text[:MAX_TEXT])
        return None if found is None else found.group()
