"""The marks that spam filters leave in a header."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inbox.channels.email.reading.parsed import ParsedMail

_SAID = ("x-spam-flag", "x-spam-status", "x-spam", "x-barracuda-spam-flag")
"""SpamAssassin, Rspamd, Barracuda: `Yes`, or `Yes, score=9.1 …`."""
_YES = re.compile(r"\s*(?:yes|true)\b", re.IGNORECASE)
EXCHANGE_LIMIT = 5
"""Exchange's spam confidence level from which it counts as spam."""


def is_marked(parsed: ParsedMail) -> bool:
    """True when a filter has judged it. Whoever forges such a mark harms nobody but himself."""
    if any(_YES.match(value) for name in _SAID for value in parsed.headers.get(name, ())):
        return True
    level = parsed.header("x-ms-exchange-organization-scl").strip()
    return level.isascii() and level.isdigit() and int(level[:3]) >= EXCHANGE_LIMIT
