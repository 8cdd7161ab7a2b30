"""Rich Text Format as Outlook sends it: compressed (MS-OXRTFCP), and no more of it than its words."""

from __future__ import annotations

import re
import struct

_START = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans Serif"
    rb"SymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0"
    b"\r\n"
    rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
"""What the window holds before the first byte (MS-OXRTFCP, 2.1.2.1)."""
_SIZE_LIMIT = 10_000_000
_TOKEN = re.compile(
    r"\\'([0-9a-fA-F]{2})|\\u(-?\d{1,6}) ?|\\([a-zA-Z]{1,32})(-?\d{1,10})? ?"
    r"|\\([^a-zA-Z])|([{}])|[\r\n]+|([^\\{}\r\n]+)"
)
_HIDDEN = frozenset((
    "fonttbl", "colortbl", "stylesheet", "info", "pict", "object", "generator", "listtable", "listoverridetable",
    "rsidtbl", "themedata", "datastore", "header", "footer", "fldinst",
))  # fmt: skip
_SIGNS = {
    "par": "\n", "line": "\n", "row": "\n", "tab": "\t", "cell": " ", "bullet": "\u2022", "endash": "\u2013",
    "emdash": "\u2014", "lquote": "\u2018", "rquote": "\u2019", "ldblquote": "\u201c", "rdblquote": "\u201d",
}  # fmt: skip


def decompress(packed: bytes) -> bytes:
    """The RTF inside a compressed property; empty when it is none."""
    if len(packed) < 16:
        return b""
    size, kind = struct.unpack_from("<II", packed, 4)
    if kind == 0x414C454D:  # "MELA": stored
        return packed[16 : 16 + size]
    if kind != 0x75465A4C:  # "LZFu"
        return b""
    window = bytearray(_START.ljust(4096, b"\0"))
    write, at = len(_START), 16
    out = bytearray()
    while at < len(packed) and len(out) < min(size, _SIZE_LIMIT):
        control = packed[at]
        at += 1
        for bit in range(8):
            if at >= len(packed):
                break
            if not control >> bit & 1:
                piece = packed[at : at + 1]
                at += 1
                out += piece
                window[write] = piece[0]
                write = (write + 1) & 0xFFF
                continue
            if at + 1 >= len(packed):
                return bytes(out)
            reference = packed[at] << 8 | packed[at + 1]
            at += 2
            read, length = reference >> 4, (reference & 0xF) + 2
            if read == write:
                return bytes(out[:size])
            for _ in range(length):
                byte = window[read]
                out.append(byte)
                window[write] = byte
                read, write = (read + 1) & 0xFFF, (write + 1) & 0xFFF
    return bytes(out[:size])


def to_text(document: bytes) -> str:
    """The words of an RTF document, also of one that only wraps HTML (MS-OXRTFEX)."""
    source = document.decode("latin-1")
    page = re.search(r"\\ansicpg(\d{3,5})", source)
    codec = f"cp{page[1]}" if page else "cp1252"
    out: list[str] = []
    high = bytearray()
    hidden, stack, skip = False, [], 0

    def flush() -> None:
        if high:
            try:
                out.append(high.decode(codec, "replace"))
            except LookupError:
                out.append(high.decode("cp1252", "replace"))
            high.clear()

    for found in _TOKEN.finditer(source):
        byte, code, word, number, symbol, brace, plain = found.groups()
        if byte:
            if skip:
                skip -= 1
            elif not hidden:
                high.append(int(byte, 16))
            continue
        flush()
        if brace == "{":
            stack.append(hidden)
        elif brace:
            hidden = stack.pop() if stack else False
        elif symbol == "*" or word in _HIDDEN:
            hidden = True
        elif word == "htmlrtf":
            hidden = number != "0"
        elif hidden:
            continue
        elif code:
            out.append(chr(int(code) % 65536))
            skip = 1
            continue
        elif word:
            out.append(_SIGNS.get(word, ""))
        elif symbol:
            out.append({"~": " ", "_": "-"}.get(symbol, symbol if symbol in "\\{}" else ""))
        elif plain:
            out.append(plain[skip:])
        skip = 0
    flush()
    text = "".join(out).encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "")
    return re.sub(r"\n{3,}", "\n\n", text).strip()
