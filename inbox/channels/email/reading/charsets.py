"""Bytes of uncertain character set to text: what is declared, what is meant by it, and what it really is."""

from __future__ import annotations

import codecs
import re
from functools import lru_cache

from .guessing import is_other_script, likely

# What senders declare against what their software writes: the vendor's superset reads both (WHATWG Encoding, §4.2).
_MEANT = {
    "gb2312": ("gb18030",),
    "gbk": ("gb18030",),
    "cp936": ("gb18030",),
    "gb18030": ("gb18030",),
    "big5": ("cp950", "big5hkscs"),
    "big5-tw": ("cp950", "big5hkscs"),
    "cp950": ("cp950", "big5hkscs"),
    "big5hkscs": ("big5hkscs", "cp950"),
    "euc-kr": ("cp949",),
    "ks-c-5601-1987": ("cp949",),
    "ks-c-5601": ("cp949",),
    "ksc5601": ("cp949",),
    "ks-x-1001": ("cp949",),
    "cp949": ("cp949",),
    "uhc": ("cp949",),
    "korean": ("cp949",),
    "shift-jis": ("cp932",),
    "sjis": ("cp932",),
    "ms-kanji": ("cp932",),
    "cp932": ("cp932",),
    "shift-jisx0213": ("shift_jisx0213",),
    "euc-jp": ("euc_jp", "euc_jis_2004"),
    "eucjp": ("euc_jp", "euc_jis_2004"),
    "iso-8859-1": ("cp1252",),
    "latin1": ("cp1252",),
    "latin-1": ("cp1252",),
    "iso-ir-100": ("cp1252",),
    "ansi": ("cp1252",),
    "cp1252": ("cp1252",),
    "8859-1": ("cp1252",),
    "iso8859-1": ("cp1252",),
    "iso-8859-9": ("cp1254",),
    "iso8859-9": ("cp1254",),
    "latin5": ("cp1254",),
    "iso-8859-11": ("cp874",),
    "tis-620": ("cp874",),
    "cp874": ("cp874",),
    "iso-8859-8-i": ("iso8859_8", "cp1255"),
    "iso-8859-8-e": ("iso8859_8", "cp1255"),
    "iso-8859-8": ("iso8859_8", "cp1255"),
    "iso-8859-6-i": ("iso8859_6", "cp1256"),
    "iso-8859-6-e": ("iso8859_6", "cp1256"),
    "unicode-1-1-utf-7": ("utf-7",),
    "unicode-1-1-utf-8": ("utf-8",),
    "utf8": ("utf-8",),
    "unicode": ("utf-16",),
    "utf-8mb4": ("utf-8",),
    "cp65001": ("utf-8",),
    "cp65000": ("utf-7",),
    "macintosh": ("mac_roman",),
    "mac": ("mac_roman",),
    "mac-roman": ("mac_roman",),
    "mac-ce": ("mac_latin2",),
    "mac-cyrillic": ("mac_cyrillic",),
    "mac-japanese": ("cp932",),
    "koi8": ("koi8_r",),
    "koi8-ru": ("koi8_u",),
    "cp-850": ("cp850",),
    "win-1251": ("cp1251",),
    "win-1252": ("cp1252",),
    "gb-2312-80": ("gb18030",),
    "chinesebig5": ("cp950",),
}
_UNKNOWN = {
    "",
    "us-ascii",
    "ascii",
    "ansi-x3.4-1968",
    "iso646-us",
    "unknown-8bit",
    "unknown",
    "8bit",
    "7bit",
    "binary",
    "default",
    "user-defined",
    "none",
    "charset",
    "iso-8859-16-unknown",
    "all",
    "utf",
    "mixed",
    "iso",
}
_JAPANESE = {
    "iso-2022-jp",
    "csiso2022jp",
    "iso-2022-jp-1",
    "iso-2022-jp-2",
    "iso-2022-jp-3",
    "iso-2022-jp-ms",
    "cp50220",
    "cp50221",
    "cp50222",
    "jis",
}
_LATIN = {"cp1252"}
_WIDE = {
    "gb18030",
    "cp950",
    "big5hkscs",
    "cp949",
    "cp932",
    "euc_jp",
    "euc_jis_2004",
    "shift_jisx0213",
    "iso2022_jp",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
}
"""Sets in which a few bytes of UTF-8 may be letters too."""
_ESCAPES = re.compile(rb"(\x1b(?:\$\([A-Z]|\$[@AB]|\([ABHIJ]|\.[AF]|&@\x1b\$B))")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_ACCENTED_UTF_8 = re.compile(rb"\xc3[\xa0-\xbf]")
_CONTROL = re.compile("[\x80-\x9f]")
"""C1 controls, which no text has: what looks like one is two letters of a set of single bytes."""
_LINE_ENDS = re.compile(r"\r\n|\r")


