"""The way from the bytes of any mail to what the inbox works with."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from django.utils.translation import gettext as _

from inbox.channels.base import Address, Authentication, Inbound
from inbox.channels.email.understanding import automatic, bounces, language, quotes, spam

from . import addresses, authentication, bodies, dates, guessing, headers, smime, tnef
from .headers import Fields
from .parsed import ParsedMail
from .structure import Tree, split, without_envelope

REFERENCE_LIMIT = 200
TEXT_LIMIT = 2_000_000
"""Characters of a body that are given, as of HTML when it is cleaned: no page can show more. The mail is kept whole."""
_ID = re.compile(r"<\s*([^<>\s](?:[^<>]{0,998}[^<>\s])?)\s*>")
_FROM = re.compile(r"\bfrom [^<>]{0,200}<[^<>]*>(?=[^<>]*<)", re.IGNORECASE)
"""`Message from Ann <a@b> of 2 March <id>`, as in RFC 822 programs answered."""
_ENCODED_WORD = re.compile(rb"=\?[^?\s]+\?[bBqQ]\?[^?]*\?=")
_OUTLOOK_FILE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OTHER_FILES = (
    _OUTLOOK_FILE,
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"%PDF-",
    b"PK\x03\x04",
    b"\x1f\x8b\x08",
    b"7z\xbc\xaf",
    b"Rar!",
)
"""How files begin that somebody hands in beside mails, and that have no words to show."""
_DELIVERED = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-delivered-to")


def read(raw: bytes, trusted: str = "") -> Inbound:
    """Understand one mail as far as bytes alone allow. Pure; never raises for bad input: see `Inbound.errors`.

    `trusted` is the authserv-id (RFC 8601) of the server that receives for us; what others claim is not believed.
    """
    parsed, fields, hint = _parse(raw)
    senders = _mailboxes(fields, "from", hint)
    reply_text, unquoted = quotes.both(parsed.text, parsed.html)
    return Inbound(
        sender=parsed.sender,
        subject=parsed.subject,
        text=parsed.text,
        html=parsed.html,
        reply_text=reply_text,
        to=_mailboxes(fields, "to", hint),
        cc=_mailboxes(fields, "cc", hint),
        delivered_to=tuple(
            dict.fromkeys(each.address for name in _DELIVERED for each in _mailboxes(fields, name, hint))
        ),
        reply_to=_mailboxes(fields, "reply-to", hint),
        message_id=next(iter(_ids(parsed.headers.get("message-id", ())[:1])), ""),
        in_reply_to=next(iter(_ids(parsed.headers.get("in-reply-to", ()))), ""),
        references=_references(parsed.headers.get("references", ())),
        sent_at=_sent_at(parsed),
        files=parsed.files,
        language=language.detect(reply_text or parsed.text),
        automatic=automatic.why_automatic(parsed, unquoted or parsed.text),
        spam=spam.is_marked(parsed),
        report=bounces.find_report(parsed) or bounces.find_good_report(parsed),
        ambiguous_sender=_is_ambiguous(fields, senders),
        authentication=authentication.read(parsed.headers.get("authentication-results", ()), trusted)
        if trusted
        else Authentication(),
        errors=parsed.errors,
        foreign=parsed.foreign,
    )


def parse(raw: bytes) -> ParsedMail:
    """Decode one mail without judging it."""
    return _parse(raw)[0]


def _parse(raw: bytes) -> tuple[ParsedMail, Fields, str]:
    raw = without_envelope(raw)
    if raw.startswith(_OTHER_FILES):
        return ParsedMail(raw=raw, errors=(_what_it_is(raw),), foreign=True), {}, ""
    tree = split(raw)
    nodes = list(tree.root.leaves())
    hint = next((node.parameters["charset"] for node in nodes if "charset" in node.parameters), "") or _unlabelled(tree)
    faults: list[str] = []
    leaves = [bodies.read_leaf(tree, node, hint, faults) for node in nodes]
    body = bodies.assemble(tree.root, leaves)
    tnef.unpack(body)
    _unwrap(body, hint, faults)
    _show_only_mail(tree, body, hint, faults)
    if too_long := max(len(body.text), len(body.html)) > TEXT_LIMIT:
        body.text, body.html = body.text[:TEXT_LIMIT], body.html[:TEXT_LIMIT]
    fields = tree.root.fields
    decoded = {name: tuple(headers.value(each, hint) for each in values) for name, values in fields.items()}
    senders = _mailboxes(fields, "from", hint)
    parsed = ParsedMail(
        raw=raw,
        headers=decoded,
        text=body.text,
        html=body.html,
        subject=decoded.get("subject", ("",))[0],
        sender=senders[0] if senders else None,
        files=tuple(body.files),
        parts=tuple(leaf.part for leaf in leaves),
        errors=tuple(_in_words(tree, faults, leaves_empty=not raw.strip(), too_long=too_long)),
        entangled=tree.header_cut or tree.too_deep or tree.too_many,
        foreign=not raw.strip() or _is_no_mail(tree),
    )
    return parsed, fields, hint


def _unlabelled(tree: Tree) -> str:
    """What header and body together look like when both are raw and bear no label: each alone is often too short."""
    start = tree.root.start
    header = tree.raw[: min(start, 16_000)]
    if header.isascii() or tree.raw[start : start + 4000].isascii():
        return ""
    words = tree.raw[start : start + 4000]
    if _is_utf_8(header) or _is_utf_8(words):
        # The other half was written in another set, which only it can tell.
        return ""
    found = guessing.likely(b"\n".join(line for line in (header + words).split(b"\n") if not line.isascii()))
    return "" if found == "cp1252" else found


def _is_utf_8(sample: bytes) -> bool:
    """Whether the whole lines of a sample are UTF-8."""
    try:
        sample[: sample.rfind(b"\n") + 1 or None].decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _unwrap(body: bodies.Body, hint: str, faults: list[str]) -> None:
    """Show what an opaque signature wraps, when the mail says nothing else. The signed file itself stays."""
    wrapped = next((file for file in body.files if smime.is_wrapped(file.content_type)), None)
    if wrapped is None or body.text.strip() or body.html.strip():
        return
    inner = smime.signed_content(wrapped.content)
    if inner:
        found = _said_in(inner, hint, faults)
        body.text, body.html = found.text, found.html
        body.files.extend(found.files)


def _show_only_mail(tree: Tree, body: bodies.Body, hint: str, faults: list[str]) -> None:
    """Show the words of a mail that is all the mail there is. Its header counts for nothing (S-46), its files stay."""
    if tree.root.content_type == "message/rfc822" and body.files:
        found = _said_in(body.files[0].content, hint, faults)
        body.text, body.html = found.text, found.html


def _said_in(inner: bytes, hint: str, faults: list[str]) -> bodies.Body:
    tree = split(without_envelope(inner))
    return bodies.assemble(tree.root, [bodies.read_leaf(tree, node, hint, faults) for node in tree.root.leaves()])


def _mailboxes(fields: Fields, name: str, hint: str) -> tuple[Address, ...]:
    values = fields.get(name)
    if not values:
        return ()
    if len(values) == 1:
        return addresses.read_list(values[0], hint)
    return tuple(each for value in values[:50] for each in addresses.read_list(value, hint))[: addresses.LIMIT]


def _is_ambiguous(fields: Fields, senders: tuple[Address, ...]) -> bool:
    """Nobody may be identified by a From that holds none, several, or one hidden in an encoded word (S-43)."""
    values = fields.get("from", [])
    if len(senders) != 1 or len(values) != 1 or not addresses.is_mailbox(senders[0].address):
        return True
    return senders[0].address.encode() not in re.sub(rb"\s+", b"", _ENCODED_WORD.sub(b"", values[0]))


def _references(values: Iterable[str]) -> tuple[str, ...]:
    """Where there are too many the oldest stays: it is the mail that the thread began with."""
    found = tuple(_ids(values))
    return found if len(found) <= REFERENCE_LIMIT else (found[0], *found[1 - REFERENCE_LIMIT :])


def _ids(values: Iterable[str]) -> Iterable[str]:
    for value in values:
        marked = _ID.findall(_FROM.sub("", value) if "rom " in value else value)
        for each in marked:
            words = each.split()
            yield from words if all("@" in word for word in words) else ("".join(words),)
        if not marked:
            words = value.split()
            yield from (word.strip("<>,;\"'") for word in words if "@" in word or len(words) == 1)


def _sent_at(parsed: ParsedMail) -> datetime | None:
    return dates.read(parsed.header("date")) if "date" in parsed.headers else None


def _is_no_mail(tree: Tree) -> bool:
    """Another kind of file. Text without a header counts as a mail: somebody may have cut the header off."""
    return not tree.root.fields and b"\0" in tree.raw[:4096]


def _what_it_is(raw: bytes) -> str:
    if raw.startswith(_OUTLOOK_FILE):
        return _("This is a file of Outlook (.msg), which cannot be read here: save the mail as .eml first.")
    return _("This is no mail but another kind of file.")


def _in_words(tree: Tree, faults: list[str], leaves_empty: bool, too_long: bool) -> Iterable[str]:
    if leaves_empty:
        yield _("The mail is empty.")
    if _is_no_mail(tree):
        yield _what_it_is(tree.raw)
    if tree.header_cut:
        yield _("Partly unreadable: the header is too long and was read in part.")
    if tree.too_deep:
        yield _("Partly unreadable: parts are nested too deeply.")
    if tree.too_many:
        yield _("Partly unreadable: there are too many parts.")
    if too_long:
        yield _("Partly unreadable: the text is too long and is shown in part.")
    if tree.no_boundary:
        yield _("Partly unreadable: the parts could not be told apart, so they are shown as text.")
    for fault in dict.fromkeys(faults):
        kind, _colon, detail = fault.partition(":")
        if kind == "encoding":
            yield _("Partly unreadable: a part is not encoded as it says (%(encoding)s).") % {"encoding": detail}
        else:
            yield _("Partly unreadable: some characters do not belong to the character set (%(charset)s).") % {
                "charset": detail or "-"
            }
