"""What the inbox adds to rules: facts of a message, and actions that write one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from crm.service.changes import Change
from inbox.channels import registry
from inbox.effects import AutomaticAnswer, Note
from inbox.intake import answer_words
from inbox.models import Channel, Template, Webhook
from inbox.services import webhooks
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
    "by_colleague": lambda _f: False,
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
            read = FACTS.get(name)
            self._known[name] = read(self) if read else of_channel(self.draft.inbound.facts, name)
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter((*FACTS, *channel_facts()))

    def __contains__(self, name: object) -> bool:
        return name in FACTS or name in channel_facts()

    def __len__(self) -> int:
        return len(FACTS) + len(channel_facts())


@cache
def channel_facts() -> dict[str, Fact]:
    """What the channels add, by name. Two channels may name the same fact; it is one then."""
    found: dict[str, Fact] = {}
    for adapter in registry.adapters():
        for fact in adapter.facts:
            before = found.get(fact.name)
            group = format_lazy("{} / {}", before.group, adapter.label) if before else adapter.label
            found[fact.name] = replace(fact, group=group)
    return found


def of_channel(readings: Mapping[str, Any], name: str) -> Any:
    """The value of a channel's fact in what its adapter read; None where a message of another channel has none.

    Raises KeyError for a name that no channel has.
    """
    return readings.get(channel_facts()[name].name)


def _auto_answer(change: Change, values: Mapping[str, Any], rule: str) -> str:
    return AutomaticAnswer.offer(change, int(values["template"]))


def _add_note(change: Change, values: Mapping[str, Any], rule: str) -> str:
    with change.acting_by(rule):
        change.after(Note(change.next_seq(), str(values["text"]), change.name, change.actor))
    return "note"


def _templates() -> list[tuple[str, str]]:
    return [(str(t.pk), t.name) for t in Template.objects.filter(purpose=Template.Purpose.AUTOMATIC)]


def _call_webhook(change: Change, values: Mapping[str, Any], rule: str) -> str:
    key = int(values["webhook"])
    if any(isinstance(effect, webhooks.Call) and effect.webhook_id == key for effect in change.effects):
        return ""
    event = "message.received" if change.occasion is not None else "ticket.changed"
    change.after(webhooks.Call(key, event))
    return "called"


def _webhooks() -> list[tuple[str, str]]:
    return [(str(hook.pk), hook.name) for hook in Webhook.objects.filter(active=True)]


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
        Fact("origin", _("came by"), "choice", lambda: [(a.kind, a.label) for a in registry.adapters()]),
        Fact("language", _("language"), "choice", lambda: LANGUAGES),
        Fact("has_attachments", _("has attachments"), "flag", events=event),
        Fact("attachment_names", _("attachment names"), "set", events=event),
        Fact("automatic", _("written by a machine"), "flag", events=event),
        Fact("by_colleague", _("written by a colleague"), "flag", events=frozenset({"ticket.opened"})),
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
        register_fact(replace(fact, group=_("Message")))
    for fact in channel_facts().values():
        register_fact(fact)
    register_action(
        ActionKind(
            "auto_answer",
            _("answer automatically"),
            (Parameter("template", _("template"), "choice", _templates),),
            _auto_answer,
            changes=False,
            macro=False,
            told=answer_words.of_rule,
        )
    )
    register_action(
        ActionKind(
            "call_webhook",
            _("call a webhook"),
            (Parameter("webhook", _("webhook"), "choice", _webhooks),),
            _call_webhook,
            changes=False,
            told=lambda _outcome: _("webhook called"),
        )
    )
    register_action(
        ActionKind(
            "add_note",
            _("add internal note"),
            (Parameter("text", _("text"), "long"),),
            _add_note,
            changes=False,
            told=lambda _outcome: _("note"),
        )
    )
