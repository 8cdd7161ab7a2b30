"""The header of a mail or a part: fields (RFC 5322), encoded words (RFC 2047), parameters (RFC 2231)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from .charsets import decode

HEADER_LIMIT = 256 * 1024
"""Bytes of one header that are read; the rest is left out and said."""
FIELD_LIMIT = 2000
"""Fields of one header that are read."""

_FIELD = re.compile(rb"^([!-9;-~]+)[ \t]*:[ \t]*(.*(?:\n[ \t].*)*)$", re.MULTILINE)
_FIELD_START = re.compile(rb"[!-9;-~]+[ \t]*:")
_FOLD = re.compile(r"[ \t]*\r?\n[ \t\r\n]*")
_WORD = re.compile(r"=\?([^?\s=]{1,75})\?([bBqQ])\?([^?]*(?:\?(?!=)[^?]*){0,20})\?=")
_CUT_WORD = re.compile(r"=\?([^?\s=]{1,75})\?([bBqQ])\?([^?\s]+)\??$")
_HEX = re.compile(rb"=([0-9A-Fa-f]{2})")
_UNSEEN = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]+"
)
_PARAMETER = re.compile(r';\s*([^\s=;"]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)', re.DOTALL)
_STRAY_NAME = re.compile(r"[\s,]((?:file)?name)\s*=\s*(\"[^\"]*\"|[^\s\";,]+)", re.IGNORECASE)
_TYPE = re.compile(r"\s*\"?([A-Za-z0-9!#$&^_.+-]{1,100})/([A-Za-z0-9!#$&^_.+-]{1,100})")

Fields = Mapping[str, list[bytes]]
"""Lower-case name to the raw values, still folded and encoded."""


class Header(NamedTuple):
    """One header, taken apart."""

    fields: dict[str, list[bytes]]
    body: int
    """Offset of the first byte after the header."""
    cut: bool
    """True when it was longer than is read."""


def split_header(raw: bytes, start: int = 0, end: int | None = None) -> Header:
    """Separate the header that begins at `start`. A body that follows without an empty line is found too."""
    end = len(raw) if end is None else end
    if raw.startswith((b"\n", b"\r\n"), start, end):
        return Header({}, start + (1 if raw[start] == 10 else 2), False)
    blank, body = _empty_line(raw, start, end)
    stop = blank + 1 if blank >= 0 else end
    cut = stop - start > HEADER_LIMIT
    block = raw[start : min(stop, start + HEADER_LIMIT)]
    if b"\r" in block:
        block = block.replace(b"\r\n", b" \n").replace(b"\r", b" ")  # same length: offsets stay true
    fields: dict[str, list[bytes]] = {}
    at = 0
    for count, found in enumerate(_FIELD.finditer(block), 1):
        gap = block[at : found.start()]
        if gap.strip() and (
            (not fields and start) or b"\n\n" in gap or gap.count(b"\n") > 3 or _is_delimiter(gap, fields)
        ):
            return Header(fields, start + at, cut)  # the body, without an empty line before it
        # One line that is no field is passed over: joined to its neighbour it could change who wrote or to whom.
        if count > FIELD_LIMIT:
            cut = True
            break
        fields.setdefault(found[1].decode("ascii").lower(), []).append(found[2])
        at = min(found.end() + 1, len(block))
    if not cut and block[at:].strip():
        return Header(fields, start + at, cut)
    return Header(fields, body, cut)


def _is_delimiter(gap: bytes, fields: dict[str, list[bytes]]) -> bool:
    """Whether the first part of a multipart begins where the empty line before it is missing."""
    line = gap.strip()
    return line.startswith(b"--") and len(line) > 4 and any(line[2:] in each for each in fields.get("content-type", ()))


def _empty_line(raw: bytes, start: int, end: int) -> tuple[int, int]:
    """Where the first empty line is entered and left; -1 and `end` when there is none."""
    plain = raw.find(b"\n\n", start, end)
    returned = raw.find(b"\n\r\n", start, end if plain < 0 else plain + 1)
    if returned >= 0:
        return returned, returned + 3
    return (plain, plain + 2) if plain >= 0 else (-1, end)


def looks_like_field(line: bytes) -> bool:
    """Whether a line could begin a header field."""
    return _FIELD_START.match(line) is not None


def value(raw: bytes, hint: str = "") -> str:
    """One unstructured value as a person reads it: unfolded, decoded, without control and bidi override characters."""
    return tidy(decode_words(unfold(as_text(raw, hint)))).strip()


def as_text(raw: bytes, hint: str = "") -> str:
    """The characters of a raw value; bytes beyond ASCII are UTF-8 (RFC 6532), else what the mail's body uses."""
    if raw.isascii() and b"\x1b" not in raw:
        return raw.decode("ascii")
    return decode(raw, "", hint)[0]


def unfold(text: str) -> str:
    """A value on one line (RFC 5322, 2.2.3)."""
    return _FOLD.sub(" ", text) if "\n" in text else text


def tidy(text: str) -> str:
    """Without characters that break a line, hide, or turn the direction of what follows (S-15, S-51)."""
    return text if text.isascii() and text.isprintable() else _UNSEEN.sub(_blank_or_nothing, text)


