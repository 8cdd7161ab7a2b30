"""How many bytes a visitor loads for the chat widget."""

from __future__ import annotations

import gzip
import sys

from bench.figure import Figure
from inbox.channels.chat.widget import BUILT


def main(name: str) -> None:
    """The reference is what its sources would be, gzipped file by file as a browser would fetch them."""
    sources = sorted((BUILT.parent / "src").glob("*.*"))
    before = sum(len(gzip.compress(path.read_bytes(), 9, mtime=0)) for path in sources)
    Figure(name, len(gzip.compress(BUILT.read_bytes(), 9, mtime=0)), "bytes gzipped", before, "<= 10000").tell()


if __name__ == "__main__":
    main(sys.argv[1])
