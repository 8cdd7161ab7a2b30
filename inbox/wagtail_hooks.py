"""What the inbox adds to the staff shell."""

from __future__ import annotations

from wagtail import hooks

from inbox.workspace.shell import WorkspaceViewSet, workspace


@hooks.register("register_admin_viewset")
def register_workspace() -> WorkspaceViewSet:
    """The agents' workspace at /desk/inbox/."""
    return workspace
