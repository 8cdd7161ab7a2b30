"""Failure reports: which recipients a mail server says it could not reach.

A report is a *failure or delay* report: RFC 3464 `Action: failed` or `Action: delayed`, or the words of the many mail
systems that never learned RFC 3464. A delay is a report too (`permanent` is False), as in flufl.bounce and sisimai:
it belongs to the message that was sent, and never is a customer's new request. Where nothing failed, see
`find_good_report`: notices that a message was `delivered`, `relayed` or `expanded`, read receipts (RFC 8098), abuse
feedback (RFC 5965: the mail did arrive). No reports are challenges ("click to be let through"), vacation notices, and
people who write about bounces or forward one.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from flufl.bounce import all_failures

from inbox.channels.base import DeliveryReport

from . import notices
from .machines import has_null_sender, is_mail_system
from .statuses import Recipient, has_status_fields, reported_recipients

if TYPE_CHECKING:
    from inbox.channels.email.reading.parsed import ParsedMail, Part

# It logs every detector it tries, and a traceback for each odd mail; neither is of use to anybody here.
logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL + 1)

_NOT_A_FAILURE = re.compile(
    r"report-type\s*=\s*\"?\s*(?:disposition-notification|feedback-report|x-)|multipart/(?:disposition|feedback)",
    re.IGNORECASE,
)
_REPORT_TYPE = re.compile(r"^\s*multipart/report\b.*?report-type\s*=\s*\"?\s*([a-z-]+)", re.IGNORECASE | re.DOTALL)
_ABOUT = re.compile(r"^original-message-id:[ \t]*\n?[ \t]*<([^<>\n]{3,500})>", re.IGNORECASE | re.MULTILINE)
_FOUND = re.compile(r"^(?:disposition|feedback-type):[ \t]*([^\n]{1,200})", re.IGNORECASE | re.MULTILINE)
_MESSAGE_ID = re.compile(r"^message-id:[ \t]*\n?[ \t]*<([^<>\n]{3,500})>", re.IGNORECASE | re.MULTILINE)
_TO = re.compile(
    r"^(?:x-envelope-to|x-original-to|to):[ \t]*([^\n]*(?:\n[ \t]+[^\n]*){0,3})", re.IGNORECASE | re.MULTILINE
)
_LIST_MAIL = re.compile(r"^(?:list-id|newsgroups|x-beenthere|precedence:[ \t]*list)", re.IGNORECASE | re.MULTILINE)
_STATUS = re.compile(r"(?<![\d.])([245]\.[0-9]{1,3}\.[0-9]{1,3})(?![\d.])")
_REPLY_CODE = re.compile(r"(?<![\d.#-])([45])[0-5][0-9](?=[ -][^\d])")
_AMAZON = re.compile(r'"bounceType"\s*:\s*"(\w+)"[^\[\]]*"bouncedRecipients"\s*:\s*\[([^\[\]]*)\]')
_FORWARDED = re.compile(r"^\s*(?:re|aw|wg|fwd?|tr|sv|vs|rv|i|r|答复|回复|回覆|转发|轉寄|转寄)\s*[:：]", re.IGNORECASE)


def find_report(parsed: ParsedMail) -> DeliveryReport | None:
    """The failure or delay report that this mail is, or None when it is none. Pure; never raises."""
    content_type = parsed.header("content-type")
    if _NOT_A_FAILURE.search(content_type) or parsed.parts_of(
        "message/disposition-notification", "message/feedback-report"
    ):
        return _from_rejection(parsed)
    if "x-amz-sns-message-id" in parsed.headers or (
        parsed.sender is not None and parsed.sender.address.endswith("@sns.amazonaws.com")
    ):
        return _from_notification(parsed.text)
    by_system = _is_reporting(parsed) or is_mail_system(parsed)
    by_words = notices.subject_says_failure(parsed.subject) and not _FORWARDED.match(parsed.subject)
    declared = by_system or by_words or has_null_sender(parsed) or "x-failed-recipients" in parsed.headers
    if not declared and not notices.begins_as_notice(_notice_text(parsed)):
        # What people write ends here, before anything is searched for.
        return None
    notice, original = _notice(parsed)
    if notices.is_challenge(notice):
        return None
    if by_system or by_words or has_null_sender(parsed):
        told = _from_status_fields(parsed, notice, original)
        if told is not None:
            return told if told.recipients or told.status != _SUCCESS else None

    named = _addresses_in(", ".join(parsed.headers.get("x-failed-recipients", ())))
    if named and not notices.is_vacation(parsed.subject):
        return _report(parsed, notice, original, named)
    if notices.is_vacation(parsed.subject) or notices.says_success(parsed.subject, notice):
        return None
    if not _is_notice(parsed, notice, original):
        return None
    return _report(parsed, notice, original, _from_words(parsed, notice, original))


def find_good_report(parsed: ParsedMail) -> DeliveryReport | None:
    """The report that this mail is when nothing failed: of delivery, of reading, of abuse. Pure; never raises.

    Only what the mail as a whole is counts: a person may forward a report, or attach one.
    """
    kind = _REPORT_TYPE.match(parsed.header("content-type"))
    by_type = kind[1].lower() if kind else ""
    if by_type == "feedback-report" or (_is_reporting(parsed) and parsed.parts_of("message/feedback-report")):
        return _from_reader(parsed, "complaint", parsed.parts_of("message/feedback-report"))
    receipts = parsed.parts_of("message/disposition-notification")
    if by_type == "disposition-notification" or (_is_reporting(parsed) and receipts):
        return _from_reader(parsed, "receipt", receipts)
    declared = _is_reporting(parsed) and parsed.parts_of("message/delivery-status", "message/global-delivery-status")
    if not (declared or is_mail_system(parsed) or has_null_sender(parsed)):
        return None
    failed, others = reported_recipients("\n\n".join(_status_texts(parsed)))
    notice, original = _notice(parsed)
    in_words = is_mail_system(parsed) and notices.says_success(parsed.subject, notice)
    if failed or not (others or declared or in_words):
        return None
    first = others[0] if others else Recipient("", "")
    return DeliveryReport(
        kind="success",
        recipients=_unique(r.address for r in others if r.address),
        status=first.status or _SUCCESS,
        diagnostic=f"{first.action} {first.diagnostic}".strip(),
        original_message_id=_original_id(parsed, original),
        original_envelope_token=first.envelope_token,
    )


_SUCCESS = "2.0.0"


def _from_reader(parsed: ParsedMail, kind: Literal["receipt", "complaint"], parts: tuple[Part, ...]) -> DeliveryReport:
    """From whom it reached after all: the fields of RFC 8098 and of RFC 5965 name the message alike."""
    told = "\n".join(part.text for part in parts)[:60_000]
    about, found = _ABOUT.search(told), _FOUND.search(told)
    return DeliveryReport(
        kind=kind,
        diagnostic=found[1].strip() if found else "",
        original_message_id=about[1].strip() if about else _original_id(parsed, _notice(parsed)[1]),
    )


def _is_reporting(parsed: ParsedMail) -> bool:
    return parsed.header("content-type").lstrip().lower().startswith("multipart/report")


def _from_rejection(parsed: ParsedMail) -> DeliveryReport | None:
    """Sieve and Dovecot refuse mail by a disposition notification that says so (RFC 5429 section 2.2.1)."""
    texts = [p.text for p in parsed.parts_of("message/disposition-notification")]
    if (
        not texts
        or "deleted" not in texts[0].lower()
        or "reject" not in f"{parsed.header('auto-submitted')} {parsed.text}".lower()
    ):
        return None
    notice, original = _notice(parsed)
    failed, _ = reported_recipients(texts[0])
    return _report(parsed, notice, original, tuple(r.address for r in failed if r.address))


def _from_notification(text: str) -> DeliveryReport | None:
    """Amazon's sending service tells of failures in JSON, mailed by its notification service, with lines cut."""
    bounced = _AMAZON.search(text[:60_000])
    if bounced is None:
        return None
    status = _STATUS.search(bounced[2])
    return DeliveryReport(
        recipients=_unique(address for address in re.findall(r'"emailAddress"\s*:\s*"([^"\s]+)"', bounced[2])),
        permanent=bounced[1] != "Transient",
        status=status[1] if status else "",
        diagnostic=" ".join(re.findall(r'"diagnosticCode"\s*:\s*"([^"]+)"', bounced[2]))[:500],
    )


