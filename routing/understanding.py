"""What a text without structure says, as far as rules need it: numbers it names and what it is about.

Everything here takes time linear in the text: bounded repetitions, sets of words, plain search.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from core.patterns import plain
from routing.facts import MAX_TEXT, fold
from routing.models import KeywordSet

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_NUMBERS = 50

_TICKET_WORDS = ("ticket", "case", "工单", "工單", "案件", "案例", "服务单", "服務單", "チケット", "티켓", "заявка")
_ORDER_WORDS = (
    "order", "purchase order", "sales order", "bestellung", "bestell", "auftrag", "auftrags", "commande", "pedido",
    "ordine", "encomenda", "bestelling", "zamówienie", "zamówienia", "заказ", "заказа", "sipariş",
    "订单", "訂單", "订购单", "訂購單", "采购单", "採購單", "注文", "受注", "주문",
)  # fmt: skip
# "number" in the languages above; what follows the word "order" when a number is meant.
_NUMBER_WORDS = (
    "number", "numbers", "num", "no", "nos", "nr", "nummer", "numero", "número", "numéro", "n", "id", "code", "ref",
    "reference", "numer", "номер", "numarası",
    "号码", "號碼", "编号", "編號", "单号", "單號", "号", "號", "番号", "번호",
)  # fmt: skip

_LETTER = "[A-Za-z\u00c0-\u024f\u0400-\u04ff]"
"""Of scripts that separate words: between Chinese characters a word begins anywhere."""
_DATE = re.compile(r"(?:19|20)\d\d([-/.])\d{1,2}\1\d{1,2}|\d{1,2}([-/.])\d{1,2}\2(?:19|20)?\d\d")
_BARE = re.compile(r"(?<![\w&/#])#(\d{5,12})(?![\w-])")


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers that a text names, in the order in which they stand, each once, in capitals."""

    tickets: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()


def numbers(text: str, keyword_sets: Iterable[KeywordSet] = ()) -> Numbers:
    """Ticket and order numbers in the text.

    A number counts when a word for it stands before it (`Ticket#123456`, `order no. A-1001`, `订单号：20260001`, or a
    word of `keyword_sets` of those kinds), and a bare `#123456` is taken for a ticket.
    """
    extra: dict[str, tuple[str, ...]] = {KeywordSet.Kind.TICKET: (), KeywordSet.Kind.ORDER: ()}
    for one in keyword_sets:
        if one.kind in extra and one.active:
            extra[one.kind] += tuple(_lines(one.words))
    text = plain(text, MAX_TEXT)
    labelled = _labelled(extra[KeywordSet.Kind.TICKET], extra[KeywordSet.Kind.ORDER])
    tickets: dict[str, None] = {}
    orders: dict[str, None] = {}
    for found in labelled.finditer(text):
        number = found["number"].strip("-/.").upper()
        digits = sum(map(str.isdigit, number))
        if digits < (3 if found["mark"].strip() else 5) or _DATE.fullmatch(number):
            continue
        (orders if found["order"] else tickets)[number] = None
    for found in _BARE.finditer(text):
        if found[1] not in orders:
            tickets[found[1]] = None
    return Numbers(tuple(tickets)[:MAX_NUMBERS], tuple(orders)[:MAX_NUMBERS])


@lru_cache(maxsize=32)
def _labelled(tickets: tuple[str, ...], orders: tuple[str, ...]) -> re.Pattern[str]:
    def words(some: Iterable[str]) -> str:
        return "|".join(re.escape(word) for word in sorted(set(some), key=len, reverse=True))

    return re.compile(
        rf"""(?<!{_LETTER})(?:(?P<order>{words(_ORDER_WORDS + orders)})|(?P<ticket>{words(_TICKET_WORDS + tickets)}))
             (?P<mark>[ \-]{{0,2}}(?:(?:{words(_NUMBER_WORDS)})(?!{_LETTER}))?[ \t.:#№°º(\[\-是为為は]{{0,6}})
             (?P<number>[A-Z]{{0,6}}[-/]?\d[\dA-Z]{{0,20}}(?:[-/.][\dA-Z]{{1,20}}){{0,4}})(?![A-Z0-9_@])""",
        re.VERBOSE | re.IGNORECASE,
    )


