"""A chat on a site, its visitors, and a colleague who is here."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.test import Client

from inbox.models import Channel, Presence
from inbox.services import channel_setup
from tests import factories

ORIGIN = "https://www.shop.test"
SECRET = "s3cret-of-the-shop-that-nobody-knows"


def make_chat(queue: Any, **settings: Any) -> Channel:
    channel = factories.ChannelFactory(kind="chat", address="", display_name="", queue=queue)
    known = {"key": f"key{channel.pk}", "origins": ORIGIN, "colour": "#0b5cad", **settings}
    return channel_setup.save_channel(channel, known, {"identity_secret": SECRET}, by=None)


@pytest.fixture
def chat(queue: Any) -> Channel:
    """The chat of shop.test, into `queue`."""
    return make_chat(queue)


@pytest.fixture
def here(agent: Any) -> Any:
    """`agent`, with a sign of life."""
    Presence.objects.create(user=agent)
    return agent


class Browser:
    """A visitor's browser without the widget: speaks HTTP as that does."""

    def __init__(self, channel: Channel, origin: str | None = ORIGIN, **session: Any) -> None:
        self.channel, self.origin, self.client, self.token = channel, origin, Client(), ""
        self.welcome: dict[str, Any] = {}
        if session.pop("enter", True):
            self.enter(**session)

    def ask(self, method: str, what: str, body: Any = None, **more: Any) -> Any:
        headers = {} if self.origin is None else {"origin": self.origin}
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        path = f"/chat/v1/{self.channel.settings['key']}/{what}"
        if method == "GET":
            return self.client.get(path, body or {}, headers=headers, **more)
        content = body if isinstance(body, bytes | str) else json.dumps(body if body is not None else {})
        return self.client.generic(method, path, content, "application/json", headers=headers, **more)

    def post(self, what: str, **body: Any) -> Any:
        return self.ask("POST", what, body)

    def enter(self, **more: Any) -> dict[str, Any]:
        body = {"page": {"url": f"{ORIGIN}/cart", "title": "Cart", "referrer": "https://search.test/"}, **more}
        if self.token:
            body.setdefault("token", self.token)
        answer = self.post("session", **body)
        assert answer.status_code == 200, answer.content
        self.welcome = answer.json()
        self.token = self.welcome["token"]
        return self.welcome

    def say(self, text: str, client_id: str = "") -> int:
        answer = self.post("say", id=client_id or str(uuid.uuid4()), text=text)
        assert answer.status_code == 200, answer.content
        return answer.json()["seq"]

    def events(self, after: int = 0) -> dict[str, Any]:
        answer = self.ask("GET", "events", {"after": after})
        assert answer.status_code == 200, answer.content
        return answer.json()