def _notice_text(parsed: ParsedMail) -> str:
    """The first plain text that is no filler."""
    texts = [
        p.text
        for p in parsed.parts
        if p.content_type == "text/plain" and p.disposition != "attachment" and p.text.strip()
    ]
    if len(texts) > 1 and notices.is_filler(texts[0]):
        return texts[1]
    return texts[0] if texts else parsed.text


def _notice(parsed: ParsedMail) -> tuple[str, str]:
    """What the mail system says in words, and what it returns of the original mail."""
    notice, returned = notices.split_original(_notice_text(parsed))
    attached = [
        p.text
        for p in parsed.parts_of("message/rfc822", "text/rfc822-headers", "message/rfc822-headers", "message/global")
    ]
    return notice[:60_000], "\n".join([*attached, returned])[:60_000]


def _from_status_fields(parsed: ParsedMail, notice: str, original: str) -> DeliveryReport | None:
    """From the machine-readable part (RFC 3464), or from the same fields written as plain text."""
    texts = _status_texts(parsed)
    if not texts:
        return None
    failed, others = reported_recipients("\n\n".join(texts))
    own = _own_addresses(parsed)
    usable = [r for r in failed if r.address and r.address.lower() not in own] or [r for r in failed if r.address]
    if usable:
        first = usable[0]
        return DeliveryReport(
            recipients=_unique(r.address for r in usable),
            permanent=any(r.action == "failed" for r in usable),
            status=next((r.status for r in usable if r.status), "") or _status_in(first.diagnostic),
            diagnostic=next((r.diagnostic for r in usable if r.diagnostic), ""),
            original_message_id=_original_id(parsed, original),
            original_envelope_token=first.envelope_token,
        )
    if not failed and others:
        return DeliveryReport(status=_SUCCESS)
    return None


