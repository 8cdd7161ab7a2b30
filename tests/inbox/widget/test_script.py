"""/widget.js: one file for everybody, which other sites may load and caches may keep."""

from __future__ import annotations

import gzip

import pytest
from django.test import Client

from inbox.channels.chat.widget import BUILT


def test_it_is_for_every_site_and_every_cache(client: Client) -> None:
    answer = client.get("/widget.js", headers={"origin": "https://www.shop.test"})
    assert (answer.status_code, answer.content) == (200, BUILT.read_bytes())
    wanted = {
        "Content-Type": "text/javascript; charset=utf-8",
        "Cache-Control": "public, max-age=3600",
        "Access-Control-Allow-Origin": "*",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "X-Content-Type-Options": "nosniff",
        "Vary": "Accept-Encoding",
    }
    assert {name: answer.headers[name] for name in wanted} == wanted
    assert "Content-Encoding" not in answer.headers
    assert answer.cookies == {}


def test_it_comes_packed(client: Client) -> None:
    answer = client.get("/widget.js", headers={"accept-encoding": "br, gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.content) == BUILT.read_bytes()
    assert int(answer.headers["Content-Length"]) == len(answer.content) <= 10_000
    assert answer.headers["Vary"] == "Accept-Encoding"


@pytest.mark.django_db
def test_it_is_the_same_for_who_is_logged_in(client: Client, customer_user: object) -> None:
    client.force_login(customer_user, backend="crm.organisation.backends.PasswordBackend")
    assert client.get("/widget.js").headers["Vary"] == "Accept-Encoding"


def test_what_has_not_changed_is_not_sent_again(client: Client) -> None:
    etag = client.get("/widget.js").headers["ETag"]
    again = client.get("/widget.js", headers={"if-none-match": etag, "accept-encoding": "gzip"})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag)
    assert client.get("/widget.js", headers={"if-none-match": 'W/"other"'}).status_code == 200


def test_it_is_only_read(client: Client) -> None:
    assert client.post("/widget.js").status_code == 405
    head = client.head("/widget.js")
    assert (head.status_code, head.content) == (200, b"")