def decode(content: bytes, declared: str = "", hint: str = "") -> tuple[str, bool]:
    """Text of these bytes, and whether every byte was understood.

    `declared` is the label the sender gave, `hint` a label from elsewhere in the same mail that is tried when the
    declared one says nothing. Never raises. NUL is dropped, because no database column of text can hold it.
    """
    text, whole = _decode(content, declared, hint)
    if text.isascii():
        return (text.replace("\x00", "") if "\x00" in text else text), whole
    if _LONE_SURROGATE.search(text):  # UTF-7 can hold halves of a pair, which can be neither stored nor sent
        text, whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"), False
    return text.replace("\x00", "").lstrip("\ufeff"), whole


def with_plain_line_ends(text: str) -> str:
    """The same text with a line feed, and nothing else, after each line."""
    return _LINE_ENDS.sub("\n", text) if "\r" in text else text


def label(declared: str) -> str:
    """A declared character set in lower case, without quotes, language or vendor prefix."""
    return _label(declared[:100])


@lru_cache(maxsize=512)
def _label(declared: str) -> str:
    name = declared.strip(" \t\r\n\"'<>;,").lower().split("*")[0].replace("_", "-")
    name = re.split(r"[\s;(]", name)[0]
    if name.startswith("-iso-2022-jp"):
        return "iso-2022-jp"
    for prefix in ("charset=", "x-", "cs-", "windows-"):
        if name.startswith(prefix) and name != prefix:
            name = name[len(prefix) :].strip("\"'") if prefix != "windows-" else "cp" + name[8:]
    return name


@lru_cache(maxsize=256)
def _codecs(name: str) -> tuple[str, ...]:
    meant = _MEANT.get(name)
    if meant:
        return meant
    for spelling in (name, re.sub(r"^(iso)-?(\d+)", r"\1-\2", name), name.replace("-", "")):
        try:
            found = codecs.lookup(spelling)
        except (LookupError, ValueError):  # ValueError: a NUL in the name
            continue
        if found._is_text_encoding and found.name not in (
            "idna",
            "punycode",
            "unicode_escape",
            "raw_unicode_escape",
            "undefined",
        ):
            return (found.name,)
    return ()


def _decode(content: bytes, declared: str, hint: str) -> tuple[str, bool]:
    name = label(declared)
    if (
        content.isascii()
        and b"\x1b" not in content
        and not name.startswith(("utf-", "unicode", "hz", "cp65000", "iso-2022", "cp037", "cp500"))
    ):
        return content.decode("ascii"), True
    for mark, codec in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if content.startswith(mark):
            if codec == "utf-16" and len(content) % 2:
                if content[-1] not in b"\n\r\x00" or b"\x00" not in content:
                    break
                # A relay's last line end has one byte, and the one before a boundary is taken off as one byte.
                content = content[:-1]
            try:
                return content.decode(codec), True
            except UnicodeDecodeError:
                break
    if name in _JAPANESE or (name in _UNKNOWN and b"\x1b$" in content):
        if b"\x1b" not in content and (text := _as_utf_8(content, "iso2022_jp")):
            return text, True
        return _iso_2022_jp(content)
    if name in _UNKNOWN or not (names := _codecs(name)):
        return _guess(content, hint)
    if names[0] in ("utf-16", "utf-32", "utf-16-le", "utf-16-be") and b"\x00" not in content and content.isascii():
        return content.decode("ascii"), True
    if names[0] != "utf-8" and (text := _as_utf_8(content, names[0])):
        return text, True
    if names[0] in _LATIN:
        codec = likely(content) if is_other_script(content) else "cp1252"
        return (_windows_1252(content) if codec == "cp1252" else content.decode(codec, "replace")), True
    for codec in names:
        try:
            return content.decode(codec), True
        except (UnicodeDecodeError, UnicodeError):
            continue
    return _mislabelled(content, names[0], hint)


