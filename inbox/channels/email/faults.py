"""What goes wrong with mail servers, in words that tell a person what to change."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

from core.said import said as _


class MailFault(Exception):
    """A server could not be used. `str()` says why, in words; `account` means that waiting will not help."""

    def __init__(self, text: str, *, account: bool = False) -> None:
        super().__init__(text)
        self.account = account


def _chain(fault: BaseException | None) -> Iterator[BaseException]:
    while fault is not None:
        yield fault
        fault = fault.__cause__ or fault.__context__


def connecting(fault: BaseException, host: str, port: int, seconds: float) -> MailFault:
    """Why a connection to `host:port` could not be made within `seconds`."""
    names = {"host": host, "port": port, "seconds": round(seconds)}
    for each in _chain(fault):
        if isinstance(each, ssl.SSLCertVerificationError):
            return MailFault(_certificate(each, names), account=True)
        if isinstance(each, ssl.SSLError):
            return MailFault(
                _("%(host)s does not speak TLS on port %(port)s. Choose another security or port.", **names),
                account=True,
            )
        if isinstance(each, socket.gaierror):
            if each.errno == socket.EAI_AGAIN:
                return MailFault(_("The name server does not answer for “%(host)s” just now (DNS).", **names))
            return MailFault(_("There is no server called “%(host)s” (DNS). Check the spelling.", **names))
        if isinstance(each, ConnectionRefusedError):
            return MailFault(_("%(host)s refuses connections on port %(port)s. Check the port.", **names))
        if isinstance(each, TimeoutError):
            return MailFault(_("%(host)s did not answer on port %(port)s within %(seconds)s seconds.", **names))
    detail = " ".join(str(fault).split())[:150]
    return MailFault(_("The connection to %(host)s, port %(port)s, failed: %(detail)s", **names, detail=detail))


def _certificate(fault: ssl.SSLCertVerificationError, names: dict[str, object]) -> str:
    if fault.verify_code in (62, 64):  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH
        return _("The server's certificate was not issued for “%(host)s”. Use the name in the certificate.", **names)
    if fault.verify_code == 10:
        return _("The certificate of %(host)s has expired.", **names)
    return _(
        "The certificate of %(host)s is not signed by an authority that this machine trusts: %(detail)s.",
        **names,
        detail=fault.verify_message,
    )


def refused(user: str, host: str, detail: str) -> MailFault:
    """The server did not take user and password."""
    return MailFault(
        _(
            "%(host)s refused the login of “%(user)s”: %(detail)s",
            host=host,
            user=user,
            detail=" ".join(detail.split())[:150],
        ),
        account=True,
    )
