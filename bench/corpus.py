"""The corpus that mail measurements use: 2,000 mails of 400 people, a fifth of them answers, some with a file.

Mails like those of the generator that the project's machines have beside the checkout; that one is used where it is
there, so that figures can be compared.
"""

from __future__ import annotations

import html
import importlib.util
import random
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from pathlib import Path

SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "tools" / "make_mails.py"
VOCABULARY = (
    "order invoice delivery printer password account reset broken thanks please help urgent error page login customer "
    "refund card shipping address parcel server timeout update version install mobile screen button nothing happens "
    "since yesterday again colleague report table Grüße Rechnung Straße café naïve señor mañana 注文 请求 订单 заказ"
)
WORDS = VOCABULARY.split()
NAMES = [
    "Anna Müller",
    "Ben Smith",
    "Élise Dubois",
    "João Silva",
    "Kenji Tanaka",
    "Olga Novák",
    "Wang Qiang",
    "Søren Jensen",
]


def mails(count: int = 2000, *, to: str = "support@example.com", seed: int = 7) -> list[bytes]:
    """`count` mails; the same arguments give the same bytes."""
    if SHARED.exists():
        spec = importlib.util.spec_from_file_location("make_mails", SHARED)
        if spec is not None and spec.loader is not None:
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            return [content for _number, _id, content in module.corpus(count, seed, to)]
    return list(_generate(count, to, seed))


def _generate(count: int, to: str, seed: int) -> Iterator[bytes]:
    chance = random.Random(seed)
    people = [(chance.choice(NAMES), f"user{n:03d}@customers.example.org") for n in range(400)]
    start = datetime(2026, 1, 1, 8, tzinfo=UTC)
    asked: list[tuple[str, str, tuple[str, str], str]] = []
    for number in range(count):
        mail = EmailMessage(policy=policy.default)
        mail_id = f"<{seed}.{number:06d}.{chance.getrandbits(48):012x}@mail.customers.example.org>"
        answer = chance.choice(asked) if asked and chance.random() < 0.2 else None
        sender = answer[2] if answer else chance.choice(people)
        subject = f"Re: {answer[1]}" if answer else f"{_sentence(chance, 6).rstrip('.')} #{number}"
        mail["From"], mail["To"], mail["Subject"] = formataddr(sender), to, subject
        mail["Date"] = format_datetime(start + timedelta(minutes=number))
        mail["Message-ID"] = mail_id
        if answer:
            mail["In-Reply-To"] = mail["References"] = answer[0]
        paragraphs = [" ".join(_sentence(chance, 11) for _ in range(3)) for _ in range(9)]
        text = "\n\n".join(textwrap.fill(p, 76) for p in paragraphs)
        markup = "".join(f'<p style="margin:0">{html.escape(p)}</p>\n' for p in paragraphs)
        if answer:
            text += f"\n\nOn 1 Jan 2026 Support wrote:\n> {answer[3]}"
            markup += f"<blockquote>{html.escape(answer[3])}</blockquote>"
        mail.set_content(text, cte="8bit")
        mail.add_alternative(f"<html><body>{markup}</body></html>", subtype="html", cte="8bit")
        if chance.random() < 0.05:
            file = chance.randbytes(100_000)
            mail.add_attachment(file, maintype="application", subtype="pdf", filename=f"scan-{number}.pdf")
        if not answer:
            asked.append((mail_id, subject, sender, paragraphs[0][:200]))
        yield mail.as_bytes()


def _sentence(chance: random.Random, words: int) -> str:
    return " ".join(chance.choices(WORDS, k=words)).capitalize() + "."
