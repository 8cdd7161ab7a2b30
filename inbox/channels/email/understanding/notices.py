"""The words of failure notices: whether a text tells of a failure, and of whose mailbox."""

from __future__ import annotations

import re

from . import notice_words as words

# Both cases are named: compiling a class of a million characters that ignores case takes half a second.
# East Asian characters stand by themselves: a sentence without blanks runs into the address.
_LOCAL = (
    r"(?-i:[A-Za-z0-9\u00a1-\u1fff\u2c00-\u2dff\U00010000-\U0010ffff!#$%&'*+/=?^_`{|}~.-]{1,100}|"
    r"[\u2e80-\u2fff\u3040-\u9fff\uac00-\ud7af\uf900-\ufaff0-9._-]{1,100})"
)
_DOMAIN = (
    r"(?-i:(?:[A-Za-z0-9\u0080-\U0010ffff](?:[A-Za-z0-9\u0080-\U0010ffff_-]{0,62})\.){1,10}"
    r"[A-Za-z\u0080-\U0010ffff][A-Za-z0-9-]{0,62})"
)
ADDRESS = re.compile(rf"(?<![A-Za-z0-9.@=+-])(?:\"[^\"@\s]{{1,64}}\"|{_LOCAL})@{_DOMAIN}")
_FIRST = re.compile(
    rf"^[\s>*•·-]{{0,40}}[<\"'(\[]{{0,2}}(?:(?:mailto|smtp|"
    rf"rfc822)\s?[:;=]\s?)?({_LOCAL}@{_DOMAIN})[>\"')\]]{{0,2}}(.*)$",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"(?:recipients?(?:'s)?(?: e?-?mail)?(?: address(?:es)?)?|rcpt to|addressed to|delivered to|"
    r"deliver(?: your)? (?:message|mail|e-?mail) to|message to|mail to|sent to|send to|"
    r"unknown user|user unknown|no such (?:user|address)|unknown recipient|allowed size|failed address|"
    r"invalid address|address(?:es)?|mailbox|account|user|to user|reach|"
    r"undeliverable to|could not be (?:sent|delivered) to|pu [eê]tre d[eé]livr[eé] a|empfänger(?:adresse)?|"
    r"destinataires?|destinatari[oi]s?|получатель|адрес(?:ата|у)?|收件人(?:地址|邮箱)?|收件地址|"
    r"收信人|地址|邮箱|宛先|送信先|受信者|あて先|받는 사람|수신자|original-recipient|"
    r"final-recipient)(?![A-Za-z0-9._@-])"
    r"(?:\s*\([^)\n]{0,20}\))?\s*(?:is|was|not|named)?\s*[:：=;]?\s*(?:rfc822\s*;\s*){0,2}[<\"'(\[「]{0,2}"
    + rf"({_LOCAL}@{_DOMAIN})",
    re.IGNORECASE,
)
_CODE_LINE = re.compile(r"(?:^|[^\d.])[45]\d\d[ -]|rcpt to|[45]\.\d{1,3}\.\d{1,3}", re.IGNORECASE)
_SENDER_LINE = re.compile(
    r"^[\s>*-]{0,20}(?:from|sender|reply-to|return-path|message-id|x-[\w-]+|mail from|original sender|cc|bcc|von|"
    r"de|da|差出人|发件人|寄件者|отправитель|envelope-sender|errors-to|"
    r"received|in-reply-to|references|delivered-to|sent by|message sent by|a message sent by|id|to unsubscribe|"
    r"message-?name|dkim-signature|list-\w+)\s*[:：<]|generated from|expanded from|envelope-from|accepting mail from",
    re.IGNORECASE,
)
_EXPANDED = re.compile(r"^<[^<>]{3,320}> \(expanded from (<[^<>]{3,320}>)\)")
"""As Postfix names an alias behind the address it stands for. We wrote to the alias."""
_TO_LINE = re.compile(r"^[\s>*-]{0,20}(?:to|an|à|para|a|kome|till|do|宛先|收件人|кому)\s*[:：]", re.IGNORECASE)
_OFFICE = re.compile(
    r"^(?:post[-_.]?master|mailer[-_.]?daemon|abuse|support|help|helpdesk|hostmaster|webmaster|noc|root|"
    r"info-?service|unblock|delist|spam)$",
    re.IGNORECASE,
)
_FILLER = re.compile(
    r"modern email client|mime[- ](?:encapsulated|formatted)|this is a (?:multi-?part|mime)", re.IGNORECASE
)


def is_address(text: str) -> bool:
    """True for a whole string that is an address with a domain."""
    return bool(ADDRESS.fullmatch(text))


def subject_says_failure(subject: str) -> bool:
    """True when a subject reads like a failure or delay report in one of some twenty languages."""
    return bool(words.SUBJECT_FAILURE.search(subject[:300]))


def says_success(subject: str, notice: str) -> bool:
    """True when the message did arrive, by the subject and with no reply code of a failure."""
    return bool(words.SUBJECT_SUCCESS.search(subject[:300])) and not has_reply_code(notice)


