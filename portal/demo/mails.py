"""Mails as the customers of the demo company send them."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import format_datetime, formataddr

from portal.demo.files import file

WROTE = {
    "en": "On {date:%d %b %Y}, at {date:%H:%M}, Halden Support wrote:",
    "de": "Am {date:%d.%m.%Y} um {date:%H:%M} schrieb Halden Support:",
    "zh-hans": "在 {date:%Y}年{date.month}月{date.day}日 {date:%H:%M}，Halden Support 写道：",
    "zh-hant": "Halden Support 於 {date:%Y}年{date.month}月{date.day}日 {date:%H:%M} 寫道：",
    "ja": "{date:%Y}年{date.month}月{date.day}日 {date:%H:%M} Halden Support:",
}
"""How the mail programs of each language introduce what they quote."""


@dataclass(frozen=True, slots=True)
class Quoted:
    """The message that is answered."""

    mail_id: str
    text: str
    at: datetime
    reply_to: str


def mail(
    *,
    sender: tuple[str, str],
    to: str,
    subject: str,
    text: str,
    at: datetime,
    language: str,
    answer_to: Quoted | None = None,
    files: Sequence[str] = (),
) -> bytes:
    """One mail. `sender` is (name, address); an answer quotes what it answers, as mail programs do."""
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = formataddr(sender)
    message["To"] = answer_to.reply_to if answer_to else to
    message["Subject"] = f"Re: {subject}" if answer_to else subject
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{secrets.token_hex(12)}@{sender[1].rpartition('@')[2]}>"
    if answer_to:
        message["In-Reply-To"] = message["References"] = f"<{answer_to.mail_id}>"
        quoted = "\n".join(f"> {line}" for line in answer_to.text.splitlines())
        text = f"{text}\n\n{WROTE[language].format(date=answer_to.at)}\n\n{quoted}"
    message.set_content(text + "\n")
    for name in files:
        _, kind, content = file(name)
        main, _, sub = kind.partition("/")
        message.add_attachment(content, maintype=main, subtype=sub, filename=name)
    return message.as_bytes()


def failure_report(*, to: str, recipient: str, mail_id: str, at: datetime) -> bytes:
    """What a mail server sends back when the mailbox is unknown there (RFC 3464)."""
    domain = recipient.rpartition("@")[2]
    report = MIMEMultipart("report", report_type="delivery-status")
    report["From"] = f"Mail Delivery System <MAILER-DAEMON@{domain}>"
    report["To"] = to
    report["Subject"] = "Undelivered Mail Returned to Sender"
    report["Date"] = format_datetime(at)
    report["Message-ID"] = f"<{secrets.token_hex(12)}@{domain}>"
    report["Auto-Submitted"] = "auto-replied"
    report.attach(MIMEText(f"<{recipient}>: host mail.{domain} said: 550 5.1.1 User unknown\n"))
    status = Message()
    status["Content-Type"] = "message/delivery-status"
    status.set_payload(
        [
            message_from_bytes(f"Reporting-MTA: dns; mail.{domain}\n\n".encode()),
            message_from_bytes(
                f"Final-Recipient: rfc822; {recipient}\nAction: failed\nStatus: 5.1.1\n"
                f"Diagnostic-Code: smtp; 550 5.1.1 <{recipient}>: User unknown\n\n".encode()
            ),
        ]
    )
    report.attach(status)
    original = Message()
    original["Content-Type"] = "text/rfc822-headers"
    original.set_payload(f"Message-ID: <{mail_id}>\nTo: {recipient}\n")
    report.attach(original)
    return report.as_bytes()
