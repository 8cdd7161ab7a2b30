"""What every channel looks like from inside: the adapter interface and the values that cross it.

An adapter turns bytes into an `Inbound` (pure, no database) and an `Outbound` into something sent. It never touches
a ticket or a message. One contract test runs over every registered adapter.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from django import forms

    from inbox.models import Channel, Delivery
    from routing.registry import Fact


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
    kind: Literal["failure", "success", "receipt", "complaint"] = "failure"
    """`failure` is a delay too; `receipt` (RFC 8098) and `complaint` (RFC 5965) come of what did arrive."""

    @property
    def unwanted(self) -> bool:
        """True when the recipient does not want such mail. Feedback on signatures, or that it is no spam, is other."""
        return self.kind == "complaint" and self.diagnostic.lower() in ("abuse", "fraud", "opt-out", "opt-out-list")


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
    kind: Literal["inbound", "call"] = "inbound"
    """`call`: somebody wrote down a call, a visit or a letter; colleagues see it, customers do not."""
    answered: bool = False
    """True when the customer has had his answer with it, as in a call that was talked through."""
    alone: bool = False
    """Not a further try of the same request: it opens its own ticket where `Adapter.joins` would let it join one."""
    subject: str = ""
    named_subject: str = ""
    """What a new ticket is called instead when we know the sender by name, which stands for `%(name)s`."""
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
    spam: bool = False
    """True when a server on its way marked it as unwanted: an answer would hit whoever has the forged address."""
    report: DeliveryReport | None = None
    ambiguous_sender: bool = False
    """True when From holds several addresses or none that is usable: nobody may be identified by it."""
    authentication: Authentication = field(default_factory=Authentication)
    errors: tuple[str, ...] = ()
    """What could not be read, in words for an administrator."""
    foreign: bool = False
    """True when the bytes are no message of this kind at all, such as a picture where mail is expected."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Facts of this channel alone for rules (page URL, called number, …), named as in `Adapter.facts`."""


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
    CALLED_OFF = "called-off"
    """The other side had it and has given it up, as we asked: see `Outbound.call_off`."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the other side said to one send."""

    outcome: Outcome
    code: int = 0
    response: str = ""
    external_id: str = ""
    whole_account: bool = False
    """With `LATER`: it was not about this recipient, so everything of the channel waits."""
    look_again: float = 0.0
    """With `LATER`: the other side has it and works on it; ask after so many seconds. It is not a further attempt."""
    kept: Mapping[str, Any] | None = None
    """What the next attempt is told as `Outbound.kept`, such as the number of a job; None leaves it as it was."""
    resend: bool = True
    """With `UNCERTAIN`: False when sending once more would not settle it."""


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
    through: Channel | None = None
    """The channel whose server carries it, when it is not the delivery's own."""
    kept: Mapping[str, Any] = field(default_factory=dict)
    """What earlier attempts left, see `Receipt.kept`."""
    unclear_for: float | None = None
    """Seconds since an attempt of unknown outcome, when there was one."""
    call_off: bool = False
    """A colleague wants it back from the other side that works on it."""


class NotComposable(Exception):
    """The delivery lacks something without which nothing can be sent; the text says what, for people."""


class Adapter(Protocol):
    """What a channel folder registers. `fetch` is there only for channels that pull.

    `card` (name of a template) with `card_of(channel)` (what it is given) is there for channels that show something of
    their own on their page, such as how to embed them; `deeds` for buttons there: name → what is done, called with the
    channel and the colleague, answering in words.

    `from_file` is there for channels with something that the screens make by chance and a deployment has to know
    beforehand: name in the file → what sets it, called with the saved channel and the text; raises ValueError.

    `joins` (a timedelta) is there only for channels without threads of their own: so long a sender's unfinished ticket
    that came by such a channel takes his next message in, instead of a new ticket.
    """

    kind: str
    label: str
    icon: str
    """Name of its sign in core/icons.svg."""
    can: frozenset[str]
    """Any of `receive, send, html, subject, attachments, copies, fetch`, and `live`: who writes waits for an answer
    now, so that it is given only to colleagues who are here; `fetched`: the other side comes for what is sent."""
    point: str
    """What its people are known by: a `ContactPoint.Kind`, or `visitor` for those who have only a token."""
    form: type[forms.Form]
    """Settings of one channel of this kind: non-secret fields, and secret ones named in `form.secrets`."""
    facts: tuple[Fact, ...]
    """What its messages add for rules; the values stand in `Inbound.facts`."""
    panel: str
    """Template shown inside each of its messages on the desk, with `message`; empty: none."""

    def read(self, raw: bytes, settings: Mapping[str, Any]) -> Inbound:
        """Understand bytes, under the channel's settings. Pure; bad input raises nothing: see `Inbound.errors`."""

    def address(self, text: str, settings: Mapping[str, Any]) -> str:
        """One recipient in its one spelling. Raises ValidationError when `text` is not exactly one."""

    # A channel that cannot carry every file has `refuse_files(files)` too: raises ValidationError, in words, before
    # anything is written. One whose messages are pages has `has_pages = True`, see `inbox.services.fax_pages`; one
    # that reads whole mails, so that mail servers may hand them over, has `reads_mail = True`.

    def compose(self, delivery: Delivery, channel: Channel | None) -> Outbound:
        """What is handed over for this delivery; may ask the database. Raises NotComposable."""

    async def send(self, channel: Channel | None, out: Outbound) -> Receipt:
        """Hand one message over. Never raises for a fault of the other side: the receipt says it.

        Where `settings.MAIL_SINK` is set, nothing leaves the machine: see `inbox.channels.sink`.
        """
