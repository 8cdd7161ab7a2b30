"""The payloads of tests/core/xss as mails, put through the real intake."""

from __future__ import annotations

from collections.abc import Sequence
from email.message import EmailMessage
from itertools import count
from pathlib import Path

from inbox.models import Channel, Message
from inbox.services.accept import Arrival, accept_many
from inbox.services.processing import process_waiting

PAYLOADS = (Path(__file__).parents[1] / "core" / "xss" / "payloads.txt").read_text("utf-8").splitlines()
CLOSING = "\"'>--></style></script></title></textarea></svg></math></noscript></template></iframe></xmp></select>\n"
"""Ends what a payload may have left open, so that the next one is seen."""
A_MAIL = 8
TRICKS = [
    'https://x.test/"onmouseover=__xss=1',
    "https://x.test/'onmouseover='__xss=1",
    'https://x.test/?a="><img src=x onerror=__xss=1>',
    "javascript:__xss=1//https://x.test/",
    "https://x.test/javascript:__xss=1",
    "data:text/html,<script>__xss=1</script>",
    "mailto:a@x.test?body=<script>__xss=1</script>",
    '"><a href="javascript:__xss=1">x</a>',
    "<https://x.test/><img src=x onerror=__xss=1>",
    "https://x.test/\u202egnp.exe",
    "[x](javascript:__xss=1) ![x](https://canary.test/p.png)",
    "[a\n\nb]( javascript:__xss=1) <javascript:__xss=1>",
    "https://x.test/a)onclick=__xss=1(b",
    '\x00https://x.test/\x00"onmouseover=__xss=1',
    "&lt;img src=x onerror=__xss=1&gt; &#60;script&#62;__xss=1&#60;/script&#62;",
    'http://[::1]"onmouseover=__xss=1 http://x.test:80:80/"onfocus=__xss=1',
    '<a href="https://x.test/" target="_blank" rel="noopener">https://x.test/"onmouseover=__xss=1</a>',
    'www.x.test/"onmouseover=__xss=1 a@x.test"onmouseover=__xss=1',
]
"""What is meant for the maker of links (S-02, S-10)."""
_numbers = count(1)


def grouped() -> list[str]:
    """All payloads, a few a mail. What swallows the rest of a page stands last."""
    order = sorted(PAYLOADS, key=lambda payload: "<plaintext" in payload)
    return [CLOSING.join(order[at : at + A_MAIL]) for at in range(0, len(order), A_MAIL)]


def texts() -> list[str]:
    """All payloads and the tricks, as plain text."""
    lines = [*PAYLOADS, *TRICKS]
    return ["\n".join(lines[at : at + 2 * A_MAIL]) for at in range(0, len(lines), 2 * A_MAIL)]


def mail(body: str, *, html: bool, sender: str, first: str = "", subject: str = "Corpus", to: str) -> bytes:
    """One mail; `first` is the id of the mail that it answers."""
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, to, subject
    made["Message-ID"] = f"<corpus{next(_numbers)}@mail.customer.test>"
    if first:
        made["In-Reply-To"] = made["References"] = first
    made.set_content(body, subtype="html" if html else "plain", cte="base64")
    return made.as_bytes()


def receive(channel: Channel, bodies: Sequence[str], *, html: bool, sender: str, subject: str) -> list[Message]:
    """The mails as messages of one ticket, in their order."""
    opening = mail("The first one.", html=False, sender=sender, subject=subject, to=channel.address)
    first = opening.partition(b"Message-ID: ")[2].partition(b"\n")[0].decode().strip()
    arrivals = [Arrival(opening)]
    arrivals += [
        Arrival(mail(body, html=html, sender=sender, first=first, subject=subject, to=channel.address))
        for body in bodies
    ]
    rows = accept_many(channel, arrivals)
    while process_waiting():
        pass
    for row in rows:
        row.refresh_from_db()
    tickets = {row.ticket_id for row in rows}
    assert len(tickets) == 1, [(row.outcome, row.reason) for row in rows]
    return list(Message.objects.filter(ticket__in=tickets, kind="inbound").order_by("seq")[1:])
