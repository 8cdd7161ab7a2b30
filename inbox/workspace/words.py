"""What the scripts of the workspace say, in the reader's language."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import pgettext


def words() -> dict[str, str]:
    """Texts by the name that the scripts call them by; `%s` is filled in there."""
    return {
        "live": pgettext("updates", "Live"),
        "connecting": _("Connecting"),
        "polling": _("Not live: looking every 10 seconds"),
        "looking": _("%s is looking at this ticket"),
        "typing": _("%s is typing"),
        "failed": _("That did not work. Check the connection and try again."),
        "draft": _("Draft restored"),
        "kept": _("Draft kept in this browser"),
        "copied": _("Number copied"),
        "gone": _("The ticket is now in a queue that you do not see."),
        "merged": _("Merged"),
        "undo": _("Undo"),
        "split": _("A new ticket was made"),
        "sent": _("Sent"),
        "noted": _("Note kept"),
        "saved": _("Saved"),
        "done": _("Done"),
        "selected": _("%s selected"),
        "hide": _("Hide the full mail"),
        "show": _("Show the full mail"),
        "pictures": _("Load remote pictures"),
        "frame": _("The full mail"),
        "none": _("Nothing found"),
        "search": _("Find a ticket by number or words"),
        "find": _("Find"),
        "findOrAdd": _("Find or add"),
        "merge": _("Merge into another ticket"),
        "mergeHelp": _("Everything moves into the ticket that you choose. It can be undone there."),
        "macro": _("Run a macro"),
        "queue": _("Move to a queue"),
        "tag": _("Add a tag"),
        "snooze": _("Snooze until"),
        "subject": _("Subject"),
        "save": _("Save"),
        "close": _("Close"),
        "nobody": _("no recipient yet"),
        "unsaved": _("This file is too large, or there are too many."),
        "left": _("has left the page"),
        "visitorTyping": _("is typing…"),
        "read": _("Seen"),
        "sentTo": _("Sent"),
        "held": _("Not sent yet: something new has arrived. Read it, then send again."),
        "full": _("Four chats are open. Close one first."),
        "unavailable": _("A preview is not available. The file can be downloaded."),
    }


def notice_words() -> dict[str, str]:
    """What the notices of chats say."""
    return {
        "waiting": _("New chat: %s"),
        "given": _("You have a new chat: %s"),
        "said": _("%s wrote"),
        "online": _("Takes chats"),
        "away": _("Away"),
        "allowed": _("Notifications are on"),
        "denied": _("Your browser does not allow notifications for this site."),
    }
