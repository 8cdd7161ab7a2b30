"""What every channel looks like from inside: the adapter interface and the values that cross it.

An adapter turns bytes into an `Inbound` (pure, no database) and an `Outbound` into something sent. It never touches
a ticket or a message. One contract test runs over every registered adapter.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from django import forms

    from inbox.models import Channel


@dataclass(frozen=True, slots=True)
class Address:
    """One address a person is reached at. `address` is as written by the sender, without normalisation."""

    address: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class InboundFile:
    """One file that came with a message. `content_type` is what the sender claims, and is never trusted for display."""

    name: str
    content_type: str
    content: bytes
    content_id: str = ""
    inline: bool = False

    @property
    def size(self) -> int:
        """Length in bytes."""
        return len(self.content)


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What a bounce or delivery status notification (RFC 3464) says about a message that somebody sent."""

    recipients: tuple[str, ...] = ()
    permanent: bool = False
    status: str = ""
    """Enhanced status code (RFC 3463), such as `5.1.1`; empty when not given."""
    diagnostic: str = ""
    original_message_id: str = ""
    original_envelope_token: str = ""


@dataclass(frozen=True, slots=True)
class Authentication:
    """What a trusted receiving server found (RFC 8601). Each is `pass`, `fail`, `none` … or empty when unknown."""

    spf: str = ""
    dkim: str = ""
    dkim_domain: str = ""
    dmarc: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Inbound:
    """One message as it came in, understood as far as bytes alone allow. No database was asked."""

    sender: Address | None
    subject: str = ""
    text: str = ""
    """The whole body as plain text; made from the HTML when there is no text part."""
    html: str = ""
    """The HTML body as sent, decoded but NOT cleaned, or empty: `core.html.clean` is the last step before display."""
    reply_text: str = ""
    """`text` without quoted messages, and without the signature."""
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    delivered_to: tuple[str, ...] = ()
    """Addresses that the receiving server wrote down (Delivered-To, X-Original-To, Envelope-To)."""
    reply_to: tuple[Address, ...] = ()
    message_id: str = ""
    """Without angle brackets."""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    sent_at: datetime | None = None
    files: tuple[InboundFile, ...] = ()
    language: str = ""
    """ISO 639-1, with `zh-hans` and `zh-hant` for Chinese; empty when unsure."""
    automatic: str = ""
    """Why it counts as written by a machine (a short word such as `auto-reply`, `list`, `report`), else empty."""
    report: DeliveryReport | None = None
    ambiguous_sender: bool = False
    """True when From holds several addresses or none that is usable: nobody may be identified by it."""
    authentication: Authentication = field(default_factory=Authentication)
    errors: tuple[str, ...] = ()
    """What could not be read, in words for an administrator."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Facts of this channel alone for rules (page URL, called number, …)."""


class Outcome(StrEnum):
    """How a send ended."""

    SENT = "sent"
    RECIPIENT_FAULT = "recipient-fault"
    """This address will never take it (5xx on RCPT): the delivery fails, others go on."""
    ACCOUNT_FAULT = "account-fault"
    """Our account or server is refused (535, 5xx on MAIL FROM, TLS): the channel pauses, the delivery waits."""
    LATER = "later"
    """Try again with back-off (4xx, connection lost before DATA ended)."""
    UNCERTAIN = "uncertain"
    """The bytes were handed over but the answer was lost."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the other side said to one send."""

    outcome: Outcome
    code: int = 0
    response: str = ""
    external_id: str = ""
    whole_account: bool = False
    """With `LATER`: it was not about this recipient, so everything of the channel waits."""


@dataclass(frozen=True, slots=True)
class Outbound:
    """One message ready to be sent to one recipient."""

    delivery_id: int
    recipient: str
    envelope_from: str
    content: bytes
    """The whole message as it goes over the wire (RFC 5322 for e-mail)."""
    go: Callable[[], Awaitable[bool]] | None = None
    """Asked just before the bytes leave; False means that another worker has the delivery now, so nothing is sent."""


class Adapter(Protocol):
    """What a channel folder registers. `fetch` is there only for channels that pull."""

    kind: str
    label: str
    can: frozenset[str]
    """Any of `receive, send, html, subject, attachments, fetch`."""
    form: type[forms.Form]
    """Settings of one channel of this kind: non-secret fields, and secret ones named in `form.secrets`."""

    def read(self, raw: bytes, settings: Mapping[str, Any]) -> Inbound:
        """Understand bytes, under the channel's settings. Pure; bad input raises nothing: see `Inbound.errors`."""

    async def send(self, channel: Channel, out: Outbound) -> Receipt:
        """Hand one message over. Never raises for a fault of the other side: the receipt says it."""
