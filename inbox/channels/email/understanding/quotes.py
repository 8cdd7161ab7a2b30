"""The sender's own words: a reply without the quoted messages and without the signature.

Answers below and between quotations stay; quoted lines go, wherever they stand. What is forwarded is content and stays:
somebody who forwards a mail to a service desk wants it read. Sign-offs ("Kind regards, Ann") are the sender's words
and stay.
Every step looks at single lines of bounded length or at windows of a few of them, so the time is linear in the text.
"""

from __future__ import annotations

import re

from . import quote_words as words
from .quote_fields import WIDTH, as_field, begins_header, next_filled
from .quote_html import own_text_length
from .quote_notes import card_above

_QUOTED = re.compile(r"^[ \t]{0,4}(?:>|&gt;|＞)(?![^\n]*<<<|=\s?\d)")
_TELLING = re.compile(
    r"[\d:：@]| via |写|寫|작성|-- ?$|^[\s>]*(?:on|am|le|el|il|op|em|den|in message)\s", re.IGNORECASE
)
_INVISIBLE = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
"""Blanks that look like others, and marks of writing direction inside introductions."""
_LINK = re.compile(r"^[(<]https?://[^\s()<>]+[)>](?: ?>)?$")
_LINK_INSIDE = re.compile(r"\s?[(<]\s?https?://[^\s()<>]{1,400}\s?[)>]")
_LINKED = re.compile(r"\[([^\[\]\n]{1,80})\](?=\(https?://)")
_NAME = re.compile(r"^[-–—]\s?[^\W\d_][\w.'’-]{0,20}(?: [^\W\d_][\w.'’-]{0,20}){0,3}$")
_ARMOUR = re.compile(
    r"^-----BEGIN PGP SIGNED MESSAGE-----\n(?:[A-Za-z]{1,20}: ?[^\n]{0,200}\n)*\n?|"
    r"^-----BEGIN PGP SIGNATURE-----\n(?:[^-\n][^\n]{0,200}\n|\n)*-----END PGP SIGNATURE-----$",
    re.MULTILINE,
)
"""What a signature in clear text puts around the words (RFC 9580, 7)."""
_DASHED_BY_PGP = re.compile(r"^- (?=-)", re.MULTILINE)
_WRAP = 5
"""Lines over which clients wrap an introduction."""
_MAX_LINES = 10_000
"""Lines that are looked at; what comes after them is a pasted log and stays as it is."""


def strip(text: str, html: str = "") -> str:
    """`text` without quoted messages and without the signature; empty only when nothing in it is the sender's own.

    `html` is the HTML body of the same mail as sent, if there is one: its structure decides where the text gives no
    clue.
    """
    return both(text, html)[0]


def both(text: str, html: str = "") -> tuple[str, str]:
    """What `strip` says, and `text` without quoted messages but with its signature, in one go."""
    text = _INVISIBLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " "))
    if "-----BEGIN PGP SIG" in text:
        text = _DASHED_BY_PGP.sub("", _ARMOUR.sub("", text))
    lines = text.split("\n")
    lines[:_MAX_LINES] = [as_field(line) for line in lines[:_MAX_LINES]]
    kept, found = _without_quotes(lines[:_MAX_LINES])
    if not found:
        kept += lines[_MAX_LINES:]
    if html and not found:
        by_structure = own_text_length(html, "".join("\n".join(lines).split()))
        if by_structure:
            kept = _without_quotes(_first_characters(lines, by_structure))[0]
    unquoted = _tidy(kept)
    return _tidy(_without_signature(kept)) or ("" if found else unquoted), unquoted


