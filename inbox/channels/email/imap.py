"""One connection to one folder of a mailbox (RFC 9051, 3501), used by one thread only.

imaplib2 answers wrongly when several threads share a connection, so there is one connection a thread. After an abort
the object is dead: whoever gets a MailFault makes a new one. CONDSTORE is never enabled: the next SELECT would hang.
"""

from __future__ import annotations

import base64
import contextlib
import re
import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import imaplib2

from core import fault
from core.said import said as _
from inbox.channels.email import faults, oauth
from inbox.channels.email.faults import MailFault
from inbox.channels.email.servers import Server

IDLE_SECONDS = 9 * 60
"""IDLE is renewed long before the 29 minutes of RFC 2177: many routers forget a silent connection after ten."""
_UID = re.compile(rb"\bUID (\d+)")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
_LITERAL = re.compile(rb"\bBODY\[[^\]]*\](?:<\d+>)? \{\d+\}$")
_T = TypeVar("_T")


class _Wire(imaplib2.IMAP4):
    """imaplib2 with our TLS (its own does not check names), a time limit for connecting, and TCP keep-alive.

    imaplib2 reads in one thread and writes in another, and OpenSSL lets only one thread at a connection: a command that
    was written while the server's session tickets were read was lost. So the socket never blocks, and they take turns.
    """

    def __init__(self, server: Server, seconds: float) -> None:
        self._server, self._seconds, self._turn = server, seconds, threading.Lock()
        super().__init__(server.host, server.port, timeout=seconds)

    def open_socket(self) -> socket.socket:
        made = socket.create_connection((self._server.host, self._server.port), self._seconds)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)):
            if hasattr(socket, name):
                made.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        return made

    def open(self, host: str | None = None, port: int | None = None) -> None:
        self.host, self.port = self._server.host, self._server.port
        self.sock = self.open_socket()
        if self._server.security == "tls":
            self.ssl_wrap_socket()
        self.sock.setblocking(False)
        self.read_fd = self.sock.fileno()

    def ssl_wrap_socket(self) -> None:
        self.sock.settimeout(self._seconds)
        self.sock = self._server.context().wrap_socket(self.sock, server_hostname=self._server.host)
        self.sock.setblocking(False)
        self.read_fd = self.sock.fileno()

    def read(self, size: int) -> bytes:
        # Without a limit: a TLS record without content would else look like a silent server. imaplib2 keeps the time of
        # each command.
        return self._in_turn(lambda: self.sock.recv(size))

    def send(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            sent = self._in_turn(lambda: self.sock.send(rest), select.POLLOUT)  # noqa: B023 (called at once)
            rest = rest[sent:]

    def _in_turn(self, act: Callable[[], _T], wanted: int = select.POLLIN) -> _T:
        """Do it as soon as the socket can; TLS may have to read in order to write, and the other way about."""
        while True:
            try:
                with self._turn:
                    return act()
            except ssl.SSLWantReadError:
                wanted = select.POLLIN
            except ssl.SSLWantWriteError:
                wanted = select.POLLOUT
            except BlockingIOError:
                pass
            ready = select.poll()
            ready.register(self.read_fd, wanted)
            ready.poll(1000)  # with an end: what was awaited may have been taken by the other thread


@dataclass(frozen=True, slots=True)
class Selected:
    """What the server says of a folder when it is opened."""

    uidvalidity: int
    uidnext: int


class Mailbox:
    """A logged-in connection. Every method raises MailFault when the server does not do it."""

    def __init__(
        self, server: Server, *, seconds: float, rotated: Callable[[str], object] | None = None, peek: bool = False
    ) -> None:
        """Connect and log in, each within `seconds`. `rotated`: see `oauth.access_token`. `peek` opens read-only."""
        self.server, self._peek = server, peek
        try:
            self._wire = _Wire(server, seconds)
            if server.security == "starttls":
                if "STARTTLS" not in self._wire.capabilities:
                    self.close()
                    raise MailFault(
                        _("%(host)s does not offer STARTTLS on port %(port)s.", host=server.host, port=server.port),
                        account=True,
                    )
                self._wire.starttls()
        except (OSError, ssl.SSLError, imaplib2.IMAP4.error) as why:
            self.close()
            raise faults.connecting(why, server.host, server.port, seconds) from why
        try:
            self._log_in(rotated)
        except BaseException:
            self.close()
            raise

    def _log_in(self, rotated: Callable[[str], object] | None) -> None:
        server, grant = self.server, self.server.grant
        try:
            if grant:
                token = oauth.access_token(grant, rotated)
                answers = iter([oauth.xoauth2(server.user, token)])
                # The second question carries the server's error; it wants an empty answer before it says NO.
                self._wire.authenticate("XOAUTH2", lambda _question: next(answers, b""))
            elif server.password.isascii() and server.user.isascii():
                self._wire.login(_quoted(server.user), server.password)
            else:
                self._wire.authenticate("PLAIN", lambda _question: f"\0{server.user}\0{server.password}".encode())
        except imaplib2.IMAP4.abort as why:
            raise faults.connecting(why, server.host, server.port, 0) from why
        except imaplib2.IMAP4.error as why:
            if grant:
                oauth.forget(grant)
            raise faults.refused(server.user, server.host, _text(why)) from why
        # The list before the login may be shorter.
        self._wire._get_capabilities()

    @property
    def can_move(self) -> bool:
        """Whether the server knows MOVE (RFC 6851)."""
        return "MOVE" in self._wire.capabilities

    def folders(self) -> list[str]:
        """The names of all folders."""
        names = []
        for row in self._do(lambda: self._wire.list()):
            if isinstance(row, tuple):  # the name came as a literal
                names.append(_from_utf7(row[1]))
            elif row:
                found = re.match(rb'\([^)]*\) (?:"(?:[^"\\]|\\.)*"|NIL) (?:"((?:[^"\\]|\\.)*)"|(\S+))\s*$', row)
                if found:
                    names.append(_from_utf7(re.sub(rb"\\(.)", rb"\1", found[1] if found[1] is not None else found[2])))
        return names

    def select(self, folder: str) -> Selected:
        """Open a folder; when there is none of that name the fault lists those that are there."""
        try:
            kind, _said = self._wire.select(_quoted(to_utf7(folder)), readonly=self._peek)
            if kind == "OK":
                validity, after = self._number("UIDVALIDITY"), self._number("UIDNEXT")
                return Selected(validity, after)
        except (imaplib2.IMAP4.error, OSError) as why:
            raise self._broken(why) from why
        known = ", ".join(self.folders()[:20])
        raise MailFault(
            _("There is no folder “%(folder)s”. The mailbox has: %(known)s.", folder=folder, known=known),
            account=True,
        )

    def _number(self, name: str) -> int:
        data = self._wire.response(name)[1]
        return int(data[-1]) if data and data[-1] else 0

    def after(self, uid: int) -> list[int]:
        """The UIDs above `uid`, ascending. `n:*` always names the last message too; it is left out."""
        return [each for each in self._search("UID", f"{uid + 1}:*") if each > uid]

    def news(self) -> bool:
        """Whether the server announced messages since this was last asked."""
        return self._wire.response("EXISTS")[1] not in (None, [None])

    def up_to(self, uid: int, *criteria: str) -> list[int]:
        """The UIDs from 1 to `uid` that meet the criteria of SEARCH, ascending."""
        return self._search("UID", f"1:{uid}", *criteria) if uid else []

    def _search(self, *criteria: str) -> list[int]:
        rows = self._do(lambda: self._wire.uid("SEARCH", *criteria))
        return sorted({int(word) for row in rows if isinstance(row, bytes) for word in row.split()})

    def sizes(self, uids: Sequence[int]) -> dict[int, int]:
        """Bytes of each message. One that was deleted meanwhile is missing."""
        found = {}
        for row in self._do(lambda: self._wire.uid("FETCH", _set(uids), "(UID RFC822.SIZE)")):
            text = row[0] if isinstance(row, tuple) else row or b""
            uid, size = _UID.search(text), _SIZE.search(text)
            if uid and size:
                found[int(uid[1])] = int(size[1])
        return found

    def fetch(self, uids: Sequence[int], part: str = "BODY.PEEK[]") -> dict[int, bytes]:
        """The bytes of each message; its flags stay as they are. One that was deleted meanwhile is missing."""
        fault.point("imap.fetch")
        rows = self._do(lambda: self._wire.uid("FETCH", _set(uids), f"(UID {part})"))
        return dict(_bodies(rows))

    def mark_seen(self, uids: Sequence[int]) -> None:
        """Set the flag that mail programs show as read."""
        fault.point("imap.mark_seen")
        self._do(lambda: self._wire.uid("STORE", _set(uids), "+FLAGS.SILENT", r"(\Seen)"))

    def move(self, uids: Sequence[int], folder: str) -> None:
        """Move to another folder (RFC 6851)."""
        fault.point("imap.move")
        self._do(lambda: self._wire.uid("MOVE", _set(uids), _quoted(to_utf7(folder))))

    def idle(self, done: threading.Event, seconds: int = IDLE_SECONDS) -> None:
        """Ask to be told of news; `done` is set when there are some, after `seconds`, or when the connection breaks."""
        try:
            self._wire.idle(seconds, callback=lambda _result: done.set())
        except (imaplib2.IMAP4.error, OSError) as why:
            raise self._broken(why) from why

    def close(self) -> None:
        """Say goodbye if the server still listens, and end the threads of the connection."""
        with contextlib.suppress(imaplib2.IMAP4.error, OSError, AttributeError, RuntimeError):
            self._wire.logout()

    def _do(self, command: Callable[[], tuple[str, list]]) -> list:
        try:
            kind, data = command()
        except (imaplib2.IMAP4.error, OSError) as why:
            raise self._broken(why) from why
        if kind != "OK":
            detail = b" ".join(each for each in data if isinstance(each, bytes)).decode("utf-8", "replace")[:150]
            raise MailFault(_("%(host)s says: %(detail)s", host=self.server.host, detail=detail))
        return [each for each in data or [] if each is not None]

    def _broken(self, why: BaseException) -> MailFault:
        return MailFault(
            _("The connection to %(host)s was lost: %(detail)s", host=self.server.host, detail=_text(why)[:150])
        )


def _bodies(rows: Iterable[object]) -> Iterable[tuple[int, bytes]]:
    """UID and literal of each FETCH answer; the UID stands before the literal or behind it."""
    waiting: bytes | None = None
    for row in rows:
        if isinstance(row, tuple):
            head, content = row
            if not _LITERAL.search(head):
                continue
            uid = _UID.search(head)
            if uid:
                yield int(uid[1]), content
            else:
                waiting = content
        elif waiting is not None and isinstance(row, bytes):
            uid = _UID.search(row)
            if uid:
                yield int(uid[1]), waiting
            waiting = None


def _text(why: BaseException) -> str:
    """What imaplib2 says, of which some is bytes."""
    said = why.args[0] if why.args else ""
    return " ".join((said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)).split())


