"""Names and types of the files that come with a mail, fit to be shown and stored."""

from __future__ import annotations

import re
import unicodedata

from . import headers

NAME_LIMIT = 200
"""Longest file name, in characters, that is kept."""

_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")


def display_name(given: str) -> str:
    """A name without path, control, bidi and zero-width characters (S-17), with its ending kept when it is cut.

    Empty when nothing is left: a part without a name has none, and what shows it says what it is.
    """
    if not (given.isascii() and given.isprintable()):
        given = "".join(char for char in given if char in "\t\n" or unicodedata.category(char) not in _HIDDEN)
    name = re.sub(r"[\t\n]+", " ", given.replace("\\", "/")).strip(" /").rpartition("/")[2].strip()
    if not name.strip(". "):
        return ""
    if len(name) > NAME_LIMIT:
        stem, dot, ending = name.rpartition(".")
        ending = dot + ending if stem and len(ending) <= 10 else ""
        name = name[: NAME_LIMIT - len(ending)] + ending
    return name


def name_after_subject(subject: str) -> str:
    """What an attached mail is called: its subject, as `.eml`; empty without one."""
    plain = re.sub(r"[/\\]+", "_", subject).strip(" .")
    return display_name(plain[: NAME_LIMIT - 4] + ".eml") if plain else ""


def safe_type(content_type: str) -> str:
    """A media type that is valid by RFC 6838, 4.2, else `application/octet-stream`."""
    return content_type if _TYPE.fullmatch(content_type) else "application/octet-stream"


def given_name(disposition: dict[str, str], content_type: dict[str, str]) -> str:
    """The name a part was given, from either field that may hold it (RFC 2183, 2.3; RFC 2046, 4.5.1)."""
    for given in (
        disposition.get("filename"),
        disposition.get("name"),
        content_type.get("name"),
        content_type.get("filename"),
    ):
        if given and (name := display_name(headers.decode_words(given))):
            return name
    return ""
