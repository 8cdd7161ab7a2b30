"""What the inbox adds to rules: facts of a message, and actions that write one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from crm.service.changes import Change
from inbox.effects import AutomaticAnswer, Note
from inbox.models import Channel, Template
from routing import understanding
from routing.models import KeywordSet
from routing.registry import ActionKind, Fact, Parameter, register_action, register_fact

if TYPE_CHECKING:
    from inbox.intake.batch import Batch
    from inbox.intake.draft import Draft

LANGUAGES = [
    ("en", _("English")),
    ("zh-hans", _("Chinese (simplified)")),
    ("zh-hant", _("Chinese (traditional)")),
    ("de", _("German")),
    ("fr", _("French")),
    ("es", _("Spanish")),
    ("it", _("Italian")),
    ("nl", _("Dutch")),
    ("pt", _("Portuguese")),
    ("pl", _("Polish")),
    ("ru", _("Russian")),
    ("ja", _("Japanese")),
    ("ko", _("Korean")),
]
BODY_LIMIT = 100_000
"""Characters of a body that rules look at."""

FACTS: dict[str, Callable[[MessageFacts], Any]] = {
    "channel": lambda f: f.draft.channel.name,
    "to": lambda f: sorted({a.lower() for a in f.draft.own_addresses_written}),
    "sender": lambda f: f.draft.sender,
    "sender_domain": lambda f: f.draft.sender.rpartition("@")[2],
    "subject": lambda f: f.draft.inbound.subject,
    "body": lambda f: f.draft.inbound.text[:BODY_LIMIT],
    "language": lambda f: f.draft.inbound.language,
    "has_attachments": lambda f: any(not file.inline for file in f.draft.inbound.files),
    "attachment_names": lambda f: [file.name for file in f.draft.inbound.files],
    "automatic": lambda f: bool(f.draft.automatic),
    "is_first_message": lambda f: f.draft.change is None or f.draft.change.ticket.message_count <= 1,
    "intents": lambda f: list(understanding.intents(f.own_words, f.batch.keyword_sets())),
    "order_numbers": lambda f: list(f.numbers.orders),
    "ticket_numbers": lambda f: list(f.numbers.tickets),
    "auth_dmarc": lambda f: f.draft.inbound.authentication.dmarc,
}


class MessageFacts(Mapping[str, Any]):
    """What rules may ask about a message, computed when asked."""

    draft: Draft
    batch: Batch

    def __init__(self, draft: Draft, batch: Batch) -> None:
        self.draft, self.batch = draft, batch
        self._known: dict[str, Any] = {}

    @property
    def own_words(self) -> str:
        """What the customer wrote himself: quoted text is not his intent."""
        inbound = self.draft.inbound
        return f"{inbound.subject}\n{inbound.reply_text or inbound.text}"[:BODY_LIMIT]

    @property
    def numbers(self) -> understanding.Numbers:
        """Ticket and order numbers in his words."""
        if "" not in self._known:
            self._known[""] = understanding.numbers(self.own_words, self.batch.keyword_sets())
        return self._known[""]

    def __getitem__(self, name: str) -> Any:
        if name not in self._known:
            self._known[name] = FACTS[name](self)
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(FACTS)

    def __contains__(self, name: object) -> bool:
        return name in FACTS

    def __len__(self) -> int:
        return len(FACTS)


def _auto_answer(change: Change, values: Mapping[str, Any], rule: str) -> str:
    return AutomaticAnswer.offer(change, int(values["template"]))


def _add_note(change: Change, values: Mapping[str, Any], rule: str) -> str:
    change.after(Note(seq=change.next_seq(), text=str(values["text"]), author_name=f"rule: {rule}"))
    return str(_("note"))


def _templates() -> list[tuple[str, str]]:
    return [(str(t.pk), t.name) for t in Template.objects.filter(purpose=Template.Purpose.AUTOMATIC)]


def register() -> None:
    """Say to the engine what messages have. Called once at start."""
    event = frozenset({"message.received", "ticket.opened"})
    for fact in (
        Fact("subject", _("subject"), "text"),
        Fact("body", _("text"), "text", events=event),
        Fact("sender", _("sender’s address"), "text", events=event),
        Fact("sender_domain", _("sender’s domain"), "text", events=event),
        Fact("to", _("address written to"), "set", events=event),
        Fact(
            "channel", _("channel"), "choice", lambda: [(c.name, c.name) for c in Channel.objects.all()], events=event
        ),
        Fact("language", _("language"), "choice", lambda: LANGUAGES),
        Fact("has_attachments", _("has attachments"), "flag", events=event),
        Fact("attachment_names", _("attachment names"), "set", events=event),
        Fact("automatic", _("written by a machine"), "flag", events=event),
        Fact("is_first_message", _("first message of the ticket"), "flag", events=event),
        Fact(
            "intents",
            _("intent"),
            "set",
            lambda: [(k.name, k.name) for k in KeywordSet.objects.filter(active=True, kind=KeywordSet.Kind.INTENT)],
            events=event,
        ),
        Fact("order_numbers", _("order numbers in the text"), "set", events=event),
        Fact("ticket_numbers", _("ticket numbers in the text"), "set", events=event),
        Fact(
            "auth_dmarc",
            _("sender check (DMARC)"),
            "choice",
            lambda: [("pass", _("passed")), ("fail", _("failed")), ("none", _("none"))],
            events=event,
        ),
    ):
        register_fact(fact)
    register_action(
        ActionKind(
            "auto_answer",
            _("answer automatically"),
            (Parameter("template", _("template"), "choice", _templates),),
            _auto_answer,
            changes=False,
            macro=False,
        )
    )
    register_action(
        ActionKind(
            "add_note", _("add internal note"), (Parameter("text", _("text"), "long"),), _add_note, changes=False
        )
    )
