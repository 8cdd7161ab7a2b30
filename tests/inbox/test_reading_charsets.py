"""Labels of character sets that are wrong."""

from __future__ import annotations

import pytest

from inbox.channels.email.reading.charsets import decode
from inbox.channels.email.reading.message import read


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Grüße aus Köln", "iso-8859-15"),
        ("“Grüße”", "iso-8859-1"),
        ("Zażółć gęślą jaźń", "iso-8859-2"),
        ("Привет", "windows-1251"),
        ("Привет", "koi8-r"),
        ("您好，钥匙丢了", "gb2312"),
        ("您好，钥匙丢了", "utf-16"),
        ("鍵をなくしました", "iso-2022-jp"),
    ],
)
def test_what_is_utf_8_is_read_so_under_another_label(text, label):
    assert decode(text.encode(), label) == (text, True)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("联通", "gbk"),
        ("한글", "euc-kr"),
        ("日本", "shift_jis"),
        ("測試", "big5"),
        ("Привет", "koi8-r"),
        ("É", "iso-8859-1"),
        ("您好", "utf-16"),
    ],
)
def test_a_right_label_is_believed(text, label):
    assert decode(text.encode(label), label) == (text, True)


@pytest.mark.parametrize("label", ["utf-16", "utf-16le", "utf-16be"])
@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("tail", [b"", b"\n"])
def test_a_byte_order_mark_is_no_text(label: str, codec: str, tail: bytes) -> None:
    for marks in ("\ufeff", "\ufeff\ufeff"):
        assert decode(f"{marks}Grüße äß\n".encode(codec) + tail, label) == ("Grüße äß\n", True)


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_a_boundary_that_cuts_a_character_in_half(codec: str) -> None:
    assert decode("\ufeffGrüße\n".encode(codec)[:-1], "utf-16")[0].rstrip() == "Grüße"


def test_two_letters_that_look_like_a_control_are_no_utf_8() -> None:
    assert decode("Preis 5 Â€".encode("cp1250"), "windows-1250") == ("Preis 5 Â€", True)


def test_header_and_body_without_a_label_are_read_alike() -> None:
    mail = read("From: a@b.example\nSubject: пропал заказ\n\nГДЕ\n".encode("koi8-r"))
    assert (mail.subject, mail.text) == ("пропал заказ", "ГДЕ")
