"""Every word of the chat widget. It carries none itself; they come in the visitor's language with the session.

The names are the contract with the widget's script (`static/chat/src`): a test holds that it asks for exactly these.
What stands in braces is put in by the widget: `{name}`, `{n}`, `{size}`, `{time}`.
"""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

TEXTS: dict[str, str | Promise] = {
    # Launcher and head
    "chat": _("Chat"),
    "open": _("Open chat"),
    "close": _("Close chat"),
    "unread": _("Unread: {n}"),
    "menu": _("More"),
    "online": _("We are here for you"),
    "busy": _("Everyone is busy right now. Write to us and we will answer as soon as we can."),
    "closed": _("We are away right now"),
    "position": _("Your place in line: {n}"),
    "lost": _("No connection. Trying again…"),
    # The talk
    "messages": _("Messages"),
    "earlier": _("Show earlier messages"),
    "text": _("Your message"),
    "write": _("Write a message…"),
    "send": _("Send"),
    "attach": _("Attach files"),
    "you": _("You"),
    "automatic": _("Automatic answer"),
    "typing": _("{name} is typing"),
    "sending": _("Sending…"),
    "sent": _("Sent"),
    "read": _("Read"),
    "unsent": _("Not sent."),
    "again": _("Try again"),
    "large": _("{name} is larger than {size}."),
    "many": _("At most {n} files at once."),
    "download": _("Download {name}"),
    "failed": _("That did not work. Please try again."),
    # Address, transcript, end
    "keep": _("Leave your e-mail address, and our answer reaches you even after you leave."),
    "kept": _("Thank you. If you leave before our answer, a mail asks you to confirm the address. The answer follows."),
    "transcript": _("Send me this chat by e-mail"),
    "transcript_sent": _("The chat is on its way to your mailbox."),
    "transcript_confirm": _("Please confirm your address with one click in the mail that we sent you."),
    "end": _("End chat"),
    "rate": _("How did we do?"),
    "score_1": _("Very poor"),
    "score_2": _("Poor"),
    "score_3": _("Fair"),
    "score_4": _("Good"),
    "score_5": _("Very good"),
    "comment": _("Anything to add?"),
    "thanks": _("Thank you for your rating."),
    # Forms
    "name": _("Your name"),
    "email": _("E-mail address"),
    "phone": _("Phone number"),
    "topic": _("What is it about?"),
    "optional": _("optional"),
    "save": _("Save"),
    "back": _("Back"),
    "leave": _("Leave us a message"),
    "form_confirm": _("Please check your mail: one click there confirms your address, and your message reaches us."),
    "form_kept": _("Thank you for your message. We will answer by e-mail."),
    "call": _("Request a call"),
    "at": _("When may we call?"),
    "soon": _("As soon as possible"),
    "agreed": _("Thank you. We will call you: {time}."),
}


def texts() -> dict[str, str]:
    """All words in the language that is active."""
    return {name: str(text) for name, text in TEXTS.items()}
