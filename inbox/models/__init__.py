"""What the wires carry."""

from inbox.models.attachment import Attachment
from inbox.models.channel import Channel, MailboxCursor
from inbox.models.delivery import Delivery
from inbox.models.message import Message, ThreadKey
from inbox.models.raw import RawMessage
from inbox.models.template import Template, TemplateText
from inbox.models.workspace import SavedView, TicketSeen

__all__ = [
    "Attachment",
    "Channel",
    "Delivery",
    "MailboxCursor",
    "Message",
    "RawMessage",
    "SavedView",
    "Template",
    "TemplateText",
    "ThreadKey",
    "TicketSeen",
]
