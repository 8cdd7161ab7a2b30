"""Labels of character sets that are wrong."""

from __future__ import annotations

import pytest

from inbox.channels.email.reading.charsets import decode


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
