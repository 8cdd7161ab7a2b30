"""The files and the body that Outlook packed into a `winmail.dat` (MS-OXTNEF)."""

from __future__ import annotations

import mimetypes
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from core.html import to_text
from inbox.channels.base import InboundFile

from . import charsets, files, rtf
from .bodies import Body

_SIGNATURE = 0x223E9F78
_TYPES = frozenset(("application/ms-tnef", "application/vnd.ms-tnef"))
_FILE_LIMIT = 200

_BODY, _ATTACHMENT_STARTS, _ATTACHMENT_TITLE, _ATTACHMENT_DATA = 0x800C, 0x9002, 0x8010, 0x800F
_MESSAGE_PROPERTIES, _ATTACHMENT_PROPERTIES, _CODE_PAGE = 0x9003, 0x9005, 0x9007
_PR_BODY, _PR_RTF, _PR_HTML = 0x1000, 0x1009, 0x1013
_PR_DATA, _PR_SHORT_NAME, _PR_LONG_NAME, _PR_TYPE, _PR_CONTENT_ID = 0x3701, 0x3704, 0x3707, 0x370E, 0x3712
_WIDTHS = {0x02: 4, 0x03: 4, 0x04: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x0A: 4, 0x0B: 4, 0x14: 8, 0x40: 8, 0x48: 16}


@dataclass(slots=True)
class _Packed:
    """One attachment while its attributes are being read."""

    title: bytes = b""
    content: bytes = b""
    properties: dict[int, bytes | str] = field(default_factory=dict)


def unpack(body: Body) -> None:
    """Put what is inside each `winmail.dat` in its place. One that cannot be read stays as it is."""
    for index in range(len(body.files) - 1, -1, -1):
        file = body.files[index]
        if file.content_type in _TYPES or file.name.lower() == "winmail.dat":
            inner = _read(file.content)
            if inner is None:
                continue
            body.files[index : index + 1] = inner.files
            if not body.html.strip():
                body.html = inner.html
            if not body.text.strip():
                body.text = inner.text or to_text(inner.html)


def _read(content: bytes) -> Body | None:
    if len(content) < 6 or struct.unpack_from("<I", content)[0] != _SIGNATURE:
        return None
    code_page = "cp1252"
    text = b""
    message: dict[int, bytes | str] = {}
    packed: list[_Packed] = []
    for kind, data in _attributes(content):
        if kind == _CODE_PAGE and len(data) >= 4:
            code_page = f"cp{struct.unpack_from('<I', data)[0]}"
        elif kind == _BODY:
            text = data
        elif kind == _MESSAGE_PROPERTIES:
            message = _properties(data, code_page)
        elif kind == _ATTACHMENT_STARTS:
            packed.append(_Packed())
        elif packed and kind == _ATTACHMENT_TITLE:
            packed[-1].title = data
        elif packed and kind == _ATTACHMENT_DATA:
            packed[-1].content = data
        elif packed and kind == _ATTACHMENT_PROPERTIES:
            packed[-1].properties = _properties(data, code_page)
    html = _words(message.get(_PR_HTML, b""), code_page)
    plain = _words(message.get(_PR_BODY, b"") or text.rstrip(b"\0"), code_page)
    if not html and not plain and isinstance(compressed := message.get(_PR_RTF), bytes):
        plain = rtf.to_text(rtf.decompress(compressed))
    return Body(charsets.with_plain_line_ends(plain), html, [_file(each, code_page) for each in packed[:_FILE_LIMIT]])


def _attributes(content: bytes) -> Iterator[tuple[int, bytes]]:
    at = 6
    while at + 11 <= len(content):
        level, kind, length = struct.unpack_from("<BII", content, at)
        if level not in (1, 2) or at + 9 + length > len(content):
            return
        yield kind & 0xFFFF, content[at + 9 : at + 9 + length]
        at += 11 + length


def _file(packed: _Packed, code_page: str) -> InboundFile:
    found = packed.properties
    name = _words(
        found.get(_PR_LONG_NAME) or packed.title.split(b"\0")[0] or found.get(_PR_SHORT_NAME) or b"", code_page
    )
    content = packed.content
    inside = found.get(_PR_DATA)
    if not content and isinstance(inside, bytes):
        content = inside
    name = files.display_name(name)
    declared = _words(found.get(_PR_TYPE, b""), code_page).lower() or mimetypes.guess_type(name)[0] or ""
    return InboundFile(name, files.safe_type(declared), content, _words(found.get(_PR_CONTENT_ID, b""), code_page))


def _words(given: bytes | str, code_page: str) -> str:
    return given.rstrip("\0") if isinstance(given, str) else charsets.decode(given.rstrip(b"\0"), code_page)[0]


def _properties(data: bytes, code_page: str) -> dict[int, bytes | str]:
    """The properties that hold text or bytes (MS-OXTNEF, 2.1.3.4); whatever is cut off or unknown ends the reading."""
    found: dict[int, bytes | str] = {}
    try:
        (count,) = struct.unpack_from("<I", data)
        at = 4
        for _ in range(min(count, 5000)):
            kind, number = struct.unpack_from("<HH", data, at)
            at += 4
            if number >= 0x8000:
                (named,) = struct.unpack_from("<I", data, at + 16)
                at += 20
                (size,) = struct.unpack_from("<I", data, at)
                at += 4 + (_padded(size) if named else 0)
            values, at = _values(data, at, kind)
            if values and number not in found:
                value = values[0]
                found[number] = value.decode("utf-16-le", "replace") if kind & 0xFFF == 0x1F else value
    except struct.error:
        pass
    return found


def _values(data: bytes, at: int, kind: int) -> tuple[list[bytes], int]:
    width = _WIDTHS.get(kind & 0xFFF)
    if width is not None:
        count = 1
        if kind & 0x1000:
            (count,) = struct.unpack_from("<I", data, at)
            at += 4
        return [], at + width * min(count, len(data))
    if kind & 0xFFF not in (0x0D, 0x1E, 0x1F, 0x102):
        raise struct.error
    (count,) = struct.unpack_from("<I", data, at)
    at += 4
    values = []
    for _ in range(count):
        (size,) = struct.unpack_from("<I", data, at)
        at += 4
        value = data[at : at + size]
        values.append(value[16:] if kind & 0xFFF == 0x0D else value)  # an object begins with its interface's GUID
        at += _padded(size)
        if at > len(data) + 3:
            raise struct.error
    return values, at


def _padded(size: int) -> int:
    return (size + 3) & ~3
