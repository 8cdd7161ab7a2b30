"""What commands print for other programs: one JSON object a line, whatever stands in it."""

from __future__ import annotations

import json
import re
from typing import Any

from django.core.management.base import OutputWrapper

_ENDS_A_LINE = re.compile("[\x85\u2028\u2029\ud800-\udfff]")
"""What programs that split text into lines split at too, and halves of characters, as in names of files."""


def write(out: OutputWrapper, told: dict[str, Any]) -> None:
    """Print `told` on one line. What the output has no character for is escaped."""
    text = _ENDS_A_LINE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(told, ensure_ascii=False))
    try:
        out.write(text)
    except UnicodeEncodeError:
        out.write(json.dumps(told))
