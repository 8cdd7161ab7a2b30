"""Mail made to break a reader is read in bounded time, within caps, and says so (S-20, S-51)."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from core.html import clean
from inbox.channels.base import Inbound
from inbox.channels.email.reading.message import TEXT_LIMIT, parse, read
from inbox.channels.email.reading.structure import DEPTH_LIMIT, PART_LIMIT

pytestmark = pytest.mark.once

HEAD = b"From: Jo <jo@shop.example>\nSubject: Heavy\nMIME-Version: 1.0\n"


def _nested(depth: int) -> bytes:
    opening = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (level, level) for level in range(depth)
    )
    return HEAD + opening + b"Content-Type: text/plain\n\ninnermost"


def _parts(count: int) -> bytes:
    return (
        HEAD
        + b"Content-Type: multipart/mixed; boundary=b\n\n"
        + b"".join(b"--b\n\npart %d\n" % number for number in range(count))
        + b"--b--\n"
    )


HEAVY = {
    "nested 10,000 deep": (_nested(10_000), "nested too deeply"),
    "100,000 parts": (_parts(100_000), "too many parts"),
    "100,000 headers": (HEAD + b"X-A: b\n" * 100_000 + b"\nbody", "header is too long"),
    "a header of 1 MB": (HEAD + b"X-A: " + b"a " * 500_000 + b"\n\nbody", "header is too long"),
    "a folded header of 1 MB": (HEAD + b"X-A:" + b" a\n" * 330_000 + b"\n\nbody", "header is too long"),
    "a subject of encoded words that never end": (b"Subject: " + b"=?a?q?" * 40_000 + b"\n\nbody", ""),
    "a From of quotes": (b'From: "' + b'\\"' * 100_000 + b"\n\nbody", ""),
    "a From of signs": (b"From: " + b"@" * 60_000 + b"\n\nbody", ""),
    "a From of open brackets": (b"From: " + b"(" * 50_000 + b"<" * 50_000 + b"\n\nbody", ""),
    "5,000 recipients": (
        b"To: " + b",\n ".join(b"u%d@shop.example" % number for number in range(5_000)) + b"\n\nbody",
        "",
    ),
    "50,000 empty lines before it": (b"\n" * 50_000 + HEAD + b"\nbody", ""),
    "a boundary that never ends": (
        HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\n" + b"--\n" * 200_000,
        "",
    ),
    "dashes that are no boundary": (
        HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--a\n" * 200_000,
        "could not be told apart",
    ),
    "base64 garbage": (
        HEAD + b"Content-Transfer-Encoding: base64\n\n" + b"=a=%b==\n" * 200_000,
        "not encoded as it says",
    ),
    "quoted-printable garbage": (HEAD + b"Content-Transfer-Encoding: quoted-printable\n\n" + b"= =\t==x" * 200_000, ""),
    "uuencode that never ends": (HEAD + b"\n" + b"begin 644 a\n" * 100_000, ""),
    "parameters without end": (HEAD + b"Content-Type: text/plain" + b"; a*0*=''" * 25_000 + b"\n\nbody", ""),
    "one flowing line of 8 MB": (
        HEAD + b"Content-Type: text/plain; format=flowed\n\n" + b"a \n" * 2_700_000,
        "too long",
    ),
    "20 MB of text": (HEAD + b"\n" + b"the order of the day\n" * 1_000_000, "too long"),
    "20 MB of HTML": (HEAD + b"Content-Type: text/html\n\n" + b"<p>the order of the day\n" * 900_000, "too long"),
    "HTML nested 300,000 deep": (HEAD + b"Content-Type: text/html\n\n" + b"<div>" * 300_000, ""),
}


@pytest.mark.parametrize("name", HEAVY)
def test_heavy_mail_takes_bounded_time(name: str) -> None:
    raw, said = HEAVY[name]
    start = time.process_time()
    parsed = parse(raw)
    assert time.process_time() - start < 2
    assert said in " ".join(parsed.errors)
    assert bool(parsed.errors) == bool(said)
    assert parsed.message is not None


REPORT = b"From: MAILER-DAEMON@mx.example\nReturn-Path: <>\nSubject: Undeliverable: Order\nMIME-Version: 1.0\n"
STATUS = (
    b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nNot delivered.\n"
    b"--b\nContent-Type: message/delivery-status\n\n"
)
REPORTS = {
    "a million empty lines": REPORT + b"\n" + b"\n" * 1_000_000,
    "a million short lines": REPORT + b"\n" + b"a\r\n" * 600_000,
    "short lines that end in a carriage return": REPORT + b"\n" + b"a\r" * 900_000,
    "a status of empty lines": REPORT + STATUS + b"\n" * 1_000_000 + b"--b--\n",
}


@pytest.mark.parametrize("name", REPORTS)
def test_a_heavy_report_takes_bounded_time(name: str) -> None:
    start = time.process_time()
    read(REPORTS[name])
    assert time.process_time() - start < 4


def test_what_lies_within_the_caps_is_given() -> None:
    assert parse(_nested(DEPTH_LIMIT)).text == "innermost"
    assert parse(_nested(DEPTH_LIMIT)).errors == ()
    assert parse(_parts(PART_LIMIT)).text.endswith(f"part {PART_LIMIT - 1}")
    assert parse(_parts(PART_LIMIT)).errors == ()
    assert parse(_parts(PART_LIMIT + 1)).errors == ("Partly unreadable: there are too many parts.",)
    assert parse(HEAVY["100,000 headers"][0]).subject == "Heavy"
    assert parse(HEAVY["100,000 headers"][0]).text == "body"
    assert len(read(HEAVY["20 MB of text"][0]).reply_text) == TEXT_LIMIT
    assert len(read(HEAVY["20 MB of HTML"][0]).html) == TEXT_LIMIT


def test_nothing_in_an_attached_mail_is_taken_for_ours() -> None:
    inner = b"Message-ID: <forged@guichet.example>\nReferences: <token@guichet.example>\nX-Ticket-Id: 1\n\ninner"
    raw = (
        HEAD
        + b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nouter\n--b\nContent-Type: message/rfc822\n\n"
        + inner
        + b"\n--b--\n"
    )
    mail = read(raw)
    assert (mail.text, mail.message_id, mail.references) == ("outer", "", ())
    assert [file.content for file in mail.files] == [inner]


def test_no_value_holds_a_line_break_or_a_control_character() -> None:
    evil = b"=?utf-8?Q?a=0D=0ABcc:_x@evil.example=00=E2=80=A8b?="
    raw = (
        b"From: %b <x@evil.example>\nSubject: %b\nTo: %b <y@evil.example>\nMessage-ID: <a\rb@c>\nReply-To: %b@evil.example\n\nx"
        % (evil, evil, evil, evil)
    )
    mail = read(raw)
    values = [
        mail.subject,
        mail.message_id,
        *(word for each in (mail.sender, *mail.to, *mail.reply_to) if each for word in (each.name, each.address)),
    ]
    assert values
    assert not [value for value in values if any(char in value for char in "\r\n\0\u2028\u2029")]


def _mutated(raw: bytes, dice: random.Random) -> bytes:
    out = bytearray(raw)
    for _ in range(dice.randint(1, 12)):
        at = dice.randrange(len(out) + 1)
        match dice.randrange(5):
            case 0:
                out[at:at] = dice.randbytes(dice.randint(1, 8))
            case 1:
                del out[at : at + dice.randint(1, 60)]
            case 2:
                out[at:at] = dice.choice(
                    [
                        b"\r",
                        b"\n",
                        b"=?",
                        b"?=",
                        b'"',
                        b"--",
                        b";",
                        b"<",
                        b"\x1b$B",
                        b"\xff\xfe",
                        b"begin 644 x\n",
                        b"=\n",
                    ]
                )
            case 3:
                start = dice.randrange(len(out) + 1)
                out[at:at] = out[start : start + dice.randint(1, 200)]
            case _:
                if at < len(out):
                    out[at] = dice.randrange(256)
    return bytes(out)


def _is_storable(mail: Inbound) -> bool:
    texts = [mail.subject, mail.text, mail.html, mail.reply_text, mail.message_id, mail.in_reply_to, *mail.references]
    texts += [
        word for each in (mail.sender, *mail.to, *mail.cc, *mail.reply_to) if each for word in (each.name, each.address)
    ]
    texts += [word for file in mail.files for word in (file.name, file.content_type, file.content_id)]
    return all("\0" not in text and text.encode("utf-8") is not None for text in texts)


def test_damaged_mail_never_raises_and_can_always_be_stored() -> None:
    dice = random.Random(20260303)
    for path in sorted((Path(__file__).parent.parent / "mails").glob("[cdefhmt]*.eml")):
        raw = path.read_bytes()
        for _ in range(4):
            mail = read(_mutated(raw, dice))
            assert _is_storable(mail), path.name
            assert "<script" not in clean(mail.html)


@pytest.mark.parametrize("parameter", [b"", b"; boundary=never"])
def test_a_part_that_says_it_holds_others_and_does_not_is_kept(parameter: bytes) -> None:
    mail = (
        HEAD
        + b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nSee there\n"
        + b"--b\nContent-Type: multipart/x"
        + parameter
        + b"\nContent-Disposition: attachment; filename=bill.txt\n\nnumber 4711\n"
        + b"--b\nContent-Type: image/png\nContent-Disposition: attachment; filename=a.png\n\nx\n--b--\n"
    )
    found = read(mail)
    assert found.text == "See there"
    assert [(file.name, file.content.strip()) for file in found.files] == [
        ("bill.txt", b"number 4711"),
        ("a.png", b"x"),
    ]
