"""What the reader knows of one mail after decoding, and what everything that judges a mail is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from functools import cached_property

from inbox.channels.base import Address, InboundFile

_BYTES, _LINES = 2_000_000, 20_000
"""What the standard library is given of a mail: nobody states a bounce in more, and each line costs 30 µs there."""


@dataclass(frozen=True, slots=True)
class Part:
    """One leaf of the MIME tree (RFC 2045), transfer-decoded. A `message/rfc822` is a leaf: it is never entered."""

    content_type: str
    """Lower-case and syntactically valid, such as `message/delivery-status`."""
    content: bytes = b""
    text: str = ""
    """`content` in its character set with `\\n` line ends, for `text/*` and `message/*`; empty for all others."""
    charset: str = ""
    """As declared by the sender, lower-case; empty when not declared."""
    disposition: str = ""
    """`inline`, `attachment` or empty."""
    name: str = ""
    """The file name, fit for display, or empty."""
    path: tuple[int, ...] = ()
    """Position in the tree: `()` is the message itself, `(0, 1)` the second child of its first child."""
    parent: str = ""
    """Content type of the multipart that holds this part, such as `multipart/report`; empty at the top."""


@dataclass(frozen=True)
class ParsedMail:
    """One mail, decoded: headers, bodies, files and every leaf part. No judgement has been made yet."""

    raw: bytes = b""
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Lower-case name to the decoded values in the order written."""
    text: str = ""
    html: str = ""
    """As sent, not cleaned."""
    subject: str = ""
    sender: Address | None = None
    files: tuple[InboundFile, ...] = ()
    parts: tuple[Part, ...] = ()
    errors: tuple[str, ...] = ()
    entangled: bool = False
    """True when nesting, number of parts or header length went beyond what the reader follows."""
    foreign: bool = False
    """True when it is no mail but nothing at all, or another kind of file."""

    @cached_property
    def message(self) -> Message:
        """The same mail for libraries that want a standard library object (compat32).

        Made on first use, because it costs as much as everything else. Only the beginning of a long mail is given, and
        of an entangled one only the header: the standard library's parser recurses once a nesting level.
        """
        if self.entangled:
            header = self.raw[:65536].replace(b"\r\n", b"\n").partition(b"\n\n")[0]
            return message_from_bytes(header + b"\n\n")
        return message_from_bytes(b"".join(self.raw[:_BYTES].splitlines(keepends=True)[:_LINES]))

    def header(self, name: str) -> str:
        """The first decoded value of a header, by lower-case name; empty when there is none."""
        return self.headers.get(name, ("",))[0]

    def parts_of(self, *content_types: str) -> tuple[Part, ...]:
        """The leaf parts that have one of these content types, in order."""
        return tuple(part for part in self.parts if part.content_type in content_types)
