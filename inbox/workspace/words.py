"""What the scripts of the workspace say, in the reader's language."""

from __future__ import annotations

from django.utils.translation import gettext as _


def words() -> dict[str, str]:
    """Texts by the name that the scripts call them by; `%s` is filled in there."""
    return {
        "live": _("Live"),
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
        "merge": _("Merge into another ticket"),
        "mergeHelp": _("Everything moves into the ticket that you choose. It can be undone there."),
        "macro": _("Run a macro"),
        "queue": _("Move to a queue"),
        "tag": _("Add a tag"),
        "snooze": _("Snooze until"),
        "subject": _("Subject"),
        "save": _("Save"),
        "close": _("Close"),
        "unsaved": _("This file is too large, or there are too many."),
        "unavailable": _("A preview is not available. The file can be downloaded."),
    }
