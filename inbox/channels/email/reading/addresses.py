"""Address lists (RFC 5322, 3.4) as they are really written: groups, comments, bare names, commas in encoded words."""

from __future__ import annotations

import re
from functools import lru_cache

from inbox.channels.base import Address

from .headers import as_text, decode_words, tidy, unfold

LIMIT = 1000
"""Addresses of one field that are read."""
NAME_LIMIT = 300
ADDRESS_LIMIT = 320
"""Longest address there can be: 64 of local part, `@`, 255 of domain (RFC 5321, 4.5.3.1)."""

BARE_LIMIT = 2000
"""Characters of a mailbox without angle brackets in which its address is looked for: the search is quadratic."""

_TOKEN = re.compile(
    r"""(?P<word>=\?[^?\s]{1,75}\?[bBqQ]\?[^?]{0,998}\?=)
      | (?P<quoted>"(?:[^"\\]|\\.)*")
      | (?P<angle><[^<>]*>)
      | (?P<comment>\((?:[^()\\]|\\.|\((?:[^()\\]|\\.)*\))*\))
      | (?P<mark>[,;:])
      | (?P<space>\s+)
      | (?P<plain>[^\s",;:<>()=]+|.)""",
    re.VERBOSE | re.DOTALL,
)
_ADDRESS = re.compile(r"[^\s<>\"(),;:]+@[^\s<>\"(),;:@]+")
_MAILBOX_FOLLOWS = re.compile(r"\s*[^\s,;:@<>\"][^,;:@<>\"]{0,60}<[^<>\s]+@[^<>\s]+>")
"""The rest of a name and an address in angle brackets."""
_ODD = re.compile(r"[\s<>,;:\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")
_BRACKETED = re.compile(r"(?<!@)\[(?:mailto:)?([^\[\]\s]+@[^\[\]\s]+)\]$", re.IGNORECASE)
"""As Outlook shows an address when it quotes."""
_EMBEDDED = re.compile(r"^(.*?)<\s*([^<>\s]+@[^<>\s]+)\s*>\s*$", re.DOTALL)


def read_list(raw: bytes, hint: str = "") -> tuple[Address, ...]:
    """Every mailbox of an address field, in order. Groups are taken apart; their names and empty ones are dropped."""
    return _read_short(raw, hint) if len(raw) < 500 else _read(raw, hint)


def _read(raw: bytes, hint: str) -> tuple[Address, ...]:
    text = unfold(as_text(raw, hint)).strip()
    if text.count("\\") > 1000:
        text = text.replace("\\", "")  # each open quote would be searched to the end again
    found: list[Address] = []
    entry = _Entry()
    for token in _TOKEN.finditer(text):
        kind, piece = token.lastgroup, token[0]
        if kind == "mark" and (piece != ":" or entry.can_be_group):
            if piece == "," and entry.can_be_surname and _MAILBOX_FOLLOWS.match(text, token.end()):
                entry.add("plain", piece)
                continue
            if piece != ":":
                entry.finish(found)
            entry = _Entry()
            if len(found) >= LIMIT:
                break
        else:
            if kind == "angle" and "@" in piece and entry.has_address:
                entry = entry.split(found)
            entry.add(kind or "", piece)
    entry.finish(found)
    return tuple(found[:LIMIT])


_read_short = lru_cache(maxsize=2048)(_read)


def is_mailbox(address: str) -> bool:
    """Whether mail can be sent there and somebody be identified by it. Strict: an odd address identifies nobody."""
    local, _, domain = address.rpartition("@")
    return bool(local and domain) and "@" not in local and _ODD.search(address) is None


