"""Build the chat widget: all modules of its sources in one script, minified. `--check` only says whether that is done.

The sources are plain ES modules and one style sheet, and the order below is the order of their imports. Imports and
exports are taken out, everything is put into one function, and tdewolff-minify shortens what is left.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from pathlib import Path

import minify

FOLDER = Path(__file__).resolve().parent.parent / "inbox/channels/chat/static/chat"
BUILT = FOLDER / "widget.js"
ORDER = (
    "page.js",
    "memory.js",
    "words.js",
    "http.js",
    "state.js",
    "session.js",
    "line.js",
    "outbox.js",
    "dom.js",
    "look.js",
    "files.js",
    "log.js",
    "forms.js",
    "panel.js",
    "main.js",
)
LIMIT = 10_000
"""Bytes, gzipped: all that a visitor loads."""

_IMPORT = re.compile(r'^import (?:\{([^}]*)\}|(\w+)) from "\./([\w.]+)";\n', re.MULTILINE)
_DECLARED = re.compile(r"^(?:export )?(?:const|let|class|function) (?:\{([^}]*)\}|(\w+))", re.MULTILINE)


class WrongModule(Exception):
    """A module that cannot be put into one function with the others; the text says which and why."""


def bundle() -> str:
    """All modules as one function, readable. Raises WrongModule for a name declared twice or imported from nowhere."""
    parts: list[str] = []
    declared: dict[str, str] = {}
    exported: dict[str, set[str]] = {}
    for module in ORDER:
        text = (FOLDER / "src" / module).read_text(encoding="utf-8")
        for names, default, source in _IMPORT.findall(text):
            if source.endswith(".css"):
                css = (FOLDER / "src" / source).read_text(encoding="utf-8")
                parts.append(f"const {default} = {json.dumps(minify.string('text/css', css), ensure_ascii=False)};\n")
                continue
            wanted = {name.strip() for name in names.split(",") if name.strip()}
            if missing := wanted - exported.get(source, set()):
                raise WrongModule(f"{module} imports {', '.join(sorted(missing))} from {source}, which has none before")
        body = _IMPORT.sub("", text)
        for found in _DECLARED.finditer(body):
            for name in (found[1] or found[2]).split(","):
                name = name.strip()
                if name in declared:
                    raise WrongModule(f"{name} is declared in {declared[name]} and in {module}")
                declared[name] = module
                if found[0].startswith("export "):
                    exported.setdefault(module, set()).add(name)
        parts.append(re.sub(r"^export (?=const|let|class|function)", "", body, flags=re.MULTILINE))
        if re.search(r"^(?:import|export)\b", parts[-1], re.MULTILINE):
            raise WrongModule(f"{module} has an import or export of another form")
    return "(() => {\n" + "".join(parts) + "})();\n"


def build() -> bytes:
    """The script as it is served."""
    return minify.string("text/javascript", bundle()).encode() + b"\n"


def gzipped(content: bytes) -> int:
    """Bytes over the wire."""
    return len(gzip.compress(content, 9, mtime=0))


def main(arguments: list[str]) -> int:
    """Write the script; with `--check`, 1 when the one in the tree is not what the sources give."""
    content = build()
    if "--check" in arguments:
        return int(BUILT.read_bytes() != content)
    BUILT.write_bytes(content)
    print(f"{BUILT.name}: {len(content)} bytes, {gzipped(content)} gzipped (at most {LIMIT})")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
