"""The ASGI application: pages over HTTP, live updates over sockets."""

import os
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django.setup(set_prefix=False)

# Consumers import models, which exist only once Django is set up.
from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import re_path  # noqa: E402

from core.running import settle  # noqa: E402
from inbox.channels.chat.sockets import websocket_urlpatterns as for_visitors  # noqa: E402
from inbox.workspace.sockets import websocket_urlpatterns as for_colleagues  # noqa: E402
from portal import daphne_sockets  # noqa: E402
from portal.handler import PagesHandler  # noqa: E402
from portal.security import OwnPages, Peer, Refusals  # noqa: E402

daphne_sockets.mend()


async def nothing(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """No socket is here: the handshake is refused, and is no fault of ours in the logs."""
    scope["refusal"]["why"] = "no such socket"
    await receive()
    await send({"type": "websocket.close"})


# A page of another site can open a socket with the visitor's cookie: the Origin must be ours, and be there.
desk = OwnPages(AuthMiddlewareStack(URLRouter([*for_colleagues, re_path("", nothing)])))
# Visitors come from other sites, with a token and no cookie: the channel's own list says which (S-73).
chat = URLRouter([*for_visitors, re_path("", desk)])

application = ProtocolTypeRouter({"http": PagesHandler(), "websocket": Peer(Refusals(chat))})
settle()
