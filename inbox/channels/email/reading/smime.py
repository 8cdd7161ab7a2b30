"""The mail inside an S/MIME message that was signed but not encrypted (RFC 8551, 3.5.2). No signature is checked."""

from __future__ import annotations

_TYPES = frozenset(("application/pkcs7-mime", "application/x-pkcs7-mime"))
_DATA = bytes.fromhex("06092a864886f70d010701")
"""The object identifier of plain data (RFC 5652, 4), which stands before what was signed."""


def is_wrapped(content_type: str) -> bool:
    """Whether a part of this type may hold a signed mail."""
    return content_type in _TYPES


def signed_content(content: bytes) -> bytes:
    """The entity that was signed; empty when there is none to be read, as in an encrypted message."""
    at = content.find(_DATA)
    try:
        at += len(_DATA)
        if at < len(_DATA) or content[at] != 0xA0:
            return b""
        _, at = _length(content, at + 1)
        return _octets(content, at)
    except (IndexError, ValueError):
        return b""


def _octets(content: bytes, at: int) -> bytes:
    """An OCTET STRING, whole or, as BER allows, in pieces."""
    kind = content[at]
    size, at = _length(content, at + 1)
    if kind == 0x04:
        return content[at : at + size]
    if kind != 0x24:
        return b""
    end = at + size if size >= 0 else len(content)
    out = bytearray()
    while at < end and content[at] == 0x04:
        size, at = _length(content, at + 1)
        out += content[at : at + size]
        at += size
    return bytes(out)


def _length(content: bytes, at: int) -> tuple[int, int]:
    """A BER length and where it ends; -1 for an indefinite one (X.690, 8.1.3)."""
    first = content[at]
    if first < 0x80:
        return first, at + 1
    if first == 0x80:
        return -1, at + 1
    count = first & 0x7F
    if count > 4:
        raise ValueError(count)
    return int.from_bytes(content[at + 1 : at + 1 + count], "big"), at + 1 + count
