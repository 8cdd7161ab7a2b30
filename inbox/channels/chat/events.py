"""What a visitor is told of his talk: public fields and nothing else (S-79). `docs/chat.md` describes each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any, TypedDict

from django.urls import reverse
from django.utils.translation import gettext as _

from core.html import linkify
from core.tokens import sign, verify
from crm.organisation.models import User
from crm.service.models import TicketEvent
from inbox import downloads
from inbox.models import Attachment, Conversation, Message
from inbox.models.chat import TALK_SPAN
from inbox.services import chats

PAGE = 50
"""Events of one page of the past."""
MOST = 200
"""Events given at once; who is further behind asks again."""
PICTURES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp"})
_FILE = "chat file"


class Agent(TypedDict):
    """A colleague as visitors see him."""

    name: str
    picture: str | None
    initials: str


class File(TypedDict):
    """One file of a message; `id` is for `GET file/<id>`."""

    id: str
    name: str
    type: str
    size: int
    image: bool


class Event(TypedDict):
    """One line of the talk."""

    seq: int
    kind: str
    id: str
    at: str
    text: str
    html: str
    agent: Agent | None
    files: list[File]
    state: str


def agent_of(user: User | None) -> Agent | None:
    """Name and initials; never an address (S-79). Who has given no name is called by a general one."""
    if user is None:
        return None
    name = user.name.strip() or _("Our team")
    words = name.split()
    initials = words[0][:1] + (words[-1][:1] if len(words) > 1 and words[-1][:1].isascii() else "")
    picture = reverse("chat:agent", args=[user.portrait_mark]) if user.portrait_mark else None
    return {"name": name, "picture": picture, "initials": initials.upper()}


def of_talks(after: Mapping[int, int], talks: Collection[Conversation]) -> dict[int, list[Event]]:
    """The events of each talk above the visitor's number in `after`, oldest first, by key of the talk.

    Few statements, however many talks.
    """
    behind = {talk.pk: max(0, after.get(talk.pk, 0) - talk.base) for talk in talks}
    by_ticket = {talk.ticket_id: talk for talk in talks}
    found: dict[int, list[Event]] = {talk.pk: [] for talk in talks}
    if not talks:
        return found
    least = min(behind.values())
    rows = Message.objects.filter(ticket_id__in=by_ticket, seq__gt=least, kind__in=Message.PUBLIC, hidden=False)
    messages = list(rows.select_related("author").order_by("ticket_id", "seq"))
    files = _files_of(messages)
    for message in messages:
        talk = by_ticket[message.ticket_id]
        if message.seq > behind[talk.pk] and chats.messages_for(talk, [message]):
            found[talk.pk].append(said(message, talk.base, talk.agent_seen, files[message.pk]))
    history = TicketEvent.objects.filter(ticket_id__in=by_ticket, seq__gt=least, what__in=_NOTES).order_by("seq")
    for line in history:
        talk = by_ticket[line.ticket_id]
        if line.seq > behind[talk.pk] and (note := _note(line, talk)):
            found[talk.pk].append(note)
    for events in found.values():
        events.sort(key=lambda event: event["seq"])
        del events[MOST:]
    return found


def newest(talk: Conversation) -> tuple[list[Event], bool]:
    """The last events of the visitor, and whether there are earlier ones."""
    return before(talk, (talk.number + 1) * TALK_SPAN)


def before(talk: Conversation, seq: int) -> tuple[list[Event], bool]:
    """Up to 50 events below the visitor's number, oldest first, through his earlier talks; whether more come before."""
    number = min(talk.number, max(0, seq - 1) // TALK_SPAN)
    earlier = Conversation.objects.filter(visitor=talk.visitor_id, number__lte=number).order_by("-number")
    found: list[Event] = []
    for each in earlier.select_related("ticket")[:PAGE]:
        each.visitor = talk.visitor
        found = _below(each, seq - each.base) + found
        if len(found) > PAGE:
            break
    return found[-PAGE:], len(found) > PAGE


def _below(talk: Conversation, bound: int) -> list[Event]:
    rows = Message.objects.filter(ticket=talk.ticket_id, seq__lt=bound, kind__in=Message.PUBLIC, hidden=False)
    newest = list(rows.select_related("author").order_by("-seq")[: 2 * PAGE])
    files = _files_of(newest)
    lines = TicketEvent.objects.filter(ticket=talk.ticket_id, seq__lt=bound, what__in=_NOTES).order_by("-seq")[:PAGE]
    own = chats.messages_for(talk, newest)
    events = [said(message, talk.base, talk.agent_seen, files[message.pk]) for message in own]
    events += [note for line in lines if (note := _note(line, talk))]
    return sorted(events, key=lambda event: event["seq"])[-PAGE - 1 :]


def _files_of(messages: Collection[Message]) -> dict[int, list[Attachment]]:
    """The files of each, by key of the message."""
    found: dict[int, list[Attachment]] = defaultdict(list)
    for file in Attachment.objects.filter(message__in=messages):
        found[file.message_id].append(file)
    return found


def said(message: Message, base: int, agent_seen: int = 0, files: Collection[Attachment] = ()) -> Event:
    """One message, as its visitor is told of it; `base` and `agent_seen` are those of its talk."""
    kinds = {Message.Kind.INBOUND: "said", Message.Kind.OUTBOUND: "answer"}
    kind = kinds.get(Message.Kind(message.kind), "auto")
    state = ""
    if kind == "said":
        state = "read" if message.seq <= agent_seen else "sent"
    return {
        "seq": base + message.seq,
        "kind": kind,
        "id": str(message.facts.get("client_id", "")) if kind == "said" else "",
        "at": message.at.isoformat(timespec="milliseconds"),
        "text": message.text,
        "html": str(linkify(message.text, "<br>")),
        "agent": agent_of(message.author) if kind == "answer" else None,
        "files": [_file(file) for file in files],
        "state": state,
    }


def _file(file: Attachment) -> File:
    name = downloads.safe_name(file.name)
    suffix = "." + name.rpartition(".")[2].lower()
    return {
        "id": sign(_FILE, f"f-{file.pk}"),
        "name": name,
        "type": downloads.type_of(name),
        "size": file.size,
        "image": suffix in PICTURES,
    }


def file_of(mark: str) -> int:
    """The key of the attachment that a file's id stands for; 0 for an id that is not ours."""
    payload = verify(_FILE, mark) or ""
    key = payload.removeprefix("f-")
    return int(key) if key.isdigit() and len(key) < 18 else 0


_NOTES = ("assignee", "chat-ended")


def _note(line: TicketEvent, talk: Conversation) -> Event | None:
    """A line of the history that concerns the visitor, in words for him."""
    if line.what == "assignee":
        if not line.new:
            return None
        # A colleague without a name stands in the history by his address, which is nobody's business here.
        text = _("A colleague has joined.") if "@" in line.new else _("%(name)s has joined.") % {"name": line.new}
    elif line.new == Conversation.Ended.VISITOR:
        text = _("You ended the chat.")
    else:
        text = _("The chat has ended.")
    return {
        "seq": talk.base + line.seq,
        "kind": "note",
        "id": "",
        "at": line.at.isoformat(timespec="milliseconds"),
        "text": text,
        "html": str(linkify(text)),
        "agent": None,
        "files": [],
        "state": "",
    }


def status_of(talk: Conversation | None) -> str:
    """`open` while the visitor's words go into this talk."""
    return "open" if talk is not None and talk.is_open else "ended"


def state_of(talk: Conversation | None, duty: str, place: int = 0) -> dict[str, Any]:
    """What stands beside the events: who is there, how far he has read, whether it goes on, the place in the line."""
    if talk is None:
        return {"duty": duty, "agent": None, "typing": False, "seen": 0, "status": "ended"}
    state: dict[str, Any] = {
        "duty": duty,
        "agent": agent_of(talk.ticket.assignee),
        "typing": False,
        "seen": talk.base + talk.agent_seen if talk.agent_seen else 0,
        "status": status_of(talk),
    }
    if place:
        state["wait"] = place
    return {**state, "duty": duty_for(state)}


def duty_for(state: Mapping[str, Any]) -> str:
    """Nobody who has a colleague to himself is told that all of them are busy."""
    talks = state.get("agent") and state.get("status") == "open"
    return "open" if talks and state["duty"] == "busy" else state["duty"]


def read(talk: Conversation | None, after: int, duty: str) -> dict[str, Any]:
    """All that is new to a visitor who has everything up to `after`, with the state of his talk."""
    if talk is None:
        return {"seq": 0, "events": [], **state_of(None, duty)}
    place = chats.places_in_line([talk]).get(talk.pk, 0)
    return {**given(talk, of_talks({talk.pk: after}, [talk])[talk.pk]), **state_of(talk, duty, place)}


def given(talk: Conversation, events: list[Event]) -> dict[str, Any]:
    """The events with the number up to which they are all. The ticket was read before them, so none is skipped."""
    last = events[-1]["seq"] if events else 0
    return {"seq": last if len(events) >= MOST else max(last, talk.base + talk.ticket.sequence), "events": events}


def current(visitor_id: int) -> Conversation | None:
    """The visitor's newest talk, with its ticket."""
    rows = Conversation.objects.filter(visitor=visitor_id).select_related("ticket__assignee", "visitor__channel")
    return rows.order_by("-number").first()
