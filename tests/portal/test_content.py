"""What strangers wrote, as the portal shows it and hands it out (S-01 … S-03, S-07, S-09, S-16, S-17)."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
from django.test import Client

from crm.service.models import Ticket
from tests import factories

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
TRICK = '"><img src=x onerror=__xss=1>'


@pytest.fixture
def me(anna: Any, client: Client) -> Client:
    client.force_login(anna)
    return client


def test_names_and_subjects_are_text(annas: Ticket, me: Client) -> None:
    Ticket.objects.filter(pk=annas.pk).update(subject=TRICK)
    message = factories.MessageFactory(ticket=annas, kind="outbound", from_name=TRICK, text=TRICK, reply_text=TRICK)
    factories.AttachmentFactory(message=message, name=TRICK, content=b"x")
    for address in ("/", "/my/tickets/", "/my/tickets/?q=" + TRICK, f"/my/tickets/{annas.number}/"):
        page = me.get(address).content.decode()
        assert "<img src=x" not in page
        assert "&lt;img src=x onerror=__xss=1&gt;" in page


def test_links_in_text_are_inert_or_outward(annas: Ticket, me: Client) -> None:
    text = 'See https://example.com/a?b="onmouseover=1 and javascript:alert(1)'
    factories.MessageFactory(ticket=annas, text=text, reply_text=text)
    page = me.get(f"/my/tickets/{annas.number}/").content.decode()
    assert '<a href="https://example.com/a?b=" target="_blank" rel="noopener noreferrer nofollow">' in page
    assert 'href="javascript:' not in page
    assert " onmouseover=" not in page


def test_the_original_is_cleaned_and_framed(annas: Ticket, me: Client) -> None:
    message = factories.MessageFactory(
        ticket=annas,
        html='<p onclick="x()">Hi</p><script>__xss=1</script><img src="https://canary.test/a.png"><form><input></form>',
    )
    answer = me.get(f"/my/messages/{message.pk}/original/")
    page = answer.content.decode()
    assert "<p>Hi</p>" in page
    for bad in ("<script", "onclick", 'src="https://canary', "<form", "<input"):
        assert bad not in page
    policy = dict(part.strip().partition(" ")[::2] for part in answer["Content-Security-Policy"].split(";"))
    assert policy == {
        "default-src": "'none'",
        "img-src": "'self'",
        "style-src": "'unsafe-inline'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'self'",
        "sandbox": "allow-popups allow-popups-to-escape-sandbox",
    }
    assert answer["X-Frame-Options"] == "SAMEORIGIN"


def test_only_pictures_of_this_mail_are_put_in(annas: Ticket, me: Client) -> None:
    other = factories.MessageFactory(ticket=annas)
    message = factories.MessageFactory(ticket=annas, html='<img src="cid:own@x"><img src="cid:other@x">')
    for owner, name in ((other, "other@x"), (message, "own@x")):
        factories.AttachmentFactory(
            message=owner, name="p.png", content_type="image/png", content=PIXEL, content_id=name, inline=True
        )
    page = me.get(f"/my/messages/{message.pk}/original/").content.decode()
    found = re.findall('<img src="([^"]+)"', page)
    assert len(found) == 1
    picture = Client().get(found[0])
    assert (picture.status_code, picture["Content-Type"]) == (200, "image/png")


def test_pictures_from_elsewhere_wait_for_the_reader(annas: Ticket, me: Client) -> None:
    message = factories.MessageFactory(ticket=annas, html='<img src="https://canary.test/a.png">')
    at = f"/my/messages/{message.pk}/original/"
    assert re.findall(' src="', me.get(at).content.decode()) == []
    shown = re.findall(' src="([^"]+)"', me.get(at + "?pictures=1").content.decode())
    assert len(shown) == 1
    assert "canary" not in shown[0]
    assert shown[0].startswith("/")


@pytest.mark.parametrize(
    ("name", "claimed", "served"),
    [
        ("photo.JPG", "text/html", "image/jpeg"),
        ("page.html", "text/html", "application/octet-stream"),
        ("draw.svg", "image/svg+xml", "application/octet-stream"),
        ("x.xml", "text/xml", "application/octet-stream"),
        ("fake.png", "text/html\r\nX-Bad: y", "image/png"),
        ("noending", "text/html", "application/octet-stream"),
        ("note.txt", "text/html; charset=x", "text/plain; charset=utf-8"),
    ],
)
def test_downloads_never_run(name: str, claimed: str, served: str, annas: Ticket, me: Client) -> None:
    message = factories.MessageFactory(ticket=annas)
    file = factories.AttachmentFactory(message=message, name=name, content_type=claimed[:100], content=b"<script>")
    answer = me.get(f"/my/files/{file.pk}/")
    assert b"".join(answer.streaming_content) == b"<script>"
    assert answer["Content-Type"] == served
    assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert "X-Bad" not in answer


def test_a_name_beyond_ascii_is_encoded(annas: Ticket, me: Client) -> None:
    file = factories.AttachmentFactory(message=factories.MessageFactory(ticket=annas), name="收据.pdf", content=b"x")
    answer = me.get(f"/my/files/{file.pk}/")
    answer.close()
    assert answer["Content-Disposition"] == "attachment; filename*=utf-8''%E6%94%B6%E6%8D%AE.pdf"


def test_a_file_that_is_gone_is_not_found(annas: Ticket, me: Client) -> None:
    file = factories.AttachmentFactory(message=factories.MessageFactory(ticket=annas), name="a", content=b"x")
    type(file).objects.filter(pk=file.pk).update(blob="00/none")
    assert me.get(f"/my/files/{file.pk}/").status_code == 404
