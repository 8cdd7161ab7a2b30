"""Faxes at the door: the command of the hook, the watched folder, the gateway's mail; each once, each in its queue."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as project
from django.core.management import CommandError, call_command
from django.utils import timezone

from crm.customers.models import Contact, ContactPoint
from crm.service.models import Ticket
from inbox.channels.fax.adapter import FaxAdapter
from inbox.channels.fax.envelope import Envelope
from inbox.channels.fax.forms import FaxSettingsForm
from inbox.listening import door, fax_folders
from inbox.listening import listener as listening
from inbox.listening.fax_folders import FaxFolders, numbers_in
from inbox.listening.listener import Watch
from inbox.models import FaxDocument, Message, RawMessage
from inbox.services import fax_pages, fax_receiving
from inbox.services.processing import process_waiting
from routing.models import Rule
from tests import factories
from tests.inbox.fax import sheets
from tests.inbox.fax.conftest import CALLER, NUMBER, settings_of
from tests.inbox.fax.test_reading import gateway_mail
from tests.inbox.wires.loops import in_thread, until

pytestmark = pytest.mark.django_db


def receive(capsys, path: Path, **options: str) -> dict:
    call_command("receive_fax", str(path), *(f"--{name}={value}" for name, value in options.items()))
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def file(tmp_path) -> Path:
    path = tmp_path / "fax000000012.tif"
    path.write_bytes(sheets.three())
    return path


def test_a_fax_becomes_a_ticket_of_the_right_person(capsys, fax, file, contact):
    factories.PointFactory(contact=contact, kind="fax", value=CALLER)
    told = receive(
        capsys, file, **{"from": "0086 21 5555 1234", "to": "040/4321560", "commid": "000000012", "pages": "3"}
    )
    message = Message.objects.get()
    ticket = message.ticket
    assert told == {"raw": RawMessage.objects.get().pk, "outcome": "opened", "reason": "", "ticket": ticket.number}
    assert (ticket.contact, ticket.queue, ticket.subject) == (contact, fax.queue, "Fax from Anna Schmidt")
    assert (message.subject, message.from_address, message.channel, message.kind) == (
        "Fax +86 21 5555 1234",
        CALLER,
        fax,
        "inbound",
    )
    assert message.facts == {"called_number": NUMBER, "station": "", "damaged": False, "pages": 3}
    kept = message.attachments.get()
    assert (kept.name, kept.content_type, kept.size) == ("fax000000012.tif", "image/tiff", len(sheets.three()))


def test_the_machine_that_received_it_waits_for_nobody_to_read_it(tmp_path, file):
    """The modem answers no other call while its hook runs."""
    gate, taken = tmp_path / "gate", tmp_path / "taken"
    os.mkfifo(gate)
    receive = tmp_path / "receive"
    receive.write_text(f'#!/bin/sh\ncat "{gate}" && cp "$1" "{taken}"\n')
    receive.chmod(0o755)
    conf = tmp_path / "fax.conf"
    conf.write_text(f"SPOOL={tmp_path}/jobs\nRECEIVE={receive}\nFLUSH=yes\n")
    hook = project.BASE_DIR / "deploy" / "hylafax" / "guichet-faxrcvd"
    env = os.environ | {"GUICHET_FAX_CONF": str(conf)}
    subprocess.run([str(hook), str(file), "ttyS0", "12", ""], env=env, check=True, timeout=60)
    assert not taken.exists()
    gate.write_text("now")
    until(lambda: taken.exists() and not list((tmp_path / "jobs").glob("job.*")), 60, "the flush")
    assert taken.read_bytes() == sheets.three()


def test_the_ticket_is_called_in_the_language_of_the_channel(capsys, fax, file):
    fax.language = "zh-hans"
    fax.save()
    receive(capsys, file, **{"from": CALLER, "to": NUMBER})
    assert Message.objects.get().ticket.subject == "传真 +86 21 5555 1234"
    Contact.objects.update(name="王芳")
    receive(capsys, file, **{"from": CALLER, "to": NUMBER, "commid": "2"})
    assert Ticket.objects.latest("id").subject == "王芳 的传真"


def test_an_unknown_number_makes_a_contact_to_be_completed(capsys, fax, file):
    receive(capsys, file, **{"from": CALLER, "to": NUMBER})
    made = Contact.objects.get()
    assert [(p.kind, p.value) for p in made.points.all()] == [(ContactPoint.Kind.FAX, CALLER)]
    assert [tag.name for tag in made.tags.all()] == ["to be completed"]


def test_a_withheld_number_makes_a_contact_without_an_address(capsys, fax, file):
    receive(capsys, file, **{"from": "anonymous", "to": NUMBER})
    made = Contact.objects.get()
    assert (made.points.count(), Message.objects.get().unverified) == (0, True)


def test_the_same_call_reported_three_times_is_one_fax(capsys, fax, file):
    told = [receive(capsys, file, **{"from": CALLER, "commid": "12"}) for _ in range(3)]
    assert [each["raw"] for each in told] == [told[0]["raw"]] * 3
    assert (RawMessage.objects.count(), Ticket.objects.count(), FaxDocument.objects.count()) == (1, 1, 1)


def test_the_same_number_of_a_call_with_another_fax_is_another_fax(capsys, fax, file):
    """A fax server that is set up anew counts from 1 again: nothing may be lost by that."""
    receive(capsys, file, **{"from": CALLER, "commid": "1"})
    file.write_bytes(sheets.one())
    receive(capsys, file, **{"from": CALLER, "commid": "1"})
    assert Ticket.objects.count() == 2


def test_the_same_pages_in_another_call_are_another_fax(capsys, fax, file):
    for commid in ("1", "2"):
        receive(capsys, file, **{"from": CALLER, "commid": commid})
    assert Ticket.objects.count() == 2


def test_the_called_number_chooses_the_channel_and_the_queue(capsys, fax, file, other_queue):
    fax.settings = settings_of(in_ocr="off", in_queues=f"0404321599 = {other_queue.name}")
    fax.save()
    second = factories.ChannelFactory(
        name="Second",
        kind="fax",
        address="+442071234567",
        queue=other_queue,
        settings=settings_of(region="GB", in_ocr="off"),
    )
    for commid, called in enumerate((NUMBER, "+49 40 4321599", "020 7123 4567", "0044 20 7123 4567")):
        receive(capsys, file, to=called, commid=str(commid))
    found = Message.objects.order_by("id").values_list("channel__name", "ticket__queue__name")
    assert list(found) == [
        ("Fax", fax.queue.name),
        ("Fax", other_queue.name),
        ("Second", second.queue.name),
        ("Second", second.queue.name),
    ]


def test_rules_see_pages_called_number_station_and_damage(capsys, fax, file, other_queue):
    factories.RuleFactory(
        event=Rule.Event.MESSAGE_RECEIVED,
        conditions={
            "match": "all",
            "items": [
                {"fact": "pages", "operator": "greater", "value": "2"},
                {"fact": "called_number", "operator": "is", "value": NUMBER},
                {"fact": "station", "operator": "contains", "value": "coffee"},
                {"fact": "damaged", "operator": "no"},
            ],
        },
        actions=[{"action": "set_queue", "queue": str(other_queue.pk)}],
    )
    receive(capsys, file, to=NUMBER, station="LIN COFFEE")
    assert Ticket.objects.get().queue == other_queue


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"channel": "Nowhere"}, "There is no fax channel called 'Nowhere'."),
        ({"to": "+33123456789"}, "No fax channel has the number '+33123456789'; name one with --channel."),
    ],
)
def test_a_wrong_address_is_told_and_nothing_is_kept(fax, file, options, words):
    factories.ChannelFactory(name="Second", kind="fax", address="+442071234567", queue=fax.queue)
    with pytest.raises(CommandError, match=re.escape(words)):
        call_command("receive_fax", str(file), *(f"--{name}={value}" for name, value in options.items()))
    assert RawMessage.objects.count() == 0


def test_a_full_disk_is_told_and_nothing_is_kept(fax, file, monkeypatch):
    """R-34: the hook keeps the file and calls again."""

    def full(*_values):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("inbox.services.accept.files.store_many", full)
    with pytest.raises(CommandError, match="No space left"):
        call_command("receive_fax", str(file))
    assert RawMessage.objects.count() == FaxDocument.objects.count() == 0


def test_names_of_strangers_become_no_paths(capsys, fax, tmp_path):
    """S-17, S-25: what lies on disk has a name of ours and is for us alone."""
    path = tmp_path / '"><img src=x onerror=__xss=1>.tif'
    path.write_bytes(sheets.one())
    receive(capsys, path, station='"><script>__xss=1</script>')
    fax_pages.draw_waiting()
    kept = [each for each in Path(project.MEDIA_ROOT).rglob("*") if each.is_file()]
    assert len(kept) == 4, "the journal, the file, the page, its thumb"
    for each in kept:
        assert stat.S_IMODE(each.stat().st_mode) == 0o600
        assert all(c in "0123456789abcdef" for c in each.name)
        assert stat.S_IMODE(each.parent.stat().st_mode) == 0o700


# The watched folder


@pytest.fixture
def folder(fax, tmp_path, monkeypatch) -> Path:
    path = tmp_path / "in"
    path.mkdir()
    fax.settings = settings_of(in_ocr="off", in_folder=str(path))
    fax.save()
    monkeypatch.setattr(fax_folders, "STILL_SECONDS", 0.0)
    return path


def look(folders: FaxFolders, times: int = 2) -> int:
    return sum(folders.turn() for _ in range(times))


def listed(folder: Path) -> list[str]:
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file())


def test_a_dropped_file_becomes_a_ticket_and_is_moved_after_the_commit(fax, folder, contact):
    factories.PointFactory(contact=contact, kind="fax", value=CALLER)
    (folder / "from=008621 55551234.tif".replace(" ", "")).write_bytes(sheets.one())
    assert look(FaxFolders()) == 1
    process_waiting()
    assert Ticket.objects.get().contact == contact
    assert listed(folder) == ["done/from=00862155551234.tif"]
    fax.refresh_from_db()
    assert (fax.receiving_health, fax.receiving_note) == ("good", "")


def test_the_same_file_again_is_no_second_fax(folder):
    folders = FaxFolders()
    for _ in range(2):
        (folder / "a.tif").write_bytes(sheets.one())
        look(folders)
    assert RawMessage.objects.count() == 1
    assert listed(folder) == ["done/a-1.tif", "done/a.tif"]


def test_files_may_stay_where_they_are(fax, folder):
    fax.settings["in_after"] = "keep"
    fax.save()
    (folder / "a.pdf").write_bytes(sheets.pdf())
    folders = FaxFolders()
    assert look(folders, 4) == 1
    assert look(FaxFolders()) == 1, "after a start it is looked at again, and known"
    assert RawMessage.objects.count() == 1
    assert listed(folder) == ["a.pdf"]


def test_a_file_that_grows_is_left_alone_until_it_is_whole(folder, monkeypatch):
    monkeypatch.setattr(fax_folders, "STILL_SECONDS", 3600.0)
    folders = FaxFolders()
    whole = sheets.three()
    (folder / "a.tif").write_bytes(whole)
    assert look(folders, 3) == 0, "not still for long enough"
    monkeypatch.setattr(fax_folders, "STILL_SECONDS", 0.0)
    (folder / "a.tif").write_bytes(whole[: len(whole) // 2])
    assert look(folders, 3) == 0, "its end is missing"
    assert listed(folder) == ["a.tif"]
    (folder / "a.tif").write_bytes(whole)
    assert look(folders, 2) == 1
    assert RawMessage.objects.get().size > len(whole)


@pytest.mark.parametrize(
    "content",
    [sheets.three()[: len(sheets.three()) // 2], sheets.pdf()[:-200], sheets.three()[:8]],
    ids=["half a tiff", "half a pdf", "hardly begun"],
)
def test_what_stays_cut_in_half_is_the_ticket_that_the_command_makes_of_it(fax, folder, monkeypatch, content):
    monkeypatch.setattr(fax_folders, "CUT_SECONDS", 0.0)
    name = f"from={CALLER}" + (".pdf" if content.startswith(b"%PDF") else ".tif")
    (folder / name).write_bytes(content)
    assert look(FaxFolders()) == 1
    assert listed(folder) == [f"done/{name}"]
    raw = RawMessage.objects.get()
    told = Envelope(sender=CALLER)
    assert fax_receiving.receive(content, told).pk == raw.pk, "the same fax by the other way is the same arrival"
    process_waiting()
    message = Message.objects.get()
    assert message.facts["damaged"] is True
    assert message.ticket.contact.points.get().value == CALLER
    fax.refresh_from_db()
    assert fax.receiving_health == "good"


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "The file is empty."), (b"MZ not a fax", "The file is neither a TIFF nor a PDF.")],
    ids=["empty", "something else"],
)
def test_what_is_no_fax_is_put_aside_with_a_word(fax, folder, monkeypatch, content, words):
    monkeypatch.setattr(fax_folders, "CUT_SECONDS", 0.0)
    (folder / "order.tif").write_bytes(content)
    (folder / "good.tif").write_bytes(sheets.one())
    assert look(FaxFolders()) == 1
    assert listed(folder) == ["damaged/order.tif", "damaged/order.tif.txt", "done/good.tif"]
    assert (folder / "damaged/order.tif").read_bytes() == content
    assert (folder / "damaged/order.tif.txt").read_text() == f"{words}\n"
    fax.refresh_from_db()
    assert fax.receiving_health == "trouble"
    assert fax.receiving_note == f"order.tif: {words} It lies in “damaged”."


def test_half_files_links_and_foreign_files_are_not_looked_at(folder, tmp_path):
    (tmp_path / "secret.tif").write_bytes(sheets.one())
    (folder / "link.tif").symlink_to(tmp_path / "secret.tif")
    for name in (".hidden.tif", "~a.tif", "a.tif.part", "readme.txt"):
        (folder / name).write_bytes(sheets.one())
    (folder / "folder.tif").mkdir()
    assert look(FaxFolders()) == 0
    assert RawMessage.objects.count() == 0


def test_one_process_has_a_folder_at_a_time(folder):
    first, second = FaxFolders("one"), FaxFolders("two")
    first.turn()
    (folder / "a.tif").write_bytes(sheets.one())
    assert look(second, 3) == 0
    assert look(first) == 1


def test_a_folder_that_is_gone_is_told(fax, folder):
    folder.rmdir()
    assert look(FaxFolders()) == 0
    fax.refresh_from_db()
    assert fax.receiving_health == "trouble"
    assert "No such file or directory" in fax.receiving_note


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("from=+862155551234_to=+49404321560.tif", ("+862155551234", "+49404321560")),
        ("20260301-101500 +862155551234.tif", ("+862155551234", "")),
        ("00862155551234-0049404321560-1.pdf", ("00862155551234", "0049404321560")),
        ("scan 20260301.pdf", ("", "")),
    ],
)
def test_numbers_stand_in_names(name, numbers):
    assert numbers_in(name) == numbers


# Mail


def test_a_gateways_mail_comes_through_the_mail_door(fax):
    fax.aliases, fax.settings = ["fax@guichet.test"], settings_of(in_ocr="off", in_gateway="gate@fax.example")
    fax.save()
    for _ in range(2):
        door.take("fax@guichet.test", "bounce@fax.example", gateway_mail(), "127.0.0.1")
    process_waiting()
    message = Message.objects.get()
    assert (message.from_address, message.channel, message.unverified) == (CALLER, fax, False)
    assert message.attachments.get().name == "fax.pdf"
    assert door.channel_of("+49404321560") is None


@pytest.mark.dovecot
@pytest.mark.django_db(transaction=True)
def test_a_gateways_mail_is_fetched_from_a_mailbox(fax, dovecot, box, monkeypatch):
    """By the listener that e-mail channels have; the test of the connection really logs in there."""
    monkeypatch.setattr(listening, "WATCH_SECONDS", 0.2)
    mailbox = {"imap_host": "127.0.0.1", "imap_port": dovecot.port, "imap_security": "none", "imap_user": box}
    fax.settings = settings_of(in_ocr="off", in_gateway="gate@fax.example", imap_password="secret", **mailbox)
    fax.set_secrets({"imap_password": "secret"})
    fax.save()
    dovecot.put(box, gateway_mail())
    with in_thread(lambda stopping: Watch("this").run(stopping)):
        until(lambda: RawMessage.objects.exists())
        until(lambda: all(b"\\Seen" in flags for flags, _content in dovecot.mails(box)))
    process_waiting()
    message = Message.objects.get()
    assert (message.from_address, message.channel, message.unverified) == (CALLER, fax, False)
    fax.refresh_from_db()
    assert fax.receiving_health == "good"
    assert "holds 1 mails" in FaxAdapter().probe(fax).receiving.text
    fax.set_secrets({"imap_password": "wrong"})
    assert FaxAdapter().probe(fax).receiving.good is False


def test_a_mailbox_of_a_fax_needs_its_gateway_and_a_password():
    given = {"region": "DE", "imap_host": "imap.example.com"}
    form = FaxSettingsForm(given)
    assert not form.is_valid()
    assert set(form.errors) == {"in_gateway", "imap_user", "imap_password"}
    form = FaxSettingsForm({**given, "in_gateway": "gate@fax.example", "imap_user": "fax", "imap_password": "secret"})
    assert form.is_valid(), form.errors
    assert form.changed_secrets() == {"imap_password": "secret"}
    assert (form.settings()["imap_port"], form.settings()["imap_security"]) == (993, "tls")


def test_a_strangers_mail_to_the_fax_address_is_nobodys_fax(fax, contact):
    factories.PointFactory(contact=contact, kind="fax", value=CALLER)
    fax.aliases, fax.settings = ["fax@guichet.test"], settings_of(in_ocr="off", in_gateway="gate@fax.example")
    fax.save()
    door.take("fax@guichet.test", "x@evil.test", gateway_mail(sender="x@evil.test"), "127.0.0.1")
    process_waiting()
    message = Message.objects.get()
    assert message.ticket.contact != contact
    assert message.unverified


# Words


@pytest.mark.usefixtures("recognising")
def test_rules_see_the_words_of_the_pages(fax, other_queue):
    fax.settings = settings_of()
    fax.save()
    factories.RuleFactory(
        event=Rule.Event.MESSAGE_RECEIVED,
        conditions={"match": "all", "items": [{"fact": "body", "operator": "contains", "value": "咖啡豆"}]},
        actions=[{"action": "set_queue", "queue": str(other_queue.pk)}],
    )
    raw = fax_receiving.receive(sheets.three(), Envelope(sender=CALLER))
    assert process_waiting() == 0, "it waits for its words"
    assert fax_pages.draw_waiting() == 2
    assert process_waiting() == 1
    message = Message.objects.get()
    assert message.text == "\n\n".join(["Order 4711\nPlease send 20 kg of 咖啡豆."] * 3)
    assert (message.ticket.queue, message.facts["pages"]) == (other_queue, 3)
    assert FaxDocument.objects.get(raw=raw).told


@pytest.mark.usefixtures("recognising")
def test_the_command_tells_the_end_also_of_a_fax_whose_words_are_read(capsys, fax, file):
    fax.settings = settings_of()
    fax.save()
    told = receive(capsys, file, **{"from": CALLER, "to": NUMBER, "commid": "12"})
    message = Message.objects.get()
    assert told == {
        "raw": RawMessage.objects.get().pk,
        "outcome": "opened",
        "reason": "",
        "ticket": message.ticket.number,
    }
    assert message.text.startswith("Order 4711")
    assert receive(capsys, file, **{"from": CALLER, "to": NUMBER, "commid": "12"}) == told


@pytest.mark.usefixtures("recognising")
def test_the_command_waits_for_a_worker_that_reads_no_longer_than_the_fax_does(capsys, fax, file):
    fax.settings = settings_of(in_ocr_wait=1)
    fax.save()
    held = {"lease_token": "other", "lease_until": timezone.now() + timedelta(minutes=2)}
    plan = fax_pages.plan

    def held_plan(raws):
        plan(raws)
        FaxDocument.objects.update(**held)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fax_pages, "plan", held_plan)
        told = receive(capsys, file, **{"from": CALLER, "to": NUMBER, "commid": "12"})
    assert (told["outcome"], Message.objects.get().text) == ("opened", "")


@pytest.mark.usefixtures("recognising")
def test_words_that_come_too_late_are_added(fax):
    fax.settings = settings_of()
    fax.save()
    raw = fax_receiving.receive(sheets.one(), Envelope(sender=CALLER))
    RawMessage.objects.update(next_at=raw.received_at)  # the time to wait has passed
    assert process_waiting() == 1
    message = Message.objects.get()
    assert (message.text, message.ticket.preview) == ("", "fax.tif")
    Message.objects.update(indexed=True)
    fax_pages.draw_waiting()
    message.refresh_from_db()
    assert message.text == "Order 4711\nPlease send 20 kg of 咖啡豆."
    assert not message.indexed, "search reads it again"
    assert Ticket.objects.get().preview == "Order 4711 Please send 20 kg of 咖啡豆."
    assert RawMessage.objects.get().fingerprint, "and it is the same fax with its words and without"


@pytest.mark.usefixtures("recognising")
def test_words_wait_while_their_message_is_being_posted(fax):
    from django.utils import timezone

    fax.settings = settings_of()
    fax.save()
    fax_receiving.receive(sheets.one(), Envelope(sender=CALLER))
    RawMessage.objects.update(lease_until=timezone.now() + timezone.timedelta(seconds=60), lease_token="other")
    assert fax_pages.draw_waiting() == 1
    assert not FaxDocument.objects.get().told
    RawMessage.objects.update(lease_until=None)
    assert fax_pages.draw_waiting() == 1
    assert RawMessage.objects.get().facts["reading"]["text"].startswith("Order 4711")


@pytest.mark.skipif(not fax_pages.rendering.tesseract()[0], reason="no Tesseract")
def test_tesseract_really_reads_english_and_chinese(fax):
    fax.settings = settings_of(in_ocr="eng+chi_sim")
    fax.save()
    drawn = sheets.drawing("Please send 4711 filters\n请尽快发货", size=(1728, 2200))
    fax_receiving.receive(sheets.tiff(drawn, dpi=(204, 196)), Envelope(sender=CALLER))
    fax_pages.draw_waiting()
    text = FaxDocument.objects.get().text
    assert "Please send 4711 filters" in text
    assert "尽快发货" in text


def test_what_cannot_be_drawn_comes_all_the_same(fax):
    """S-19: the inbox goes on."""
    for number, bomb in enumerate((sheets.huge(), sheets.many(5000), b"%PDF-1.7\n" + os.urandom(2000))):
        fax_receiving.receive(bomb, Envelope(sender=CALLER, commid=str(number)))
    fax_receiving.receive(sheets.one(), Envelope(sender=CALLER, commid="9"))
    while fax_pages.draw_waiting():
        pass
    process_waiting()
    assert Ticket.objects.count() == 4
    states = FaxDocument.objects.order_by("id").values_list("state", "reason")
    assert list(states) == [
        ("unavailable", "unreadable"),
        ("unavailable", "too-many"),
        ("unavailable", "empty"),
        ("ready", ""),
    ]


def test_a_program_that_always_falls_is_given_up(fax, monkeypatch):
    def falls(*_values, **_options):
        raise RuntimeError("boom")

    monkeypatch.setattr(fax_pages.rendering, "read", falls)
    fax_receiving.receive(sheets.one(), Envelope(sender=CALLER))
    assert fax_pages.draw_waiting() == 2
    document = FaxDocument.objects.get()
    assert (document.state, document.reason) == ("unavailable", "broken")


def test_a_full_disk_puts_drawing_off(fax, monkeypatch):
    def full(*_values):
        raise OSError(28, "No space left on device")

    fax_receiving.receive(sheets.one(), Envelope(sender=CALLER))
    with monkeypatch.context() as patch:
        patch.setattr(fax_pages.files, "store_many", full)
        fax_pages.draw_waiting()
    document = FaxDocument.objects.get()
    assert (document.state, document.pages.count()) == ("waiting", 0)
    FaxDocument.objects.update(next_at=document.created_at, lease_until=None)
    fax_pages.draw_waiting()
    document.refresh_from_db()
    assert (document.state, document.pages.count()) == ("ready", 1)
