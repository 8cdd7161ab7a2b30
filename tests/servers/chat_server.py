"""A small server of the chat's protocol that can be told to misbehave. An ASGI application for one process.

`POST /control` takes commands: `{"set": {…}}` changes `PLAN`, `{"answer": text}` lets an agent speak, `{"push": frame}`
sends any frame, `{"cut": code}` closes all sockets. `GET /control` gives what was received.
"""

from __future__ import annotations

import contextlib
import io
import json
import uuid
from datetime import UTC, datetime
from email.message import Message as Headers
from email.parser import BytesParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from autobahn.exception import Disconnected
from django.conf import settings
from PIL import Image

from inbox.channels.chat.texts import TEXTS

SCRIPT = Path(__file__).resolve().parents[2] / "inbox/channels/chat/static/chat/widget.js"
LOOK = {
    "colour": "#0b5cad",
    "position": "right",
    "theme": "light",
    "launcher": "",
    "title": "Halden",
    "welcome": "Hello! What can we do for you?",
}
PLAN: dict[str, Any] = {
    "socket": True,  # sockets are let in
    "http": True,  # say and events answer over HTTP
    "lost": 0,  # so many messages are stored, but their acknowledgement is lost
    "acks": 1,  # how often one is acknowledged
    "echo": 1,  # how often each event is pushed
    "refuse": None,  # a problem that `say` gets
    "session": None,  # a problem that `session` gets
    "expired": False,  # the next request is told that its token has ended
    "duty": "open",
    "agent": None,
    "can": {"files": True, "callback": True, "rating": True, "transcript": True},
    "person": {"name": "", "email": False, "identified": False},
    "look": {},
    "texts": {},
    "locale": "en",
    "wait": 0,
    "page": 50,
}
FIRST = dict(PLAN)
EVENTS: list[dict[str, Any]] = []
RECEIVED: list[dict[str, Any]] = []
SOCKETS: set[Any] = set()
STATE: dict[str, Any] = {"status": "ended", "seen": 0, "tokens": 0}
if not settings.configured:
    settings.configure(USE_I18N=False)
WORDS = {name: str(text) for name, text in TEXTS.items()}


def picture() -> bytes:
    found = io.BytesIO()
    Image.new("RGB", (160, 120), "#8a5a2b").save(found, "PNG")
    return found.getvalue()


def state() -> dict[str, Any]:
    found = {"duty": PLAN["duty"], "agent": PLAN["agent"], "typing": False, **STATE}
    del found["tokens"]
    return {**found, "wait": PLAN["wait"]} if PLAN["wait"] else found


def after(number: int) -> dict[str, Any]:
    return {"seq": len(EVENTS), "events": [e for e in EVENTS if e["seq"] > number], **state()}


async def everybody(frame: dict[str, Any], times: int = 1) -> None:
    for send in list(SOCKETS):
        # A page that was closed this moment: the line is down before its end was told to us.
        with contextlib.suppress(Disconnected):
            for _ in range(times):
                await send({"type": "websocket.send", "text": json.dumps(frame)})


async def add(kind: str, text: str, **more: Any) -> int:
    event = {
        "seq": len(EVENTS) + 1,
        "kind": kind,
        "id": "",
        "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "text": text,
        "html": "<img src=x onerror='window.__xss=1'>",
        "agent": None,
        "files": [],
        "state": "",
    }
    EVENTS.append({**event, **more})
    await everybody({"about": "events", "seq": len(EVENTS), "events": EVENTS[-1:]}, PLAN["echo"])
    return len(EVENTS)


async def store(name: str, text: str, files: list[dict[str, Any]]) -> int:
    """Once for each client id, however often it comes."""
    for event in EVENTS:
        if event["id"] == name:
            return event["seq"]
    started = STATE["status"] != "open"
    STATE["status"] = "open"
    seq = await add("said", text, id=name, files=files)
    if started:
        await everybody({"about": "state", **state()})
    return seq


async def body_of(receive: Any) -> bytes:
    body, more = b"", True
    while more:
        part = await receive()
        body, more = body + part.get("body", b""), part.get("more_body", False)
    return body


def session(said: dict[str, Any]) -> dict[str, Any]:
    token = said.get("token")
    if not token or PLAN["expired"]:
        PLAN["expired"] = False
        STATE["tokens"] += 1
        token = f"token-{STATE['tokens']}"
    talk = None
    if EVENTS:
        talk = {**after(max(0, len(EVENTS) - PLAN["page"])), "more": len(EVENTS) > PLAN["page"]}
    return {
        "token": token,
        "locale": PLAN["locale"],
        "texts": {**WORDS, **PLAN["texts"]},
        "look": {**LOOK, **PLAN["look"]},
        "limits": {"text": 5000, "file": 1_000_000, "files": 5},
        "conversation": talk,
        **{name: PLAN[name] for name in ("duty", "can", "person")},
    }


