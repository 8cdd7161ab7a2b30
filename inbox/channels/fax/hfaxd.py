"""The client of HylaFAX' server, hfaxd: FTP (RFC 959) with documents and jobs instead of files.

Everything here blocks and belongs into a thread. A job is prepared in full before it is submitted, so that until that
one command nothing has left; it carries a mark of ours, by which it is found again when the answer was lost.
"""

from __future__ import annotations

import contextlib
import ftplib
import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from core.said import said as _

CHUNK = 64 * 1024
_JOB = re.compile(r"jobid:\s*(\d+)")
_FILE = re.compile(r"FILE:\s*(\S+)")
_SAFE = re.compile(r"[\"\\\x00-\x1f\x7f]")


class HfaxdFault(Exception):
    """The server could not be used, or says no. `str()` is words for people."""

    def __init__(self, text: str, *, code: int = 0, account: bool = False, number: bool = False) -> None:
        super().__init__(text)
        self.code = code
        self.account = account
        """It will say the same to every fax until somebody changes the settings."""
        self.number = number
        """It is about this fax or this number alone."""


class Submitted(Exception):
    """The job was submitted but the answer was lost: nobody knows whether the server took it."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where it is and who we are there."""

    host: str
    port: int
    user: str
    password: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be sent to which number."""

    document: bytes
    form: str
    number: str
    mark: str
    dials: int = 6
    hours: int = 12


@dataclass(frozen=True, slots=True)
class Job:
    """Where a job of the server stands. `state` is its word, such as PENDING, SLEEPING, ACTIVE, DONE or FAILED."""

    number: str
    state: str
    status: str
    dials: int
    pages: int

    @property
    def is_over(self) -> bool:
        """Nothing more will happen."""
        return self.state in ("DONE", "FAILED")


@contextlib.contextmanager
def connected(server: Server) -> Iterator[Session]:
    """A session that is logged in, and ended afterwards. Raises HfaxdFault."""
    session = Session(server)
    try:
        session.open()
        yield session
    finally:
        session.close()


class Session:
    """One conversation with the server."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._ftp = ftplib.FTP(timeout=server.seconds, encoding="utf-8")  # noqa: S321 - it is what hfaxd speaks

    def open(self) -> None:
        """Connect and log in. Raises HfaxdFault."""
        names = {"host": self.server.host, "port": self.server.port, "user": self.server.user}
        try:
            welcome = self._ftp.connect(self.server.host, self.server.port)
        except socket.gaierror as why:
            raise HfaxdFault(_("There is no server called “%(host)s” (DNS). Check the spelling.", **names)) from why
        except ConnectionRefusedError as why:
            raise HfaxdFault(
                _("%(host)s refuses connections on port %(port)s. Is hfaxd running there?", **names)
            ) from why
        except TimeoutError as why:
            raise HfaxdFault(_("%(host)s did not answer on port %(port)s in time.", **names)) from why
        except (OSError, EOFError, ftplib.Error) as why:
            raise HfaxdFault(_("%(host)s, port %(port)s: %(detail)s", **names, detail=_short(why))) from why
        if "hylafax" not in welcome.lower():
            raise HfaxdFault(
                _("What answers on %(host)s, port %(port)s, is not HylaFAX: %(detail)s", **names, detail=welcome[:100]),
                account=True,
            )
        self._log_in(names)

    def _log_in(self, names: dict[str, object]) -> None:
        try:
            answer = self._ftp.sendcmd(f"USER {_word(self.server.user)}")
            if answer.startswith("331"):
                self._ftp.sendcmd(f"PASS {_word(self.server.password)}")
        except ftplib.error_perm as why:
            raise HfaxdFault(
                _("%(host)s refused the login of “%(user)s”: %(detail)s", **names, detail=_short(why)),
                code=_code(why),
                account=True,
            ) from why
        except (OSError, EOFError, ftplib.Error) as why:
            raise self._lost(why) from why

    def close(self) -> None:
        """Say goodbye, or hang up."""
        try:
            self._ftp.quit()
        except (OSError, EOFError, ftplib.Error, AttributeError):
            self._ftp.close()

    def submit(self, order: Order, go: Callable[[], bool]) -> str:
        """Hand over the document and submit the job; its number, or empty when `go` said no.

        `go` is asked when everything is there and nothing has left. Raises HfaxdFault, and Submitted after that.
        """
        try:
            place = self._store(order)
            job = self._match(_JOB, self._ftp.sendcmd("JNEW"))
            for name, value in self._parameters(order, place):
                self._set(name, value)
        except (OSError, EOFError, ftplib.Error) as why:
            raise self._lost(why) from why
        if not go():
            with contextlib.suppress(OSError, EOFError, ftplib.Error):
                self._ftp.sendcmd(f"JDELE {job}")
            return ""
        try:
            self._ftp.sendcmd("JSUBM")
        except (ftplib.error_perm, ftplib.error_temp) as why:
            raise HfaxdFault(_short(why), code=_code(why), number=isinstance(why, ftplib.error_perm)) from why
        except (OSError, EOFError, ftplib.Error) as why:
            raise Submitted(job) from why
        return job

    def job(self, number: str) -> Job | None:
        """Where the job stands; None when the server has forgotten it. Raises HfaxdFault."""
        try:
            self._ftp.sendcmd(f"JOB {number}")
        except ftplib.error_perm:
            return None
        except (OSError, EOFError, ftplib.Error) as why:
            raise self._lost(why) from why
        try:
            state, status, dials, pages = (self._ask(name) for name in ("STATE", "STATUS", "TOTDIALS", "NPAGES"))
        except (OSError, EOFError, ftplib.Error) as why:
            raise self._lost(why) from why
        return Job(number, state, status, _whole(dials), _whole(pages))

    def kill(self, number: str) -> str:
        """Have the job given up, also in the middle of a call; empty, or why the server does not. Raises HfaxdFault."""
        try:
            self._ftp.sendcmd(f"JKILL {number}")
        except (ftplib.error_perm, ftplib.error_temp) as why:
            return _short(why)
        except (OSError, EOFError, ftplib.Error) as why:
            raise self._lost(why) from why
        return ""

    def find(self, mark: str) -> str:
        """The number of the job with this mark, waiting or over; empty when there is none. Raises HfaxdFault."""
        try:
            self._ftp.sendcmd('JOBFMT "%j|%J"')
            lines: list[str] = []
            for folder in ("sendq", "doneq"):
                self._ftp.retrlines(f"LIST {folder}", lines.append)
        except (OSError, EOFError, ftplib.Error) as why:
            raise self._lost(why) from why
        found = [
            number.strip() for number, _sign, tag in (line.partition("|") for line in lines) if tag.strip() == mark
        ]
        return found[-1] if found else ""

    def queue_length(self) -> int:
        """Jobs that wait or are being sent. Raises HfaxdFault."""
        lines: list[str] = []
        try:
            self._ftp.sendcmd('JOBFMT "%j"')
            self._ftp.retrlines("LIST sendq", lines.append)
        except (OSError, EOFError, ftplib.Error) as why:
            raise self._lost(why) from why
        return len(lines)

    def _store(self, order: Order) -> str:
        """The document into the server's temporary folder; its place there."""
        self._ftp.sendcmd("TYPE I")
        self._ftp.sendcmd("FORM " + ("PDF" if order.form == "pdf" else "TIFF"))
        host, port = self._ftp.makepasv()
        with socket.create_connection((host, port), timeout=self.server.seconds) as data:
            place = self._match(_FILE, self._ftp.sendcmd("STOT"))
            for start in range(0, len(order.document), CHUNK):
                data.sendall(order.document[start : start + CHUNK])
        self._ftp.voidresp()
        return place

    def _parameters(self, order: Order, place: str) -> Iterator[tuple[str, str]]:
        number = _quoted(order.number)
        yield from (("FROMUSER", _quoted(self.server.user)), ("JOBINFO", _quoted(order.mark)))
        yield from (("DIALSTRING", number), ("EXTERNAL", number))
        yield from (("NOTIFYADDR", _quoted(self.server.user)), ("NOTIFY", '"none"'))
        yield from (("LASTTIME", f"{order.hours // 24:02}{order.hours % 24:02}00"), ("SCHEDPRI", "127"))
        yield from (("MAXDIALS", str(order.dials)), ("MAXTRIES", "3"))
        yield from (("PAGEWIDTH", "215"), ("PAGELENGTH", "297"), ("VRES", "196"), ("PAGECHOP", '"none"'))
        yield "DOCUMENT", place

    def _set(self, name: str, value: str) -> None:
        try:
            self._ftp.sendcmd(f"JPARM {name} {value}")
        except ftplib.error_perm as why:
            raise HfaxdFault(
                _("The fax server does not take this fax: %(detail)s", detail=_short(why)),
                code=_code(why),
                number=name in ("DIALSTRING", "EXTERNAL", "DOCUMENT"),
                account=name not in ("DIALSTRING", "EXTERNAL", "DOCUMENT"),
            ) from why

    def _ask(self, name: str) -> str:
        return self._ftp.sendcmd(f"JPARM {name}").partition(" ")[2].strip()

    def _match(self, pattern: re.Pattern[str], answer: str) -> str:
        found = pattern.search(answer)
        if found is None:
            raise HfaxdFault(_("The fax server gives an answer that we do not know: %(detail)s", detail=answer[:150]))
        return found[1]

    def _lost(self, why: BaseException) -> HfaxdFault:
        if isinstance(why, HfaxdFault):
            return why
        if isinstance(why, ftplib.error_perm):
            return HfaxdFault(_("The fax server says: %(detail)s", detail=_short(why)), code=_code(why), account=True)
        return HfaxdFault(
            _("The connection to %(host)s was lost: %(detail)s", host=self.server.host, detail=_short(why)),
            code=_code(why),
        )


def _quoted(text: str) -> str:
    return '"' + _SAFE.sub("", text) + '"'


def _word(text: str) -> str:
    """As it is where hfaxd reads it as one word, else in quotation marks."""
    return f'"{text}"' if any(sign.isspace() for sign in text) and '"' not in text else text


def _short(why: BaseException) -> str:
    return " ".join(str(why).split())[:200] or type(why).__name__


def _code(why: BaseException) -> int:
    found = re.match(r"(\d{3})", str(why))
    return int(found[1]) if found else 0


def _whole(text: str) -> int:
    return int(text) if text.isdigit() else 0