def _blank_or_nothing(found: re.Match[str]) -> str:
    return " " if any(char in "\n\r\x0b\x0c\x85\u2028\u2029" for char in found[0]) else ""


def decode_words(text: str) -> str:
    """Resolve encoded words (RFC 2047) wherever they stand: in quotes, in parameters, with no space around them.

    Neighbours of one character set are joined before decoding, because many senders split inside a character.
    """
    if "=?" not in text:
        return text
    out: list[str] = []
    pending: list[tuple[str, str, str]] = []
    at = 0
    for found in _WORD.finditer(text):
        between = text[at : found.start()]
        word = (found[1].split("*")[0].lower(), found[2].lower(), found[3])
        if pending and (between.strip() or pending[-1][0] != word[0]):
            out.append(_join(pending))
            pending = []
            if between.strip():
                out.append(between)
        elif not pending and (between.strip() or not out):
            out.append(between)
        pending.append(word)
        at = found.end()
    if pending:
        out.append(_join(pending))
    rest = text[at:]
    cut = _CUT_WORD.search(rest)
    if cut:
        lead = rest[: cut.start()]
        out.append(lead if lead.strip() or not pending else "")
        out.append(_join([(cut[1].split("*")[0].lower(), cut[2].lower(), cut[3])]).rstrip("\ufffd"))
    else:
        out.append(rest)
    return "".join(out)


def _join(words: list[tuple[str, str, str]]) -> str:
    content = b"".join(
        _from_all_b([text for _, _, text in run]) if encoding == "b" else b"".join(_from_q(text) for _, _, text in run)
        for encoding, run in groupby(words, key=itemgetter(1))
    )
    return decode(content, words[0][0])[0]


def _from_all_b(texts: list[str]) -> bytes:
    packed = [
        re.sub(r"[^A-Za-z0-9+/]", "", text.replace("-", "+") if "+" not in text and "-" in text else text)
        for text in texts
    ]
    if all(len(text) % 4 == 0 or "=" in texts[index] for index, text in enumerate(packed[:-1])):
        return b"".join(_from_b(text) for text in packed)
    return _from_b("".join(packed))


def _from_q(text: str) -> bytes:
    raw = text.replace("_", " ").encode("utf-8", "surrogateescape")
    return _HEX.sub(lambda found: bytes((int(found[1], 16),)), raw)


def _from_b(text: str) -> bytes:
    if len(text) % 4 == 1:
        text = text[:-1]
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return text.encode()


def content_type(raw: bytes | None, default: str = "text/plain") -> str:
    """The media type in lower case, or `default` when it is missing or no type at all (RFC 2045, 5.2)."""
    if raw is None:
        return default
    text = raw.decode("latin-1")
    found = _TYPE.match(text)
    if found:
        return f"{found[1]}/{found[2]}".lower()
    word = re.split(r"[\s;]", text.strip().lower())[0]
    return {"html": "text/html", "text": "text/plain", "plain": "text/plain", "multipart": "multipart/mixed"}.get(
        word, default
    )


def parameters(raw: bytes | None, hint: str = "") -> dict[str, str]:
    """The parameters of a structured field by lower-case name, with continuations joined (RFC 2231).

    Encoded words are resolved although they are not allowed there, because Outlook, Gmail and others write them.
    """
    if raw is None or (b";" not in raw and b"=" not in raw):
        return {}
    text = unfold(as_text(raw, hint))
    found: dict[str, str] = {}
    pieces: dict[str, list[tuple[int, bool, str]]] = {}
    for match in _PARAMETER.finditer(text if text.lstrip().startswith(";") or ";" in text else ";" + text):
        name, given = match[1].lower(), _unquoted(match[2])
        if "*" not in name:
            found.setdefault(name, decode_words(given))
            continue
        base, _, number = name.partition("*")
        encoded = number.endswith("*") or number == ""
        number = number.rstrip("*")
        if (number.isdigit() and len(number) < 4) or not number:
            pieces.setdefault(base, []).append((int(number or 0), encoded, given))
    for base, given_pieces in pieces.items():
        joined = _continued(sorted(given_pieces, key=lambda piece: piece[0]))
        if joined or base not in found:
            found[base] = joined
    for name in ("charset", "boundary"):
        if name not in found and (stray := re.search(name + r'\s*=\s*"?([^\s";]+)', text, re.IGNORECASE)):
            found[name] = stray[1]
    if not found and (stray := _STRAY_NAME.search(text)):
        found[stray[1].lower()] = _unquoted(stray[2])
    return found


def _unquoted(given: str) -> str:
    given = given.strip()
    if given.startswith('"'):
        given = given[1:-1] if given.endswith('"') and len(given) > 1 else given[1:]
        return re.sub(r'\\(["\\])', r"\1", given)
    return given


def _continued(pieces: list[tuple[int, bool, str]]) -> str:
    charset = ""
    out = b""
    for index, (_, encoded, text) in enumerate(pieces):
        if index == 0 and encoded and text.count("'") >= 2:
            charset, _, text = text.split("'", 2)
        out += unquote_to_bytes(text) if encoded else text.encode("utf-8", "surrogateescape")
    return decode_words(decode(out, charset)[0])
