"""The picture of a colleague: given on the own profile, seen by visitors beside the name, gone when it is taken away."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from crm.organisation.models import Portrait, User
from crm.service.models import Ticket
from inbox.services import chats, replies
from tests.inbox.chat.conftest import Browser

pytestmark = pytest.mark.django_db


def photo(side: int = 900) -> bytes:
    file = BytesIO()
    Image.new("RGB", (side, side // 2), "teal").save(file, "JPEG", comment=b"taken at a secret place")
    return file.getvalue()


def profile(client: Client, user: User, **more: Any) -> Any:
    known = {
        "name": "Lena Vogt",
        "is_available": "on",
        "chats_at_once": 4,
        "theme": "system",
        "density": "default",
        **more,
    }
    return client.post("/desk/profile/", known)


def upload(content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("me.jpg", content, "image/jpeg")


def test_visitors_see_the_picture_of_who_answers(chat: Any, here: Any, login: Any) -> None:
    assert profile(login(here), here, portrait=upload(photo())).status_code == 302
    here.refresh_from_db()
    browser = Browser(chat)
    browser.say("Hello")
    replies.reply(chats.take_over(Ticket.objects.get(), here), author=here, text="Good morning")
    news = browser.events()
    path = next(event["agent"]["picture"] for event in news["events"] if event["kind"] == "answer")
    assert news["agent"]["picture"] == path
    answer = Client().get(path)
    drawn = Image.open(BytesIO(answer.content))
    assert max(drawn.size) <= 160
    assert b"secret place" not in answer.content
    wanted = {"Cross-Origin-Resource-Policy": "cross-origin", "X-Content-Type-Options": "nosniff"}
    assert {name: answer.headers[name] for name in wanted} == wanted
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Type"] == f"image/{drawn.format.lower()}"


def test_the_desk_shows_it_beside_the_own_name(here: Any, login: Any) -> None:
    client = login(here)
    profile(client, here, portrait=upload(photo()))
    mark = User.objects.get(pk=here.pk).portrait_mark
    assert f"/chat/v1/agents/{mark}" in client.get("/desk/notifications/").content.decode()


def test_a_new_picture_has_a_new_address_and_the_old_one_is_gone(here: Any, login: Any) -> None:
    client = login(here)
    marks = []
    for side in (300, 500):
        profile(client, here, portrait=upload(photo(side)))
        marks.append(User.objects.get(pk=here.pk).portrait_mark)
    assert len(set(marks)) == 2
    assert [Client().get(f"/chat/v1/agents/{mark}").status_code for mark in marks] == [404, 200]
    profile(client, here)  # saved without a file: it stays
    assert User.objects.get(pk=here.pk).portrait_mark == marks[1]
    profile(client, here, no_portrait="on")
    assert (User.objects.get(pk=here.pk).portrait_mark, Portrait.objects.count()) == ("", 0)
    assert Client().get(f"/chat/v1/agents/{marks[1]}").status_code == 404


def test_what_is_no_picture_is_refused_in_words(here: Any, login: Any) -> None:
    page = profile(login(here), here, portrait=upload(b"<svg onload=alert(1)>"))
    assert page.status_code == 200
    assert "This is not a picture that can be read." in page.content.decode()
    assert Portrait.objects.count() == 0


@pytest.mark.parametrize("mark", ["", "x", "0", "%00", "../widget.js"])
def test_made_up_marks_show_nothing(mark: str, here: Any) -> None:
    assert Client().get(f"/chat/v1/agents/{mark}").status_code == 404
