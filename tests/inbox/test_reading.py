"""Every mail of the corpus is read as its expected result says: `tests/mails/<case>.eml` beside `<case>.toml`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from core.html import clean
from inbox.channels.base import Address, Inbound
from inbox.channels.email.reading.message import read
from inbox.channels.email.understanding.automatic import is_auto_reply

pytestmark = pytest.mark.once

MAILS = Path(__file__).parent.parent / "mails"
CASES = sorted(path.stem for path in MAILS.glob("*.eml"))


def _plain(address: Address | None) -> dict[str, str] | None:
    return {"name": address.name, "address": address.address} if address else None


def described(mail: Inbound, keys: dict[str, Any]) -> dict[str, Any]:
    """What the reader found, for the keys that an expected result names."""
    bounce = mail.report if mail.report and mail.report.kind == "failure" else None
    found: dict[str, Any] = {
        "from": _plain(mail.sender),
        "no_from": mail.sender is None,
        "to": [_plain(each) for each in mail.to],
        "cc": [_plain(each) for each in mail.cc],
        "reply_to": [_plain(each) for each in mail.reply_to],
        "delivered_to": list(mail.delivered_to),
        "date": mail.sent_at.isoformat() if mail.sent_at else "",
        "references": list(mail.references),
        "html": clean(mail.html),
        "attachments": [{"name": each.name, "type": each.content_type, "size": each.size} for each in mail.files],
        "ambiguous": mail.ambiguous_sender,
        "is_bounce": bounce is not None,
        "bounced_addresses": list(bounce.recipients) if bounce else [],
        "is_auto_reply": is_auto_reply(mail.automatic),
        "error": bool(mail.errors),
    }
    return {key: found[key] if key in found else getattr(mail, key) for key in keys}


@pytest.mark.parametrize("case", CASES)
def test_mail_is_read_as_expected(case: str) -> None:
    expected = tomllib.loads((MAILS / f"{case}.toml").read_text("utf-8"))
    assert expected, "an expected result that names nothing cannot fail"
    mail = read((MAILS / f"{case}.eml").read_bytes())
    assert described(mail, expected) == expected
    if "error" not in expected:
        assert mail.errors == ()


def test_there_are_enough_mails() -> None:
    assert len(CASES) >= 120
