"""Which parts are the message and which are files, and the text of the message."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from core.html import linkify, to_text
from inbox.channels.base import InboundFile

from . import charsets, files, headers, transfer
from .parsed import Part
from .structure import Node, Tree

_SIGNATURE = re.compile(r"^-- ?$")


@dataclass(slots=True)
class Leaf:
    """One decoded leaf and the node it came from."""

    node: Node
    part: Part
    content_id: str
    packed: list[tuple[str, bytes]]
    """Files that were set into the words themselves: name and bytes."""


@dataclass(slots=True)
class Body:
    """What a sub-tree says: its text, its HTML, and the files beside them."""

    text: str = ""
    html: str = ""
    files: list[InboundFile] = field(default_factory=list)


def read_leaf(tree: Tree, node: Node, hint: str, errors: list[str]) -> Leaf:
    """Decode one leaf. What cannot be decoded is kept as it is, and said in `errors`."""
    raw_disposition = node.raw("content-disposition")
    disposition = ""
    parameters: dict[str, str] = {}
    if raw_disposition is not None:
        word = re.split(rb"[;\s]", raw_disposition.strip(), maxsplit=1)[0].strip(b'"').lower()
        disposition = (
            "inline" if word == b"inline" else "attachment" if word in (b"attachment", b"attached", b"attach") else ""
        )
        parameters = headers.parameters(raw_disposition, hint)
    name = files.given_name(parameters, node.parameters) if parameters or node.parameters else ""
    location = node.raw("content-location")
    if not name and location and b":" not in location:
        name = files.display_name(headers.value(location, hint))
    kind = node.content_type
    if disposition == "attachment" and node.raw("content-type") is None:
        kind = "application/octet-stream"
    encoding = (node.raw("content-transfer-encoding") or b"").decode("latin-1")
    content = tree.raw[node.start : node.end]
    if encoding and encoding[0] not in "78":
        content, good = transfer.decode(content, encoding, kind.startswith("text/"))
        if not good:
            errors.append(f"encoding:{encoding.strip()[:40]}")
    charset = node.parameters.get("charset", "")
    text = ""
    packed: list[tuple[str, bytes]] = []
    if kind == "text/plain" and b"=ybegin " in content:
        content, packed = transfer.yencoded(content)
    if kind.startswith(("text/", "message/")):
        text, whole = charsets.decode(content, charset or _declared_in_html(kind, content), hint)
        if not whole and kind in ("text/plain", "text/html"):
            errors.append(f"charset:{charset[:40]}")
        text = charsets.with_plain_line_ends(text)
    content_id = headers.value(node.raw("content-id") or b"").strip("<> ") if node.raw("content-id") else ""
    part = Part(
        files.safe_type(kind),
        content,
        text,
        charsets.label(charset) if charset else "",
        disposition,
        name,
        node.path,
        node.parent,
    )
    return Leaf(node, part, content_id, packed)


def _declared_in_html(kind: str, content: bytes) -> str:
    if kind != "text/html":
        return ""
    found = re.search(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([A-Za-z0-9_:.-]+)", content[:4000], re.IGNORECASE)
    return found[1].decode("ascii") if found else ""


def assemble(root: Node, leaves: list[Leaf]) -> Body:
    """Fold the tree into one body. Depth is bounded by the splitter, so this may recurse."""
    by_node = {id(leaf.node): leaf for leaf in leaves}
    first = leaves[0] if leaves else None
    body = _fold(root, by_node, first)
    body.text = body.text.strip("\n")
    if not body.text.strip() and body.html:
        body.text = to_text(body.html)
    return body


def _fold(node: Node, by_node: dict[int, Leaf], first: Leaf | None) -> Body:
    if not node.children:
        leaf = by_node.get(id(node))
        return _of_leaf(leaf, leaf is first) if leaf else Body()
    bodies = [_fold(child, by_node, first) for child in node.children]
    body = Body(files=[file for each in bodies for file in each.files])
    if node.content_type == "multipart/alternative":
        # The last one that has it is the richest (RFC 2046, 5.1.4). Several plain ones are no alternatives to each
        # other, so all are kept.
        body.text = "\n".join(
            dict.fromkeys(each.text.strip("\n") for each in bodies if each.text.strip() and not each.html)
        )
        body.text = body.text or next((each.text for each in reversed(bodies) if each.text.strip()), "")
        body.html = next((each.html for each in reversed(bodies) if each.html.strip()), "")
        return body
    said = [each for each in bodies if each.text.strip() or each.html.strip()]
    if any(each.html for each in said):
        body.html = "\n".join(
            each.html or f'<div style="white-space:pre-wrap">{linkify(each.text)}</div>' for each in said
        )
    if any(each.text.strip() for each in said):
        body.text = "\n".join((each.text if each.text.strip() else to_text(each.html)).strip("\n") for each in said)
    return body


def _of_leaf(leaf: Leaf, first: bool) -> Body:
    part = leaf.part
    kind = part.content_type
    # Some programs name even the words of the sender. A later text with a name is a file.
    named_file = bool(part.name) and not (first or part.parent == "multipart/alternative")
    if kind == "text/html" and part.disposition != "attachment" and not named_file:
        return Body(html=part.text)
    rich = kind in ("text/enriched", "text/richtext") and (first or part.parent == "multipart/alternative")
    if (kind == "text/plain" or rich) and part.disposition != "attachment" and not named_file:
        text = part.text
        if rich:
            text = to_text(re.sub(r"<<", "&lt;", text))
        elif leaf.node.parameters.get("format", "").strip().lower() == "flowed":
            text = unflow(text, leaf.node.parameters.get("delsp", "").strip().lower() == "yes")
        body = _with_uuencoded(text)
        body.files.extend(_packed_file(name, content) for name, content in leaf.packed)
        return body
    if part.parent == "multipart/alternative" and kind in ("text/x-amp-html", "text/watch-html"):
        return Body()
    name = part.name
    if not name and kind == "message/rfc822":
        name = files.name_after_subject(_subject_of(part.content))
    return Body(files=[InboundFile(name, kind, part.content, leaf.content_id, _is_inline(leaf))])


def _is_inline(leaf: Leaf) -> bool:
    part = leaf.part
    if part.disposition == "attachment":
        return bool(leaf.content_id) and part.parent == "multipart/related"
    return part.disposition == "inline" or (bool(leaf.content_id) and part.parent == "multipart/related")


def _subject_of(content: bytes) -> str:
    raw = headers.split_header(content.lstrip()[:65536]).fields.get("subject")
    return headers.value(raw[0]) if raw else ""


def _packed_file(name: str, content: bytes) -> InboundFile:
    return InboundFile(files.display_name(name), "application/octet-stream", content)


def _with_uuencoded(text: str) -> Body:
    if "\nbegin " not in text and not text.startswith("begin "):
        return Body(text)
    raw = text.encode("utf-8", "surrogatepass")
    blocks = transfer.uuencoded(raw)
    found = [_packed_file(name, data) for name, data, _, _ in blocks]
    for _, _, start, end in reversed(blocks):
        raw = raw[:start] + raw[end:].lstrip(b"\n")
    return Body(raw.decode("utf-8", "surrogatepass"), files=found)


def unflow(text: str, delete_space: bool) -> str:
    """Join the lines that the sender's program wrapped (RFC 3676, 4). Quoted lines keep their marks."""
    out: list[list[str]] = []
    open_depth: int | None = None
    for line in text.split("\n"):
        depth = len(line) - len(line.lstrip(">"))
        marks = line[:depth] + (" " if depth and line[depth:].startswith(" ") else "")
        content = line[depth:].removeprefix(" ")
        flows = content.endswith(" ") and not _SIGNATURE.match(content)
        piece = content[:-1] if flows and delete_space else content
        if open_depth == depth and not _SIGNATURE.match(content):
            out[-1].append(piece)
        else:
            out.append([marks, piece])
        open_depth = depth if flows else None
    return "\n".join("".join(pieces) for pieces in out)
