"""What the inbox adds to the staff shell."""

from __future__ import annotations

from wagtail import hooks

from inbox.workspace.shell import InboxMenuItem, calls_item, menu_item


@hooks.register("register_admin_menu_item")
def workspace() -> InboxMenuItem:
    """The agents' workspace at /desk/inbox/."""
    return menu_item()


@hooks.register("register_admin_menu_item")
def calls() -> InboxMenuItem:
    """The telephone log at /desk/calls/."""
    return calls_item()
