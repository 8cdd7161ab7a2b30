"""What strangers sent: frames, pictures, downloads."""

from __future__ import annotations

import io
import re
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from PIL import Image

from inbox import usercontent
from inbox.downloads import safe_name
from tests import factories

pytestmark = pytest.mark.django_db


def png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def message(ticket):
    return ticket.messages.get()


@pytest.fixture
def desk(login, agent):
    return login(agent)


def frame(client, message, **query):
    return client.get(reverse("inbox:frame", args=[message.pk]), query)


def test_the_frame_runs_and_requests_nothing(desk, message):
    message.html = """<p onclick="x()">Hi</p><script>x()</script><form action="https://evil.test"><input name=p></form>
        <img src="https://canary.test/a.png" srcset="https://canary.test/b.png"><div style="background:url(https://canary.test/c)">
        <a href="javascript:x()">a</a><iframe srcdoc="x"></iframe><meta http-equiv=refresh content="0;url=https://canary.test">"""
    message.save()
    response = frame(desk, message)
    body = response.content.decode()
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline';")
    assert "sandbox allow-popups allow-popups-to-escape-sandbox" in policy
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert response.headers["Referrer-Policy"] == "no-referrer"
    for forbidden in ("<script", "onclick", "<form", "<input", "<iframe", "http-equiv", "javascript:", "url("):
        assert forbidden not in body, forbidden
    assert re.search(r'(?<!data-remote=")https://canary', body) is None


def test_pictures_of_the_same_mail_are_shown_and_no_others(desk, message, ticket):
    """S-09."""
    own = factories.AttachmentFactory(message=message, name="a.png", content=png(), content_type="image/png")
    own.content_id = "<pic@one>"
    own.save()
    elsewhere = factories.MessageFactory(ticket=ticket)
    other = factories.AttachmentFactory(message=elsewhere, name="b.png", content=png(), content_type="image/png")
    other.content_id = "pic@two"
    other.save()
    message.html = '<img src="cid:pic@one"><img src="cid:pic@two"><img src="cid:">'
    message.save()
    addresses = [unescape(a) for a in re.findall(r'src="([^"]*)"', frame(desk, message).content.decode())]
    assert len(addresses) == 1
    response = Client().get(addresses[0])
    assert (response.status_code, response.headers["Content-Type"]) == (200, "image/png")
    assert response.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert not response.cookies


def test_remote_pictures_come_through_us_after_consent(desk, message, agent, monkeypatch):
    """S-07: the address is one that the mail holds; nobody can make us fetch another."""
    message.html = '<img src="https://canary.test/a.png">'
    message.save()
    asked = []

    def get(url, **_options):
        asked.append(url)
        return usercontent.http.Fetched("image/png", png())

    monkeypatch.setattr(usercontent.http, "get", get)
    assert asked == []
    address = unescape(re.search(r'src="([^"]*)"', frame(desk, message, pictures="1").content.decode())[1])
    assert address.startswith("/usercontent/")
    response = Client().get(address)
    assert (asked, response.headers["Content-Type"]) == (["https://canary.test/a.png"], "image/png")
    assert Client().get(address[:-3] + "xx/").status_code == 404


@pytest.mark.parametrize("url", ["http://127.0.0.1:5432/", "http://169.254.169.254/latest/", "http://localhost/x.png"])
def test_a_remote_picture_never_reaches_our_own_network(url, message, agent, queue):
    response = Client().get(usercontent.remote_picture(url, message, agent))
    assert (response.status_code, response.headers["Content-Type"], len(response.content)) == (200, "image/gif", 43)


def test_a_mark_ends_with_the_right_of_its_reader(message, agent, queue):
    """S-35."""
    file = factories.AttachmentFactory(message=message, name="a.png", content=png(), content_type="image/png")
    addresses = [
        usercontent.picture_of(file, agent),
        usercontent.file_of(file, agent),
        usercontent.remote_picture("http://127.0.0.1/", message, agent),
    ]
    for address in addresses:
        response = Client().get(address)
        assert response.status_code == 200
        for close in response._resource_closers:
            close()
    agent.queue_memberships.all().delete()
    for address in addresses:
        assert Client().get(address).status_code == 404