def _without_quotes(lines: list[str]) -> tuple[list[str], bool]:
    """The lines that are not quoted, and whether anything was recognised as quoted."""
    kept: list[str] = []
    found = worded = False
    above = words.ABOVE_THIS_LINE.search("\n".join(lines)) is not None
    index = 0
    while index < len(lines):
        line = lines[index][:WIDTH].rstrip()
        if not line.strip():
            kept.append("")
            index += 1
            continue
        if _is_quoted(lines, index) and not (worded and line.startswith(">>> ") and _heads_bare_text(lines, index)):
            if _marks_forwarded(lines, index):
                return kept + lines[index:], found
            found = True
            index = _after_quote(lines, index)
            continue
        if words.FORWARD.match(line):
            # Everything below is the forwarded mail, its own quotations included.
            return kept + lines[index:], found
        if worded and (card := card_above(kept, lines, index)) is not None:
            return kept[: len(kept) - card], True
        own, size = _introduction(lines, index)
        if size:
            follows = next_filled(lines, index + size)
            if follows < len(lines) and _is_quoted(lines, follows):
                found = True
                kept = [*_without_card(kept), own]
                index = _after_quote(lines, follows)
                continue
            if follows == len(lines) or worded or own.strip():
                return [*_without_card(kept), own], True
            index += size
            continue
        if (
            words.ORIGINAL.match(line.replace("&nbsp;", " "))
            or (above and len(line) < 140 and words.ABOVE_THIS_LINE.match(line))
            or words.INLINE_HEADER.match(line)
            or begins_header(lines, index)
        ):
            if worded:
                return _without_own_address(_without_title(kept), lines, index), True
            # With nothing before it, this is what the sender wanted to pass on.
            return kept + lines[index:], found
        worded = worded or bool(line.strip(" \t-_=*~"))
        kept.append(lines[index])
        index += 1
    return kept, found


def _without_title(lines: list[str]) -> list[str]:
    """Without a last line such as "Original message" that has no dashes around it, or NetEase's card of the sender."""
    lines = _without_card(_without_rule(lines))
    if lines and len(lines[-1]) < 60 and words.ORIGINAL.match(f"-----{lines[-1].strip(' :：')}-----"):
        return lines[:-1]
    return lines


def _without_own_address(kept: list[str], lines: list[str], index: int) -> list[str]:
    """Without the sender's lone address that Foxmail sets above the fields of what it quotes."""
    if not any(words.FOXMAIL_DATE.search(line[:WIDTH]) for line in lines[index : index + 4]):
        return kept
    end = len(kept)
    while end and not kept[end - 1].strip():
        end -= 1
    alone = end > 1 and words.ADDRESS.fullmatch(kept[end - 1].strip()) and any(line.strip() for line in kept[: end - 1])
    return kept[: end - 1] if alone else kept


def _without_card(lines: list[str]) -> list[str]:
    """Without a table of name and address, each line between bars or between lines of bars alone.

    NetEase's clients set it above what they quote, and below it who made the signature. A table of the sender's own
    names no address.
    """
    last = len(lines)
    while last and (not lines[last - 1].strip() or _is_device_line(lines[last - 1][:WIDTH])):
        last -= 1
    if not last or "|" not in lines[last - 1]:
        return lines
    end = last
    while end and (not lines[end - 1].strip() or _is_of_card(lines, end - 1)):
        end -= 1
    return lines[:end] if any("@" in line for line in lines[end:last]) else lines


def _is_of_card(lines: list[str], index: int) -> bool:
    line = lines[index].strip()
    beside = (lines[index - 1].strip(), lines[index + 1].strip()) if 0 < index < len(lines) - 1 else ("", "")
    return line.startswith("|") or (len(line) < 80 and all(each and not each.strip("| ") for each in beside))


def _is_quoted(lines: list[str], index: int) -> bool:
    line = lines[index]
    if not _QUOTED.match(line[:WIDTH]):
        return False
    # A single line that begins with the word was marked by a mailbox file (RFC 4155), not by a person who quotes.
    return not line.startswith(">From ") or any(
        near.startswith(">") for near in lines[max(0, index - 1) : index] + lines[index + 1 : index + 2]
    )


def _marks_forwarded(lines: list[str], index: int) -> bool:
    """Whether a run of quoted lines opens with the mark of a forwarded mail, as Apple's client sets it inside."""
    opening = index == 0 or not lines[index - 1].startswith(">")
    return opening and bool(words.FORWARD.match(lines[index][:WIDTH].lstrip("> ")))


def _heads_bare_text(lines: list[str], index: int) -> bool:
    """Whether a line with `>>>`, as GroupWise writes it, introduces lines that have no mark."""
    if words.ORIGINAL.match(lines[index][:WIDTH]):
        return True
    size = _introduction(lines, index)[1]
    follows = next_filled(lines, index + size)
    return bool(size) and follows < len(lines) and not _is_quoted(lines, follows)


