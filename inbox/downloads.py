"""Files of strangers over HTTP: always a download, of a type from our own list, and never a document of ours (S-16)."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import BinaryIO, TypeVar

from django.http import FileResponse, HttpResponse
from django.utils.http import content_disposition_header

from core import pictures
from inbox.models import Attachment
from inbox.services import files, scanning

_TYPES = {
    ".bmp": "image/bmp",
    ".csv": "text/csv",
    ".doc": "application/msword",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".eml": "message/rfc822",
    ".gif": "image/gif",
    ".ics": "text/calendar",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".m4a": "audio/mp4",
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".oga": "audio/ogg",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".ppt": "application/vnd.ms-powerpoint",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".txt": "text/plain; charset=utf-8",
    ".wav": "audio/wav",
    ".webp": "image/webp",
    ".xls": "application/vnd.ms-excel",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".zip": "application/zip",
}
"""What a name's ending stands for. Nothing in it is shown by a browser as a page of ours: no HTML, SVG or XML."""
TEXT_BYTES = 64 * 1024
_RANGE = re.compile(r"bytes=(\d{1,18})-(\d{0,18})", re.ASCII)
"""One range of bytes from somewhere on (RFC 9110, 14.2): what players ask for when somebody jumps."""


R = TypeVar("R", HttpResponse, FileResponse)


def safe_name(name: str) -> str:
    """The sender's file name without path, control signs and a leading dot (S-17)."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    shown = "".join(sign for sign in last if sign.isprintable()).strip().lstrip(".").strip()
    return shown[-150:] or "file"


def type_of(name: str) -> str:
    """The type a file of this name is served as."""
    return _TYPES.get(PurePosixPath(name).suffix.lower(), "application/octet-stream")


def _guarded(response: R) -> R:
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "private, max-age=3600"
    response._csp_exempt = True  # type: ignore[attr-defined]  # the policy of pages would replace the stricter one
    return response


class _Part:
    """So many bytes of an open file from where it stands."""

    def __init__(self, file: BinaryIO, length: int) -> None:
        self._file, self._left, self.close = file, length, file.close

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes; none at the end of the part."""
        found = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(found)
        return found


def download(attachment: Attachment, wanted: str = "") -> HttpResponse:
    """The bytes as a download, or why they are kept back; with `wanted`, a Range header, the part it asks for.

    Raises FileNotFoundError.
    """
    try:
        scanning.clear(attachment)
    except scanning.FileWithheld as why:
        return _guarded(HttpResponse(str(why), status=403, content_type="text/plain; charset=utf-8"))
    name, size, asked = safe_name(attachment.name), attachment.size, _RANGE.fullmatch(wanted.strip())
    first = int(asked[1]) if asked else 0
    last = min(int(asked[2] or size), size - 1) if asked else size - 1
    if asked and first > last:
        return _guarded(HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"}))
    file = files.open_blob("attachments", attachment.blob)
    if asked:
        file.seek(first)
        response = FileResponse(_Part(file, last - first + 1), status=206, content_type=type_of(name))
        response.headers["Content-Length"] = str(last - first + 1)
        response.headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    else:
        response = FileResponse(file, content_type=type_of(name))
    response.headers["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name) or ""
    return _guarded(response)  # type: ignore[return-value]  # a FileResponse is not an HttpResponse to Django's stubs


def is_sound(attachment: Attachment) -> bool:
    """Whether a browser is given it to be played."""
    return type_of(attachment.name).startswith("audio/")


def preview(attachment: Attachment, side: int = 1600) -> HttpResponse:
    """The picture, drawn anew. Raises PictureUnreadable, FileNotFoundError."""
    if attachment.size > pictures.BYTES:
        raise pictures.PictureUnreadable("too large")
    try:
        scanning.clear(attachment)
    except scanning.FileWithheld as why:
        raise pictures.PictureUnreadable(str(why)) from why
    return drawn(files.read_blob("attachments", attachment.blob), side)


def drawn(content: bytes, side: int = 1600) -> HttpResponse:
    """A picture from anywhere, drawn anew. Raises PictureUnreadable."""
    kind, picture = pictures.redraw(content, side)
    return _guarded(HttpResponse(picture, content_type=kind))


def our_picture(content: bytes) -> HttpResponse:
    """A PNG that was drawn here."""
    return _guarded(HttpResponse(content, content_type="image/png"))


def beginning(attachment: Attachment) -> str:
    """The first part of a text file. Raises FileNotFoundError, inbox.services.scanning.FileWithheld."""
    scanning.clear(attachment)
    with files.open_blob("attachments", attachment.blob) as file:
        return file.read(TEXT_BYTES).decode("utf-8", "replace")
