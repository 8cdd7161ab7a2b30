"""One sender who writes very often: staff are told, and then his mails wait in the journal until somebody looks.

Nothing is lost: a parked mail is a quarantined one, with its reason, and runs on with one click.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from core import limits
from crm.organisation.models import User
from crm.organisation.roles import ADMINISTRATOR, SUPERVISOR
from crm.organisation.services import notify
from inbox.channels import registry
from inbox.intake.draft import Draft

log = logging.getLogger(__name__)
RELEASED = "released"
"""Fact of a message that staff let in: it is not counted again."""


def parked(drafts: Sequence[Draft]) -> dict[int, str]:
    """Primary keys of the messages in `drafts` that have to wait, and why. Counts them; staff are told once an hour."""
    mails = [(draft, sender) for draft in drafts if (sender := _sender(draft))]
    amounts = Counter(sender for _draft, sender in mails)
    counted = limits.count_many({_key(sender): (n, 3600) for sender, n in amounts.items()})
    found: dict[int, str] = {}
    for sender, fresh in amounts.items():
        now = counted[_key(sender)]
        before = now - fresh
        said = _("More than %(n)s mails in an hour from %(sender)s")
        for place, draft in enumerate((d for d, s in mails if s == sender), start=1):
            if before + place > settings.MAIL_PARK_PER_HOUR:
                found[draft.raw.pk] = said % {"n": settings.MAIL_PARK_PER_HOUR, "sender": sender}
        for limit in (settings.MAIL_ALERT_PER_HOUR, settings.MAIL_PARK_PER_HOUR):
            if before <= limit < now:
                _tell(sender, limit)
    return found


def _key(sender: str) -> str:
    return f"mail-from:{sender}"


def _sender(draft: Draft) -> str:
    raw = draft.raw
    first = raw.attempts <= 1 and not raw.facts.get(RELEASED)
    sender = draft.inbound.sender
    reads = registry.has(draft.channel.kind, "reads_mail")
    return sender.address.lower() if first and reads and sender else ""


def _tell(sender: str, limit: int) -> None:
    log.warning("more than %s mails in an hour from %s", limit, sender)
    said = _("%(sender)s has sent more than %(n)s mails within an hour.") % {"sender": sender, "n": limit}
    leads = User.objects.filter(is_active=True, is_staff=True, groups__name__in=[ADMINISTRATOR, SUPERVISOR]).distinct()
    notify(leads, said, reverse("journal:index"))