def _as_utf_8(content: bytes, codec: str) -> str:
    """Text of bytes that can be nothing but UTF-8, whatever their label says; empty when they may be something else.

    A valid sequence is nonsense in every set of single bytes. In the sets of East Asia a short one may be chance.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    if text.isascii() or "\x00" in text or (codec != "utf-8" and _CONTROL.search(text)):
        return ""
    return text if codec not in _WIDE or sum(char > "\x7f" for char in text[:4000]) > 3 else ""


def _mislabelled(content: bytes, codec: str, hint: str) -> tuple[str, bool]:
    """The declared set does not fit. A few faults are damage, many are a wrong label."""
    damaged = content.decode(codec, "replace")
    faults = damaged.count("\ufffd")
    understood = sum(1 for char in damaged if char > "\x7f") - faults
    if content.isascii():  # seven-bit sets (UTF-7, HZ): the bytes would pass for anything
        return damaged, False
    if codec != "utf-8":
        try:
            return content.decode("utf-8"), True
        except UnicodeDecodeError:
            pass
    if codec.startswith(("utf-16", "utf-32")) or (4 * understood < faults and not _really_utf_8(content, codec)):
        text, whole = _guess(content, "" if label(hint) == label(codec) else hint)
        if whole:
            return text, True
    return damaged, False


def _really_utf_8(content: bytes, codec: str) -> bool:
    """Whether damaged bytes hold accented letters of UTF-8, which no text in a Western set does by chance."""
    return codec == "utf-8" and _ACCENTED_UTF_8.search(content) is not None and likely(content) == "cp1252"


def _guess(content: bytes, hint: str) -> tuple[str, bool]:
    if b"\x1b$" in content:
        return _iso_2022_jp(content)
    try:
        return content.decode("utf-8"), True
    except UnicodeDecodeError as fault:
        if (
            fault.end == len(content)
            and fault.start > 8
            and len(content) - fault.start < 4
            and fault.reason == "unexpected end of data"
        ):
            return content.decode("utf-8", "replace"), False
    named = label(hint)
    if named not in _UNKNOWN and named not in ("utf-8", "utf8"):
        for codec in _codecs(named):
            try:
                return content.decode(codec), True
            except (UnicodeDecodeError, UnicodeError):
                continue
    codec = likely(content)
    if codec == "cp1252":
        return _windows_1252(content), True
    return content.decode(codec, "replace"), True


def _windows_1252(content: bytes) -> str:
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError:
        # Five bytes are undefined in the vendor's table; browsers read them as the C1 control of the same number.
        return "".join(
            char if char != "\ufffd" else chr(byte)
            for char, byte in zip(content.decode("cp1252", "replace"), content, strict=True)
        )


def _iso_2022_jp(content: bytes) -> tuple[str, bool]:
    """ISO-2022-JP as mail programs write it: with NEC's and IBM's characters and half-width kana (CP50221)."""
    for codec in ("iso2022_jp", "iso2022_jp_2"):
        try:
            return content.decode(codec), True
        except UnicodeDecodeError:
            continue
    out, whole, state = [], True, b"\x1b(B"
    for piece in _ESCAPES.split(content):
        if piece.startswith(b"\x1b") and _ESCAPES.fullmatch(piece):
            state = piece
            continue
        if not piece:
            continue
        if state in (b"\x1b$B", b"\x1b$@", b"\x1b&@\x1b$B"):
            text = _jis_pairs(piece)
        elif state == b"\x1b(I":
            text = bytes(byte | 0x80 for byte in piece).decode("cp932", "replace")
        elif state in (b"\x1b(B", b"\x1b(J", b"\x1b(H"):
            text = piece.decode("cp932", "replace") if not piece.isascii() else piece.decode("ascii")
        else:
            text = (state + piece).decode("iso2022_jp_ext", "replace")
        whole = whole and "\ufffd" not in text
        out.append(text)
    return "".join(out), whole


def _jis_pairs(piece: bytes) -> str:
    """A run of two-byte JIS X 0208 codes, by way of Shift JIS whose Microsoft table knows the vendors' rows too."""
    out, at = bytearray(), 0
    while at < len(piece):
        row = piece[at]
        if row in b"\r\n" or at + 1 >= len(piece):
            out.append(row)
            at += 1
            continue
        cell = piece[at + 1]
        at += 2
        if not (0x21 <= row <= 0x7E and 0x21 <= cell <= 0x7E):
            out += b"?"
            continue
        lead = ((row + 1) >> 1) + (0x70 if row < 0x5F else 0xB0)
        trail = cell + (0x1F if cell < 0x60 else 0x20) if row & 1 else cell + 0x7E
        out += bytes((lead, trail))
    return out.decode("cp932", "replace")
