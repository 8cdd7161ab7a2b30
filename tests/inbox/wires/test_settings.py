"""Setting up a mailbox: the form, the trial, the file."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.management import CommandError, call_command
from django.template.loader import get_template

from crm.customers.models import ContactPoint
from inbox.channels import registry
from inbox.channels.email.adapter import EmailAdapter
from inbox.channels.email.forms import EmailSettingsForm
from inbox.channels.email.probe import probe
from inbox.models import Channel
from inbox.services import call_tokens
from tests import factories
from tests.servers.dovecot import Dovecot
from tests.servers.smtp_sink import SmtpSink

SIGNS = (settings.BASE_DIR / "core/static/core/icons.svg").read_text()
BASE = {"imap_host": "imap.example.com", "imap_user": "support", "imap_password": "secret"}


def errors(**values):
    form = EmailSettingsForm({**BASE, **values})
    form.is_valid()
    return {name: " ".join(found) for name, found in form.errors.items()}


def test_what_is_left_empty_is_filled_in_and_secrets_stay_apart():
    form = EmailSettingsForm({**BASE, "smtp_host": "smtp.example.com"})
    assert form.is_valid(), form.errors
    settings = form.settings()
    assert (settings["imap_port"], settings["imap_security"], settings["after_import"]) == (993, "tls", "seen")
    assert (settings["smtp_port"], settings["smtp_security"], settings["smtp_connections"]) == (587, "starttls", 2)
    assert not EmailSettingsForm.secrets & set(settings)
    assert form.changed_secrets() == {"imap_password": "secret"}


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"imap_password": ""}, "imap_password"),
        ({"imap_user": ""}, "imap_user"),
        ({"imap_host": "imap example"}, "imap_host"),
        ({"imap_host": "x\r\nA1 LOGOUT"}, "imap_host"),
        ({"imap_user": "a\r\nA1 LOGOUT"}, "imap_user"),
        ({"imap_security": "none"}, "imap_security"),
        ({"imap_port": "70000"}, "imap_port"),
        ({"after_import": "move"}, "move_to"),
        ({"after_import": "move", "move_to": "INBOX"}, "move_to"),
        ({"smtp_host": "s.example.com", "smtp_security": "none"}, "smtp_security"),
        ({"smtp_host": "s.example.com", "smtp_user": "me"}, "smtp_password"),
        ({"auth": "microsoft", "oauth_client_id": "x", "oauth_refresh_token": "y"}, "oauth_tenant"),
        ({"auth": "google"}, "oauth_refresh_token"),
        ({"subject_hook": "a]b"}, "subject_hook"),
        ({"tls_ca": "no certificate"}, "tls_ca"),
    ],
)
def test_what_does_not_fit_is_said_at_its_field(values, field):
    assert field in errors(**values)


def test_a_stored_secret_need_not_be_given_again():
    form = EmailSettingsForm({**BASE, "imap_password": ""}, stored={"imap_password": "xyzzy"})
    assert form.is_valid()
    assert form.changed_secrets() == {}
    assert "xyzzy" not in str(form)


def test_plain_text_is_for_this_machine():
    assert errors(imap_host="127.0.0.1", imap_security="none") == {}
    assert errors(imap_host="localhost", imap_security="none") == {}


def test_two_adapters_of_one_kind_are_refused():
    with pytest.raises(ImproperlyConfigured):
        registry.collect([EmailAdapter(), EmailAdapter()])
    with pytest.raises(registry.UnknownChannelKind):
        registry.adapter("pigeon")


@pytest.mark.parametrize("adapter", registry.adapters(), ids=lambda adapter: adapter.kind)
def test_every_adapter_keeps_the_contract(adapter):
    assert adapter.kind.isascii()
    assert str(adapter.label)
    assert adapter.can <= {"receive", "send", "html", "subject", "attachments", "copies", "fetch", "live", "fetched"}
    assert f'id="{adapter.icon}"' in SIGNS
    assert adapter.point in {*ContactPoint.Kind.values, "visitor"}
    assert len({fact.name for fact in adapter.facts}) == len(adapter.facts)
    if adapter.panel:
        get_template(adapter.panel)
    for nobody in ("", "a@x.test, b@x.test", "a@x.test\r\nBcc: b@x.test", "x" * 400):
        with pytest.raises(ValidationError):
            adapter.address(nobody, {})
    assert adapter.form.secrets <= set(adapter.form.base_fields)
    for junk in (b"", b"\x00\xff", b"{}", b"From: \xff\r\n\r\n"):
        assert isinstance(adapter.read(junk, {}).errors, tuple)


@pytest.mark.dovecot
class TestTrial:
    def settings(self, dovecot, user, **more):
        return {"imap_host": "127.0.0.1", "imap_port": dovecot.port, "imap_security": "none", "imap_user": user, **more}

    def test_what_works_is_said(self, dovecot: Dovecot, box, sink):
        dovecot.put(box, b"Subject: x\r\n\r\n")
        settings = self.settings(dovecot, box, smtp_host="127.0.0.1", smtp_port=sink.port, smtp_security="none")
        found = probe("support@example.com", settings, {"imap_password": "secret"}, seconds=5)
        assert found.receiving.good is True
        assert "holds 1 mails" in found.receiving.text
        assert (found.sending.good, found.sending.text) == (True, "127.0.0.1 takes mail from “support@example.com”.")
        assert not sink.kept
        assert b"\\Seen" not in dovecot.mails(box)[0][0]

    @pytest.mark.parametrize(
        ("change", "secret", "words"),
        [
            ({}, "wrong", "refused the login of"),
            ({"imap_host": "imap.invalid"}, "secret", "no server called “imap.invalid”"),
            ({"imap_port": 1}, "secret", "refuses connections on port 1"),
            ({"imap_security": "tls"}, "secret", "does not speak TLS on port"),
            ({"imap_folder": "Nope"}, "secret", "no folder “Nope”. The mailbox has: INBOX"),
            ({"after_import": "move", "move_to": "Gone"}, "secret", "no folder “Gone”. The mailbox has: INBOX"),
        ],
    )
    def test_what_is_wrong_with_imap_is_said(self, dovecot: Dovecot, box, change, secret, words):
        found = probe("s@example.com", self.settings(dovecot, box) | change, {"imap_password": secret}, seconds=3)
        assert found.receiving.good is False
        assert words in found.receiving.text
        assert found.sending.good is None

    def test_a_certificate_for_another_name(self, box):
        other = Dovecot(Path(tempfile.mkdtemp(prefix="guichet-dovecot-")), "mail.elsewhere.test")
        try:
            settings = {
                "imap_host": "127.0.0.1", "imap_port": other.tls_port, "imap_user": box, "tls_ca": other.authority.pem,
            }  # fmt: skip
            found = probe("s@example.com", settings, {"imap_password": "secret"}, seconds=5).receiving
            assert found.text == (
                "The server's certificate was not issued for “127.0.0.1”. Use the name in the certificate."
                " It names: mail.elsewhere.test."
            )
            settings["tls_ca"] = ""
            found = probe("s@example.com", settings, {"imap_password": "secret"}, seconds=5).receiving
            assert "not signed by an authority that this machine trusts" in found.text
        finally:
            other.close()


def sending_trial(seconds=3, **settings):
    base = {"smtp_host": "127.0.0.1", "smtp_security": "none"}
    return probe("s@example.com", base | settings, {"smtp_password": "pw"}, seconds=seconds).sending


def test_what_is_wrong_with_smtp_is_said(sink):
    assert "refuses connections on port 1" in sending_trial(smtp_port=1).text
    assert "does not offer what is needed" in sending_trial(smtp_port=sink.port, smtp_security="starttls").text
    sink.on_mail = lambda _who: "550 5.7.1 Not your domain"
    assert sending_trial(smtp_port=sink.port).text == "550 5.7.1 Not your domain"
    sink.on_mail = lambda _who: "hang"
    assert sending_trial(seconds=0.5, smtp_port=sink.port).good is False
    guarded = SmtpSink(users={"me": "other"})
    try:
        assert "refused the login of “me”" in sending_trial(smtp_port=guarded.port, smtp_user="me").text
    finally:
        guarded.close()


# The file


ENTRY = {
    "name": "Support", "kind": "email", "address": "Support@Example.com", "queue": "First level", "imap_host": "imap.example.com",
    "imap_user": "support", "imap_password": "env:TEST_MAIL_PASSWORD", "smtp_host": "smtp.example.com", "plus_addressing": True,
}  # fmt: skip


def load(tmp_path, *entries):
    path = tmp_path / "channels.json"
    path.write_text(json.dumps({"channels": list(entries)}))
    call_command("load_channels", str(path))


def test_channels_from_a_file(db, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TEST_MAIL_PASSWORD", "from the environment")
    load(tmp_path, ENTRY, {"name": "Portal", "kind": "webform", "queue": "First level"})
    assert capsys.readouterr().out == "made: Support\nmade: Portal\n"
    channel = Channel.objects.get(name="Support")
    assert (channel.address, channel.queue.name, channel.settings["imap_port"]) == (
        "support@example.com",
        "First level",
        993,
    )
    assert channel.settings["plus_addressing"] is True
    assert channel.settings["import_existing"] is True
    assert channel.secrets() == {"imap_password": "from the environment"}
    assert "environment" not in json.dumps(channel.settings) + channel.sealed

    load(tmp_path, {"name": "Support", "imap_port": 143, "imap_security": "starttls"})
    assert capsys.readouterr().out == "changed: Support\n"
    channel.refresh_from_db()
    assert (channel.settings["imap_port"], channel.settings["plus_addressing"]) == (143, True)
    assert channel.secrets() == {"imap_password": "from the environment"}
    assert Channel.objects.count() == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": ""}, "without a name"),
        ({"kind": "pigeon"}, "no channel kind “pigeon”"),
        ({"imap_prot": 1}, "unknown settings imap_prot"),
        ({"imap_password": "env:NOT_SET_ANYWHERE"}, "NOT_SET_ANYWHERE is not set"),
        ({"queue": ""}, "a queue is needed"),
        ({"address": "nobody"}, "needs an address"),
        ({"imap_security": "none"}, "imap_security:"),
        ({"acknowledge": "No such text"}, "no automatic answer called"),
        ({"address": "Good@example.com"}, "Support: Another channel has this address"),
        ({"aliases": ["good@example.com"]}, "Support: Another channel has this address"),
    ],
)
def test_a_wrong_file_changes_nothing(db, tmp_path, monkeypatch, change, words):
    monkeypatch.setenv("TEST_MAIL_PASSWORD", "x")
    with pytest.raises(CommandError, match=words):
        load(tmp_path, ENTRY | {"name": "Good", "address": "good@example.com"}, ENTRY | change)
    assert not Channel.objects.exists()


def test_the_example_in_the_documentation_loads(db, tmp_path, monkeypatch, settings):
    for name in ("SUPPORT_MAIL_PASSWORD", "MS_CLIENT_SECRET", "MS_REFRESH_TOKEN"):
        monkeypatch.setenv(name, "x")
    factories.TemplateFactory(name="We have your message", purpose="automatic")
    text = (Path(settings.BASE_DIR) / "docs" / "channels.md").read_text()
    path = tmp_path / "example.json"
    path.write_text(text.partition("```json")[2].partition("```")[0])
    call_command("load_channels", str(path))
    assert Channel.objects.count() == 3
    documented = set(re.findall(r"`([a-z_]+)`", text))
    assert set(EmailSettingsForm.base_fields) <= documented


def test_no_file_and_no_list(db, tmp_path):
    with pytest.raises(CommandError):
        call_command("load_channels", str(tmp_path / "none.json"))
    (tmp_path / "x.json").write_text('"text"')
    with pytest.raises(CommandError, match="expected"):
        call_command("load_channels", str(tmp_path / "x.json"))


def test_a_file_says_the_key_of_a_chat_and_the_token_of_a_telephone_system(tmp_path, db, monkeypatch):
    monkeypatch.setenv("CTI_TOKEN", "t0ken-of-twenty-signs")
    site = {"name": "Site", "kind": "chat", "queue": "S", "origins": "https://a.example", "key": "shop-key-1"}
    pbx = {"name": "PBX", "kind": "phone", "queue": "S", "region": "DE", "token": "env:CTI_TOKEN"}
    for _again in range(2):
        load(tmp_path, site, pbx)
        assert Channel.objects.get(name="Site").settings["key"] == "shop-key-1"
        assert call_tokens.channel_of("t0ken-of-twenty-signs") == Channel.objects.get(name="PBX")
    for wrong in ({**site, "key": "no key"}, {**site, "name": "Other"}, {**pbx, "token": "short"}):
        with pytest.raises(CommandError):
            load(tmp_path, wrong)
    assert Channel.objects.count() == 2
