"""Trying out a fax channel: really logs in to the fax server, really looks into the folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from inbox.channels.email.grants import keep_refresh_token
from inbox.channels.email.probe import Finding, Probe, receiving
from inbox.channels.email.servers import imap_server
from inbox.channels.fax import hfaxd
from inbox.channels.fax.pages import rendering

if TYPE_CHECKING:
    from inbox.models import Channel

SECONDS = 10.0


def probe(channel: Channel) -> Probe:
    """Both sides, in words. Nothing is sent or changed. Raises core.secrets.SecretUnreadable."""
    return Probe(_receiving(channel), _sending(channel))


def _receiving(channel: Channel) -> Finding:
    settings, ways = channel.settings, []
    program, languages = rendering.tesseract()
    reads = _("Words are read by Tesseract (%(languages)s).") % {"languages": languages.replace("+", ", ")}
    if settings.get("in_ocr") == "off":
        reads = _("Words are not read.")
    elif not program:
        reads = _("Tesseract is not installed on this server: words are not read.")
    if folder := settings.get("in_folder"):
        ways.append(_folder(folder, settings))
    if mailbox := imap_server(settings, channel.secrets()):
        ways.append(receiving(mailbox, settings, SECONDS, lambda token: keep_refresh_token(channel.pk, token)))
    told = [way.text for way in ways] or [
        _("No folder is watched; faxes come by the receive_fax command and by mail from the gateway.")
    ]
    return Finding(all(way.good for way in ways) if ways else None, " ".join([*told, reads]))


def _folder(folder: str, settings: Mapping[str, Any]) -> Finding:
    path = Path(folder)
    if not path.is_dir():
        return Finding(False, _("The folder %(folder)s is not there.") % {"folder": folder})
    if not os.access(path, os.R_OK | os.X_OK | (os.W_OK if settings.get("in_after") != "keep" else 0)):
        return Finding(False, _("This process may not read and empty the folder %(folder)s.") % {"folder": folder})
    return Finding(True, _("The folder %(folder)s is watched.") % {"folder": folder})


def _sending(channel: Channel) -> Finding:
    settings = channel.settings
    if settings.get("out_by") == "mail":
        return _gateway(settings)
    if settings.get("out_by") != "hfaxd":
        return Finding(None, _("This number does not send."))
    from inbox.channels.fax.sending import server

    at = server(settings, channel.secrets())
    at = hfaxd.Server(at.host, at.port, at.user, at.password, SECONDS)
    try:
        with hfaxd.connected(at) as session:
            waiting = session.queue_length()
    except hfaxd.HfaxdFault as why:
        return Finding(False, str(why))
    return Finding(
        True,
        _("Logged in to %(host)s as “%(user)s”; %(n)s jobs are waiting there.")
        % {"host": at.host, "user": at.user, "n": waiting},
    )


def _gateway(settings: Mapping[str, Any]) -> Finding:
    from inbox.models import Channel

    carrier = Channel.objects.filter(kind="email", active=True, name=settings.get("out_channel", "")).first()
    if carrier is None:
        return Finding(False, _("The e-mail channel of the gateway is not there, or is stopped."))
    if not carrier.settings.get("smtp_host"):
        return Finding(False, _("“%(channel)s” has no SMTP server.") % {"channel": carrier})
    return Finding(True, _("Faxes leave as mail through “%(channel)s”; test that channel too.") % {"channel": carrier})
