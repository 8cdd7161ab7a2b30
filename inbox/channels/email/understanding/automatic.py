"""Mail that no person wrote to us: automatic replies, absence notes, lists, reports, machine senders.

The reason is one short word. Loop protection asks only whether there is one (RFC 3834 section 2: never answer an
answer). What `read_mail` calls an automatic *reply* is narrower, see `is_auto_reply`: a newsletter is automatic, but
replies to nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from . import automatic_words as words
from .machines import has_null_sender, is_mail_system, is_robot

if TYPE_CHECKING:
    from inbox.channels.email.reading.parsed import ParsedMail

_NEGATIVE = frozenset({"", "no", "none", "false", "0", "off"})
_REPLY_HEADERS = (
    "x-autoreply",
    "x-auto-reply",
    "x-autorespond",
    "x-autoresponder",
    "x-autoresponse",
    "x-autoreply-from",
    "x-autoreply-domain",
    "x-mail-autoreply",
    "x-mailer-autoreply",
    "x-auto-reply-from",
    "x-ms-exchange-inbox-rules-loop",
    "x-ezmlm-autoreply",
    "x-vacation",
    "x-fc-machinegenerated",
    "x-fc-autoresponder",
    "x-cm-autoreply",
    "x-notes-autoreply",
    "x-autorespond-from",
    "x-mdautoresponder",
    "x-mdaemon-autoresponder",
    "x-kmail-autoreply",
    "x-yahoo-autoreply",
)
_LIST_HEADERS = (
    "list-id",
    "list-post",
    "mailing-list",
    "x-mailing-list",
    "x-mailman-version",
    "x-beenthere",
    "x-list",
    "list-owner",
    "x-listname",
    "x-mailinglist",
    "x-ml-name",
)
_BULK_HEADERS = (
    "list-unsubscribe",
    "list-unsubscribe-post",
    "x-campaign",
    "x-campaignid",
    "x-campaign-id",
    "x-mc-user",
    "x-csa-complaints",
    "x-mailgun-tag",
    "x-newsletter",
    "x-bulkmail",
)
_RESPONDER_MAILER = re.compile(
    r"auto-?re(?:ply|spond)|vacation|out-?of-?office|\bmajordomo\b|autoresponder", re.IGNORECASE
)
_REPLIED = re.compile(r"^\s*auto-?replied", re.IGNORECASE)
_CALENDAR_METHOD = re.compile(r"^method:\s*(?:reply|counter|refresh)\s*$", re.IGNORECASE | re.MULTILINE)
_BULK_PRECEDENCE = {
    "bulk": "bulk",
    "junk": "bulk",
    "list": "list",
    "auto_reply": "auto-reply",
    "auto-reply": "auto-reply",
    "autoreply": "auto-reply",
}


def why_automatic(parsed: ParsedMail, text: str) -> str:
    """Why this mail counts as written by a machine, or an empty string for a person's mail.

    `text` is the plain body without quoted mail: people quote the automatic answers that they had. The word is one of
    `out-of-office`, `auto-reply`, `report` (delivery status, read receipt, feedback), `calendar` (an answer to an
    invitation), `auto-generated` (RFC 3834 section 5), `list`, `bulk`, `loop` (X-Loop), `null-sender` (RFC 5321 section
    4.5.5), `machine-sender`.
    `X-Auto-Response-Suppress` proves nothing: Exchange writes it on what people send.
    """
    if _is_report(parsed):
        return "report"
    told = _from_header(parsed)
    absent = _is_absent(parsed, text)
    if told == "auto-reply" or (told == "auto-generated" and (absent or _follows_up(parsed, text))):
        return "out-of-office" if absent else "auto-reply"
    if any(_CALENDAR_METHOD.search(part.text[:4000]) for part in parsed.parts_of("text/calendar")):
        return "calendar"
    if absent:
        return "out-of-office"
    listed = next(("list" for name in _LIST_HEADERS if name in parsed.headers), "")
    if not listed and _is_answering(parsed, text):
        return "auto-reply"
    if told:
        return told
    if listed or _is_bulk(parsed):
        return listed or "bulk"
    precedence = parsed.header("precedence").strip().lower()
    if precedence in _BULK_PRECEDENCE:
        return _BULK_PRECEDENCE[precedence]
    if parsed.header("x-loop").strip():
        return "loop"
    if has_null_sender(parsed):
        return "null-sender"
    return "machine-sender" if is_robot(parsed) else ""


def is_auto_reply(reason: str) -> bool:
    """True when the word of `why_automatic` means a machine's answer: an absence note or an acknowledgement."""
    return reason in ("auto-reply", "out-of-office")


def _is_bulk(parsed: ParsedMail) -> bool:
    """By what mass mailers write. Amazon's service sends people's mail too, with a Feedback-ID of its own on each."""
    if any(name in parsed.headers for name in _BULK_HEADERS):
        return True
    return any(not value.strip().lower().endswith(":amazonses") for value in parsed.headers.get("feedback-id", ()))


def _is_report(parsed: ParsedMail) -> bool:
    if parsed.header("content-type").lstrip().lower().startswith("multipart/report") or is_mail_system(parsed):
        return True
    return bool(
        parsed.parts_of("message/disposition-notification", "message/delivery-status", "message/feedback-report")
    ) and not parsed.header("content-type").lower().startswith("multipart/mixed")


