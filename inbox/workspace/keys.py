"""Single keys of the workspace, and what each colleague made of them."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

SHORTCUTS = {
    "next": ("j", gettext_lazy("Next ticket")),
    "previous": ("k", gettext_lazy("Previous ticket")),
    "open": ("o", gettext_lazy("Open the ticket")),
    "back": ("u", gettext_lazy("Back to the list")),
    "reply": ("r", gettext_lazy("Reply")),
    "note": ("n", gettext_lazy("Internal note")),
    "way": ("w", gettext_lazy("Choose how the answer is sent")),
    "assign": ("a", gettext_lazy("Assign")),
    "mine": ("i", gettext_lazy("Assign to me")),
    "resolve": ("e", gettext_lazy("Resolve")),
    "snooze": ("s", gettext_lazy("Snooze")),
    "merge": ("m", gettext_lazy("Merge")),
    "tag": ("t", gettext_lazy("Tag")),
    "priority": ("f", gettext_lazy("Priority")),
    "macro": ("y", gettext_lazy("Macro")),
    "select": ("x", gettext_lazy("Select for a bulk action")),
    "call": ("p", gettext_lazy("Log a call, visit or letter")),
    "chats": ("g", gettext_lazy("Chats side by side")),
    "chat1": ("1", gettext_lazy("First chat")),
    "chat2": ("2", gettext_lazy("Second chat")),
    "chat3": ("3", gettext_lazy("Third chat")),
    "chat4": ("4", gettext_lazy("Fourth chat")),
    "compose": ("c", gettext_lazy("Write a new message")),
    "search": ("/", gettext_lazy("Search")),
    "copy": (".", gettext_lazy("Copy the ticket number")),
    "help": ("?", gettext_lazy("Show the shortcuts")),
}
"""What a single key does outside of input fields. Never with Alt: it writes `@` on many keyboards."""


def shortcuts_of(stored: object) -> dict[str, str]:
    """The keys of one colleague: his own where he chose some, else ours."""
    own = stored if isinstance(stored, dict) else {}
    keys = {name: key for name, (key, _label) in SHORTCUTS.items()}
    return {
        name: own[name] if isinstance(own.get(name), str) and len(own[name]) == 1 else key for name, key in keys.items()
    }
