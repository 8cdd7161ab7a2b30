"""The signed marks in our mail: which ticket an answer belongs to, and which delivery a bounce is about.

A mark is `payload.signature` (core.tokens). It stands in the Message-ID we give, in the plus-part of Reply-To, and in
the plus-part of the return path (VERP). Case may change on the way; nothing else is tolerated.
"""

from __future__ import annotations

import secrets

from core.tokens import sign, verify

THREAD, BOUNCE = "thread", "bounce"


def new_message_id(ticket_id: int, domain: str) -> str:
    """A fresh Message-ID for a message of this ticket, without angle brackets."""
    return f"{sign(THREAD, f't{ticket_id}-{secrets.token_hex(8)}')}@{domain}"


def ticket_of_message_id(message_id: str) -> int | None:
    """The ticket whose mail carried this Message-ID, if we really made it."""
    return _ticket(message_id.rpartition("@")[0])


def reply_address(address: str, ticket_id: int) -> str:
    """Our address with the ticket's mark: answers find their ticket though the client drops References."""
    local, _, domain = address.rpartition("@")
    return f"{local}+{sign(THREAD, f't{ticket_id}')}@{domain}"


def ticket_of_address(address: str) -> int | None:
    """The ticket marked in a plus-address that we made."""
    return _ticket(address.rpartition("@")[0].rpartition("+")[2])


def return_path(address: str, message_id: str) -> str:
    """The envelope sender of one delivery (VERP): a bounce to it names the delivery."""
    local, _, domain = address.rpartition("@")
    payload = message_id.partition("@")[0].rpartition(".")[0]
    return f"{local}+{sign(BOUNCE, 'b' + payload)}@{domain}"


def delivery_of_address(address: str) -> str | None:
    """Beginning of the Message-ID (up to its signature's dot) of the delivery that a return path names."""
    payload = verify(BOUNCE, address.rpartition("@")[0].rpartition("+")[2])
    return f"{payload[1:]}." if payload and payload.startswith("b") else None


def without_mark(address: str) -> str:
    """The address with its plus-part taken off, when that part looks like one of our marks."""
    local, at, domain = address.rpartition("@")
    base, plus, mark = local.rpartition("+")
    return f"{base}@{domain}" if at and plus and "." in mark else address


def without_plus(address: str) -> str:
    """The address with whatever stands after its first plus taken off: a server that delivers those delivers to it."""
    local, at, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}" if at else address


def _ticket(token: str) -> int | None:
    payload = verify(THREAD, token)
    if not payload or not payload.startswith("t"):
        return None
    number = payload[1:].partition("-")[0]
    return int(number) if number.isdigit() else None
