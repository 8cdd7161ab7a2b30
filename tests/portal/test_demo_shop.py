"""The page of the demo company's shop: only in a try-out, and with the chat of the house on it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests import factories

pytestmark = pytest.mark.django_db


def test_elsewhere_there_is_no_such_page(client: Client, settings: Any) -> None:
    settings.DEMO = False
    assert client.get("/demo/widget/").status_code == 404


def test_it_carries_the_chat_and_says_how(client: Client, settings: Any, queue: Any) -> None:
    settings.DEMO = True
    factories.ChannelFactory(kind="chat", address="", queue=queue, settings={"key": "HaldenShop", "origins": "*"})
    page = client.get("/demo/widget/")
    assert page.status_code == 200
    assert '<script async src="/widget.js" data-channel="HaldenShop"></script>' in page.text
    assert f'&lt;script async src="{settings.BASE_URL}/widget.js"' in page.text
    assert page.text.count('data-do="open"') == page.text.count("<svg ") == 3
    assert "unsafe-inline" not in page.headers["Content-Security-Policy"]


def test_without_a_chat_it_says_so(client: Client, settings: Any) -> None:
    settings.DEMO = True
    page = client.get("/demo/widget/")
    assert "No chat is set up yet" in page.text
    assert "/widget.js" not in page.text