def _after_quote(lines: list[str], index: int) -> int:
    """The index behind a run of quoted lines. A quoted line that was wrapped leaves an unquoted rest between two."""
    while index < len(lines):
        if _is_quoted(lines, index):
            index += 1
            continue
        if not lines[index].strip():
            follows = next_filled(lines, index)
            if follows < len(lines) and _is_quoted(lines, follows) and follows - index <= 2:
                index = follows
                continue
            return index
        if index + 1 < len(lines) and _is_quoted(lines, index + 1) and _is_rest_of_link(lines, index):
            index += 1
            continue
        rest = lines[index][:WIDTH]
        broken = len(lines[index - 1]) > 60 and index + 1 < len(lines) and _is_quoted(lines, index + 1)
        if (
            broken
            and (rest[0].islower() or len(rest.split()) <= 4)
            and not lines[index - 1].rstrip().endswith((".", "!", "?", ":"))
        ):
            index += 1
            continue
        return index
    return index


def _is_rest_of_link(lines: list[str], index: int) -> bool:
    """Whether an unquoted line only ends a link of the quoted line before it, or is nothing but a link."""
    line, before = lines[index][:WIDTH].strip(), lines[index - 1][:WIDTH]
    link = before.rfind("http")
    if link > 0 and before[link - 1] in "(<" and not {")", ">"} & set(before[link:]):
        return line.endswith((")", ">")) and len(line.split()) <= 2
    return bool(_LINK.match(line))


def _introduction(lines: list[str], index: int) -> tuple[str, int]:
    """The own words on the first line of an introduction such as "On … wrote:", and how many lines it has or 0."""
    line = lines[index][:WIDTH].rstrip()
    if not _TELLING.search(line):
        return "", 0
    if ("--" in line or "==" in line) and words.DASHED.match(line):
        return "", 1
    same = words.SAME_LINE.search(line) if "On " in line and "wrote" in line else None
    if same and line[: same.start(1)].strip(" -–—"):
        return line[: same.start(1)].rstrip(" -–—"), 1
    quoted_next = (follows := next_filled(lines, index + 1)) < len(lines) and _is_quoted(lines, follows)
    posted = line.lower().startswith("posted by ")
    if (
        ("@" in line or " via " in line or line.endswith((":", "：")) or posted)
        and words.NAMED.match(line)
        and (quoted_next or words.ADDRESS.search(line) or " via " in line or words.DATED_TIME.search(line) or posted)
    ):
        return "", 1
    if (
        len(line) < 250
        and line.endswith((":", "："))
        and words.ADDRESS.search(line)
        and words.VERB.search(line)
        and re.search(r"\d", line)
    ):
        return "", 1
    if words.DATED_ADDRESS.match(line) and (
        quoted_next or line.endswith((":", "：")) or re.match(r"\d{4}/\d{1,2}/\d|\d{4}-\d\d-\d\d \d\d:\d\d GMT", line)
    ):
        return "", 1
    if (
        len(line) < 160
        and line.endswith((":", "："))
        and "@" in line
        and words.ADDRESS.search(line)
        and words.DATED_TIME.search(line)
    ):
        return "", 1
    if words.CITING.match(line):
        return "", 1
    if "@" in line and len(line) < 250 and words.ADDRESS.search(line) and (size := _address_and_time(lines, index)):
        return "", size
    if not words.OPENER.match(line):
        return (
            ("", 1)
            if quoted_next and len(line) < 160 and line.endswith((":", "：")) and words.VERB.search(line)
            else ("", 0)
        )
    joined = ""
    for size in range(1, _WRAP + 1):
        if index + size > len(lines):
            break
        piece = lines[index + size - 1][:WIDTH].strip()
        if size > 1 and (not piece or (_QUOTED.match(piece) and not piece.rstrip().endswith((":", "：")))):
            # Polymail and others leave blank lines and stray brackets inside.
            if piece or size > 4 or not re.search(r"\d", joined):
                break
            continue
        joined = f"{joined} {piece.lstrip('> ')}".strip()
        if len(joined) > 500:
            break
        if _introduces(joined, lines, index + size):
            return "", size
    return "", 0