def _from_header(parsed: ParsedMail) -> str:
    """What the sender's system declares: `auto-reply`, `auto-generated` or nothing."""
    generated = False
    for value in parsed.headers.get("auto-submitted", ()):
        if _REPLIED.match(value):
            return "auto-reply"
        # RFC 3834 section 5: whatever is not "no" counts as automatic, extension keywords too.
        generated = generated or re.split(r"[\s;(]", value.strip().lower(), maxsplit=1)[0] not in _NEGATIVE
    if any(value.strip().lower() not in _NEGATIVE for name in _REPLY_HEADERS for value in parsed.headers.get(name, ())):
        return "auto-reply"
    precedence = {
        v.strip().lower() for name in ("precedence", "x-precedence", "preference") for v in parsed.headers.get(name, ())
    }
    if precedence & {"auto_reply", "auto-reply", "autoreply"}:
        return "auto-reply"
    if "autoresponder" in parsed.header("x-post-messageclass").lower() or _RESPONDER_MAILER.search(
        parsed.header("x-mailer")
    ):
        return "auto-reply"
    if "autoresponder" in (v.strip().lower() for v in parsed.headers.get("delivered-to", ())):
        return "auto-reply"
    if parsed.header("x-autogenerated").strip().lower() in ("reply", "forward", "group", "mirror", "redirect"):
        return "auto-reply" if parsed.header("x-autogenerated").strip().lower() == "reply" else "auto-generated"
    generated = generated or parsed.header("x-auto-generated").strip().lower() not in _NEGATIVE
    return "auto-generated" if generated else ""


def _is_absent(parsed: ParsedMail, text: str) -> bool:
    """An absence note by its subject, or by a text that both says so and says until when or whom to ask instead."""
    subject = parsed.subject[:300]
    if words.ABSENT_SUBJECT.search(subject) and not words.REPLY_PREFIX.match(subject):
        return True
    if _is_bare_note(parsed, subject, text.strip()):
        return True
    head = text.lstrip()[:800]
    if not words.ABSENT.search(head[:400]):
        return False
    if not words.RETURNING.search(head):
        return False
    if _declares_itself(parsed, text) or _from_header(parsed) or has_null_sender(parsed):
        return True
    # Without any declaration: a short answer that says no more than until when and whom to ask instead.
    answers = bool(parsed.header("in-reply-to") or words.REPLY_PREFIX.match(subject))
    plain = text.strip()
    return (
        answers
        and len(plain) < 600
        and not re.search(r"[?？]", plain)
        and bool(words.ABSENT.search(plain[:120]))
        and bool(words.DEPUTY.search(plain))
    )


def _is_bare_note(parsed: ParsedMail, subject: str, plain: str) -> bool:
    """A subject such as `Urlaub` over a text that only says so: a person who travels asks for something besides."""
    bare = words.BARE_SUBJECT.match(subject)
    if bare is None or parsed.files or len(plain) > 400 or re.search(r"[?？]", f"{subject}{plain}"):
        return False
    if words.REQUEST.search(plain):
        return False
    if not all(_says_no_more(each) for each in re.split(r"[.!。！;；\n]+", plain)):
        return False
    if words.ABSENT.search(plain):
        return True
    if (bare["rest"].strip(" :：!.") and not parsed.header("in-reply-to")) or not words.GREETING.match(plain or "hi"):
        return False
    return all(_is_filler(each) for each in re.split(r"[,，.!。！\n]+", plain))


def _says_no_more(sentence: str) -> bool:
    known = (words.ABSENT, words.RETURNING, words.DEPUTY, words.RECEIVED, words.PROMISE)
    return _is_filler(sentence) or any(each.search(sentence) for each in known)


def _is_filler(sentence: str) -> bool:
    """A greeting, a name, the rest of a date."""
    left = words.GREETING.sub("", sentence).strip(" ,，-–")
    return len(left.split()) <= 3 and (left.isascii() or len(left) <= 30) and not words.REQUEST.search(left)


def _declares_itself(parsed: ParsedMail, text: str) -> bool:
    if _says_automatic(parsed.subject[:300]):
        return True
    plain = text.strip()
    return _says_of_itself(plain[:500]) or (500 < len(plain) < 4000 and _says_of_itself(plain[-400:]))


def _says_of_itself(passage: str) -> bool:
    if not words.SELF_DECLARED.search(passage):
        return False
    return bool(words.SELF_DECLARED.search(words.NOT_OF_ITSELF.sub(" ", passage)))


def _is_answering(parsed: ParsedMail, text: str) -> bool:
    """An acknowledgement: by its subject, by declaring itself and looking like an answer, or by coming from nobody."""
    subject = parsed.subject[:300]
    if _says_automatic(subject):
        return True
    head = text.lstrip()[:800]
    answers = bool(parsed.header("in-reply-to") or words.REPLY_PREFIX.match(subject))
    received = bool(words.RECEIVED.search(head)) and bool(words.PROMISE.search(head))
    if _declares_itself(parsed, text) and (answers or received):
        return True
    unread = (
        has_null_sender(parsed) or is_robot(parsed) or parsed.header("precedence").strip().lower() in ("bulk", "junk")
    )
    if unread and received:
        return True
    return has_null_sender(parsed) and (
        answers or bool(words.RECEIVED.search(head) or "bulk" in parsed.header("precedence").lower())
    )


def _follows_up(parsed: ParsedMail, text: str) -> bool:
    """Whether a generated mail answers one, rather than tell what is new in a thread, as trackers of bugs do."""
    if words.REPLY_PREFIX.match(parsed.subject[:300]):
        return True
    if not parsed.header("in-reply-to"):
        return False
    return bool(words.RECEIVED.search(text.lstrip()[:800])) or not (
        is_robot(parsed) or "precedence" in parsed.headers or any(name in parsed.headers for name in _LIST_HEADERS)
    )


def _says_automatic(subject: str) -> bool:
    """By its opening words, or by a mark at its end, which AOL and others put even behind `Re:`."""
    if words.AUTO_MARK.search(subject):
        return True
    return bool(words.AUTO_SUBJECT.search(subject)) and not words.REPLY_PREFIX.match(subject)
