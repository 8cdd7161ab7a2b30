"""Fields of a mail header inside a text, as Outlook and others set them above what they quote."""

from __future__ import annotations

import re

from . import quote_words as words

WIDTH = 600
"""Characters of a line that are looked at; nobody introduces a quotation behind more."""
_TABLE = re.compile(r"^\|\s*([^|\n]{1,20}?)\s*\|([^|\n]{0,300})\|?\s*$")
_ADDRESS_OR_TIME = re.compile(rf"{words.ADDRESS.pattern}|\b20\d\d\b.*\d[:.]\d\d|\d[:.]\d\d.*\b20\d\d\b")
_LOOK_AHEAD = 30
"""Blank lines behind which the next line is looked for."""


def as_field(line: str) -> str:
    """`| From | a@b |`, as NetEase's clients set the fields above a quotation, written as `From: a@b`."""
    if not line.startswith("|"):
        return line
    match = _TABLE.match(line[:WIDTH])
    field = f"{match[1]}: {match[2].strip()}" if match else ""
    return field if field and words.HEADER.match(field) else line


def next_filled(lines: list[str], index: int) -> int:
    """The next line that holds something, or the number of lines when there is none near."""
    for near in range(index, min(index + _LOOK_AHEAD, len(lines))):
        if lines[near].strip():
            return near
    return len(lines)


def begins_header(lines: list[str], index: int) -> bool:
    """Whether a block of mail header fields, as Outlook sets above what it quotes, or a rule above one begins here."""
    if words.DELIMITER.match(lines[index][:WIDTH]):
        follows = next_filled(lines, index + 1)
        return (
            follows < len(lines) and follows - index <= 3 and begins_header(lines, follows)
            if not words.DELIMITER.match(lines[min(follows, len(lines) - 1)][:WIDTH])
            else False
        )
    if ":" not in lines[index][:60] and "：" not in lines[index][:60]:
        return False
    first = words.HEADER.match(lines[index][:WIDTH])
    if not first or first.lastgroup is None:
        return _unknown_header_block(lines, index)
    kinds = {_kind(first)}
    if kinds & {"cc", "reply"}:
        # Hotmail set "CC:" first.
        return "cc" in kinds and index + 1 < len(lines) and begins_header(lines, index + 1)
    values = [first["value"]]
    strays = 0
    for line in lines[index + 1 : index + 14]:
        field = words.HEADER.match(line[:WIDTH])
        if field:
            kinds.add(_kind(field))
            values.append(field["value"])
            strays = 0
        elif line.strip():
            strays += 1
        if strays > 2:
            break
    told = kinds & {"from", "date", "to", "subject"}
    if "from" in told and ({"date", "subject"} & told):
        # Forms have such fields too: where somebody travels, and when. No client leaves out all of these.
        return {"date", "subject"} <= told or any(_ADDRESS_OR_TIME.search(value) for value in values)
    if {"date", "to"} <= told or {"to", "subject"} <= told:
        return bool(words.ADDRESS.search(" ".join(values))) and bool(re.search(r"\d", " ".join(values)))
    if _unknown_header_block(lines, index):
        return True
    # Only "From: a@b" in a paragraph of its own.
    alone = index + 1 == len(lines) or not lines[index + 1].strip()
    return (
        _kind(first) == "from"
        and not lines[index].lstrip()[:1].islower()
        and alone
        and index > 0
        and not lines[index - 1].strip()
        and bool(words.ADDRESS.search(first["value"]))
    )


def _unknown_header_block(lines: list[str], index: int) -> bool:
    """Whether four fields follow each other whose names are not known: who with an address, when, to whom, of what."""
    values = []
    for line in lines[index : index + 4]:
        field = words.ANY_FIELD.match(line[:WIDTH])
        if field is None:
            return False
        values.append(field["value"])
    return (
        len(values) == 4
        and bool(words.NAMED_ADDRESS.search(values[0]))
        and bool(words.DATED_TIME.search(values[1]))
        and not any(words.DATED_TIME.search(value) for value in values[2:])
    )


def _kind(match: re.Match[str]) -> str:
    return next(kind for kind in ("from", "date", "to", "cc", "subject", "reply") if match[kind])
