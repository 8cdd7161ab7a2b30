"""The way of a message in, in one visible order. Each step decides one thing and writes nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.utils import translation

from inbox.channels import registry
from inbox.channels.base import Inbound
from inbox.intake import authenticity, automatic, duplicates, recipients, reports, sender, thread
from inbox.intake.batch import Batch
from inbox.intake.draft import Draft
from inbox.models import RawMessage
from inbox.services import files

log = logging.getLogger(__name__)

Step = Callable[[Draft, Batch], None]

BEFORE: tuple[Step, ...] = (duplicates.own_mail, sender.identify, reports.recognise)
"""Before anything is looked up together."""
STEPS: tuple[Step, ...] = (
    duplicates.same_mail,
    reports.find_delivery,
    authenticity.weigh,
    automatic.may_answer,
    recipients.further_queues,
    thread.find,
    thread.join_recent,
    thread.open_new,
)
"""In this order; a draft that is settled skips the rest."""


def read(raw: RawMessage) -> Draft:
    """Bytes to a draft. Raises OSError when the bytes cannot be had, and whatever a broken adapter raises."""
    channel = raw.channel
    with translation.override(channel.language):  # what a message without a subject is called
        inbound = registry.adapter(channel.kind).read(files.content_of(raw), channel.settings)
    if oversize := raw.facts.get("oversize"):
        megabytes = int(oversize) // 1_000_000
        told = f"The mail has {megabytes} MB: only its header was taken, the whole is still at its server."
        inbound = replace(inbound, errors=(told, *inbound.errors))
    draft = Draft(raw=raw, channel=channel, inbound=inbound)
    # Of what was sent, and not of what was read from its pages: the same fax is the same with its words and without.
    draft.fingerprint = duplicates.fingerprint(draft)
    draft.inbound = _with_words_of_pages(inbound, raw.facts.get("reading"))
    return draft


def _with_words_of_pages(inbound: Inbound, reading: dict[str, Any] | None) -> Inbound:
    """What was found on its pages while it waited, see `inbox.services.fax_pages`."""
    if not reading:
        return inbound
    text = inbound.text or reading.get("text", "")
    facts: dict[str, Any] = {
        **inbound.facts,
        **{name: reading[name] for name in ("pages", "damaged") if name in reading},
    }
    errors = (*inbound.errors, *reading.get("errors", ()))
    language = inbound.language or reading.get("language", "")
    return replace(
        inbound, text=text, reply_text=inbound.reply_text or text, language=language, facts=facts, errors=errors
    )


def decide(batch: Batch) -> None:
    """Run all steps over the drafts, one after the other in order of arrival. Inside the posting transaction."""
    for draft in batch.drafts:
        _run(BEFORE, draft, batch)
    batch.find_duplicates()
    batch.find_people()
    batch.find_threads()
    for draft in batch.drafts:
        _run(STEPS, draft, batch)


def _run(steps: tuple[Step, ...], draft: Draft, batch: Batch) -> None:
    for step in steps:
        if draft.outcome:
            return
        step(draft, batch)
