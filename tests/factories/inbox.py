"""Channels, messages and what travels through them."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import factory
from django.db.models import F, Max
from factory.django import DjangoModelFactory
from PIL import Image

from crm.service.models import Ticket
from inbox.models import (
    Attachment,
    Channel,
    Delivery,
    FaxDocument,
    FaxPage,
    Message,
    RawMessage,
    Template,
    TemplateText,
    Webhook,
)
from inbox.services import files, webhooks


class ChannelFactory(DjangoModelFactory):
    class Meta:
        model = Channel

    name = factory.Sequence(lambda n: f"Channel {n}")
    kind = "email"
    address = factory.Sequence(lambda n: f"desk{n}@example.com")
    display_name = "Example Support"
    queue = factory.SubFactory("tests.factories.routing.QueueFactory")


class TemplateFactory(DjangoModelFactory):
    """A canned reply; `texts={"en": ("Subject", "Body")}` gives its languages."""

    class Meta:
        model = Template
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"Template {n}")
    purpose = Template.Purpose.CANNED

    @factory.post_generation
    def texts(self, create: bool, extracted: dict[str, tuple[str, str]] | None, **_kwargs: Any) -> None:
        if create:
            wanted = extracted or {"en": ("We have your message", 'Dear {{ contact.name|default:"customer" }}')}
            TemplateText.objects.bulk_create(
                TemplateText(template=self, language=language, subject=subject, body=body)
                for language, (subject, body) in wanted.items()
            )


class MessageFactory(DjangoModelFactory):
    """One utterance with the ticket's next sequence number; the ticket's row and object count it."""

    class Meta:
        model = Message

    ticket = factory.SubFactory("tests.factories.crm.TicketFactory")
    kind = Message.Kind.INBOUND
    contact = factory.LazyAttribute(lambda o: o.ticket.contact if o.kind == Message.Kind.INBOUND else None)
    from_address = factory.LazyAttribute(lambda o: o.contact.address if o.contact else "")
    from_name = factory.LazyAttribute(lambda o: o.contact.name if o.contact else "")
    subject = factory.LazyAttribute(lambda o: o.ticket.subject)
    text = "Water runs out below."
    reply_text = factory.LazyAttribute(lambda o: o.text)
    language = "en"
    mail_id = factory.Sequence(lambda n: f"message{n}@mail.customer.test")

    @classmethod
    def _create(cls, model_class: type[Message], *args: Any, **kwargs: Any) -> Message:
        ticket: Ticket = kwargs["ticket"]
        used = ticket.messages.aggregate(last=Max("seq"))["last"] or 0
        seq = kwargs.setdefault("seq", max(ticket.sequence, used) + 1)
        message = model_class.objects.create(**kwargs)
        Ticket.objects.filter(pk=ticket.pk).update(
            sequence=seq, message_count=F("message_count") + 1, preview=message.reply_text[:200]
        )
        ticket.sequence, ticket.message_count = seq, ticket.message_count + 1
        ticket.preview = message.reply_text[:200]
        return message


class AttachmentFactory(DjangoModelFactory):
    """A file with its bytes: `AttachmentFactory(message=…, name="a.txt", content=b"…")`."""

    class Meta:
        model = Attachment

    message = factory.SubFactory(MessageFactory)
    name = "photo.txt"
    content_type = "text/plain"
    content = b"content"

    @classmethod
    def _create(cls, model_class: type[Attachment], *args: Any, **kwargs: Any) -> Attachment:
        content: bytes = kwargs.pop("content")
        return model_class.objects.create(size=len(content), blob=files.store("attachments", content), **kwargs)


class FaxDocumentFactory(DjangoModelFactory):
    """A fax that was drawn."""

    class Meta:
        model = FaxDocument

    message = factory.SubFactory(MessageFactory)
    state = FaxDocument.State.READY
    count = 1
    told = True


class FaxPageFactory(DjangoModelFactory):
    """One page with its pictures."""

    class Meta:
        model = FaxPage

    document = factory.SubFactory(FaxDocumentFactory)
    number = 1
    width = 12
    height = 20

    @classmethod
    def _create(cls, model_class: type[FaxPage], *args: Any, **kwargs: Any) -> FaxPage:
        sheet = io.BytesIO()
        Image.new("P", (kwargs["width"], kwargs["height"])).save(sheet, "PNG", bits=4)
        picture, thumb = files.store_many("fax", [sheet.getvalue()] * 2)
        return model_class.objects.create(picture=picture, thumb=thumb, **kwargs)


class RawMessageFactory(DjangoModelFactory):
    """A mail in the journal, with its bytes, waiting: `RawMessageFactory(channel=…, content=b"…")`."""

    class Meta:
        model = RawMessage

    channel = factory.SubFactory(ChannelFactory)
    external_id = factory.Sequence(lambda n: f"arrival-{n}")
    content = b"From: anna@customer.test\r\nTo: support@example.com\r\nSubject: Hello\r\n\r\nHello\r\n"

    @classmethod
    def _create(cls, model_class: type[RawMessage], *args: Any, **kwargs: Any) -> RawMessage:
        content: bytes = kwargs.pop("content")
        return model_class.objects.create(
            size=len(content), digest=hashlib.sha256(content).hexdigest(), blob=files.store("raw", content), **kwargs
        )


class DeliveryFactory(DjangoModelFactory):
    """An answer on its way."""

    class Meta:
        model = Delivery

    channel = factory.SubFactory(ChannelFactory)
    message = factory.SubFactory(MessageFactory, kind=Message.Kind.OUTBOUND)
    recipient = "anna@customer.test"
    mail_id = factory.Sequence(lambda n: f"delivery{n}@example.com")


class WebhookFactory(DjangoModelFactory):
    """A program that is told; `secret` signs."""

    class Meta:
        model = Webhook
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"Webhook {n}")
    url = "https://hooks.example.com/guichet"

    @factory.post_generation
    def secret(self, create: bool, extracted: str | None, **_kwargs: Any) -> None:
        if create:
            self.set_secret(extracted or webhooks.new_secret())
            self.save()