def _status_texts(parsed: ParsedMail) -> list[str]:
    texts = [p.text for p in parsed.parts_of("message/delivery-status", "message/global-delivery-status")]
    if not texts:
        # Gateways turn the part into plain text, some systems never declared it.
        texts = [p.text for p in parsed.parts if p.content_type.startswith("text/") and has_status_fields(p.text)]
        texts = [notices.split_original(text)[0] for text in texts]
    return texts


def _is_notice(parsed: ParsedMail, notice: str, original: str) -> bool:
    """Does a mail without status fields tell of a failure? The weaker the sender's claim, the stronger the words."""
    reporting, system, null = _is_reporting(parsed), is_mail_system(parsed), has_null_sender(parsed)
    bouncy = notices.subject_says_failure(parsed.subject)
    if reporting and (system or bouncy or null or notices.says_failure(notice)):
        return True
    if system:
        return bouncy or notices.says_failure(notice) or notices.begins_as_notice(notice, 4)
    if notices.is_about_parcels(parsed.subject, notice):
        return False
    if null:
        return notices.opens_with_failure(notice) or (bouncy and notices.has_reply_code(notice))
    if _FORWARDED.match(parsed.subject) and not bouncy:
        return False
    # A customer's request that is taken for a report would never become a ticket.
    proof = notices.has_reply_code(notice) or bool(original)
    named = notices.is_certain(notice)
    return notices.begins_as_notice(notice) and ((bouncy and (named or proof)) or (named and proof))


def _from_words(parsed: ParsedMail, notice: str, original: str) -> tuple[str, ...]:
    own = _own_addresses(parsed)
    named, sure = notices.recipients(notice)
    # Somebody may well write to himself: then only his own address is named, and it is the failed one.
    found = tuple(a for a in named if a.lower() not in own) or (named if sure else ())
    known = () if sure and len(found) > 1 else _by_known_systems(parsed)
    if sure and found:
        # The detectors take the returned mail's own addresses and Message-ID for recipients where nothing marks it.
        said = notice.lower()
        known = tuple(address for address in known if address.lower() in said)
    if known and (not found or not sure or {a.lower() for a in found} < {a.lower() for a in known}):
        return known
    if not found and not _LIST_MAIL.search(original):
        # Some systems do not say who: then the returned mail's single recipient is meant.
        for match in _TO.finditer(original[:20_000]):
            to = [a for a in _addresses_in(match[1]) if a.lower() not in own]
            if len(to) == 1:
                return tuple(to)
    return found


def _by_known_systems(parsed: ParsedMail) -> tuple[str, ...]:
    """What the detectors of flufl.bounce find, in the alphabet's order, because it answers in sets."""
    try:
        temporary, permanent = all_failures(parsed.message)
    except Exception:  # many kinds, on some three of a hundred malformed mails
        return ()
    decoded = sorted(a.decode("ascii", "ignore") for a in {*temporary, *permanent})
    return tuple(a for a in decoded if notices.is_address(a))


def _report(parsed: ParsedMail, notice: str, original: str, addresses: tuple[str, ...]) -> DeliveryReport:
    status = _status_in(notice)
    code = _REPLY_CODE.search(notice)
    delayed = notices.says_delay(notice, parsed.subject)
    if not status and code:
        status = f"{code[1]}.0.0"
    return DeliveryReport(
        recipients=_unique(addresses),
        permanent=not delayed,
        status=status,
        diagnostic=notices.diagnostic(notice),
        original_message_id=_original_id(parsed, original),
    )


def _original_id(parsed: ParsedMail, original: str) -> str:
    match = _MESSAGE_ID.search(original)
    if match:
        return match[1].strip()
    # RFC 3834 section 3.1.5 lets the reporter name the original here when it returns nothing of it.
    return parsed.header("in-reply-to").strip().strip("<>").split(" ")[0].strip("<>")


def _own_addresses(parsed: ParsedMail) -> frozenset[str]:
    """Whoever got this report sent the original, so is not one of its failed recipients."""
    values = [
        *parsed.headers.get("to", ()),
        *parsed.headers.get("delivered-to", ()),
        *parsed.headers.get("x-original-to", ()),
    ]
    return frozenset(a.lower() for a in _addresses_in(", ".join(values)))


def _addresses_in(text: str) -> tuple[str, ...]:
    return tuple(m[0] for m in notices.ADDRESS.finditer(text[:20_000]))


def _status_in(text: str) -> str:
    codes = [m[1] for m in _STATUS.finditer(text) if m[1][0] in "45"]
    return codes[0] if codes else ""


def _unique(addresses: Iterable[str]) -> tuple[str, ...]:
    """In the order reported, each once, the domain in lower case."""
    seen: dict[str, str] = {}
    for address in addresses:
        local, _, domain = address.rpartition("@")
        clean = f"{local}@{domain.lower()}" if local else address
        seen.setdefault(clean.lower(), clean)
    return tuple(seen.values())


__all__ = ["Recipient", "find_good_report", "find_report"]
