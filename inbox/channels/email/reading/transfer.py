"""Content transfer encodings (RFC 2045, 6), read with the mistakes that senders make."""

from __future__ import annotations

import binascii
import re

_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=\s]")
_BETWEEN_WORDS = re.compile(rb"[A-Za-z,.] +(?=[A-Za-z])")
_OUTSIDE = re.compile(rb"[^A-Za-z0-9+/]")
_PADDED_END = re.compile(rb"=[=\s]*")
_SOFT_BREAK = re.compile(rb"=[ \t]+(?=\r?\n)")
_UU_BEGIN = re.compile(rb"^begin [0-7]{3,4} ([^\r\n]{1,255})\r?\n", re.MULTILINE)
_YENC = re.compile(
    rb"^=ybegin [^\r\n]{0,200}?name=([^\r\n]{1,255})\r?\n(?:=ypart [^\r\n]*\r?\n)?(.*?)^=yend [^\r\n]*(?:\r?\n|\Z)",
    re.MULTILINE | re.DOTALL,
)
_Y_ESCAPE = re.compile(rb"=(.)", re.DOTALL)
_Y_BYTES = bytes((byte - 42) % 256 for byte in range(256))
_UU_END = re.compile(rb"^(?:end|END)[ \t]*\r?$", re.MULTILINE)


def decode(content: bytes, encoding: str, is_text: bool = False) -> tuple[bytes, bool]:
    """Content without its transfer encoding, and whether it was well-formed. Never raises.

    What follows the padding of base64 is kept in a text, where list servers put their footer, and dropped from files.
    An encoding that nobody knows is taken for none (RFC 2045, 6.4 asks for opaque bytes, which nobody could read).
    """
    name = re.sub(r"[^a-z0-9]", "", re.split(r"[;(]", encoding.lower(), maxsplit=1)[0])
    if name == "base64":
        return _base64(content, is_text)
    if name in ("quotedprintable", "qp", "quoted"):
        if b"= " in content or b"=\t" in content:
            content = _SOFT_BREAK.sub(b"=", content)
        return binascii.a2b_qp(content), True
    if name in ("xuuencode", "uuencode", "xuue", "uue"):
        found = uuencoded(content)
        return (found[0][1], True) if found else (content, False)
    return content, name in ("", "7bit", "8bit", "binary", "7bits", "8bits")


def _base64(content: bytes, is_text: bool) -> tuple[bytes, bool]:
    sample = content[:4000].strip()
    foreign = len(_NOT_BASE64.findall(sample))
    if sample and (
        (foreign * 10 > len(sample) and foreign > 2) or len(_BETWEEN_WORDS.findall(sample)) * 25 > len(sample)
    ):
        return content, False  # labelled base64, never encoded
    try:
        whole = binascii.a2b_base64(content)
        if b"=" not in content.rstrip().rstrip(b"="):
            return whole, not foreign
    except binascii.Error:
        pass
    # Pieces that were padded and encoded one by one, or a footer that a list server added behind the padding.
    out, at, good = bytearray(), 0, not foreign
    while at < len(content):
        end = _PADDED_END.search(content, at)
        piece = content[at : end.start() if end else len(content)]
        packed = _OUTSIDE.sub(b"", piece)
        if out and _NOT_BASE64.search(piece):
            good = False
            if not is_text:
                break
            out += piece
        else:
            if len(packed) % 4 == 1:
                packed, good = packed[:-1], False
            out += binascii.a2b_base64(packed + b"=" * (-len(packed) % 4))
        at = end.end() if end else len(content)
    return bytes(out), good


def uuencoded(content: bytes) -> list[tuple[str, bytes, int, int]]:
    """The uuencoded files in a text: name, bytes, and where the block starts and ends."""
    if b"begin " not in content:
        return []
    found, at = [], 0
    while begin := _UU_BEGIN.search(content, at):
        end = _UU_END.search(content, begin.end())
        if end is None:
            break
        lines = content[begin.end() : end.start()].splitlines()
        data, good = bytearray(), bool(lines)
        for line in lines:
            if not line.strip():
                continue
            try:
                data += binascii.a2b_uu(line)
            except binascii.Error:
                size = (((line[0] - 32) & 63) * 4 + 5) // 3
                try:
                    data += binascii.a2b_uu(line[:size])
                except binascii.Error:
                    good = False
                    break
        if good:
            found.append((begin[1].decode("utf-8", "replace").strip(), bytes(data), begin.start(), end.end()))
            at = end.end()
        else:
            at = begin.end()
    return found


def yencoded(content: bytes) -> tuple[bytes, list[tuple[str, bytes]]]:
    """A text without the files that a news program set into it by yEnc, and these: name and bytes."""
    found: list[tuple[str, bytes]] = []

    def take(block: re.Match[bytes]) -> bytes:
        packed = block[2].replace(b"\r", b"").replace(b"\n", b"")
        packed = _Y_ESCAPE.sub(lambda pair: bytes(((pair[1][0] - 64) % 256,)), packed)
        found.append((block[1].decode("utf-8", "replace").strip(), packed.translate(_Y_BYTES)))
        return b""

    return (_YENC.sub(take, content) if b"=yend " in content else content), found
