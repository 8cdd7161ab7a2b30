"""What the wires carry."""

from inbox.models.attachment import Attachment, Verdict
from inbox.models.call import Call
from inbox.models.channel import Channel, MailboxCursor
from inbox.models.chat import Conversation, Visitor, VisitorKey
from inbox.models.delivery import Delivery
from inbox.models.fax import FaxDocument, FaxPage
from inbox.models.message import Message, ThreadKey
from inbox.models.presence import Presence
from inbox.models.raw import RawMessage
from inbox.models.search import TicketWords
from inbox.models.template import Template, TemplateText
from inbox.models.webhook import Webhook, WebhookCall
from inbox.models.workspace import Mention, SavedView, Submission, TicketSeen

__all__ = [
    "Attachment",
    "Call",
    "Channel",
    "Conversation",
    "Delivery",
    "FaxDocument",
    "FaxPage",
    "MailboxCursor",
    "Mention",
    "Message",
    "Presence",
    "RawMessage",
    "SavedView",
    "Submission",
    "Template",
    "TemplateText",
    "ThreadKey",
    "TicketSeen",
    "TicketWords",
    "Verdict",
    "Visitor",
    "VisitorKey",
    "Webhook",
    "WebhookCall",
]
