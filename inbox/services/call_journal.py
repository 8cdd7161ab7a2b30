"""A call that is over goes the way of every message: bytes into the journal, then a ticket."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.utils import timezone, translation
from django.utils.translation import gettext as _

from core.telephone import spaced
from crm.organisation.models import User
from inbox.channels.packed_files import File, packed
from inbox.models import Call, RawMessage
from inbox.services import call_people
from inbox.services.accept import accept


def hand_over(call: Call, *, files: Sequence[File] = (), by: User | None = None) -> RawMessage | None:
    """Put it into the journal, in the caller's transaction; a second time gives the same row. Raises OSError.

    Calls within the house are kept as rows and are nobody's ticket: None.
    """
    call.logged_at = call.logged_at or timezone.now()
    if call.contact_id is None and call_people.is_extension(call.other_sent):
        return None
    facts: dict[str, Any] = {"call": call.pk, "queue": call.queue_id}
    if call.contact_id:
        facts["contact"] = call.contact_id
    if call.ticket_id:
        facts["ticket"] = call.ticket_id
    if call.agent_id:
        facts["agent"] = call.agent_id
    if by is not None:
        facts["user"] = by.pk
    return accept(call.channel, pack(call, files), external_id=key_of(call), facts=facts)


def key_of(call: Call) -> str:
    """What makes it the same arrival when it comes again."""
    return f"call-row:{call.pk}"


def pack(call: Call, files: Sequence[File] = ()) -> bytes:
    """The call as bytes for the journal, in the words of the channel's language where nobody wrote any."""
    with translation.override(call.channel.language):
        said = summary(call)
        subject = title(call)
        unknown = _("Unknown caller")
    name = call.contact.name if call.contact else ""
    kept = {
        "id": call.call_id,
        "kind": call.kind,
        "direction": call.direction,
        "state": call.state,
        "number": call.number,
        "name": name or ("" if call.number else unknown),
        "from": call.from_sent,
        "to": call.to_sent,
        "line": call.line,
        "queue": call.queue_sent,
        "cause": call.cause,
        "wait": call.wait_seconds,
        "talk": call.talk_seconds,
        "at": call.started_at.isoformat(),
        "answered": answered(call),
        "subject": subject,
        "text": call.note or said,
        "files": packed(files),
    }
    return json.dumps(kept, ensure_ascii=False).encode("utf-8", "replace")


def answered(call: Call) -> bool:
    """Whether the customer has had his answer: somebody talked with him."""
    if call.kind == Call.Kind.LETTER:
        return call.direction == Call.Direction.OUT
    return call.state == Call.State.ENDED


def title(call: Call) -> str:
    """What a ticket that it opens is called."""
    who = (call.contact.name if call.contact else "") or spaced(call.number or call.other_sent)
    if call.kind == Call.Kind.VISIT:
        return _("Visit: %(who)s") % {"who": who}
    if call.kind == Call.Kind.LETTER:
        return (_("Letter from %(who)s") if call.direction == Call.Direction.IN else _("Letter to %(who)s")) % {
            "who": who
        }
    if call.state == Call.State.VOICEMAIL:
        return _("Voice message from %(who)s") % {"who": who}
    if call.state == Call.State.MISSED:
        return _("Missed call from %(who)s") % {"who": who}
    if call.state == Call.State.FORWARDED:
        return _("Forwarded call from %(who)s") % {"who": who}
    if call.direction == Call.Direction.OUT:
        return _("Call to %(who)s") % {"who": who}
    return _("Call from %(who)s") % {"who": who}


def summary(call: Call) -> str:
    """The call in one sentence; empty while it goes on."""
    if call.kind == Call.Kind.VISIT:
        return _("A visit.")
    if call.kind == Call.Kind.LETTER:
        return _("A letter.")
    wait, talk = clock(call.wait_seconds), clock(call.talk_seconds)
    match call.state:
        case Call.State.RINGING | Call.State.TALKING:
            return ""
        case Call.State.MISSED:
            rang = _("Nobody answered; it rang for %(wait)s.") % {"wait": wait}
            return rang if call.wait_seconds else _("Nobody answered.")
        case Call.State.UNREACHED:
            return _("Nobody was reached.")
        case Call.State.VOICEMAIL:
            return _("A voice message was left.")
        case Call.State.FORWARDED:
            return _("Forwarded.")
    return _("Talked for %(talk)s.") % {"talk": talk} if talk else _("Talked.")


def clock(seconds: int | None) -> str:
    """`3:05`, or `1:02:03`; empty when it is not known."""
    if seconds is None:
        return ""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
