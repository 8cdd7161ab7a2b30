"""XOAUTH2: refresh tokens buy access tokens, which open both servers (R-39)."""

from __future__ import annotations

import base64
import functools
import json
import socket
import threading

import pytest

from core.outbound import post_form
from inbox.channels.email import imap, oauth
from inbox.channels.email.faults import MailFault
from inbox.channels.email.oauth import Grant
from inbox.channels.email.servers import Server, imap_server
from inbox.listening.listener import Listener
from inbox.models import Channel
from tests import factories
from tests.servers.https_server import HttpsServer

GRANT = Grant("google", "", "client", "hush", "refresh-1")


@pytest.fixture
def issuer(tmp_path, settings, monkeypatch):
    settings.OUTBOUND_PRIVATE_HOSTS = ["localhost"]
    server = HttpsServer(tmp_path)
    monkeypatch.setattr(oauth, "GOOGLE", server.url)
    monkeypatch.setattr(oauth, "post_form", functools.partial(post_form, ca=server.authority.pem))
    monkeypatch.setattr(oauth, "_tokens", {})
    monkeypatch.setattr(oauth, "_refused", {})
    yield server
    server.close()


def issue(server, status=200, **content):
    server.answer = (status, {}, json.dumps(content).encode())


def test_a_token_is_kept_while_it_is_good(issuer):
    issue(issuer, access_token="a1", expires_in=3600)
    assert [oauth.access_token(GRANT), oauth.access_token(GRANT)] == ["a1", "a1"]
    assert issuer.asked == [
        {"grant_type": "refresh_token", "client_id": "client", "client_secret": "hush", "refresh_token": "refresh-1"}
    ]
    oauth.forget(GRANT)
    issue(issuer, access_token="a2", expires_in=60)
    assert oauth.access_token(GRANT) == "a2"
    issue(issuer, access_token="a3", expires_in=60)
    assert oauth.access_token(GRANT) == "a3"


def test_a_revoked_grant_is_told_once_a_minute(issuer):
    issue(issuer, 400, error="invalid_grant")
    for _n in range(3):
        with pytest.raises(MailFault, match="invalid_grant") as refused:
            oauth.access_token(GRANT)
        assert refused.value.account
        assert "hush" not in str(refused.value)
        assert "refresh-1" not in str(refused.value)
    assert len(issuer.asked) == 1


def test_an_issuer_out_of_order_is_no_fault_of_the_account(issuer):
    issue(issuer, 503)
    with pytest.raises(MailFault) as refused:
        oauth.access_token(GRANT)
    assert not refused.value.account
    issue(issuer, access_token="a1")
    assert oauth.access_token(GRANT) == "a1"


def test_a_rotated_refresh_token_is_stored(issuer, db):
    channel = factories.ChannelFactory(
        settings={"auth": "google", "imap_host": "localhost", "oauth_client_id": "client"}
    )
    channel.set_secrets({"oauth_refresh_token": "refresh-1", "oauth_client_secret": "hush"})
    channel.save()
    issue(issuer, access_token="a1", refresh_token="refresh-2")
    listener = Listener(channel)
    grant = imap_server(channel.settings, channel.secrets()).grant
    oauth.access_token(grant, listener._keep_refresh_token)
    assert Channel.objects.get().secrets() == {"oauth_refresh_token": "refresh-2", "oauth_client_secret": "hush"}
    assert listener.configuration == (repr(sorted(channel.settings.items())), Channel.objects.get().sealed)


def test_the_tenant_stays_inside_its_address():
    grant = Grant("microsoft", "../../evil?x=#", "c", "", "r")
    assert grant.endpoint == "https://login.microsoftonline.com/....evilx/oauth2/v2.0/token"


class Imap:
    """Just enough of a server to log in with XOAUTH2."""

    def __init__(self, good: str) -> None:
        self.good, self.given = good, []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                wire, _address = self._listener.accept()
            except OSError:
                return
            with wire, wire.makefile("rwb") as file:
                self._speak(file)

    def _speak(self, file) -> None:
        def say(text):
            file.write(text.encode() + b"\r\n")
            file.flush()

        say("* OK ready")
        for line in file:
            tag, verb = line.split()[:2]
            if verb == b"AUTHENTICATE":
                say("+")
                self.given.append(base64.b64decode(file.readline()).decode())
                if self.given[-1] != f"user=me\x01auth=Bearer {self.good}\x01\x01":
                    say("+ eyJzdGF0dXMiOiI0MDEifQ==")
                    assert file.readline().strip() in (b"", b"=")
                    say(f"{tag.decode()} NO AUTHENTICATE failed.")
                    continue
            if verb == b"CAPABILITY":
                say("* CAPABILITY IMAP4REV1 AUTH=XOAUTH2")
            if verb == b"LOGOUT":
                say("* BYE")
            say(f"{tag.decode()} OK done")

    def close(self) -> None:
        self._listener.close()


def test_imap_with_xoauth2(issuer):
    server = Imap("a1")
    try:
        where = Server("127.0.0.1", server.port, "none", "me", grant=GRANT)
        issue(issuer, access_token="expired")
        with pytest.raises(MailFault, match="refused the login of “me”") as refused:
            imap.Mailbox(where, seconds=5)
        assert refused.value.account
        issue(issuer, access_token="a1")
        imap.Mailbox(where, seconds=5).close()
        assert server.given[-1] == "user=me\x01auth=Bearer a1\x01\x01"
    finally:
        server.close()
