"""The Date field (RFC 5322, 3.3), and the forms in which programs and people write it wrongly."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz

_USUAL = re.compile(r"(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}")
_COMMENT = re.compile(r"\([^()]*\)")
_ISO = re.compile(r"\d{4}-\d\d-\d\d")
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})\b,?\s*(?=\d)")
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})\b,?\s*(?=\d)")
_CLOCK = re.compile(
    r"(\d{1,2})\s{0,5}:\s{0,5}(\d\d?)(?:\s{0,5}:\s{0,5}(\d\d?)(?:[.,]\d{1,9})?)?(?:\s?([ap])\.?m\b\.?)?", re.IGNORECASE
)
_OFFSET = re.compile(r"(?:\b(?:GMT|UTC?)\s?)?([+\-\u2010-\u2015\u2212])\s?(\d\d?):?(\d\d)(?=\s|$)", re.IGNORECASE)
_HOURS = re.compile(r"(?<=\d) ?([+-])(\d\d?)$")
_YEAR_OF_THREE = re.compile(r"(?<=[A-Za-z] )(1\d\d)(?= \d\d?:)")
_WORD = re.compile(r"[^\W\d_]+\.?")
_ZONES = {
    "WEST": 1, "BST": 1, "CET": 1, "MET": 1, "MEZ": 1, "CEST": 2, "MEST": 2, "MESZ": 2, "EET": 2, "EEST": 3, "MSK": 3,
    "HKT": 8, "SGT": 8, "AWST": 8, "JST": 9, "KST": 9, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13,
}  # fmt: skip
"""Hours east of Greenwich of names that mean one zone only and that RFC 5322 does not list."""
_MONTHS = {
    word: english
    for english, words in (
        ("Jan", "januar january jänner janvier janv enero gennaio janeiro januari gen ene 一月"),
        ("Feb", "februar february février févr fév febrero febbraio fevereiro februari fev 二月"),
        ("Mar", "märz mär march mars marzo março maart mrz mrt 三月"),
        ("Apr", "april avril avr abril aprile abr 四月"),
        ("May", "mai mayo maggio maio mei maj mag 五月"),
        ("Jun", "juni june juin junio giugno junho giu 六月"),
        ("Jul", "juli july juillet juil julio luglio julho lug 七月"),
        ("Aug", "august août aout agosto augustus augusti ago 八月"),
        ("Sep", "september septembre sept septiembre settembre setembro set 九月"),
        ("Oct", "oktober october octobre octubre ottobre outubro okt ott out 十月"),
        ("Nov", "november novembre noviembre novembro 十一月"),
        ("Dec", "dezember december décembre diciembre dicembre dezembro dez déc dic des 十二月"),
    )
    for word in words.split()
}


def read(text: str) -> datetime | None:
    """The moment a Date field names, or None when it names none. A missing zone is read as UTC (RFC 5322, 3.3)."""
    text = text.strip()
    if not _USUAL.fullmatch(text):
        text = _in_usual_form(text[:200])
    try:
        parsed = parsedate_tz(text)
        if parsed is None or parsed[0] < 1900:
            moment = datetime.fromisoformat(text)
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        offset = parsed[9] or 0
        zone = timezone(timedelta(seconds=offset)) if offset and abs(offset) < 86400 else UTC
        return datetime(*parsed[:5], min(parsed[5], 59), tzinfo=zone)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _in_usual_form(text: str) -> str:
    """The same date, nearer to what the standard asks for."""
    while (without := _COMMENT.sub(" ", text)) != text:
        text = without
    text = text.replace('"', " ").strip()
    if len(text) > 9 and text[4] in "/." and text[:4].isdigit():
        text = text.replace(text[4], "-", 2)
    if dotted := _DOTTED.match(text):
        text = f"{dotted[1]} {_month_of_number(dotted[2])} {dotted[3]} {text[dotted.end() :]}"
    if slashed := _SLASHED.match(text):
        text = _named_month(slashed) + text[slashed.end() :]
    if _ISO.match(text):
        return re.sub(r" ([+-]\d{4})$", r"\1", text)
    text = _CLOCK.sub(_clock, text, count=1)
    clock = text.find(":")
    head, tail = (text[:clock], text[clock:]) if clock > 0 else (text, "")
    head = re.sub(r"\b(\d{1,2})-([^\W\d_]{3,9})-(?=\d)", r"\1 \2 ", head)
    head = re.sub(r"(\d{1,2})月", lambda found: _month_of_number(found[1]), head)
    head = _WORD.sub(lambda found: _MONTHS.get(found[0].lower().rstrip("."), found[0].rstrip(".")), head)
    words = head.replace(",", ", ").split()
    if len(words) > 2 and words[1][:1].isdigit() and not words[0][:1].isdigit() and not _is_month(words[0]):
        words = words[1:]  # a day of the week, in whatever language
    head = " ".join(words)
    tail = _OFFSET.sub(lambda found: f" {'+' if found[1] == '+' else '-'}{found[2]:0>2}{found[3]}", tail, count=1)
    tail = _HOURS.sub(lambda found: f" {found[1]}{found[2]:0>2}00", tail)
    tail = _WORD.sub(lambda found: f"+{_ZONES[found[0]]:02}00" if found[0] in _ZONES else found[0], tail, count=1)
    return _YEAR_OF_THREE.sub(lambda found: str(1900 + int(found[1])), head + tail)


def _named_month(found: re.Match[str]) -> str:
    """Of `3/2/2026` the month stands first, as where programs write dates so, unless no month has that number."""
    day, month = (found[1], found[2]) if int(found[1]) > 12 else (found[2], found[1])
    return f"{day} {_month_of_number(month)} {found[3]} "


def _clock(found: re.Match[str]) -> str:
    hour = int(found[1])
    if found[4]:
        hour = hour % 12 + (12 if found[4].lower() == "p" else 0)
    return f"{hour:02}:{found[2]:0>2}:{found[3] or '00':0>2}"


def _is_month(word: str) -> bool:
    return word[:3].title() in _MONTHS.values()


def _month_of_number(number: str) -> str:
    names = list(dict.fromkeys(_MONTHS.values()))
    return f" {names[int(number) - 1]} " if 1 <= int(number) <= 12 else number
