"""Files on their way in: counted and measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from inbox.downloads import safe_name

MEGABYTE = 1024 * 1024
MAX_FILES, MAX_BYTES, MAX_TOTAL = 5, 20 * MEGABYTE, 40 * MEGABYTE
GUEST_MAX_FILES, GUEST_MAX_TOTAL = 3, 10 * MEGABYTE


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
                    % {"name": safe_name(file.name), "n": MAX_BYTES // MEGABYTE}
                )
        if sum(f.size for f in files) > self.total:
            raise ValidationError(_("Together the files are larger than %(n)s MB.") % {"n": self.total // MEGABYTE})
        return files


def as_sent(files: Sequence[UploadedFile]) -> list[tuple[str, str, bytes]]:
    """The uploads as the services take them: name, claimed type, bytes."""
    return [
        (safe_name(f.name or ""), (f.content_type or "application/octet-stream")[:100], b"".join(f.chunks()))
        for f in files
    ]
