"""Fetching mailboxes from a real Dovecot (R-04, R-05, R-08, R-10, R-39)."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.utils import timezone

from core.models import Lease
from inbox.channels.email import imap
from inbox.channels.email.faults import MailFault
from inbox.channels.email.servers import Server
from inbox.listening import listener as listening
from inbox.listening.listener import Watch
from inbox.listening.mailbox import Intake, LeaseLost
from inbox.models import Channel, MailboxCursor, RawMessage
from inbox.services import files
from tests.inbox.wires.loops import in_thread, mailbox_channel, until
from tests.servers.certificates import authority
from tests.servers.dovecot import Dovecot
from tests.servers.proxy import Proxy

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.dovecot]


def mail(n, body="Hello", **headers):
    lines = {
        "From": "Anna <anna@customer.test>",
        "To": "support@example.com",
        "Subject": f"Mail {n}",
        "Message-ID": f"<m{n}@customer.test>",
    }
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in {**lines, **headers}.items())
    return f"{head}\r\n{body}\r\n".encode()


def listening_now(holder="this"):
    return in_thread(lambda stopping: Watch(holder).run(stopping))


def stored():
    return list(RawMessage.objects.order_by("id").values_list("uid", flat=True))


@pytest.fixture(autouse=True)
def _quick(monkeypatch, settings):
    monkeypatch.setattr(listening, "WATCH_SECONDS", 0.2)
    monkeypatch.setattr(listening, "FIRST_PAUSE", 0.1)
    settings.MAIL_TIMEOUT = 3


def test_mail_is_in_the_journal_at_once(dovecot: Dovecot, box):
    dovecot.put(box, mail(1), mail(2))
    channel = mailbox_channel(dovecot, box)
    with listening_now():
        until(lambda: stored() == [1, 2])
        until(lambda: Channel.objects.get().receiving_health == "good")
        took = []
        for n in (3, 4, 5):
            began = time.monotonic()
            dovecot.drop(box, mail(n))
            until(lambda n=n: len(stored()) == n)
            took.append(time.monotonic() - began)
        assert min(took) < 0.9
        until(lambda: all(b"\\Seen" in flags for flags, _content in dovecot.mails(box)))
    raw = RawMessage.objects.order_by("id").first()
    assert files.read_blob("raw", raw.blob) == mail(1)
    assert (raw.state, raw.folder, raw.channel) == ("stored", "INBOX", channel)
    assert len(dovecot.mails(box)) == 5
    assert MailboxCursor.objects.get().last_uid == 5


def test_a_second_run_takes_nothing_twice(dovecot: Dovecot, box):
    dovecot.put(box, *(mail(n) for n in range(120)))
    mailbox_channel(dovecot, box, after_import="nothing")
    with listening_now():
        until(lambda: len(stored()) == 120)
    assert not any(b"\\Seen" in flags for flags, _content in dovecot.mails(box))
    with listening_now():
        dovecot.put(box, mail(500))
        until(lambda: len(stored()) == 121)
    assert stored() == list(range(1, 122))


def test_moved_to_a_folder_with_a_chinese_name(dovecot: Dovecot, box):
    dovecot.create(box, imap.to_utf7("已处理 & alt"))
    dovecot.put(box, mail(1), mail(2))
    mailbox_channel(dovecot, box, after_import="move", move_to="已处理 & alt")
    with listening_now():
        until(lambda: len(stored()) == 2)
        until(lambda: not dovecot.mails(box))
    assert len(dovecot.mails(box, '"' + imap.to_utf7("已处理 & alt") + '"')) == 2


def test_without_what_was_there_before(dovecot: Dovecot, box):
    dovecot.put(box, mail(1), mail(2))
    mailbox_channel(dovecot, box, import_existing=False)
    with listening_now():
        until(lambda: Channel.objects.get().receiving_health == "good")
        dovecot.put(box, mail(3))
        until(lambda: stored() == [3])
    assert [b"\\Seen" in flags for flags, _content in dovecot.mails(box)] == [False, False, True]


def test_new_uids_start_the_cursor_anew(dovecot: Dovecot, box, caplog):
    """R-05: everything is taken again under the new UIDVALIDITY; what is known is recognised when it is processed."""
    dovecot.put(box, mail(1), mail(2))
    mailbox_channel(dovecot, box)
    with listening_now():
        until(lambda: len(stored()) == 2)
    first = MailboxCursor.objects.get().uidvalidity
    dovecot.wipe(box)
    time.sleep(1.1)  # Dovecot takes the second as UIDVALIDITY
    dovecot.put(box, mail(1), mail(2), mail(3))
    with listening_now():
        until(lambda: len(stored()) == 5)
    assert MailboxCursor.objects.get().uidvalidity != first
    assert "UIDVALIDITY changed" in caplog.text


def test_too_large_a_mail_is_parked_and_the_next_is_taken(dovecot: Dovecot, box, settings):
    settings.MAIL_MAX_BYTES = 100_000
    dovecot.put(box, mail(1), mail(2, body="x" * 60 + ("\r\n" + "y" * 70) * 3000), mail(3))
    mailbox_channel(dovecot, box)
    with listening_now():
        until(lambda: stored() == [1, 2, 3])
    parked = RawMessage.objects.get(uid=2)
    assert (parked.state, parked.outcome) == ("dead", "quarantined")
    assert "still in the mailbox" in parked.reason
    assert parked.facts["oversize"] > 200_000
    assert parked.size < 1000
    assert files.read_blob("raw", parked.blob).startswith(b"From: Anna")
    assert [b"\\Seen" in flags for flags, _content in dovecot.mails(box)] == [True, False, True]


@pytest.mark.parametrize("fault", ["idle", "fetch", "freeze", "refuse"])
def test_a_broken_connection_is_made_again(dovecot: Dovecot, box, monkeypatch, fault):
    monkeypatch.setattr(imap, "IDLE_SECONDS", 1)
    monkeypatch.setattr(imap.Mailbox.idle, "__defaults__", (1,))
    proxy = Proxy(dovecot.port)
    try:
        dovecot.put(box, *(mail(n, body="z" * 900) for n in range(40)))
        mailbox_channel(dovecot, box, port=proxy.port, after_import="nothing")
        if fault == "fetch":
            proxy.cut_after = 12_000
        with listening_now():
            if fault != "fetch":
                until(lambda: len(stored()) == 40)
                proxy.mode = {"freeze": "freeze", "refuse": "refuse"}.get(fault, "pass")
                if fault != "freeze":
                    proxy.cut()
                dovecot.put(box, mail(99))
                if fault in ("freeze", "refuse"):
                    until(lambda: Channel.objects.get().receiving_health == "trouble")
                    proxy.mode = "pass"
            until(lambda: len(stored()) == (40 if fault == "fetch" else 41))
            until(lambda: Channel.objects.get().receiving_health == "good")
        assert stored() == list(range(1, len(stored()) + 1))
        assert proxy.accepted >= 2
    finally:
        proxy.close()


@pytest.mark.parametrize("arrives", [True, False], ids=["the answer is lost", "the order is lost"])
def test_a_connection_that_breaks_while_mails_are_moved(dovecot: Dovecot, box, arrives):
    """R-04: what was not moved is moved later, and what was moved is neither taken again nor missed."""
    dovecot.create(box, "Done")
    proxy = Proxy(dovecot.port)
    proxy.cut_at, proxy.words_arrive = b"UID MOVE", arrives
    try:
        dovecot.put(box, *(mail(n) for n in range(5)))
        mailbox_channel(dovecot, box, port=proxy.port, after_import="move", move_to="Done")
        with listening_now():
            until(lambda: len(stored()) == 5)
            until(lambda: not dovecot.mails(box))
            dovecot.put(box, mail(99))
            until(lambda: len(stored()) == 6)
            until(lambda: len(dovecot.mails(box, "Done")) == 6)
        assert not proxy.cut_at, "the connection was cut"
        assert proxy.accepted >= 2
        assert stored() == [1, 2, 3, 4, 5, 6]
    finally:
        proxy.close()


def test_a_refused_login_is_told_and_not_hammered(dovecot: Dovecot, box):
    channel = mailbox_channel(dovecot, box)
    channel.set_secrets({"imap_password": "wrong"})
    channel.save()
    proxy = Proxy(dovecot.port)
    Channel.objects.update(settings={**channel.settings, "imap_port": proxy.port})
    with listening_now():
        until(lambda: Channel.objects.get().receiving_health == "trouble")
        channel = Channel.objects.get()
        assert "refused the login" in channel.receiving_note
        assert "wrong" not in channel.receiving_note
        time.sleep(1)
        assert proxy.accepted == 1
        channel.set_secrets({"imap_password": "secret"})
        channel.save()  # a changed channel is connected anew, without waiting
        until(lambda: Channel.objects.get().receiving_health == "good")
    proxy.close()


def test_an_inactive_channel_is_left(dovecot: Dovecot, box):
    channel = mailbox_channel(dovecot, box)
    with listening_now():
        until(lambda: Channel.objects.get().receiving_health == "good")
        Channel.objects.update(active=False)
        until(lambda: Lease.objects.get(name=f"imap:{channel.pk}").holder == "")
        dovecot.put(box, mail(1))
        time.sleep(1)
    assert stored() == []


def test_a_listener_that_lost_its_lease_writes_nothing(dovecot: Dovecot, box):
    """R-08: the old listener was frozen; the new one has imported; the old one goes on."""
    dovecot.put(box, mail(1))
    channel = mailbox_channel(dovecot, box)
    server = Server("127.0.0.1", dovecot.port, "none", box, "secret")
    name = f"imap:{channel.pk}"
    old = Intake(channel, imap.Mailbox(server, seconds=5), name, "old", Lease.take(name, "old", 30))
    old.open()
    assert Lease.take(name, "new", 30) is None
    Lease.objects.update(until=timezone.now())
    new = Intake(channel, imap.Mailbox(server, seconds=5), name, "new", Lease.take(name, "new", 30))
    with pytest.raises(LeaseLost):
        old.take_new()
    assert stored() == []
    new.open()
    assert new.take_new() == 1
    with pytest.raises(LeaseLost):
        old.take_new()
    assert stored() == [1]
    old.mailbox.close()
    new.mailbox.close()


def test_a_slow_server_is_read_to_the_end(dovecot: Dovecot, box, settings):
    """One fetch takes longer than a lease lasts: neither is its mail given up, nor does another listener begin anew."""
    settings.LEASE_SECONDS = 1
    proxy = Proxy(dovecot.port)
    proxy.delay, proxy.burst = 0.05, 200
    try:
        mailbox_channel(dovecot, box, port=proxy.port)
        with listening_now("first"), listening_now("second"):
            until(lambda: Channel.objects.get().receiving_health == "good")
            proxy.mode = "slow"
            dovecot.put(box, mail(1, body=("y" * 70 + "\r\n") * 200))
            until(lambda: stored() == [1])
        assert proxy.accepted == 1
    finally:
        proxy.close()


def test_two_watches_import_each_mail_once(dovecot: Dovecot, box):
    mailbox_channel(dovecot, box)
    with listening_now("first"), listening_now("second"):
        until(lambda: Channel.objects.get().receiving_health == "good")
        dovecot.put(box, *(mail(n) for n in range(60)))
        until(lambda: len(stored()) == 60)
        time.sleep(0.5)
    assert stored() == list(range(1, 61))


def test_another_listener_takes_over(dovecot: Dovecot, box, settings):
    settings.LEASE_SECONDS = 2
    mailbox_channel(dovecot, box)
    with listening_now("second"):
        until(lambda: Lease.objects.filter(holder="second"))
        with listening_now("first"):
            time.sleep(0.5)
            assert Lease.objects.get().holder == "second"
            Channel.objects.update(receiving_health="unknown")
    with listening_now("third"):
        until(lambda: Lease.objects.get().holder == "third")
        dovecot.put(box, mail(1))
        until(lambda: stored() == [1])


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_tls_is_verified(dovecot: Dovecot, box, security):
    port = dovecot.tls_port if security == "tls" else dovecot.port
    trusted = Server("localhost", port, security, box, "secret", ca=dovecot.authority.pem)
    mailbox = imap.Mailbox(trusted, seconds=5)
    assert mailbox.select("INBOX").uidnext == 1
    mailbox.close()
    with pytest.raises(MailFault, match="not signed by an authority") as refused:
        imap.Mailbox(Server("localhost", port, security, box, "secret"), seconds=5)
    assert refused.value.account


def test_many_at_once_with_starttls(dovecot: Dovecot, box):
    """A command written while the session tickets of TLS 1.3 are read was lost, about once in a hundred connections."""
    server = Server("localhost", dovecot.port, "starttls", box, "secret", ca=dovecot.authority.pem)

    def connect(_n):
        imap.Mailbox(server, seconds=10).close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(connect, range(80)))


def test_a_server_silent_behind_starttls_leaves_nothing_open(tmp_path):
    ours = authority()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*ours.issue(tmp_path, "localhost"))
    ended = threading.Event()

    def serve():
        client, _address = listener.accept()
        client.sendall(b"* OK [CAPABILITY IMAP4rev1 STARTTLS] hello\r\n")
        lines = client.makefile("rb")
        for line in lines:
            tag = line.split()[0]
            client.sendall(b"* CAPABILITY IMAP4rev1 STARTTLS\r\n" * (b"CAPABILITY" in line) + tag + b" OK done\r\n")
            if b"STARTTLS" in line:
                break
        with context.wrap_socket(client, server_side=True) as secret:
            while secret.recv(1000):
                pass
        lines.close()
        ended.set()

    with socket.create_server(("localhost", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        with pytest.raises(MailFault):
            imap.Mailbox(Server("localhost", listener.getsockname()[1], "starttls", "a", "b", ca=ours.pem), seconds=1)
        assert ended.wait(10), "the connection was closed"


def test_a_server_without_starttls_gets_no_password(dovecot: Dovecot, box):
    """No fall-back to plain text: an implicit-TLS port spoken to in the clear, and a plain one asked for TLS."""
    with pytest.raises(MailFault):
        imap.Mailbox(Server("localhost", dovecot.tls_port, "starttls", box, "secret"), seconds=2)
    with pytest.raises(MailFault, match="does not speak TLS"):
        imap.Mailbox(Server("localhost", dovecot.port, "tls", box, "secret"), seconds=2)