def is_vacation(subject: str) -> bool:
    """True when the subject is one of an automatic absence note, whatever the text says."""
    return bool(words.VACATION_SUBJECT.search(subject[:300])) and not subject_says_failure(subject)


def is_challenge(notice: str) -> bool:
    """True when the sender is asked to prove being human before the mail is delivered."""
    return bool(words.CHALLENGE.search(notice[:3000])) and not _CODE_LINE.search(notice[:3000])


def is_filler(text: str) -> bool:
    """True for the note to readers without MIME that stands where the notice should."""
    return len(text) < 600 and bool(_FILLER.search(text)) and not ADDRESS.search(text)


def says_failure(notice: str) -> bool:
    """True when one of the first lines tells of a failure or delay."""
    return any(words.FAILURE.search(line) for line in _lines(notice, 60)) or bool(
        words.FAILURE.search(" ".join(_lines(notice, 12)))
    )


def opens_with_failure(notice: str) -> bool:
    """True when the very first lines tell of it, without a greeting: for systems that do not name themselves."""
    head = _lines(notice, 4)
    return bool(head) and not words.GREETING.search(head[0]) and bool(words.FAILURE.search(" ".join(head)))


def says_delay(notice: str, subject: str) -> bool:
    """True when the system still tries, so that nothing is lost yet."""
    head = " ".join(_lines(notice, 40))
    return bool(words.DELAY.search(subject) or words.DELAY.search(head)) and not words.NOT_DELAY.search(
        f"{subject} {head}"
    )


def begins_as_notice(notice: str, lines: int = 2) -> bool:
    """True when one of the first lines is a mail system's opening. People greet, or put words of their own before."""
    head = _lines(notice, lines)
    if not head or words.GREETING.search(head[0]):
        return False
    return any(words.CERTAIN.search(line) for line in head) or bool(words.CERTAIN.search(" ".join(head)))


def is_certain(notice: str) -> bool:
    """True when the notice also names a recipient and a reason, which a person's line does not."""
    return bool(recipients(notice)[0]) and any(
        _CODE_LINE.search(line) or words.FAILURE.search(line) for line in _lines(notice, 40)
    )


def is_about_parcels(subject: str, notice: str) -> bool:
    """True when goods, not mail, were not delivered."""
    return bool(
        words.PARCEL.search(subject) or words.PARCEL.search(" ".join(_lines(notice, 4)))
    ) and not has_reply_code(notice)


def has_reply_code(notice: str) -> bool:
    """True when an SMTP reply or enhanced status code of a failure stands in the text."""
    return any(_CODE_LINE.search(line) for line in _lines(notice, 80))


def split_original(text: str) -> tuple[str, str]:
    """The notice itself, and the returned original that follows it in the same text."""
    position = 0
    text = text[:300_000]
    for line in text.split("\n"):
        if position and words.ORIGINAL_MARK.search(line[:200]) and text[:position].strip():
            return text[:position], text[position:]
        position += len(line) + 1
    return text, ""


def diagnostic(notice: str) -> str:
    """The lines that give the reason, as one line of at most 500 characters."""
    lines = _lines(notice, 200)
    for index, line in enumerate(lines):
        if _CODE_LINE.search(line):
            return " ".join(lines[index : index + 3])[:500]
    for line in lines:
        if words.FAILURE.search(line):
            return line[:500]
    return ""


def recipients(notice: str) -> tuple[tuple[str, ...], bool]:
    """The addresses that the notice names as failed, and whether they stand where names of recipients belong."""
    lines = [_EXPANDED.sub(r"\1", line) for line in _lines(notice, 400)]
    lines = [line for line in lines if not _SENDER_LINE.search(line)]
    first = [m[1] for line in lines if (m := _FIRST.match(line)) and _is_recipient(m[1], m[2])]
    labelled = [
        m[1] for line in lines if not _TO_LINE.match(line) for m in _LABEL.finditer(line) if _is_recipient(m[1], "")
    ]
    if first or labelled:
        return tuple(dict.fromkeys(first or labelled)), True
    with_code = [
        m[0] for line in lines if _CODE_LINE.search(line) for m in ADDRESS.finditer(line) if _is_recipient(m[0], "x")
    ]
    if with_code:
        return tuple(dict.fromkeys(with_code)), False
    rest = [
        m[0] for line in lines if not _TO_LINE.match(line) for m in ADDRESS.finditer(line) if _is_recipient(m[0], "x")
    ]
    rest = rest or [m[0] for line in lines for m in ADDRESS.finditer(line) if _is_recipient(m[0], "x")]
    return tuple(dict.fromkeys(rest)), False


def _is_recipient(address: str, rest: str) -> bool:
    """Offices that notices point to are recipients only where nothing else stands beside them."""
    return not rest.strip(" >:\"'") or not _OFFICE.match(address.partition("@")[0])


def _lines(text: str, count: int) -> list[str]:
    """The first lines that hold something and are no quotation, stripped, each at most 500 characters."""
    found: list[str] = []
    for line in text[:60_000].split("\n"):
        stripped = line[:500].strip()
        if stripped and not (stripped.startswith(">") and not stripped.startswith(">>>")):
            found.append(stripped)
            if len(found) == count:
                break
    return found
