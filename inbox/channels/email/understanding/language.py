"""Which language a mail is written in, right for short texts too.

Writing systems decide first; Chinese is told apart by characters that only one of the two standards has. Within an
alphabet, py3langid's statistics are helped by small words, because a support mail often has five to thirty of them.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import cache
from typing import Any

from .language_words import CYRILLIC, LATIN, LETTERS, RANGES, WORDS

_LOOKED_AT = 500
"""Characters of cleaned text that are looked at: more decide no better, and intake has half a millisecond for this."""
_NOISE = re.compile(
    r"https?://\S{1,500}|www\.\S{1,300}|[\w.+-]{1,64}@[\w.-]{1,200}|<[^<>]{0,200}>|\{[^{}]{0,200}\}|"
    r"-----BEGIN PGP MESSAGE-----|^[A-Za-z-]{1,20}: GnuPG[^\n]*|^[A-Za-z0-9+/=]{48,}$|[\d_#*=|/\\]+",
    re.MULTILINE,
)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_LATIN = frozenset(LATIN.split())
_CYRILLIC = frozenset(CYRILLIC.split())
_RARE = frozenset({"ca", "ms", "sl", "et", "lv", "lt", "be", "mk", "hr", "is", "la"})
_WORD_WEIGHT = 4.0
_MARGIN = 1.5


def of_tag(tag: str) -> str:
    """A language tag (BCP 47: `en-US`, `zh-TW`) as `detect` names languages; empty for what is none."""
    language, *parts = tag.strip().lower().replace("_", "-").split("-")
    if not (2 <= len(language) <= 3 and language.isascii() and language.isalpha()):
        return ""
    if language == "zh":
        return "zh-hant" if {"hant", "tw", "hk", "mo"} & set(parts) else "zh-hans"
    return language


def detect(text: str) -> str:
    """The ISO 639-1 code, `zh-hans` or `zh-hant` for Chinese, or an empty string when unsure. Takes up to 0.3 ms."""
    text = _NOISE.sub(" ", _unquoted(text[: 2 * _LOOKED_AT]))[:_LOOKED_AT]
    counts: Counter[str] = Counter()
    for character, times in Counter(text).items():
        if script := _script(ord(character)):
            counts[script] += times
    letters = sum(counts.values())
    if letters < 2:
        return ""
    # One ideograph or syllable says as much as a word of an alphabet.
    east = counts["han"] + counts["kana"] + counts["hangul"]
    if east * 5 >= letters - east:
        return _eastern(text, counts)
    script = max((s for s in counts if s not in ("han", "kana", "hangul")), key=lambda s: counts[s])
    if script == "latin":
        return _by_words(text, _LATIN)
    if script == "cyrillic":
        return _by_words(text, _CYRILLIC)
    if script == "arabic":
        return (
            "fa"
            if re.search("[پچژگیک]", text) and not re.search("[ٹڈڑےں]", text)
            else "ur"
            if re.search("[ٹڈڑےں]", text)
            else "ar"
        )
    return script


def _unquoted(text: str) -> str:
    """Without quoted lines, if anything remains."""
    lines = [line for line in text.split("\n") if not line.lstrip().startswith(">")]
    return "\n".join(lines) if any(line.strip() for line in lines) else text


def _eastern(text: str, counts: Counter[str]) -> str:
    if counts["hangul"] > counts["kana"] and counts["hangul"] * 3 >= counts["han"]:
        return "ko"
    if counts["kana"] >= 2 and counts["kana"] * 12 >= counts["han"]:
        return "ja"
    simplified, traditional = _chinese_sets()
    plain = sum(character in simplified for character in text)
    full = sum(character in traditional for character in text)
    if plain == full:
        return "" if counts["han"] < 2 and not plain else "zh-hans"
    return "zh-hans" if plain > full else "zh-hant"


@cache
def _chinese_sets() -> tuple[frozenset[str], frozenset[str]]:
    """Ideographs that only GB 2312 (simplified) has, and those that only Big5 (traditional) has."""

    def encodable(character: str, codec: str) -> bool:
        try:
            character.encode(codec)
        except UnicodeEncodeError:
            return False
        return True

    simplified: set[str] = set()
    traditional: set[str] = set()
    for character in map(chr, range(0x4E00, 0x9FFF)):
        gb, big5 = encodable(character, "gb2312"), encodable(character, "big5")
        if gb != big5:
            (simplified if gb else traditional).add(character)
    # 台 for 臺, 群, 着, 说's old form and other characters that both sides write whatever the standards list.
    return frozenset(simplified - set("着群峰台裏秘恒床")), frozenset(traditional - set("着"))


def _by_words(text: str, languages: frozenset[str]) -> str:
    lowered = unicodedata.normalize("NFC", text).lower()
    words = [word.replace("’", "'") for word in _WORD.findall(lowered)]
    if sum(map(len, words)) < 2:
        return ""
    scores = _statistics(" ".join(words)[:300], languages)
    best = max(scores.values())
    scores = {language: max(score - best, -40.0) for language, score in scores.items()}
    known = 0
    for word in words[:150]:
        for language, weight in _word_weights().get(word, ()):
            if language in scores:
                scores[language] += weight * _WORD_WEIGHT
                known += 1
    for letter in set(lowered) & LETTERS.keys():
        for language in LETTERS[letter].split():
            if language in scores:
                scores[language] += 2.5
    if "en" in scores and lowered.isascii():
        scores["en"] += 1.0
    for language in _RARE & scores.keys():
        scores[language] -= 8.0 if language == "la" else 2.0  # nobody asks for help in Latin: only filler has it
    (first, high), (_, low) = sorted(scores.items(), key=lambda item: -item[1])[:2]
    if len(set(words)) < 3 and not known and high - low < 4 * _MARGIN:
        return ""
    return first if high - low >= _MARGIN or len(words) >= 12 else ""


@cache
def _word_weights() -> dict[str, tuple[tuple[str, float], ...]]:
    """For each small word the languages that have it; the fewer, the more it says."""
    owners: dict[str, list[str]] = {}
    for language, listed in WORDS.items():
        for word in dict.fromkeys(listed.split()):
            owners.setdefault(word, []).append(language)
    return {word: tuple((language, 1 / len(having)) for language in having) for word, having in owners.items()}


def _statistics(text: str, languages: frozenset[str]) -> dict[str, float]:
    """Log-likelihoods by the model of py3langid, which is loaded on first use (0.8 s and 55 MB, once a process)."""
    scores: dict[str, float] = {}
    for language, score in _identifier().rank(text):
        # The model has some languages twice, in two alphabets; the likelier comes first.
        if language in languages:
            scores.setdefault(str(language), float(score))
    return scores


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    whole = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=False)
    whole.set_languages((_LATIN | _CYRILLIC).intersection(whole.labels))
    # The columns of a hundred other languages go with the whole, and what is left lies in one piece: read quicker.
    return LanguageIdentifier(
        whole.nb_ptc.copy(), whole.nb_pc, whole.nb_classes, whole.tk_nextmove, whole.tk_output, tk_row=whole.tk_row
    )


@cache
def _script(code: int) -> str:
    """The writing system of a letter: a name of our own or, where it has only one language here, that language."""
    for first, last, name in RANGES:
        if first <= code <= last:
            return (
                name
                if chr(code).isalpha()
                or name in ("hi", "bn", "ta", "te", "th", "my", "km", "lo", "si", "ml", "kn", "gu", "pa")
                else ""
            )
    return ""