@pytest.mark.parametrize(
    ("name", "claimed", "served"),
    [
        ("a.html", "text/html", "application/octet-stream"),
        ("a.svg", "image/svg+xml", "application/octet-stream"),
        ("a.png", "text/html", "image/png"),
        ("a.html", "image/png", "application/octet-stream"),
        ("a.xml", "text/xml", "application/octet-stream"),
        ("a.xhtml", "application/xhtml+xml", "application/octet-stream"),
        ("a.pdf", "application/pdf", "application/pdf"),
        ("a", "text/html\r\nX: y", "application/octet-stream"),
    ],
)
def test_a_file_is_a_download_of_a_type_of_ours(name, claimed, served, desk, message):
    """S-16."""
    file = factories.AttachmentFactory(message=message, name=name, content=b"<script>x</script>", content_type=claimed)
    response = desk.get(reverse("inbox:download", args=[file.pk]))
    assert response.headers["Content-Type"] == served
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert response.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert b"".join(response.streaming_content) == b"<script>x</script>"
    for close in response._resource_closers:
        close()


@pytest.mark.parametrize(
    ("name", "saved_as"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\x.txt", "x.txt"),
        ("\u200b.htaccess", "htaccess"),
        (".env", "env"),
        ("a\x00.png", "a.png"),
        ("x" * 400 + ".pdf", "x" * 146 + ".pdf"),
        ("gnp.\u202eexe", "gnp.exe"),
        ('x";filename=evil.html', 'x";filename=evil.html'),
        ("/", "file"),
        ("发票.pdf", "发票.pdf"),
    ],
)
def test_names_of_files_are_made_harmless(name, saved_as):
    """S-17."""
    assert safe_name(name) == saved_as


def test_a_quoted_name_stays_one_name(desk, message):
    file = factories.AttachmentFactory(message=message, name='x";filename=evil.html', content=b"x")
    response = desk.get(reverse("inbox:download", args=[file.pk]))
    assert response.headers["Content-Disposition"] == 'attachment; filename="x\\";filename=evil.html"'
    for close in response._resource_closers:
        close()


def test_previews_are_drawn_anew_or_said_to_be_missing(desk, message):
    real = factories.AttachmentFactory(
        message=message, name="a.png", content=png() + b"<script>", content_type="image/png"
    )
    fake = factories.AttachmentFactory(message=message, name="b.png", content=b"<script>", content_type="image/png")
    drawn = desk.get(reverse("inbox:preview", args=[real.pk]))
    assert drawn.headers["Content-Type"] == "image/png"
    assert b"script" not in drawn.content
    assert desk.get(reverse("inbox:preview", args=[fake.pk])).status_code == 404
    text = factories.AttachmentFactory(
        message=message, name="c.txt", content="<script>x</script>\u202e".encode(), content_type="text/plain"
    )
    shown = desk.get(reverse("inbox:look", args=[text.pk])).content.decode()
    assert "&lt;script&gt;x&lt;/script&gt;⟨U+202E⟩" in shown
    pdf = factories.AttachmentFactory(message=message, name="d.pdf", content=b"%PDF", content_type="application/pdf")
    assert "A preview is not available" in desk.get(reverse("inbox:look", args=[pdf.pk])).content.decode()


def test_files_can_stand_on_another_host(desk, message, settings):
    settings.USERCONTENT_URL = "https://usercontent.test"
    file = factories.AttachmentFactory(message=message, name="a.txt", content=b"x")
    response = desk.get(reverse("inbox:download", args=[file.pk]))
    assert response.status_code == 302
    assert response.url.startswith("https://usercontent.test/usercontent/")


def test_a_frame_begins_as_high_as_its_mail_is_long(login, agent, ticket):
    """A sandboxed frame cannot be measured, so the server says how long the text is."""
    texts = {"low": "Thanks!", "": "line\n" * 15, "tall": "word " * 1000}
    for text in texts.values():
        factories.MessageFactory(ticket=ticket, text=text, reply_text=text, html="<p>x</p>")
    page = login(agent).get(reverse("inbox:ticket", args=[ticket.number])).content.decode()
    assert re.findall(r'data-height="(\w*)"', page) == list(texts)
