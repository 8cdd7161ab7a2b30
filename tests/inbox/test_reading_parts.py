"""The single steps of reading, where a whole mail would hide what went wrong."""

from __future__ import annotations

import pytest

from inbox.channels.base import Authentication
from inbox.channels.email.reading import addresses, authentication, charsets, files, headers, rtf, transfer
from inbox.channels.email.reading.message import parse, read

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("codec", "text"),
    [
        ("koi8_r", "Узнай как зарабатывать"),
        ("cp1251", "Добрый день"),
        ("gb18030", "关于订单的问题"),
        ("gb18030", "您的账号已过期，请尽快处理。"),
        ("big5", "關於訂單的問題"),
        ("big5", "電子報 第12期"),
        ("cp949", "[광고] 특별 할인"),
        ("cp932", "お問い合わせの件"),
        ("cp932", "株式会社"),
        ("euc_jp", "テストメール"),
        ("cp1253", "Καλημέρα σας, τι κάνετε"),
        ("cp1252", "“Hello” – it’s 5€"),
        ("cp1252", "l’été “déjà”"),
        ("latin1", "Señor Muñoz"),
    ],
)
def test_bytes_without_a_label_are_recognised(codec: str, text: str) -> None:
    assert charsets.decode(text.encode(codec)) == (text, True)


def test_a_hint_from_the_same_mail_is_tried_first() -> None:
    assert charsets.decode("żółty".encode("iso-8859-2"), "", "iso-8859-2") == ("żółty", True)


def test_halves_of_a_surrogate_pair_are_replaced() -> None:
    text, whole = charsets.decode(b"a +2AA- b", "utf-7")
    assert (text, whole) == ("a \ufffd b", False)


def test_parts_can_be_found_by_whoever_judges_the_mail() -> None:
    raw = (
        b"Content-Type: multipart/report; boundary=b\n\n--b\n\nCould not deliver.\n--b\nContent-Type: message/delivery-status\n\n"
        b"Final-Recipient: rfc822; x@shop.example\r\nStatus: 5.1.1\n--b\nContent-Type: text/rfc822-headers\n\nSubject: old\n--b--\n"
    )
    parsed = parse(raw)
    (status,) = parsed.parts_of("message/delivery-status")
    assert (status.text, status.path, status.parent) == (
        "Final-Recipient: rfc822; x@shop.example\nStatus: 5.1.1",
        (1,),
        "multipart/report",
    )
    assert [part.content_type for part in parsed.parts] == [
        "text/plain",
        "message/delivery-status",
        "text/rfc822-headers",
    ]
    assert parsed.message.get_content_type() == "multipart/report"


def test_address_lists_are_capped() -> None:
    assert len(addresses.read_list(b", ".join(b"u%d@a.example" % number for number in range(3000)))) == addresses.LIMIT


@pytest.mark.parametrize(
    ("address", "good"),
    [
        ("a@b.example", True),
        ("a", False),
        ("@b", False),
        ("a@", False),
        ("a b@c", False),
        ("a@b\u202e", False),
        ('"a@x"@b.example', False),
        ("a@b@c", False),
    ],
)
def test_what_can_be_a_mailbox(address: str, good: bool) -> None:
    assert addresses.is_mailbox(address) is good


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../x", "x"), ("..\\..\\x", "x"), ("\u200b.htaccess", ".htaccess"), (".env", ".env"), ("a\x00.png", "a.png"), ("..", ""), ("", ""),
        ("x\u202egnp.exe", "xgnp.exe"), ("a\r\nb", "a b"), ("a" * 300 + ".tar.gz", "a" * 197 + ".gz"),
    ],
)  # fmt: skip
def test_file_names_fit_for_display(given: str, shown: str) -> None:
    assert files.display_name(given) == shown


@pytest.mark.parametrize("given", ["text/html\r\nX: y", "text", "", "a/b/c", "image/png; x=y", "ä/b", "a/" + "b" * 200])
def test_an_invalid_type_is_only_bytes(given: str) -> None:
    assert files.safe_type(given) == "application/octet-stream"


def test_several_uuencoded_files_and_a_broken_one() -> None:
    content = b"begin 644 a.txt\n#86)C\n`\nend\nbegin 644 broken\n\xff\xff\nend\nbegin 600 b.txt\n#9&5F\n`\nend\n"
    assert [(name, data) for name, data, _, _ in transfer.uuencoded(content)] == [("a.txt", b"abc"), ("b.txt", b"def")]


def test_rich_text() -> None:
    document = rb"{\rtf1\ansi\ansicpg1251{\fonttbl{\f0 Arial;}}\f0 \'cf\'f0\'e8\'e2\'e5\'f2\par {\*\generator x;}\u8364? 5\tab{\b bold}\{\}}"
    assert rtf.to_text(document) == "Привет\n€ 5\tbold{}"
    assert rtf.decompress(b"\x00" * 20) == b""