class _Entry:
    """The pieces of one mailbox while it is being read."""

    def __init__(self) -> None:
        self.name: list[tuple[str, str]] = []
        self.angle: str | None = None
        self.before_angle = 0
        """How many pieces of the name stood before the address."""
        self.comments: list[str] = []

    @property
    def has_address(self) -> bool:
        """Whether an address in angle brackets was met: a second one is somebody else, without a comma between them."""
        return self.angle is not None and "@" in self.angle

    @property
    def can_be_surname(self) -> bool:
        """Whether a comma behind this may be part of a name that should have been quoted: `Doe, Jane <j@d>`."""
        if self.angle is not None:
            return False
        name = decode_words("".join(piece for kind, piece in self.name if kind in ("plain", "word", "space")))
        return bool(name.strip()) and not name.islower() and "@" not in name

    def split(self, found: list[Address]) -> _Entry:
        """End this mailbox and begin the next with the words that stand behind this one's address."""
        following = _Entry()
        following.name = self.name[self.before_angle :]
        del self.name[self.before_angle :]
        self.finish(found)
        return following

    @property
    def can_be_group(self) -> bool:
        """A colon ends a group's name only before any address (`mailto:` is the exception people type)."""
        return self.angle is None and not any("@" in piece or piece == "[mailto" for _, piece in self.name)

    def add(self, kind: str, piece: str) -> None:
        if kind == "comment":
            self.comments.append(piece[1:-1])
        elif kind == "angle" and (self.angle is None or "@" not in self.angle):
            self.angle, self.before_angle = piece[1:-1], len(self.name)
        elif kind == "plain" and piece == "<" and self.angle is None:
            self.name.append(("open", "<"))
        elif kind != "angle":
            self.name.append((kind, piece))

    def finish(self, found: list[Address]) -> None:
        words = [piece for kind, piece in self.name if kind != "space"] if self.angle is None else []
        if len(words) > 1 and all(_ADDRESS.fullmatch(word) for word in words):
            found.extend(Address(tidy(word)) for word in words if len(word) <= ADDRESS_LIMIT)
            return
        address, name = self._resolve()
        address = tidy(address)[: ADDRESS_LIMIT + 1]
        if not address or len(address) > ADDRESS_LIMIT:
            return
        found.append(Address(address, tidy(name).strip()[:NAME_LIMIT]))

    def _resolve(self) -> tuple[str, str]:
        if self.angle is not None:
            return _clean_address(self.angle), self._name(self.name) or self._comment()
        opened = next((index for index, (kind, _) in enumerate(self.name) if kind == "open"), None)
        if opened is not None:
            rest = "".join(piece for _, piece in self.name[opened + 1 :]).strip()
            return _clean_address(rest), self._name(self.name[:opened]) or self._comment()
        whole = _BRACKETED.sub(r"<\1>", "".join(piece for _, piece in self.name)[:BARE_LIMIT]).strip()
        if not whole:
            return "", ""
        if "@" not in whole:
            decoded = decode_words(whole)
            inside = _EMBEDDED.match(decoded)
            if inside:
                return inside[2], inside[1].strip(' "')
            if _ADDRESS.fullmatch(decoded.strip()):
                return decoded.strip(), self._comment()
            if decoded == whole and not re.search(r"\s", whole) and '"' not in whole:
                return whole, self._comment()  # a local account, such as MAILER-DAEMON
            return "", ""
        if re.fullmatch(r'"[^"]+"@[^\s@]+', whole):
            return whole.rstrip(">"), self._comment()
        unquoted = whole.strip("\"' ")
        if _ADDRESS.fullmatch(unquoted):
            return unquoted, self._comment()
        closed_up = re.sub(r"\s*([@.])\s*", r"\1", unquoted)
        if _ADDRESS.fullmatch(closed_up):
            return closed_up, self._comment()
        inside = _EMBEDDED.match(decode_words(unquoted))
        if inside:
            return inside[2], inside[1].strip(' "')
        bare = list(_ADDRESS.finditer(closed_up))
        if bare:
            last = bare[-1]
            name = (closed_up[: last.start()] + closed_up[last.end() :]).strip(" <>\"'")
            return last[0].strip("'"), decode_words(name) or self._comment()
        return "", ""

    def _name(self, pieces: list[tuple[str, str]]) -> str:
        out = []
        for kind, piece in pieces:
            out.append(re.sub(r"\\(.)", r"\1", piece[1:-1]) if kind == "quoted" else piece)
        name = decode_words("".join(out)).strip()
        if all(kind != "quoted" for kind, _ in pieces):
            name = name.strip("<>").strip()
        if name.count('"') == 1:
            name = name.strip('" ')
        if len(name) > 1 and name[0] == name[-1] and name[0] in "\"'":
            name = name[1:-1].strip()
        return re.sub(r"\s+", " ", name).strip("，；、 ")

    def _comment(self) -> str:
        return (
            decode_words(" ".join(comment.strip() for comment in self.comments if comment.strip()))
            .replace("\\", "")
            .strip()
            .strip('"')
        )


def _clean_address(inside: str) -> str:
    """What stands in angle brackets, without a source route (RFC 5322, 4.4), comments and stray spaces."""
    text = re.sub(r"\([^()]*\)", "", inside).strip()
    if text.startswith("@") and ":" in text:
        text = text.rpartition(":")[2]
    if text[:7].lower() == "mailto:":
        text = text[7:]
    if text.startswith('"') and '"@' in text:
        return text
    text = text.strip("\"' ")
    if "=?" in text:
        decoded = decode_words(text)
        text = decoded if _ADDRESS.fullmatch(decoded) else text
    return re.sub(r"\s+", "", text)
