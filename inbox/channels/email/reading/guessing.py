"""Which character set bytes without a label most likely have, from the letters that languages use most."""

from __future__ import annotations

import re

# Byte pairs of the most used characters lie in a known block of each set; other sets put rare ones or nothing there.
_COMMON_PAIRS = (
    ("gb18030", re.compile(rb"[\xb0-\xd7][\xa1-\xfe]|\xa3[\xa1-\xfe]|\xa1[\xa2-\xbf]")),
    ("cp950", re.compile(rb"[\xa4-\xc6][\x40-\x7e\xa1-\xfe]|\xa1[\x40-\x7e\xa1-\xac]")),
    ("cp949", re.compile(rb"[\xb0-\xc8][\xa1-\xfe]")),
    ("cp932", re.compile(rb"\x82[\x9f-\xf1]|\x83[\x40-\x96]|\x81[\x40-\x7e\x80-\xac]|[\x88-\x97][\x40-\x7e\x80-\xfc]")),
    ("euc_jp", re.compile(rb"\xa4[\xa1-\xf3]|\xa5[\xa1-\xf6]|\xa1[\xa1-\xfe]|[\xb0-\xcf][\xa1-\xfe]")),
)
_OFTEN = {
    "cp1251": "оеаинтслвркдмпуыьбй",
    "koi8_r": "оеаинтслвркдмпуыьбй",
    "iso8859_5": "оеаинтслвркдмпуыьбй",
    "cp1253": "αοιετνσρκπυςάίό",
    "cp1255": "יוהלאמרתבשםנחד",
    "cp1256": "اليمنرتوبعدس",
}
_CYRILLIC = frozenset(("cp1251", "koi8_r"))
"""Far more frequent than the others in mail without a label."""
_OFTEN_BYTES = {codec: frozenset(letters.encode(codec)) for codec, letters in _OFTEN.items()}
"""The bytes of the letters that are used most, in the sets where nearly every letter is one high byte."""


def is_other_script(content: bytes) -> bool:
    """Whether bytes that are called Latin cannot be: most of those beyond ASCII stand in words of nothing else.

    No Western language has four accented letters in a row; rules and bullets repeat the same few.
    """
    if not _WORD_OF_OTHERS.search(content):
        return False
    sample = content[:4000]
    high = sum(map(len, _HIGH_RUN.findall(sample)))
    inside = sum(len(word) for word in _WORD_OF_OTHERS.findall(sample) if len(set(word)) > 2)
    return inside >= 12 and 2 * inside > high and high > sum(map(len, _PLAIN_LETTERS.findall(sample)))


def likely(content: bytes) -> str:
    """The most likely codec of bytes that are not UTF-8 and bear no label."""
    sample = content[:4000]
    runs = _HIGH_RUN.findall(sample)
    high = sum(map(len, runs))
    if high < 4 and not (high == 3 and len(_SJIS_KANA.findall(sample)) == 3):
        return "cp1252"
    # A lone high byte between letters is an accented letter; other scripts come in runs.
    in_runs = high / len(runs) >= 2
    codec, score = _likely_pairs(content, sample, high, in_runs)
    if in_runs:
        shares = {
            name: sum(byte in often for byte in sample) / high + (0.05 if name in _CYRILLIC else 0)
            for name, often in _OFTEN_BYTES.items()
            if _fits(content, name)
        }
        name, share = max(shares.items(), key=lambda pair: pair[1], default=("", 0.0))
        only_letters = sum(byte >= 0xC0 for byte in sample) == high
        if share > 0.4 and (only_letters or score < 0.8) and share > score - (0.65 if only_letters else 0.1):
            return name
    if not codec and high > 8:
        from charset_normalizer import from_bytes  # slow to import and to run: only what nothing above explained

        found = from_bytes(sample, preemptive_behaviour=False).best()
        if found is not None and found.encoding in _PLAUSIBLE:
            return found.encoding
    return codec or "cp1252"


def _fits(content: bytes, codec: str) -> bool:
    try:
        content.decode(codec)
    except UnicodeDecodeError:
        return False
    return True


def _likely_pairs(content: bytes, sample: bytes, high: int, in_runs: bool) -> tuple[str, float]:
    """The best of the double-byte sets and the share of its common characters; empty when none fits."""
    best, best_score = "", 0.6
    for codec, common in _COMMON_PAIRS:
        if not in_runs and codec not in ("cp950", "cp932"):
            continue
        try:
            text = content.decode(codec)[:4000]
        except (UnicodeDecodeError, UnicodeError):
            continue
        score = sum(map(len, common.findall(sample))) / max(1, sum(2 for char in text if char > "\x7f"))
        if codec == "euc_jp":
            score = score + 0.2 if _EUC_KANA.search(sample) else score * 0.8
        elif codec == "cp949":
            hangul = sum("\uac00" <= char <= "\ud7a3" for char in text)
            score = score + 0.1 if hangul * 2 > high * 0.8 else score * 0.5
        elif codec == "cp932":
            score *= 1.0 if _SJIS_KANA.search(sample) or len(_NOT_WINDOWS.findall(sample)) * 4 >= high else 0.6
        elif codec == "gb18030" and _HALF_LOW.search(sample):
            score *= 0.8
        if score > best_score:
            best, best_score = codec, score
    return best, best_score if best else 0.0


_WORD_OF_OTHERS = re.compile(rb"[\xa1-\xff]{4,}")
_PLAIN_LETTERS = re.compile(rb"[A-Za-z]+")
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_EUC_KANA = re.compile(rb"(?:\xa4[\xa1-\xf3]){2}|(?:\xa5[\xa1-\xf6]){3}")
_NOT_WINDOWS = re.compile(rb"[\x81-\x84\x86-\x90\x98\x9a-\x9f]")
_SJIS_KANA = re.compile(rb"\x82[\x9f-\xf1]|\x83[\x40-\x96]")
_HALF_LOW = re.compile(rb"[\x80-\xff][\x40-\x7e](?=[\x80-\xff])")
_PLAUSIBLE = {
    "cp1250",
    "cp1251",
    "cp1253",
    "cp1254",
    "cp1255",
    "cp1256",
    "cp874",
    "koi8_r",
    "cp949",
    "big5",
    "gb18030",
    "cp932",
    "euc_jp",
    "euc_kr",
    "iso8859_2",
    "mac_roman",
}
