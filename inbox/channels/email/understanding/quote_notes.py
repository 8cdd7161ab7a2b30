"""How Lotus Notes sets what it quotes: no mark on the lines, but a card of who, when, to whom and what above."""

from __future__ import annotations

import re

from .quote_fields import WIDTH, next_filled

_DATED = r"\d{1,4}[./-]\d{1,2}[./-]\d{2,4},?\s+\d{1,2}[:.]\d\d(?:[:.]\d\d)?(?:\s?[AP]M)?(?:\s[A-Z]{2,5})?"
_WHEN = re.compile(rf"^\s*{_DATED}\s*$")
_WHO_WHEN = re.compile(rf"^\s*[^\n]{{1,80}} on {_DATED}\s*$")
_COLUMN_WHEN = re.compile(rf"(?:^|\s{{2}})\s*{_DATED}(?:\s|$)")
_TO = re.compile(r"^(?:To|An|A|À|Pour|Para|Aan|Til|Till|Do|Кому|收件人|宛先)(?:\s*[:：].*)?$")
_SUBJECT = re.compile(
    r"(?:^|\s{2})(?:Subject|Thema|Betreff|Objet|Asunto|Assunto|Oggetto|Onderwerp|Emne|Ämne|Temat|Тема|主题|主旨|件名)"
    r"(?:\s*[:：].*)?$"
)
_BESIDE = re.compile(r"^(?:Sent by|Please respond to|Gesendet von|Bitte Antwort an|Envoyé par)\b", re.IGNORECASE)
_NAME = re.compile(
    r"^\"?[^\W\d_][\w.'’-]*(?:,? [^\W\d_][\w.'’-]*){0,3}(?:/[\w &.-]{1,40}){0,4}(?:@[\w. /-]{1,60})?\"?$"
)
_BOX = re.compile(r"^\s{0,4}\|-{4,}\+-{4,}>?\s*$")
_BOX_END = re.compile(r"^\s{0,4}>-{20,}\|?\s*$")
_CARD = 16
"""Lines that a card has at most."""


def card_above(kept: list[str], lines: list[str], index: int) -> int | None:
    """How many of the lines kept last belong to a card of Notes that goes on at `index`; None when there is none."""
    line = lines[index][:WIDTH].rstrip()
    if line[-1:].isdigit() or line[-1:] in "MTZ":
        if _WHEN.match(line) and _goes_on(lines, index + 1):
            return _names(kept)
        return 0 if _WHO_WHEN.match(line) and _goes_on(lines, index + 1) else None
    if line.endswith((" To", " An", " Para", " Pour")) and line.startswith("    "):
        below = lines[index + 1 : index + _CARD]
        dated = any(_COLUMN_WHEN.search(each[:WIDTH]) for each in below)
        return _indented(kept) if dated and any(_SUBJECT.search(each[:WIDTH].rstrip()) for each in below) else None
    if line.endswith(("->", "-+")) and _BOX.match(line):
        return 0 if any(_BOX_END.match(each[:WIDTH]) for each in lines[index + 1 : index + _CARD]) else None
    return None


def _goes_on(lines: list[str], index: int) -> bool:
    """Whether to whom and of what is said in the lines from `index` on, whom first."""
    for _ in range(4):
        index = next_filled(lines, index)
        if index == len(lines):
            return False
        if _TO.match(lines[index][:WIDTH].strip()):
            return any(_SUBJECT.search(each[:WIDTH].rstrip()) for each in lines[index + 1 : index + _CARD])
        beside = _BESIDE.match(lines[index].strip())
        if not beside and "@" not in lines[index]:
            return False
        index += 1
    return False


def _names(kept: list[str]) -> int:
    """How many of the last lines only name somebody."""
    count = 1 if len(kept) > 1 and not kept[-1].strip() and _is_mailbox(kept[-2][:WIDTH]) else 0
    while count < min(4, len(kept)):
        line = kept[-1 - count][:WIDTH].strip()
        names = _NAME.match(line) and not any(word[0].islower() for word in line.split()) and line[-1] not in ".!?,"
        if not (names or _BESIDE.match(line) or _is_mailbox(line)):
            break
        count += 1
    return count


def _is_mailbox(line: str) -> bool:
    return "@" in line and len(line.split()) <= 6


def _indented(kept: list[str]) -> int:
    count = 0
    while count < min(6, len(kept)) and kept[-1 - count].startswith("     "):
        count += 1
    return count
