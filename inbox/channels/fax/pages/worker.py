"""The process in which strangers' documents are opened, with nothing to lose: `python -I worker.py`.

It reads one order and the files from standard input, and writes its findings to standard output, each a line of JSON
with the number of bytes that follow it. Processor time, memory, size of files and open files are limited, and on
Linux it can open no socket (S-19, S-21). Nothing of Django is imported.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[4]))

from core.seclusion import confine

MEMORY = 1536 * 1024 * 1024
"""Address space; a page of PIXELS takes some 200 MB while it is turned into greys."""
FILE_BYTES = 64 * 1024 * 1024
NOT_FOUND = 1


def main() -> None:
    """Carry out one order."""
    order = json.loads(sys.stdin.buffer.readline())
    files = [sys.stdin.buffer.read(each["size"]) for each in order["files"]]
    confine(seconds=order["seconds"], memory=MEMORY, file_bytes=FILE_BYTES, files=64)
    warnings.simplefilter("error")  # Pillow only warns of a picture above its limit
    found: Iterator[tuple[dict[str, Any], bytes]]
    if order["do"] == "read":
        from inbox.channels.fax.pages.opening import read

        found = read(order, files)
    else:
        from inbox.channels.fax.pages.making import make

        found = make(order, files)
    for head, content in found:
        sys.stdout.buffer.write(json.dumps({**head, "size": len(content)}).encode() + b"\n" + content)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
