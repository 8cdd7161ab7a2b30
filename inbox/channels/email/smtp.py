"""One connection to a channel's SMTP server (RFC 5321), and what its answers mean for us."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from collections.abc import Callable

import aiosmtplib
from aiosmtplib import SMTPException, SMTPResponseException

from core import fault
from core.said import said as _
from core.said import short
from inbox.channels.base import Outbound, Outcome, Receipt
from inbox.channels.email import faults, oauth
from inbox.channels.email.faults import MailFault
from inbox.channels.email.servers import Server

_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_DOT = re.compile(rb"(?m)^\.")
_CHUNK = 256 * 1024


class Refused(Exception):
    """The server said no; `receipt` is what it means. `usable` tells whether the connection may go on."""

    def __init__(self, receipt: Receipt, *, usable: bool = True) -> None:
        super().__init__(receipt.response)
        self.receipt, self.usable = receipt, usable


def later(code: int, response: str, *, whole_account: bool = False) -> Receipt:
    """Try again with back-off."""
    return Receipt(Outcome.LATER, code, short(response, 500), whole_account=whole_account)


def is_doubtful(receipt: Receipt) -> bool:
    """Whether a refusal of a recipient may really mean us: policy and blocking answers (RFC 3463, X.7.X), 554."""
    if receipt.outcome is not Outcome.RECIPIENT_FAULT:
        return False
    status = _STATUS.search(receipt.response)
    return status[2] == "7" if status else receipt.code == 554


def judge(code: int, response: str, *, about_recipient: bool) -> Receipt:
    """What a negative answer means. `about_recipient` is False for answers to MAIL FROM."""
    said = f"{code} {' '.join(response.split())}"[:500]
    if code < 500:
        return later(code, said, whole_account=code == 421 or not about_recipient)
    status = _STATUS.search(response)
    if code == 552 or (status and (status[2], status[3]) in {("3", "4"), ("2", "3")}):
        return Receipt(Outcome.RECIPIENT_FAULT, code, said)  # the message is too large, or the mailbox is full
    if not about_recipient or code in (530, 534, 535, 538):
        return Receipt(Outcome.ACCOUNT_FAULT, code, said)
    return Receipt(Outcome.RECIPIENT_FAULT, code, said)


class Session:
    """A logged-in connection that takes one message after the other."""

    def __init__(self, server: Server, seconds: float, rotated: Callable[[str], object] | None = None) -> None:
        self.server, self.seconds, self._rotated = server, seconds, rotated
        self.used_at = time.monotonic()
        self.sent = 0
        self._smtp: aiosmtplib.SMTP

    @property
    def is_open(self) -> bool:
        """Whether the server has not hung up yet, as far as we know."""
        return self._smtp.is_connected

    async def open(self) -> None:
        """Connect, secure and log in. Raises Refused."""
        server = self.server
        self._smtp = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",
            tls_context=server.context() if server.security != "none" else None,
            timeout=self.seconds,
            local_hostname=_our_name(),
        )
        try:
            await self._smtp.connect()
            await self._log_in()
        except MailFault as why:
            self.close()
            raise Refused(_of(why), usable=False) from why
        except aiosmtplib.SMTPAuthenticationError as why:
            self.close()
            if server.grant:
                oauth.forget(server.grant)
            said = faults.refused(server.user, server.host, f"{why.code} {why.message}")
            outcome = Outcome.ACCOUNT_FAULT if why.code >= 500 else Outcome.LATER
            raise Refused(Receipt(outcome, why.code, str(said), whole_account=True), usable=False) from why
        except SMTPResponseException as why:
            self.close()
            receipt = judge(why.code, why.message, about_recipient=False)
            raise Refused(receipt, usable=False) from why
        except (SMTPException, OSError, ValueError) as why:
            self.close()
            raise Refused(_of(self._connecting(why)), usable=False) from why
        except BaseException:
            self.close()
            raise

    async def _log_in(self) -> None:
        server = self.server
        if server.grant:
            token = await asyncio.to_thread(oauth.access_token, server.grant, self._rotated)
            await self._smtp.ehlo()
            await self._smtp.auth_xoauth2(server.user, token)
        elif server.user:
            await self._smtp.login(server.user, server.password)

    def _connecting(self, why: BaseException) -> MailFault:
        server = self.server
        if isinstance(why, aiosmtplib.SMTPNotSupported) or "STARTTLS" in str(why) or "starttls" in str(why):
            return MailFault(
                _(
                    "%(host)s does not offer what is needed on port %(port)s: %(detail)s.",
                    host=server.host,
                    port=server.port,
                    detail=str(why).rstrip(".")[:150],
                ),
                account=True,
            )
        return faults.connecting(why, server.host, server.port, self.seconds)

    async def envelope(self, sender: str, recipient: str = "", size: int = 0) -> None:
        """MAIL FROM, and RCPT TO when there is a recipient. Raises Refused."""
        options = []
        if size and self._smtp.supports_extension("size"):
            options.append(f"SIZE={size}")
        encoding = "ascii"
        recipient = _with_ascii_domain(recipient)
        if not recipient.isascii():
            if not self._smtp.supports_extension("smtputf8"):
                said = _("The mail server cannot send to addresses with letters beyond ASCII.")
                raise Refused(Receipt(Outcome.RECIPIENT_FAULT, 550, said))
            encoding = "utf-8"
            options.append("SMTPUTF8")
        try:
            await self._smtp.mail(sender, options=options, encoding=encoding)
        except SMTPResponseException as why:
            raise Refused(judge(why.code, why.message, about_recipient=False), usable=why.code != 421) from why
        except (SMTPException, OSError) as why:
            raise Refused(_of(self._lost(why)), usable=False) from why
        if not recipient:
            return
        try:
            await self._smtp.rcpt(recipient, encoding=encoding)
        except SMTPResponseException as why:
            raise Refused(judge(why.code, why.message, about_recipient=True), usable=why.code != 421) from why
        except (SMTPException, OSError) as why:
            raise Refused(_of(self._lost(why)), usable=False) from why

    async def content(self, out: Outbound) -> Receipt:
        """DATA. Before the final dot a lost connection means `later`, after it nobody knows. Raises Refused."""
        body = _DOT.sub(b"..", out.content)
        if not body.endswith(b"\r\n"):
            body += b"\r\n"
        fault.point("smtp.before_data")
        try:
            start = await self._smtp.execute_command(b"DATA")
        except (SMTPException, OSError) as why:
            raise Refused(_of(self._lost(why)), usable=False) from why
        if start.code != 354:
            raise Refused(judge(start.code, start.message, about_recipient=True), usable=start.code != 421)
        fault.point("smtp.data_open")
        protocol = self._smtp.protocol
        try:
            if protocol is None:
                raise aiosmtplib.SMTPServerDisconnected("Connection lost")
            await self._write(protocol, body)
        except (SMTPException, OSError) as why:
            raise Refused(_of(self._lost(why)), usable=False) from why
        fault.point("smtp.body_written")
        try:
            protocol.write(b".\r\n")
            fault.point("smtp.dot_written")
            answer = await protocol.read_response(timeout=max(self.seconds, 5 * self.seconds))
        except SMTPResponseException as why:  # an answer that is no SMTP
            raise Refused(Receipt(Outcome.UNCERTAIN, why.code, why.message[:500]), usable=False) from why
        except (SMTPException, OSError) as why:
            said = _("The connection was lost before the server had confirmed the message.")
            raise Refused(Receipt(Outcome.UNCERTAIN, 0, said), usable=False) from why
        fault.point("smtp.answered")
        self.used_at, self.sent = time.monotonic(), self.sent + 1
        if answer.code // 100 == 2:
            return Receipt(Outcome.SENT, answer.code, " ".join(answer.message.split())[:500])
        raise Refused(judge(answer.code, answer.message, about_recipient=True), usable=answer.code != 421)

    async def _write(self, protocol: aiosmtplib.protocol.SMTPProtocol, body: bytes) -> None:
        until = time.monotonic() + 10 * self.seconds
        for start in range(0, len(body), _CHUNK):
            protocol.write(body[start : start + _CHUNK])
            while (transport := protocol.transport) and transport.get_write_buffer_size() > _CHUNK:  # type: ignore[attr-defined]
                if time.monotonic() > until:
                    raise aiosmtplib.SMTPTimeoutError("the server takes no more")
                await asyncio.sleep(0.01)

    async def reset(self) -> bool:
        """RSET; whether the connection may be used again."""
        try:
            await self._smtp.rset()
        except (SMTPException, OSError):
            self.close()
            return False
        return True

    async def quit(self) -> None:
        """Say goodbye."""
        try:
            await self._smtp.quit(timeout=2)
        except (SMTPException, OSError):
            self.close()

    def close(self) -> None:
        """Hang up."""
        self._smtp.close()

    def _lost(self, why: BaseException) -> MailFault:
        return MailFault(
            _(
                "The connection to %(host)s was lost: %(detail)s",
                host=self.server.host,
                detail=" ".join(str(why).split())[:150],
            )
        )


def _of(why: MailFault) -> Receipt:
    outcome = Outcome.ACCOUNT_FAULT if why.account else Outcome.LATER
    return Receipt(outcome, 0, str(why), whole_account=True)


def _with_ascii_domain(address: str) -> str:
    local, at, domain = address.rpartition("@")
    if at and not domain.isascii():
        try:
            return f"{local}@{domain.encode('idna').decode()}"
        except UnicodeError:
            return address
    return address


def _our_name() -> str:
    """What we call ourselves in EHLO; never asks a name server."""
    name = re.sub(r"[^A-Za-z0-9.\-]", "", socket.gethostname())
    return name or "localhost"
