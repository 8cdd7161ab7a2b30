"""Keys of a try-out installation: made once, kept beside its data."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path


def local_key(folder: Path, name: str) -> str:
    """The key called `name` kept in `folder/keys/`, made with mode 0600 when it is not there yet."""
    path = folder / "keys" / name.lower()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # `parents` makes those with the usual mode
    path.parent.mkdir(exist_ok=True, mode=0o700)
    if not path.exists():
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(50))
        # Two processes that start together must end up with one key: the link is made by the first alone.
        with contextlib.suppress(FileExistsError):
            os.link(fresh, path)
        fresh.unlink()
    return path.read_text().strip()