def intents(text: str, keyword_sets: Iterable[KeywordSet]) -> tuple[str, ...]:
    """Names of the keyword sets of which the text holds a word, in the order of the sets.

    Words in scripts with spaces count as whole words, in their usual endings ("refund" finds "refunds", "refunded");
    one that ends in `*` finds every word that begins so. Words in Chinese, Japanese, Korean or Thai count wherever
    they stand.
    """
    chosen = [one for one in keyword_sets if one.active and one.kind == KeywordSet.Kind.INTENT]
    if not chosen or not text:
        return ()
    read = _read(text)
    return tuple(one.name for one in chosen if _keywords(one.words).found(*read))


def found_words(text: str, words: str) -> list[str]:
    """The lines of `words` that the text holds: for the person who maintains them."""
    read = _read(text)
    return [line for line in _lines(words) if _keywords(line).found(*read)]


def _read(text: str) -> tuple[set[str], str, str]:
    """The words, the words in a row, and everything without spaces."""
    folded = fold(text)
    tokens = _TOKEN.findall(folded)
    return set(tokens), f" {' '.join(tokens)} ", folded.replace(" ", "")


_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3040-\u30ff\u3130-\u318f\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]"
)
_ENDINGS = ("s", "es", "'s", "’s", "d", "ed", "ing", "e", "n", "en", "er", "ern", "em")
_MIN_INFLECTED = 4
"""Shorter words are taken as they are: "bus" is not "bused"."""


@dataclass(frozen=True, slots=True)
class _Keywords:
    words: frozenset[str]
    beginnings: tuple[str, ...]
    phrases: dict[str, list[str]]
    """By their first word: most texts hold the first words of few."""
    unspaced: tuple[str, ...]

    def found(self, seen: set[str], line: str, compact: str) -> bool:
        return (
            not self.words.isdisjoint(seen)
            or any(word.startswith(self.beginnings) for word in seen)
            or any(phrase in line for first in self.phrases.keys() & seen for phrase in self.phrases[first])
            or (not compact.isascii() and any(word in compact for word in self.unspaced))
        )


@lru_cache(maxsize=256)
def _keywords(lines: str) -> _Keywords:
    words: set[str] = set()
    beginnings: list[str] = []
    phrases: dict[str, list[str]] = {}
    unspaced: list[str] = []
    for line in _lines(lines):
        folded = fold(line)
        if _UNSPACED.search(folded):
            unspaced.append(folded.replace(" ", ""))
            continue
        open_end = folded.endswith("*")
        tokens = _TOKEN.findall(folded)
        if not tokens:
            continue
        *before, last = tokens
        if before:
            start = " ".join(["", *before, ""])
            forms = [f"{start}{last}"] if open_end else [f"{start}{form} " for form in _forms(last)]
            phrases.setdefault(before[0], []).extend(forms)
        elif open_end:
            beginnings.append(last)
        else:
            words.update(_forms(last))
    return _Keywords(frozenset(words), tuple(beginnings), phrases, tuple(unspaced))


def _forms(word: str) -> Iterator[str]:
    """The word in its usual endings. Forms that no language has do no harm: nobody writes them."""
    yield word
    if len(word) < _MIN_INFLECTED or not word.isalpha():
        return
    for ending in _ENDINGS:
        yield word + ending
    if word.endswith("e"):
        yield from (word[:-1] + "ed", word[:-1] + "ing")
    elif word.endswith("y"):
        yield from (word[:-1] + "ies", word[:-1] + "ied")
    elif word[-1] not in "aiou":
        yield from (word + word[-1] + "ed", word + word[-1] + "ing")


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
