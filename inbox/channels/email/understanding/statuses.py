"""The fields of a delivery status notification (RFC 3464), read leniently."""

from __future__ import annotations

import re
from dataclasses import dataclass

_FIELD = re.compile(r"^([A-Za-z][A-Za-z0-9-]*)[ \t]*:[ \t]*(.*)$")
_MARK = re.compile(r"^[ \t]*(?:final|original)-recipient[ \t]*:", re.IGNORECASE | re.MULTILINE)
_STATUS = re.compile(r"([245])\s*\.\s*(\d{1,3})\s*\.\s*(\d{1,3})")
_XTEXT = re.compile(r"\+([0-9A-F]{2})")
"""As `+` and `=` are written in ORCPT (RFC 3461, 4.2), which some systems repeat without decoding it."""
_ADDRESS = re.compile(r"[^\s<>;,\"'()\[\]:]{1,200}@[^\s<>;,\"'()\[\]:@]{1,200}")
_QUOTED_ADDRESS = re.compile(r"\"[^\"\n]{1,100}\"@[^\s<>;,\"'()\[\]:@]{1,200}")
_FAILURES = frozenset(
    {"failed", "failure", "fail", "delayed", "delay", "bounced", "undeliverable", "error", "expired", "denied"}
)


@dataclass(frozen=True, slots=True)
class Recipient:
    """One recipient group of the report."""

    address: str
    action: str
    status: str = ""
    diagnostic: str = ""
    envelope_token: str = ""


def has_status_fields(text: str) -> bool:
    """True when plain text holds recipient fields of RFC 3464."""
    return bool(_MARK.search(text))


def reported_recipients(text: str) -> tuple[list[Recipient], list[Recipient]]:
    """The recipients that failed or were delayed, and the others (delivered, relayed, expanded)."""
    failed: list[Recipient] = []
    others: list[Recipient] = []
    token = ""
    for fields in _groups(text):
        token = fields.get("original-envelope-id", token)
        if not ({"final-recipient", "original-recipient", "x-actual-recipient"} & fields.keys()):
            continue
        address = ""
        # The original is the address that we wrote to; the final one may be a rewritten alias nobody knows.
        for name in ("original-recipient", "final-recipient", "x-actual-recipient"):
            address = address or _address(fields.get(name, ""))
        final = _address(fields.get("final-recipient", ""))
        if "+" in address and _XTEXT.sub(lambda found: chr(int(found[1], 16)), address) == final:
            address = final
        match = _STATUS.search(fields.get("status", ""))
        status = ".".join(match.groups()) if match else ""
        action = re.split(r"[\s(;,]", fields.get("action", "").strip().lower(), maxsplit=1)[0]
        if not action:
            action = {"2": "delivered", "4": "delayed"}.get(status[:1], "failed")
        diagnostic = re.sub(r"^[\w-]{1,20}\s*;\s*", "", fields.get("diagnostic-code", ""))[:2000]
        if action in _FAILURES:
            action = "delayed" if action.startswith("delay") else "failed"
            failed.append(Recipient(address, action, status, diagnostic, token))
        else:
            others.append(Recipient(address, action[:40], status, diagnostic, token))
    return failed, others


def _groups(text: str) -> list[dict[str, str]]:
    """Groups of unfolded fields, separated by blank lines. A second recipient without a blank line starts a new one."""
    groups: list[dict[str, str]] = [{}]
    name = ""
    for line in text[:400_000].split("\n"):
        if not line.strip():
            if groups[-1]:
                groups.append({})
            name = ""
            continue
        match = _FIELD.match(line.lstrip(" \t")) if not (line[0] in " \t" and name) else None
        if match:
            name = match[1].lower()
            if name == "final-recipient" and name in groups[-1]:
                groups.append({})
            groups[-1].setdefault(name, match[2].strip())
        elif name and line[0] in " \t":
            groups[-1][name] = f"{groups[-1][name]} {line.strip()}".strip()
        else:
            name = ""
    return _rejoin(groups)


def _rejoin(groups: list[dict[str, str]]) -> list[dict[str, str]]:
    """Some systems put blank lines inside one recipient's group: status without recipient belongs to the one before."""
    joined: list[dict[str, str]] = []
    for group in groups:
        recipient = {"final-recipient", "original-recipient"} & group.keys()
        stray = {"action", "status", "diagnostic-code"} & group.keys()
        if (not recipient and stray and joined and not (stray & joined[-1].keys())) or (
            recipient
            and joined
            and {"action", "status"} & joined[-1].keys()
            and not ({"final-recipient", "original-recipient"} & joined[-1].keys())
            and not ({"action", "status"} & group.keys())
        ):
            joined[-1].update(group)
        else:
            joined.append(group)
    return joined


def _address(value: str) -> str:
    """The address in `rfc822; a@b`, `<a@b>`, `rfc822;rfc822;a@b`, `X400; …` (no address) and the like."""
    kind, separator, rest = value.partition(";")
    text = rest if separator else value
    if separator and kind.strip().lower() in ("x400", "x-local", "system") and "@" not in rest:
        return ""
    match = _QUOTED_ADDRESS.search(text) or _ADDRESS.search(text)
    return match[0].strip(".") if match else ""


__all__ = ["Recipient", "has_status_fields", "reported_recipients"]
