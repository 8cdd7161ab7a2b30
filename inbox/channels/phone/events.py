"""What telephone systems report: the events of Zammad's generic CTI interface, in JSON or as a form.

https://docs.zammad.org/en/latest/api/generic-cti/index.html. Bridges differ in details: some send `user[]`, some
`user`, some leave out the numbers after the first event. Two fields are ours: `recordingUrl`, and `at` (ISO 8601) for
bridges that report later than it happened.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

EVENTS = frozenset({"newCall", "answer", "hangup"})
USERS_MOST = 100
ID_MOST, FIELD_MOST, URL_MOST = 250, 100, 500


class EventInvalid(ValueError):
    """This is not an event of the interface; the text says why, for whoever sets up the telephone system."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to one call. Empty fields were not sent."""

    event: str
    call_id: str
    direction: str = ""
    from_: str = ""
    to: str = ""
    users: tuple[str, ...] = ()
    queue: str = ""
    cause: str = ""
    answering: str = ""
    recording: str = ""
    at: datetime | None = None


def of_json(body: bytes) -> Event:
    """The event in a JSON body. Raises EventInvalid."""
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError) as fault:
        raise EventInvalid("The body is not JSON.") from fault
    if not isinstance(sent, dict):
        raise EventInvalid("The body is not a JSON object.")
    return of_fields({str(name): value for name, value in sent.items()})


def of_fields(sent: Mapping[str, Any]) -> Event:
    """The event in these fields; a value may be a list. Raises EventInvalid."""
    event, direction = _text(sent, "event", FIELD_MOST), _text(sent, "direction", FIELD_MOST)
    if event not in EVENTS:
        raise EventInvalid("Unknown event.")
    if direction not in ("in", "out", "") or (event == "newCall" and not direction):
        raise EventInvalid("Invalid direction!")
    call_id = _text(sent, "callId", ID_MOST + 1)
    if not call_id or len(call_id) > ID_MOST:
        raise EventInvalid(f"callId must have 1 to {ID_MOST} characters.")
    users = [str(each) for name in ("user[]", "user") for each in _list(sent.get(name))]
    return Event(
        event=event,
        call_id=call_id,
        direction=direction,
        from_=_text(sent, "from", FIELD_MOST),
        to=_text(sent, "to", FIELD_MOST),
        users=tuple(dict.fromkeys(one for user in users[:USERS_MOST] if (one := _clean(user)[:FIELD_MOST]))),
        queue=_text(sent, "queue", FIELD_MOST),
        cause=_text(sent, "cause", 40),
        answering=_text(sent, "answeringNumber", FIELD_MOST),
        recording=_text(sent, "recordingUrl", URL_MOST),
        at=_moment(_text(sent, "at", 40)),
    )


def _list(value: Any) -> Sequence[Any]:
    if value is None:
        return ()
    return [v for v in value if isinstance(v, str | int)] if isinstance(value, list | tuple) else (value,)


def _text(sent: Mapping[str, Any], name: str, most: int) -> str:
    found = _list(sent.get(name))
    value = found[0] if found else ""
    return _clean(str(value))[:most] if isinstance(value, str | int) else ""


def _clean(text: str) -> str:
    """One line without control signs; what a database cannot hold is dropped."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as fault:
        raise EventInvalid("at must be a time in ISO 8601.") from fault
    if at.tzinfo is None:
        raise EventInvalid("at must name its offset from UTC.")
    return at