def _set(uids: Sequence[int]) -> str:
    """A sequence set with ranges, so that a thousand UIDs fit into a line."""
    parts: list[str] = []
    first = last = uids[0]
    for uid in [*uids[1:], -1]:
        if uid == last + 1:
            last = uid
            continue
        parts.append(str(first) if first == last else f"{first}:{last}")
        first = last = uid
    return ",".join(parts)


def _quoted(text: str) -> str:
    return '"' + re.sub(r"[\r\n\x00]", "", text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def to_utf7(name: str) -> str:
    """A folder name as IMAP writes it (modified UTF-7, RFC 3501, 5.1.3)."""
    out, wide = [], ""
    for char in [*name, ""]:
        if char and not 0x20 <= ord(char) <= 0x7E:
            wide += char
            continue
        if wide:
            out.append("&" + base64.b64encode(wide.encode("utf-16-be")).decode().rstrip("=").replace("/", ",") + "-")
            wide = ""
        out.append("&-" if char == "&" else char)
    return "".join(out)


def _from_utf7(raw: bytes) -> str:
    def wide(found: re.Match[str]) -> str:
        if not found[1]:
            return "&"
        packed = found[1].replace(",", "/")
        return base64.b64decode(packed + "=" * (-len(packed) % 4)).decode("utf-16-be", "replace")

    return re.sub(r"&([A-Za-z0-9+,]*)-", wide, raw.decode("utf-8", "replace"))
