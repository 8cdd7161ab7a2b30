"""Bytes to a fax: our envelope, a gateway's mail, and numbers in every spelling."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from inbox.channels.base import Address
from inbox.channels.fax import envelope, numbers
from inbox.channels.fax.adapter import FaxAdapter
from inbox.channels.fax.envelope import Envelope
from tests.inbox.fax import sheets

pytestmark = pytest.mark.once

ADAPTER = FaxAdapter()
GERMAN = {"region": "DE", "in_gateway": "gate@fax.example", "in_number": "subject"}


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [
        ("+86 21 5555 1234", "DE", "+862155551234"),
        ("0086 21 5555 1234", "DE", "+862155551234"),
        ("0086-21-5555-1234", "CN", "+862155551234"),
        ("021-5555 1234", "CN", "+862155551234"),
        ("8621 5555 1234", "CN", "+862155551234"),
        ("(040) 43 21 560", "DE", "+49404321560"),
        ("+49 (0)40 4321560", "DE", "+49404321560"),
        ("49404321560", "DE", "+49404321560"),
        ("02 2345 6789", "TW", "+886223456789"),
        ("0044 141 496 0000", "CN", "+441414960000"),
        ("anonymous", "DE", ""),
        ("23", "DE", ""),
        ("", "DE", ""),
        ("4" * 60, "DE", ""),
        ("040 4321560", "", ""),
    ],
)
def test_one_number_has_one_spelling(text, region, number):
    assert numbers.spelled(text, region) == number


@pytest.mark.parametrize(
    ("how", "prefix", "to", "dialled"),
    [
        ("international", "", "+862155551234", "00862155551234"),
        ("international", "0,", "+49404321560", "0,0049404321560"),
        ("national", "", "+49404321560", "0404321560"),
        ("national", "", "+862155551234", "00862155551234"),
        ("plus", "", "+49404321560", "+49404321560"),
    ],
)
def test_numbers_are_dialled_as_the_line_wants(how, prefix, to, dialled):
    assert numbers.dialled(to, how=how, region="DE", prefix=prefix) == dialled


def test_a_fax_of_the_machine():
    told = Envelope(
        sender="0086 21 5555 1234",
        called="040 4321560",
        station="LIN COFFEE",
        commid="000000012",
        name="fax00012.tif",
        received_at="2026-10-01T08:30:00+02:00",
    )
    read = ADAPTER.read(envelope.pack(told, sheets.three()), GERMAN)
    assert read.sender == Address("+862155551234", "LIN COFFEE")
    assert read.subject == "Fax +86 21 5555 1234"
    assert dict(read.facts) == {
        "called_number": "+49404321560",
        "station": "LIN COFFEE",
        "damaged": False,
        "pages": 3,
    }
    assert [(f.name, f.content_type, f.content) for f in read.files] == [("fax00012.tif", "image/tiff", sheets.three())]
    assert read.sent_at is not None
    assert read.sent_at.isoformat() == "2026-10-01T08:30:00+02:00"
    assert (read.errors, read.automatic, read.ambiguous_sender) == ((), "", False)


@pytest.mark.parametrize(
    ("sender", "station", "expected"),
    [
        ("", "+49 40 4321560", Address("+49404321560")),
        ("anonymous", "040 4321560", Address("+49404321560")),
        ("anonymous", "LIN COFFEE", Address("anonymous", "LIN COFFEE")),
        ("0212345678", "+86 21 5555 1234", Address("+49212345678")),
        ("", "", None),
    ],
)
def test_what_the_network_tells_counts_before_what_the_machine_says_of_itself(sender, station, expected):
    assert (
        ADAPTER.read(envelope.pack(Envelope(sender=sender, station=station), sheets.one()), GERMAN).sender == expected
    )


@pytest.mark.parametrize(
    ("content", "pages", "words"),
    [
        (b"", None, "The fax file is empty."),
        (b"%!PS", None, "The file is neither a TIFF nor a PDF."),
        (sheets.one()[:100], None, "The fax file is cut off before its first page ends."),
        (
            sheets.three()[: len(sheets.three()) // 2],
            1,
            "The fax file is damaged: it ends in the middle of a page or lacks one.",
        ),
    ],
    ids=["empty", "postscript", "cut", "half"],
)
def test_what_is_damaged_is_told_and_kept(content, pages, words):
    read = ADAPTER.read(envelope.pack(Envelope(sender="+49404321560"), content), GERMAN)
    assert (read.facts.get("pages"), read.facts["damaged"], read.errors) == (pages, True, (words,))
    assert read.files[0].content == content


def test_what_the_machine_says_of_the_call_is_told():
    read = ADAPTER.read(envelope.pack(Envelope(error="T.30 T2 timeout"), sheets.one()), GERMAN)
    assert read.facts["damaged"]
    assert read.errors == ("The fax machine says: T.30 T2 timeout",)


def test_one_call_is_one_message_and_another_call_is_another():
    first, again, other = (
        ADAPTER.read(envelope.pack(Envelope(commid=commid), sheets.one()), GERMAN).message_id
        for commid in ("12", "12", "13")
    )
    assert first == again != other


def test_nobody_can_write_an_envelope_but_us():
    """A mail to a fax channel must not look like a fax of somebody else (S-43)."""
    packed = envelope.pack(Envelope(sender="+862155551234"), sheets.one())
    assert envelope.unpack(packed) is not None
    assert envelope.unpack(packed.replace(b"2155551234", b"2155551235")) is None
    assert envelope.unpack(packed[:-1]) is None
    assert envelope.unpack(b'GUICHET-FAX 1\n{"sender": "+862155551234"}\nII*\0') is None
    assert envelope.unpack(b"GUICHET-FAX 1\n[]\n") is None
    read = ADAPTER.read(packed[:-1], GERMAN)
    assert (read.sender, read.ambiguous_sender) == (None, True)


def gateway_mail(
    *, sender: str = "Fax gateway <gate@fax.example>", subject: str = "Fax from 0086 21 5555 1234 to 040 4321560",
    files: tuple[tuple[str, bytes], ...] | None = None,
) -> bytes:  # fmt: skip
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, "fax@guichet.test", subject
    mail["Message-ID"] = "<f1@fax.example>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content("You have a fax.")
    for name, content in files if files is not None else (("fax.pdf", sheets.pdf()),):
        mail.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return mail.as_bytes()


def test_a_gateways_mail_is_a_fax():
    read = ADAPTER.read(gateway_mail(files=(("fax.tif", sheets.three()), ("logo.png", b"\x89PNG"))), GERMAN)
    assert read.sender == Address("+862155551234")
    assert read.subject == "Fax +86 21 5555 1234"
    assert (read.facts["called_number"], read.facts["pages"]) == ("+49404321560", 3)
    assert (read.text, read.html, read.automatic, read.errors) == ("", "", "", ())
    assert [file.name for file in read.files] == ["fax.tif"]


@pytest.mark.parametrize(
    ("where", "sender", "subject"),
    [
        ("from", "+862155551234@fax.example", "A fax"),
        ("name", '"0086 21 5555 1234" <gate@fax.example>', "A fax"),
        ("subject", "gate@fax.example", "New fax: +86 (21) 5555-1234"),
        ("subject", "gate@fax.example", "来自 0086-21-55551234 的传真"),
    ],
)
def test_the_number_stands_where_the_gateway_writes_it(where, sender, subject):
    settings = {**GERMAN, "in_number": where, "in_gateway": "@fax.example"}
    assert ADAPTER.read(gateway_mail(sender=sender, subject=subject), settings).sender == Address("+862155551234")


@pytest.mark.parametrize("sender", ["evil@elsewhere.example", "gate@fax.example.evil.test", "gate@evil-fax.example"])
def test_a_stranger_is_not_the_gateway(sender):
    read = ADAPTER.read(gateway_mail(sender=sender), GERMAN)
    assert (read.sender, read.ambiguous_sender) == (None, True)
    assert read.errors == ("This mail is not from the fax gateway of this channel: its sender is not believed.",)


def test_without_a_gateway_in_the_settings_nobody_is_believed():
    assert ADAPTER.read(gateway_mail(), {"region": "DE"}).ambiguous_sender


@pytest.mark.parametrize("raw", [b"", b"\0", b"GUICHET-FAX 1\n", b"GUICHET-FAX 1\n{" * 1000, b"\xff" * 100])
def test_other_bytes_are_told_and_never_raise(raw):
    read = ADAPTER.read(raw, GERMAN)
    assert read.sender is None
    assert read.errors
