"""Trying out a mailbox's settings: really connects, and says in words what is wrong."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from django.utils.translation import gettext as _

from inbox.channels.email import imap
from inbox.channels.email.faults import MailFault
from inbox.channels.email.servers import Server, imap_server, smtp_server
from inbox.channels.email.smtp import Refused, Session

SECONDS = 10.0
Rotated = Callable[[str], object] | None


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one side. `good` is None when that side is not set up."""

    good: bool | None
    text: str


@dataclass(frozen=True, slots=True)
class Probe:
    """Both sides of a mailbox."""

    receiving: Finding
    sending: Finding


def probe(
    address: str,
    settings: Mapping[str, Any],
    secrets: Mapping[str, str],
    *,
    seconds: float = SECONDS,
    rotated: Rotated = None,
) -> Probe:
    """Log in and open the folder; log in and offer a sender. Nothing is changed or sent. Blocks; never raises.

    `rotated`: see `oauth.access_token`.
    """
    return Probe(
        receiving(imap_server(settings, secrets), settings, seconds, rotated),
        _sending(smtp_server(settings, secrets), address, seconds, rotated),
    )


def receiving(server: Server | None, settings: Mapping[str, Any], seconds: float, rotated: Rotated) -> Finding:
    """Log in and open the folder. Nothing is changed. Blocks; never raises."""
    if server is None:
        return Finding(None, _("No IMAP server is set: mail is not fetched."))
    folder = settings.get("imap_folder") or "INBOX"
    mailbox = None
    try:
        mailbox = imap.Mailbox(server, seconds=seconds, rotated=rotated, peek=True)
        mailbox.select(folder)
        if settings.get("after_import") == "move":
            target = settings.get("move_to", "")
            if not mailbox.can_move:
                return Finding(
                    False, _("%(host)s cannot move mails. Choose to mark them as seen.") % {"host": server.host}
                )
            if target not in (folders := mailbox.folders()):
                return Finding(
                    False,
                    _("There is no folder “%(folder)s”. The mailbox has: %(known)s.")
                    % {"folder": target, "known": ", ".join(folders[:20])},
                )
        count = len(mailbox.after(0))
        return Finding(
            True,
            _("Logged in as “%(user)s”; the folder “%(folder)s” holds %(count)s mails.")
            % {"user": server.user, "folder": folder, "count": count},
        )
    except MailFault as why:
        return Finding(False, str(why) + _certificate_names(why, server, seconds))
    except (ValueError, OSError) as why:
        return Finding(False, _("This does not work: %(detail)s") % {"detail": str(why)[:200]})
    finally:
        if mailbox is not None:
            mailbox.close()


def _sending(server: Server | None, address: str, seconds: float, rotated: Rotated) -> Finding:
    if server is None:
        return Finding(None, _("No SMTP server is set: this channel does not send."))

    async def try_it() -> Finding:
        session = Session(server, seconds, rotated)
        try:
            await session.open()
            await session.envelope(address)
            await session.reset()
            await session.quit()
        except Refused as no:
            session.close()
            return Finding(False, no.receipt.response)
        return Finding(
            True,
            _("%(host)s takes mail from “%(address)s”.") % {"host": server.host, "address": address},
        )

    try:
        finding = asyncio.run(try_it())
    except (ValueError, OSError) as why:
        return Finding(False, _("This does not work: %(detail)s") % {"detail": str(why)[:200]})
    if finding.good is False:
        return Finding(False, finding.text + _certificate_names(None, server, seconds, finding.text))
    return finding


def _certificate_names(why: MailFault | None, server: Server, seconds: float, text: str = "") -> str:
    """The names that a certificate for another name is made out to: mostly one of them is what was meant."""
    cause = why.__cause__ if why else None
    mismatch = isinstance(cause, ssl.SSLCertVerificationError) and cause.verify_code in (62, 64)
    if server.security != "tls" or not (mismatch or "certificate" in text):
        return ""
    try:
        pem = ssl.get_server_certificate((server.host, server.port), timeout=seconds)
        certificate = x509.load_pem_x509_certificate(pem.encode())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        found = [str(name) for name in names.get_values_for_type(x509.DNSName)]
    except (OSError, ValueError, x509.ExtensionNotFound):
        return ""
    return " " + _("It names: %(names)s.") % {"names": ", ".join(found[:10])} if found else ""
