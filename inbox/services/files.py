"""Bytes from outside, on disk: random names, mode 0600, durable before anybody is told that they are there."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterable, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from django.conf import settings

if TYPE_CHECKING:
    from inbox.models import RawMessage

KINDS = frozenset({"raw", "attachments", "fax"})


class StorageFull(OSError):
    """So little room is left that nothing more is taken: who brings something keeps it, and comes again (S-22)."""


def _keep_reserve(size: int) -> None:
    if not settings.STORAGE_RESERVE:
        return
    place = Path(settings.MEDIA_ROOT)
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if free - size < settings.STORAGE_RESERVE:
        raise StorageFull(errno.ENOSPC, f"only {free >> 20} MB are free where files are kept")


def _root(kind: str) -> Path:
    if kind not in KINDS:
        raise ValueError(f"no storage called {kind}")
    return Path(settings.MEDIA_ROOT) / kind


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _make(folder: Path) -> None:
    """Make the folder and what is missing above it, each for us alone: mkdir(parents=True) leaves those open (S-25)."""
    if not folder.parent.is_dir():
        _make(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)


def store_many(kind: str, contents: Sequence[bytes]) -> list[str]:
    """Write each content under a new random name, fsync files and folders; the names, in order. Raises OSError."""
    root = _root(kind)
    _keep_reserve(sum(map(len, contents)))
    names: list[str] = []
    folders: set[Path] = set()
    try:
        for content in contents:
            token = secrets.token_hex(16)
            folder = root / token[:2]
            if not folder.is_dir():
                _make(folder)
                folders.add(root)
            folders.add(folder)
            name = f"{token[:2]}/{token[2:]}"
            names.append(name)
            handle = os.open(root / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        for folder in folders:
            _sync_folder(folder)
    except OSError:
        for name in names:
            (root / name).unlink(missing_ok=True)
        raise
    return names


def store(kind: str, content: bytes) -> str:
    """As `store_many`, for one."""
    return store_many(kind, [content])[0]


def open_blob(kind: str, name: str) -> BinaryIO:
    """The stored bytes as an open file. Raises FileNotFoundError."""
    root = _root(kind).resolve()
    path = (root / name).resolve()
    if not path.is_relative_to(root):
        raise FileNotFoundError(name)
    return path.open("rb")


def read_blob(kind: str, name: str) -> bytes:
    """The stored bytes. Raises FileNotFoundError."""
    with open_blob(kind, name) as file:
        return file.read()


def open_content(raw: RawMessage) -> BinaryIO:
    """The bytes of a message in the journal as an open file. Raises FileNotFoundError."""
    return open_blob("raw", raw.blob) if raw.body is None else BytesIO(bytes(raw.body))


def content_of(raw: RawMessage) -> bytes:
    """The bytes of a message in the journal. Raises FileNotFoundError."""
    with open_content(raw) as file:
        return file.read()


def remove(kind: str, names: Iterable[str]) -> None:
    """Delete what no row names (any more)."""
    for name in filter(None, names):
        (_root(kind) / name).unlink(missing_ok=True)
