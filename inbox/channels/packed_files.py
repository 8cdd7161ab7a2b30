"""Files inside the JSON that our own doors keep: `{"name", "type", "content": base64}` each."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from inbox.channels.base import InboundFile

File = tuple[str, str, bytes]
"""Name, claimed type, content."""


def packed(files: Iterable[File]) -> list[dict[str, str]]:
    """The files as JSON takes them."""
    return [{"name": n, "type": t, "content": base64.b64encode(c).decode()} for n, t, c in files]


def unpacked(sent: Iterable[Mapping[str, Any]]) -> tuple[tuple[InboundFile, ...], tuple[str, ...]]:
    """The files again, and a line for each that could not be read."""
    files, errors = [], []
    for file in sent:
        try:
            content = base64.b64decode(str(file.get("content", "")), validate=True)
        except ValueError:
            errors.append(_("A file could not be read."))
            continue
        name, kind = str(file.get("name") or "file"), str(file.get("type") or "application/octet-stream")
        files.append(InboundFile(name=name, content_type=kind, content=content))
    return tuple(files), tuple(errors)