TRUSTED = "mx.guichet.example; spf=pass smtp.mailfrom=shop.example; dkim=pass header.d=shop.example; dmarc=pass header.from=shop.example"


def test_only_the_trusted_server_is_believed() -> None:
    forged = TRUSTED.replace("mx.guichet.example", "mx.evil.example")
    assert authentication.read([forged], "mx.guichet.example") == Authentication()
    assert authentication.read([forged, TRUSTED], "mx.guichet.example") == Authentication(
        "pass", "pass", "shop.example", "pass", "mx.guichet.example"
    )
    failed = TRUSTED.replace("pass", "fail")
    assert authentication.read([failed, TRUSTED], "mx.guichet.example").dmarc == "fail"
    assert authentication.read(["mx.guichet.example; garbage (((", TRUSTED], "mx.guichet.example") == Authentication()


def test_content_type_parameters() -> None:
    assert headers.parameters(b"text/plain; charset=\"utf-8\" ; format=flowed;; name*=utf-8''a%20b") == {
        "charset": "utf-8",
        "format": "flowed",
        "name": "a b",
    }
    assert headers.parameters(b"text/plain") == {}
    assert headers.parameters(b'x/y; name="never closed; charset=utf-8')["name"] == "never closed"


@pytest.mark.parametrize("parameter", ["", "; boundary=wrong", '; boundary=""'])
@pytest.mark.parametrize("line", [b"x", b"----=_Part_1"])
def test_the_boundary_is_what_the_body_begins_with(parameter: str, line: bytes) -> None:
    head = f"From: a@b.example\nContent-Type: multipart/mixed{parameter}\n\n".encode()
    mail = read(
        head
        + b"\n--%b\n\nHello\n--%b\nX-Note: 1\nContent-Disposition: attachment; filename=a.txt\n\nfile\n--%b--\n"
        % (line, line, line)
    )
    assert (mail.text, [(f.name, f.content) for f in mail.files], mail.errors) == ("Hello", [("a.txt", b"file")], ())


def test_a_line_of_hyphens_that_comes_once_is_text() -> None:
    mail = read(b"From: a@b.example\nContent-Type: multipart/mixed\n\n--------- Forwarded ---------\nHello\n")
    assert mail.text == "--------- Forwarded ---------\nHello" and len(mail.errors) == 1


def test_a_mail_that_is_wholly_another_mail_shows_its_words() -> None:
    inner = (
        b"From: q@q.example\nSubject: Inner\nMessage-ID: <inner@q.example>\nMIME-Version: 1.0\n"
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n\n<p>Inner words</p>\n"
        b"--b\nContent-Type: application/pdf; name=a.pdf\n\npdf\n--b--\n"
    )
    mail = read(b"From: a@b.example\nSubject: Outer\nContent-Type: message/rfc822\n\n" + inner)
    assert (mail.text, mail.subject, mail.message_id, mail.sender.address) == (
        "Inner words",
        "Outer",
        "",
        "a@b.example",
    )
    assert "<p>Inner words</p>" in mail.html
    assert [(f.name, f.content_type, f.content) for f in mail.files] == [("Inner.eml", "message/rfc822", inner)]


def test_parts_that_begin_without_an_empty_line_are_found() -> None:
    mail = read(
        b"From: a@b.example\nContent-Type: multipart/mixed; boundary=xyz\nSubject: \n \n--xyz\n"
        b"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\nSGVsbG8=\n--xyz--\n"
    )
    assert (mail.subject, mail.text, mail.errors) == ("", "Hello", ())


@pytest.mark.parametrize("field", [b'application/pdf name="a b.pdf"', b'application/pdf, name="a b.pdf"'])
def test_a_name_without_the_semicolon_before_it(field: bytes) -> None:
    mail = read(b"From: a@b.example\nContent-Type: " + field + b"\n\npdf")
    assert [(f.name, f.content_type) for f in mail.files] == [("a b.pdf", "application/pdf")]


@pytest.mark.parametrize("field", ['"Ann Bee <a@b.example>', "Ann Bee <<a@b.example>>"])
def test_signs_that_have_no_partner_are_no_part_of_a_name(field: str) -> None:
    sender = read(f"From: {field}\n\nHi".encode()).sender
    assert sender is not None and (sender.name, sender.address) == ("Ann Bee", "a@b.example")


def test_a_file_that_is_no_mail_is_said_to_be_none() -> None:
    document = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + b"\x3e\x00\x03\x00" + bytes(500)
    (said,) = parse(document).errors
    assert "Outlook (.msg)" in said
    assert parse(document).text == ""
    assert parse(b"BM" + bytes(500)).errors == ("This is no mail but another kind of file.",)
    assert parse(b"%PDF-1.4\n1 0 obj\nTitle: words\n").text == ""
    assert parse(b"Subject: hi\r\n\r\n\x00\x00binary words").errors == ()
    assert parse(b"\r\nwords alone").errors == ()
