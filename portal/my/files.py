"""Files on their way in (counted and measured) and out (as downloads that no browser runs)."""

from __future__ import annotations

import base64
import unicodedata
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse
from django.utils.translation import gettext as _

from inbox.models import Attachment, Message
from inbox.services.files import open_blob, read_blob

MEGABYTE = 1024 * 1024
MAX_FILES, MAX_BYTES, MAX_TOTAL = 5, 20 * MEGABYTE, 40 * MEGABYTE
GUEST_MAX_FILES, GUEST_MAX_TOTAL = 3, 10 * MEGABYTE

SAFE_TYPES = {
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".txt": "text/plain; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".zip": "application/zip",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
}
"""Types we name when a file is fetched, by the ending of its name. Any other is a stream of bytes (S-16)."""
PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
PICTURE_BYTES = MEGABYTE
"""Larger pictures of a mail's body are not put into its frame; they can be fetched as files."""


def clean_name(name: str) -> str:
    """A name to show and to save under: last part of a path, no control, format or bidi signs, no leading dot."""
    plain = PurePosixPath(name.replace("\\", "/")).name
    kept = "".join(c for c in plain if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
    kept = " ".join(kept.replace('"', "'").split()).lstrip(". ")
    stem, dot, ending = kept.rpartition(".")
    if dot and len(ending) <= 10:
        kept = f"{stem[: 119 - len(ending)]}.{ending}"
    return kept[:120].rstrip(". ") or "file"


def download(attachment: Attachment) -> FileResponse:
    """The file as a download under a type of ours; nothing in it runs in this site's name. Raises FileNotFoundError."""
    name = clean_name(attachment.name)
    response = FileResponse(
        open_blob("attachments", attachment.blob),
        as_attachment=True,
        filename=name,
        content_type=SAFE_TYPES.get(PurePosixPath(name).suffix.lower(), "application/octet-stream"),
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = "private, no-store"
    return response


def pictures_of(message: Message) -> dict[str, str]:
    """Pictures inside the mail's body by Content-ID, as data: addresses, because its frame may ask nobody for anything.

    Only those of this very message (S-09).
    """
    found = {}
    for file in message.attachments.exclude(content_id=""):
        kind = file.content_type.partition(";")[0].strip().lower()
        if kind in PICTURES and file.size <= PICTURE_BYTES:
            content = base64.b64encode(read_blob("attachments", file.blob)).decode()
            found[file.content_id.strip("<>")] = f"data:{kind};base64,{content}"
    return found


class FilesInput(forms.ClearableFileInput):
    """A file control for several files at once."""

    allow_multiple_selected = True
    template_name = "django/forms/widgets/file.html"


class FilesField(forms.FileField):
    """Several files, at most `most` of them, each at most 20 MB, at most `total` bytes together."""

    widget = FilesInput

    def __init__(self, *args: Any, most: int = MAX_FILES, total: int = MAX_TOTAL, **kwargs: Any) -> None:
        self.most, self.total = most, total
        super().__init__(*args, **kwargs)

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        """The files. Raises ValidationError when they are too many or too large."""
        files = [f for f in (data if isinstance(data, list | tuple) else [data]) if f]
        if len(files) > self.most:
            raise ValidationError(_("At most %(n)s files can be sent at once.") % {"n": self.most})
        for file in files:
            if file.size > MAX_BYTES:
                raise ValidationError(
                    _("“%(name)s” is larger than %(n)s MB.")
                    % {"name": clean_name(file.name), "n": MAX_BYTES // MEGABYTE}
                )
        if sum(f.size for f in files) > self.total:
            raise ValidationError(_("Together the files are larger than %(n)s MB.") % {"n": self.total // MEGABYTE})
        return files


def as_sent(files: Sequence[UploadedFile]) -> list[tuple[str, str, bytes]]:
    """The uploads as the services take them: name, claimed type, bytes."""
    return [
        (clean_name(f.name or ""), (f.content_type or "application/octet-stream")[:100], b"".join(f.chunks()))
        for f in files
    ]
