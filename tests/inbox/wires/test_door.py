"""The SMTP and LMTP door: known addresses only, 250 after the commit (R-34, S-41)."""

from __future__ import annotations

import smtplib
import socket
import threading
from contextlib import contextmanager

import pytest

from core import fault
from inbox.listening.door import Door
from inbox.models import Channel, RawMessage
from inbox.services import files
from tests import factories
from tests.inbox.wires.loops import in_thread
from tests.processes import free_port

pytestmark = pytest.mark.django_db(transaction=True)
MAIL = b"From: anna@customer.test\r\nTo: support@example.com\r\nSubject: Hi\r\n\r\nHello\r\n"


@contextmanager
def door(lmtp=False):
    made = Door(f"127.0.0.1:{free_port()}", lmtp=lmtp)
    with in_thread(made.run):
        assert made.ready.wait(5)
        kind = smtplib.LMTP if lmtp else smtplib.SMTP
        with kind("127.0.0.1", made.port, local_hostname="localhost", timeout=10) as client:
            yield client


@pytest.fixture(autouse=True)
def _channels():
    factories.ChannelFactory(name="Support", address="support@example.com", aliases=["help@example.com"])
    factories.ChannelFactory(name="Sales", address="sales@example.com")
    factories.ChannelFactory(name="Old", address="old@example.com", active=False)


@pytest.mark.parametrize("lmtp", [False, True])
def test_taken_for_every_channel_it_names(lmtp):
    with door(lmtp) as client:
        refused = client.sendmail(
            "anna@customer.test", ["Support+t1.abc@Example.com", "sales@example.com", "nobody@example.com"], MAIL
        )
    assert refused == {"nobody@example.com": (550, b"5.1.1 Nobody here has this address")}
    rows = RawMessage.objects.order_by("channel__name")
    assert [row.channel.name for row in rows] == ["Sales", "Support"]
    assert files.read_blob("raw", rows[0].blob) == (
        b"Return-Path: <anna@customer.test>\r\nDelivered-To: sales@example.com\r\n" + MAIL
    )
    assert rows[1].facts == {
        "envelope_from": "anna@customer.test",
        "envelope_to": "Support+t1.abc@Example.com",
        "peer": "127.0.0.1",
    }


@pytest.mark.parametrize("part", ["1234", "foo", "t1", "a+b", "t1.abc"])
def test_with_plus_addressing_any_plus_part_is_taken(part):
    Channel.objects.filter(name="Support").update(settings={"plus_addressing": True})
    factories.ChannelFactory(name="VIP", address="support+vip@example.com")
    with door() as client:
        client.sendmail("anna@customer.test", [f"support+{part}@example.com", "Support+VIP@example.com"], MAIL)
        assert client.mail("anna@customer.test")[0] == 250
        assert client.rcpt("sales+1234@example.com")[0] == 550
    assert sorted(row.channel.name for row in RawMessage.objects.all()) == ["Support", "VIP"]


def test_never_relays():
    with door() as client:
        client.ehlo()
        client.mail("anna@customer.test")
        for address in ("victim@elsewhere.test", "old@example.com", "support@example.com@evil.test", "postmaster"):
            assert client.rcpt(address)[0] in (550, 553, 501), address
    assert not RawMessage.objects.exists()


def test_the_null_sender_is_welcome():
    with door() as client:
        client.sendmail("", ["help@example.com"], MAIL)
    assert RawMessage.objects.get().facts["envelope_from"] == ""


def test_the_same_bytes_again_are_one_message():
    with door() as client:
        client.sendmail("anna@customer.test", ["support@example.com"], MAIL)
        client.sendmail("anna@customer.test", ["support@example.com"], MAIL)
        client.sendmail("anna@customer.test", ["support@example.com"], MAIL + b"more\r\n")
    assert RawMessage.objects.count() == 2


def test_a_full_disk_is_451_and_leaves_nothing(monkeypatch):
    monkeypatch.setattr(fault, "_ARMED", "accept.stored=enospc")
    monkeypatch.setattr(fault, "_passes", 0)
    with door() as client:
        with pytest.raises(smtplib.SMTPDataError) as refused:
            client.sendmail("anna@customer.test", ["support@example.com"], MAIL)
        assert refused.value.smtp_code == 451
        client.sendmail("anna@customer.test", ["support@example.com"], MAIL)
    assert RawMessage.objects.count() == 1


def test_too_large(settings):
    settings.MAIL_MAX_BYTES = 10_000
    with door() as client, pytest.raises(smtplib.SMTPException):
        client.sendmail("anna@customer.test", ["support@example.com"], MAIL + b"x" * 70 + b"\r\n" * 10_000)
    assert not RawMessage.objects.exists()


def test_a_taken_address_is_told_in_one_line(caplog):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        Door(f"127.0.0.1:{port}").run(threading.Event())
    assert [(record.levelname, record.exc_info) for record in caplog.records] == [("ERROR", None)]
    assert f"SMTP door: 127.0.0.1:{port} cannot be listened on (" in caplog.text
    assert "SMTP_DOOR=host:port" in caplog.text
