"""Merge fields in texts that staff write: `{{ contact.name }}` and `{{ contact.name|default:"customer" }}`.

That is the whole language. A field is a key of a fixed dictionary of texts: no attribute, call, tag or expression can
be reached, and a value is never read again as a template. What is not a known field stays in the text as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from html import escape

from django.utils.translation import gettext as _

MAX_LENGTH = 200_000
"""Characters of a text in which fields are looked for; a longer one is given back as it is (S-65)."""
MAX_PROBLEMS = 10

# Every repetition is bounded and no part can match a brace, so each "{{" costs a bounded number of steps.
_FIELD = re.compile(
    r"""\{\{[ \t]{0,20}
        (?P<name>[a-z][a-z0-9_]{0,40}(?:\.[a-z][a-z0-9_]{0,40}){0,4})[ \t]{0,20}
        (?:\|[ \t]{0,20}default[ \t]{0,20}:[ \t]{0,20}
           (?:"(?P<double>[^"{}\n]{0,200})"|'(?P<single>[^'{}\n]{0,200})'|“(?P<curly>[^”{}\n]{0,200})”)[ \t]{0,20})?
        \}\}""",
    re.VERBOSE,
)
_OTHER = re.compile(r"\{\{[^{}\n]{0,80}(?:\}\})?|\{%[^{}\n]{0,80}(?:\})?")


def render(text: str, fields: Mapping[str, str], *, html: bool = False) -> str:
    """The text with its fields filled in.

    With `html` the text is markup and every value, and every default, is escaped so that it is safe between tags and
    inside quoted attributes. An empty value gives the default, or nothing.
    """
    if len(text) > MAX_LENGTH or "{{" not in text:
        return text

    def value(found: re.Match[str]) -> str:
        name = found["name"]
        if name not in fields:
            return found[0]
        default = found["double"] or found["single"] or found["curly"] or ""
        filled = str(fields[name] or "").strip() or default
        return escape(filled) if html else filled

    return _FIELD.sub(value, text)


def render_lines(text: str, fields: Mapping[str, str]) -> str:
    """As `render`, but a line of which every field is empty says nothing, and is left out."""
    return "\n".join(render(line, fields) for line in text.split("\n") if not _is_empty(line, fields))


def _is_empty(line: str, fields: Mapping[str, str]) -> bool:
    asked = [found[0] for found in _FIELD.finditer(line[:MAX_LENGTH])]
    return bool(asked) and not render("".join(asked), fields)


def names(text: str) -> list[str]:
    """The fields that the text asks for, each once, in order; known or not."""
    return list(dict.fromkeys(found["name"] for found in _FIELD.finditer(text[:MAX_LENGTH])))


def check(text: str, allowed: Collection[str]) -> list[str]:
    """What is wrong with the text, in words for its writer; empty when it is fine."""
    if len(text) > MAX_LENGTH:
        return [_("The text is too long: %(count)d characters at most.") % {"count": MAX_LENGTH}]
    problems = [
        _("“%(name)s” is not a field; it would be printed as it stands.") % {"name": name}
        for name in names(text)
        if name not in allowed
    ]
    for found in _OTHER.finditer(_FIELD.sub("", text)):
        if len(problems) >= MAX_PROBLEMS:
            break
        problems.append(_("“%(text)s” cannot be read; it would be printed as it stands.") % {"text": found[0]})
    return problems[:MAX_PROBLEMS]
