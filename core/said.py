"""Words that one person's work writes and another person reads: kept as a text and its values, in no language.

A worker that stores why a fax was not delivered does not know who will read it. `said` gives an ordinary string in the
language of whoever asks now; stored in a `SaidField` it keeps the text and the values, and is read in the reader's.
"""

from __future__ import annotations

import json
import re
from typing import Any

from django.db import models
from django.utils.translation import gettext

_MARK = "\x1e"
"""Before what is kept; nothing that comes from elsewhere keeps control characters."""
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_LONGEST = 200
"""Characters of one value."""


def one_line(text: str) -> str:
    """The text without line breaks, control characters and lone surrogates."""
    return _CONTROLS.sub(" ", text.encode("utf-8", "replace").decode()).strip()


class Said(str):
    """A translated text that knows what it was made of. What is cut out of it or joined to it is an ordinary string."""

    __slots__ = ("source", "values")
    source: str
    values: dict[str, Any]

    def __new__(cls, source: str, values: dict[str, Any] | None = None) -> Said:
        """`source` in the reader's language, with the values put in. A value may be a `Said` itself."""
        values = values or {}
        text = gettext(source)
        words = super().__new__(cls, text % values if values else text)
        words.source, words.values = source, values
        return words

    def __str__(self) -> Said:
        """Itself, so that `str()` of an exception that was raised with it still knows."""
        return self

    def __getnewargs__(self) -> tuple[Any, ...]:
        return self.source, self.values


def said(source: str, **values: object) -> Said:
    """The text in the language of now. Imported as `_`, so that its first argument is collected for translation."""
    return Said(source, {name: _value(value) for name, value in values.items()})


def _value(value: object) -> object:
    return value if isinstance(value, Said | int) else one_line(str(value))[:_LONGEST]


def _packed(words: Said) -> list[Any]:
    return [words.source, {name: _packed(v) if isinstance(v, Said) else v for name, v in words.values.items()}]


def _unpacked(kept: list[Any]) -> Said:
    source, values = kept
    return Said(source, {name: _unpacked(v) if isinstance(v, list) else v for name, v in values.items()})


def short(text: str, limit: int) -> str:
    """At most so many characters; a `Said` as it is, which its field cuts when it keeps it."""
    return text if isinstance(text, Said) else text[:limit]


def storable(text: str, limit: int) -> str:
    """What others say can be any bytes: on one line, and no longer than `limit`; a `Said` as it is."""
    return text if isinstance(text, Said) else one_line(text)[:limit]


class SaidField(models.CharField):
    """Keeps what `said` made; any other text as it is. The column is an ordinary one, so nothing has to migrate."""

    def deconstruct(self) -> Any:
        """For migrations a CharField."""
        name, _path, args, names = super().deconstruct()
        return name, "django.db.models.CharField", args, names

    def from_db_value(self, value: str | None, *_: Any) -> str | None:
        """In the language of whoever reads it now."""
        if not value or not value.startswith(_MARK):
            return value
        return _unpacked(json.loads(value[1:]))

    def get_prep_value(self, value: Any) -> Any:
        """As it is kept."""
        if isinstance(value, Said):
            kept = _MARK + json.dumps(_packed(value), ensure_ascii=False, separators=(",", ":"))
            return kept if self.max_length is None or len(kept) <= self.max_length else value[: self.max_length]
        value = super().get_prep_value(value)
        return value.lstrip(_MARK) if isinstance(value, str) else value