def _address_and_time(lines: list[str], index: int) -> int:
    """How many lines, one or two, name an address and a time and end in a colon, above a quotation or behind a verb.

    So clients write in languages that are not known here, and in those that set the sender's name first.
    """
    for size, line in enumerate(lines[index : index + 2], 1):
        ending = line[:WIDTH].rstrip()
        if not ending or len(ending) > 250:
            return 0
        if ending.endswith((":", "：")):
            follows = next_filled(lines, index + size)
            quoted_next = follows < len(lines) and _is_quoted(lines, follows)
            told = any(re.search(r"\d", each) for each in (lines[index][:WIDTH].rpartition("@")[2], ending))
            return size if told and (quoted_next or (size == 2 and words.VERB.search(ending))) else 0
    return 0


def _introduces(joined: str, lines: list[str], after: int) -> bool:
    if not words.ENDING.search(joined[-40:]):
        return False
    if words.TOLD_TO.search(joined):
        follows = next_filled(lines, after)
        return follows < len(lines) and _is_quoted(lines, follows)
    dated = bool(re.search(r"\d", joined))
    addressed = bool(words.ADDRESS.search(joined))
    if words.VERB.search(joined):
        follows = next_filled(lines, after)
        quoted_next = follows < len(lines) and _is_quoted(lines, follows)
        return (dated or addressed or quoted_next) and (
            joined.rstrip(" *_>-").endswith((":", "：")) or quoted_next or addressed or (dated and len(joined) < 200)
        )
    return (
        dated
        and addressed
        and joined.endswith((":", "："))
        and bool(words.DATED_ADDRESS.match(joined) or re.search(r"\d{4}|\d{1,2}[:.]\d\d", joined))
    )


def _without_signature(lines: list[str]) -> list[str]:
    """Without what follows the signature mark (RFC 3676 section 4.3), lists' footers and "Sent from my …" lines."""
    kept: list[str] = []
    after_device = False
    for index, line in enumerate(lines):
        if index == _MAX_LINES:
            return kept + lines[index:]
        short = line[:WIDTH]
        if words.SIGNATURE_MARK.match(short):
            break
        if words.FORWARD.match(short):
            return kept + lines[index:]
        if words.DELIMITER.match(short) and any(
            words.LIST_FOOTER.search(after[:WIDTH]) for after in lines[index + 1 : index + 3]
        ):
            break
        if _is_device_line(short):
            after_device = True
            continue
        if after_device and words.LONE_LINK.match(short):
            continue
        after_device = after_device and not short.strip()
        kept.append(line)
    kept = _without_rule(kept)
    if (
        len(kept) > 2
        and not kept[-2].strip()
        and _NAME.match(kept[-1][:WIDTH])
        and kept[-1].strip(" -–—")[:1].isupper()
    ):
        return kept[:-2]
    return kept


def _is_device_line(line: str) -> bool:
    """Whether a line only says what it was written with: by a known name, or by "Sent from my" and up to four words."""
    if "http" in line:
        if words.OUTLOOK_LINK.match(line):
            return True
        line = _LINK_INSIDE.sub("", _LINKED.sub(r"\1", line))
    if len(line) > 160:
        return False
    if words.SENT_FROM_MY.match(line):
        return True
    return bool(words.SENT_FROM.match(line)) and bool(words.SENT_FROM_DEVICE.search(line))


def _without_rule(lines: list[str]) -> list[str]:
    end = len(lines)
    while end and (not lines[end - 1].strip() or words.DELIMITER.match(lines[end - 1][:WIDTH])):
        end -= 1
    return lines[:end]


def _first_characters(lines: list[str], count: int) -> list[str]:
    """As many whole lines as hold `count` characters that are no blanks."""
    kept: list[str] = []
    for line in lines:
        if count <= 0:
            break
        kept.append(line)
        count -= len("".join(line.split()))
    return kept


def _tidy(lines: list[str]) -> str:
    """Joined, without trailing blanks, rules and more than one blank line where a quotation was cut out."""
    text = "\n".join(line.rstrip() for line in _without_rule(list(lines)))
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n").strip()
