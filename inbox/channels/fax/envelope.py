"""How a fax lies in the journal: what the machine that received it knows, and the file byte by byte.

A first line that names the form, one line of JSON, the file. The JSON is signed: mail to a fax channel comes by the
same way, and nobody may write a mail that looks like a fax from somebody else.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from typing import Any

from core.tokens import sign, verify

_FIRST = b"GUICHET-FAX 1\n"


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is known of a fax beside its file. All texts are as the machine gave them."""

    sender: str = ""
    """Number that called."""
    called: str = ""
    """Number of ours that was called."""
    station: str = ""
    """What the sending machine calls itself (CSID, TSI)."""
    commid: str = ""
    """The receiving machine's own number of the call."""
    name: str = "fax.tif"
    error: str = ""
    """What the machine says went wrong while it received."""
    received_at: str = ""
    """ISO 8601, with zone."""


def _digest(told: dict[str, Any], content: bytes) -> str:
    text = json.dumps(told, sort_keys=True, ensure_ascii=True).encode()
    return hashlib.sha256(text + b"\0" + content).hexdigest()


def pack(envelope: Envelope, content: bytes) -> bytes:
    """The bytes for the journal."""
    told = {name: value.replace("\x00", "") for name, value in asdict(envelope).items()}
    mark = sign("fax", _digest(told, content))
    return _FIRST + json.dumps({**told, "mark": mark}).encode() + b"\n" + content


def unpack(raw: bytes) -> tuple[Envelope, bytes] | None:
    """What `pack` made; None when it is something else, or was signed by somebody else."""
    if not raw.startswith(_FIRST):
        return None
    head, newline, content = raw[len(_FIRST) :].partition(b"\n")
    try:
        told = json.loads(head)
        mark = str(told.pop("mark"))
        told = {field.name: str(told.get(field.name, "")) for field in fields(Envelope)}
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        return None
    if not newline or verify("fax", mark) != _digest(told, content):
        return None
    return Envelope(**told), content


def external_id(envelope: Envelope, content: bytes) -> str:
    """What makes it the same fax when it is handed over again.

    The number of the call alone would not do: a machine that is set up anew begins with 1 again, and a second machine
    counts the same numbers.
    """
    digest = hashlib.sha256(content).hexdigest()
    return f"fax-{envelope.commid[:40]}-{digest[:40]}" if envelope.commid else f"fax-{digest}"