async def answer(path: str, query: dict[str, list[str]], headers: Headers, body: bytes) -> tuple[int, Any]:
    """Status and JSON, or bytes of a file, for one request of the widget."""
    said = json.loads(body) if body.startswith(b"{") else {}
    entry = {"door": "http", "path": path, "authorization": headers["authorization"], "cookie": headers["cookie"]}
    RECEIVED.append({**entry, "said": said, "query": query})
    if path == "session":
        return (PLAN["session"]["status"], PLAN["session"]) if PLAN["session"] else (200, session(said))
    if PLAN["expired"]:
        return 401, {"code": "token", "title": "Over."}
    if not PLAN["http"] and path in ("say", "events", "file"):
        return 503, {"code": "later", "title": "One moment."}
    if path == "events" and "before" in query:
        bound = int(query["before"][0])
        found = [e for e in EVENTS if e["seq"] < bound]
        return 200, {"seq": len(EVENTS), "events": found[-PLAN["page"] :], "more": len(found) > PLAN["page"]}
    if path == "events":
        return 200, after(int(query["after"][0]))
    if path == "say":
        if PLAN["refuse"]:
            return PLAN["refuse"]["status"], PLAN["refuse"]
        seq = await store(said["id"], said["text"], [])
        if PLAN["lost"]:
            PLAN["lost"] -= 1
            return 502, {}
        return 200, {"seq": seq}
    if path == "file":
        form = BytesParser().parsebytes(b"Content-Type: " + headers["content-type"].encode() + b"\r\n\r\n" + body)
        parts = {p.get_param("name", header="content-disposition"): p for p in form.get_payload()}
        sent = parts["file"]
        name, size = sent.get_filename(), len(sent.get_payload(decode=True))
        file = {"id": uuid.uuid4().hex, "name": name, "type": sent.get_content_type(), "size": size}
        file["image"] = str(name).endswith(".png")
        return 200, {"seq": await store(parts["id"].get_payload(), "", [file])}
    if path.startswith("file/"):
        return 200, picture()
    if path == "end":
        STATE["status"] = "ended"
        await add("note", "You ended the chat.")
        await everybody({"about": "state", **state()})
    if path == "person":
        PLAN["person"] = {**PLAN["person"], "email": True}
    if path == "transcript":
        return 200, {"done": "confirm" if said.get("email") else "sent"}
    if path == "form":
        return 200, {"done": "confirm"}
    if path == "callback" and not body:
        return 200, {"times": ["2026-12-01T09:00:00+01:00", "2026-12-01T09:30:00+01:00"]}
    if path == "callback":
        return 200, {"at": said["at"]}
    return 204, None


async def control(body: bytes) -> Any:
    said = json.loads(body or b"{}")
    if said.get("fresh"):
        PLAN.clear()
        PLAN.update(FIRST)
        STATE.update(status="ended", seen=0)
        EVENTS.clear()
        RECEIVED.clear()
    PLAN.update(said.get("set", {}))
    STATE.update(said.get("state", {}))
    if "answer" in said:
        await add("answer", said["answer"], **{"agent": PLAN["agent"], **said.get("more", {})})
    if "add" in said:
        await add(**said["add"])
    if "push" in said:
        await everybody(said["push"])
    if "tell" in said:
        await everybody({"about": "state", **state()})
    if "cut" in said:
        while SOCKETS:  # what is said from now on goes to none of them: the connection is gone before it tells us so
            await SOCKETS.pop()({"type": "websocket.close", "code": said["cut"]})
    return {"received": RECEIVED, "events": EVENTS, "sockets": len(SOCKETS)}


async def http(scope: dict[str, Any], receive: Any, send: Any) -> None:
    body = await body_of(receive)
    headers = Headers()
    for name, value in scope["headers"]:
        headers[name.decode()] = value.decode("latin-1")
    status, content, kind = 404, b"", "application/json"
    path = scope["path"]
    if scope["method"] == "OPTIONS":
        status = 204
    elif path == "/widget.js":
        status, content, kind = 200, SCRIPT.read_bytes(), "text/javascript"
    elif path == "/control":
        status, content = 200, json.dumps(await control(body)).encode()
    elif path.startswith("/chat/v1/"):
        query = parse_qs(scope["query_string"].decode())
        status, found = await answer(path.split("/", 4)[4], query, headers, body)
        content = found if isinstance(found, bytes) else json.dumps(found).encode() if status != 204 else b""
        kind = "image/png" if isinstance(found, bytes) else kind
    sent = {
        "content-type": kind,
        "access-control-allow-origin": headers["origin"] or "*",
        "access-control-allow-headers": "authorization, content-type",
        "cross-origin-resource-policy": "cross-origin",
    }
    raw = [(name.encode(), value.encode()) for name, value in sent.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": content})


async def websocket(receive: Any, send: Any) -> None:
    await receive()
    if not PLAN["socket"]:
        await send({"type": "websocket.close", "code": 4403 if PLAN["socket"] is None else 1011})
        return
    await send({"type": "websocket.accept"})

    async def tell(frame: dict[str, Any]) -> None:
        await send({"type": "websocket.send", "text": json.dumps(frame)})

    try:
        while (event := await receive())["type"] == "websocket.receive":
            said = json.loads(event["text"])
            RECEIVED.append({"door": "socket", "said": said})
            if PLAN["socket"] == "deaf":
                continue
            if said["do"] == "hello":
                if PLAN["expired"]:
                    await send({"type": "websocket.close", "code": 4401})
                    return
                SOCKETS.add(send)
                await tell({"about": "ready", **after(said["after"])})
            elif said["do"] == "ping":
                await tell({"about": "pong"})
            elif said["do"] == "say" and PLAN["refuse"]:
                told = {"code": PLAN["refuse"]["code"], "text": PLAN["refuse"]["title"]}
                await tell({"about": "refused", "id": said["id"], **told})
            elif said["do"] == "say":
                seq = await store(said["id"], said["text"], [])
                if PLAN["lost"]:
                    PLAN["lost"] -= 1
                    continue
                for _ in range(PLAN["acks"]):
                    await tell({"about": "said", "id": said["id"], "seq": seq})
    finally:
        SOCKETS.discard(send)


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await http(scope, receive, send)
    elif scope["type"] == "websocket":
        await websocket(receive, send)
