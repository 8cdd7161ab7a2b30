"""The door: bytes to storage, then one row. Nothing is understood here, so nothing can go wrong with the content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from core import fault
from inbox.models import Channel, RawMessage
from inbox.services import files, wake


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message as a door has it. Either `uid` (with folder and validity) or `external_id` says which one it is."""

    content: bytes
    folder: str = ""
    uidvalidity: int = 0
    uid: int = 0
    external_id: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, int, int] | str | None:
        """What makes it the same arrival when it comes again; None for a door that cannot know."""
        if self.uid:
            return (self.folder, self.uidvalidity, self.uid)
        return self.external_id or None


def accept(
    channel: Channel,
    content: bytes,
    *,
    folder: str = "",
    uidvalidity: int = 0,
    uid: int = 0,
    external_id: str = "",
    facts: dict[str, Any] | None = None,
    held: bool = False,
) -> RawMessage:
    """Keep one message; a repeated call with the same key gives the row that is already there. Raises OSError."""
    arrival = Arrival(content, folder, uidvalidity, uid, external_id, facts or {})
    return accept_many(channel, [arrival], held=held)[0]


def accept_many(channel: Channel, arrivals: Sequence[Arrival], *, held: bool = False) -> list[RawMessage]:
    """Keep several in one transaction; the rows in order of the arrivals. Call it before the source is told anything.

    Inside a caller's transaction the rows are his: a listener checks its lease there. Raises OSError.
    """
    try:
        return _keep(channel, arrivals, held)
    except IntegrityError:
        # Somebody else kept one of them since we looked: now it is found.
        return _keep(channel, arrivals, held)


def _keep(channel: Channel, arrivals: Sequence[Arrival], held: bool) -> list[RawMessage]:
    known = _existing(channel, arrivals)
    fresh = list({a.key or id(a): a for a in arrivals if a.key is None or a.key not in known}.values())
    names = files.store_many("raw", [a.content for a in fresh])
    fault.point("accept.stored")
    state = RawMessage.State.HELD if held else RawMessage.State.STORED
    rows = [
        RawMessage(
            channel=channel,
            folder=a.folder,
            uidvalidity=a.uidvalidity,
            uid=a.uid,
            external_id=a.external_id,
            blob=name,
            digest=hashlib.sha256(a.content).hexdigest(),
            size=len(a.content),
            facts=a.facts,
            state=state,
        )
        for a, name in zip(fresh, names, strict=True)
    ]
    try:
        with transaction.atomic():
            RawMessage.objects.bulk_create(rows)
            fault.point("accept.inserted")
    except BaseException:
        files.remove("raw", names)
        raise
    fault.point("accept.committed")
    made = {a.key or id(a): row for a, row in zip(fresh, rows, strict=True)}
    if rows and not held:
        wake.processing()
    return [known[a.key] if a.key in known else made[a.key or id(a)] for a in arrivals]


def _existing(channel: Channel, arrivals: Iterable[Arrival]) -> dict[Any, RawMessage]:
    wanted = Q(pk__in=[])
    by_folder: dict[tuple[str, int], list[int]] = {}
    external = []
    for a in arrivals:
        if a.uid:
            by_folder.setdefault((a.folder, a.uidvalidity), []).append(a.uid)
        elif a.external_id:
            external.append(a.external_id)
    for (folder, validity), uids in by_folder.items():
        wanted |= Q(folder=folder, uidvalidity=validity, uid__in=uids)
    if external:
        wanted |= Q(external_id__in=external)
    if not by_folder and not external:
        return {}
    rows = RawMessage.objects.filter(wanted, channel=channel)
    return {(row.folder, row.uidvalidity, row.uid) if row.uid else row.external_id: row for row in rows}
