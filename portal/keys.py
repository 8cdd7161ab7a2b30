"""Keys of a try-out installation: made once, kept beside its data."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def local_key(folder: Path, name: str) -> str:
    """The key called `name` kept in `folder/keys/`, made with mode 0600 when it is not there yet."""
    path = folder / "keys" / name.lower()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(handle, "w") as file:
        file.write(key := secrets.token_urlsafe(50))
    return key
