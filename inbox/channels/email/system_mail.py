"""Account mail (sign-up, password) takes the way of all mail: queued, tried again, shown, written to the sink."""

from __future__ import annotations

from collections.abc import Sequence
from email.utils import parseaddr

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction

from inbox.models import Delivery
from inbox.services.deliveries import NewDelivery, queue


class QueuedEmailBackend(BaseEmailBackend):
    """Django's e-mail backend: one delivery a recipient. Whether the mail server works is not seen by who signs up."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Queue them; how many messages were taken. Raises ValidationError for a recipient that is not one address."""
        items = []
        for mail in email_messages:
            content = {"subject": str(mail.subject), "text": str(mail.body)}
            pages = [body for body, kind in getattr(mail, "alternatives", []) if kind == "text/html"]
            if pages:
                content["html"] = str(pages[0])
            for recipient in mail.recipients():
                address = parseaddr(recipient)[1] if "<" in recipient else recipient
                items.append(NewDelivery(None, None, address, Delivery.Purpose.SYSTEM, content))
        with transaction.atomic():
            queue(items)
        return len(email_messages)
