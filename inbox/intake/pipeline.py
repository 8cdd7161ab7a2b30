"""The way of a message in, in one visible order. Each step decides one thing and writes nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from inbox.channels import registry
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
    thread.open_new,
)
"""In this order; a draft that is settled skips the rest."""


def read(raw: RawMessage) -> Draft:
    """Bytes to a draft. Raises OSError when the bytes cannot be had, and whatever a broken adapter raises."""
    channel = raw.channel
    content = files.read_blob("raw", raw.blob)
    inbound = registry.adapter(channel.kind).read(content, channel.settings)
    if oversize := raw.facts.get("oversize"):
        megabytes = int(oversize) // 1_000_000
        told = f"The mail has {megabytes} MB: only its header was taken, the whole is still at its server."
        inbound = replace(inbound, errors=(told, *inbound.errors))
    draft = Draft(raw=raw, channel=channel, inbound=inbound)
    draft.fingerprint = duplicates.fingerprint(draft)
    return draft


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
