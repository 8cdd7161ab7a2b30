"""Header lines of outgoing mail. Written by hand, because the standard library folds long ids into encoded words.

Nothing that comes in as a value can start a line of its own: control characters and every kind of line break become
one space (S-51).
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Sequence
from email.header import Header

from core.said import one_line

_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~ ]*")
_FOLD, _FOLD_LIST = "\r\n ", ",\r\n "
_ID = re.compile(r"[\x21-\x3b\x3d\x3f-\x7e]{3,250}")
_PLAIN = r"[^\s@<>()\[\]\\,;:\"\x00-\x20\x7f-\x9f\u2028\u2029]"
ADDRESS = re.compile(rf"{_PLAIN}{{1,64}}@{_PLAIN}{{1,255}}")
"""Exactly one address: a local part without quoting, and a domain."""


def is_id(text: str) -> bool:
    """Whether this can stand between angle brackets as a Message-ID."""
    return bool(_ID.fullmatch(text))


def unstructured(name: str, value: str) -> bytes:
    """A line of free text (RFC 5322, 3.6.5), encoded (RFC 2047) and folded when needed."""
    text = one_line(value)
    # "=?" in plain text would be read as an encoded word by the other side.
    charset = "us-ascii" if text.isascii() and "=?" not in text else "utf-8"
    folded = Header(text, charset, maxlinelen=76, header_name=name).encode(linesep="\r\n")
    return f"{name}: {folded}\r\n".encode("ascii", "replace")


def addresses(name: str, people: Iterable[tuple[str, str]]) -> bytes:
    """A line of `(address, name)` pairs. What is not one plain address is left out; nothing when none is left."""
    shown = [_mailbox(address, person) for address, person in people if ADDRESS.fullmatch(address)]
    return f"{name}: {_FOLD_LIST.join(shown)}\r\n".encode() if shown else b""


def _mailbox(address: str, person: str) -> str:
    local, _at, domain = address.rpartition("@")
    if not domain.isascii():
        with contextlib.suppress(UnicodeError):
            address = f"{local}@{domain.encode('idna').decode()}"
    person = one_line(person)[:200]
    if not person:
        return address
    if not person.isascii() or "=?" in person:
        person = Header(person, "utf-8", maxlinelen=60).encode(linesep="\r\n")
    elif not _ATOMS.fullmatch(person):
        person = '"' + person.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{person}{_FOLD if len(person) > 40 else ' '}<{address}>"


def ids(name: str, mail_ids: Sequence[str]) -> bytes:
    """A line of Message-IDs, one a physical line; nothing when there is none."""
    good = [f"<{each}>" for each in mail_ids if is_id(each)]
    return f"{name}: {_FOLD.join(good)}\r\n".encode() if good else b""


def fixed(name: str, value: str) -> bytes:
    """A line whose value is ours."""
    return f"{name}: {value}\r\n".encode("ascii")
