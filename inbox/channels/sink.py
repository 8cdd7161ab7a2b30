"""The try-out's outbox: what would leave the machine, as files."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from core.said import said as _
from inbox.channels.base import Outbound, Outcome, Receipt


def written(delivery_id: int, suffix: str = ".eml") -> Path | None:
    """The file that this delivery was last written to; None when there is none."""
    if settings.MAIL_SINK is None:
        return None
    found = sorted(Path(str(settings.MAIL_SINK)).glob(f"????????-??????-{delivery_id}-*{suffix}"))
    return found[-1] if found else None


async def keep(out: Outbound, suffix: str = "") -> Receipt:
    """Write it below `settings.MAIL_SINK` instead of sending it; asks `out.go` as a sender would."""
    if out.go is not None and not await out.go():
        return Receipt(Outcome.LATER, response="lease lost")
    return await asyncio.to_thread(write, out, suffix)


def write(out: Outbound, suffix: str = "") -> Receipt:
    """The content as a file, whole or not at all; without a suffix a PDF or a mail. Raises OSError."""
    suffix = suffix or (".pdf" if out.content.startswith(b"%PDF-") else ".eml")
    folder = Path(str(settings.MAIL_SINK))
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    person = re.sub(r"[^A-Za-z0-9@.+_-]", "_", out.recipient)[:80]
    path = folder / f"{timezone.now():%Y%m%d-%H%M%S}-{out.delivery_id}-{person}{suffix}"
    half = path.with_suffix(".part")
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(out.content)
        file.flush()
        os.fsync(file.fileno())
    half.rename(path)
    return Receipt(Outcome.SENT, 250, _("Written to %(file)s", file=path.name))
