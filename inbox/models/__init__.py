"""What the wires carry."""

from inbox.models.attachment import Attachment
from inbox.models.channel import Channel, MailboxCursor
from inbox.models.delivery import Delivery
from inbox.models.message import Message, ThreadKey
from inbox.models.raw import RawMessage
from inbox.models.search import TicketWords
from inbox.models.template import Template, TemplateText
from inbox.models.workspace import Mention, SavedView, TicketSeen

__all__ = [
    "Attachment",
    "Channel",
    "Delivery",
    "MailboxCursor",
    "Mention",
    "Message",
    "RawMessage",
    "SavedView",
    "Template",
    "TemplateText",
    "ThreadKey",
    "TicketSeen",
    "TicketWords",
]
