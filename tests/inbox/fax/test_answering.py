"""An answer becomes the pages of a fax: cover, text, files; what cannot be faxed is refused before anything is sent."""

from __future__ import annotations

import asyncio
import email
import io
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from PIL import Image

from inbox.channels import registry
from inbox.channels.base import NotComposable, Outcome
from inbox.channels.fax import composing
from inbox.channels.fax.pages import rendering, tiff
from inbox.models import Delivery, FaxDocument, Message
from inbox.services import fax_pages, replies, ways_out
from tests import factories
from tests.inbox.fax import sheets
from tests.inbox.fax.conftest import CALLER, settings_of

pytestmark = pytest.mark.django_db
ADAPTER = registry.adapter("fax")
HTMX = {"HTTP_HX_REQUEST": "true"}


def png(colour: str = "black", size: tuple[int, int] = (600, 300)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def faxed(fax, contact, queue):
    """A ticket that began with a fax."""
    fax.settings = settings_of(in_ocr="off", out_by="hfaxd", out_host="fax.test")
    fax.display_name = "Halden"
    fax.save()
    factories.PointFactory(contact=contact, kind="fax", value=CALLER)
    ticket = factories.TicketFactory(queue=queue, contact=contact, subject="Order 4711", language="zh-hans")
    factories.MessageFactory(ticket=ticket, contact=contact, channel=fax, from_address=CALLER)
    return ticket


def answered(ticket, agent, *files: tuple[str, str, bytes], text: str = "您的订单已经发货。") -> Delivery:
    replies.reply(ticket, author=agent, text=text, attached=files)
    return Delivery.objects.get()


def words(content: bytes, agent=None) -> str:
    """What Tesseract reads on the pages that leave."""
    return "\n".join(rendering.read([content], ocr_pages=5).texts)


def test_the_answer_goes_by_fax_to_the_number_that_wrote(faxed, agent, fax):
    assert next((way.channel, way.recipient) for way in ways_out.ways(faxed)) == (fax, CALLER)
    delivery = answered(faxed, agent)
    assert (delivery.channel, delivery.recipient) == (fax, CALLER)
    out = ADAPTER.compose(delivery, fax)
    document = tiff.read(out.content)
    assert [(p.width, p.height, p.compression, p.stretch) for p in document.pages] == [
        (1728, 2292, 4, pytest.approx(204 / 196))
    ]
    assert Message.objects.filter(kind="outbound").get().to == [[CALLER, ""]]


@pytest.mark.hylafax
def test_the_cover_and_the_chinese_text_can_be_read(faxed, agent, fax):
    text = words(ADAPTER.compose(answered(faxed, agent), fax).content)
    for expected in ("Halden", "+86 21 5555 1234", "+49 40 4321560", f"Ticket#{faxed.number}", "订单", "发货"):
        assert expected in text.replace(" ", "") or expected in text, expected


def test_files_become_pages_after_the_text(faxed, agent, fax):
    delivery = answered(
        faxed,
        agent,
        ("list.pdf", "application/pdf", sheets.pdf(sheets.drawing("A"), sheets.drawing("B"))),
        ("scan.tif", "image/tiff", sheets.three()),
        ("photo.png", "image/png", png()),
        ("notes.txt", "text/plain", "一行\nA line\n".encode() * 80),
    )
    result = composing.pages_of(delivery.message, fax, width=400)
    assert result.refused == ""
    assert result.count == len(result.pages) == len(tiff.read(result.document).pages) == 1 + 2 + 3 + 1 + 4
    photo = Image.open(io.BytesIO(result.pages[6].picture)).convert("L")
    assert photo.getpixel((200, 100)) < 60, "a wide picture is turned upright and fills the sheet"


def test_it_can_leave_as_a_pdf(faxed, agent, fax):
    fax.settings["out_document"] = "pdf"
    content = ADAPTER.compose(answered(faxed, agent), fax).content
    assert content.startswith(b"%PDF-")
    assert rendering.read([content]).count == 1


@pytest.mark.parametrize(
    ("name", "kind", "content", "words"),
    [
        ("list.docx", "application/msword", b"PK\x03\x04", "“list.docx” cannot be faxed. PDF, TIFF, PNG, JPEG and plain text can."),
        ("page.html", "text/html", b"<script>", "“page.html” cannot be faxed. PDF, TIFF, PNG, JPEG and plain text can."),
        ("x.svg", "image/png", b"<svg>", "“x.svg” cannot be faxed. PDF, TIFF, PNG, JPEG and plain text can."),
        ("cut.tif", "image/tiff", sheets.one()[:50], "“cut.tif” is damaged."),
    ],
)  # fmt: skip
def test_what_cannot_be_faxed_is_refused_before_anything_is_written(faxed, agent, name, kind, content, words):
    before = Message.objects.count()
    with pytest.raises(ValidationError) as refused:
        answered(faxed, agent, (name, kind, content))
    assert refused.value.messages == [words]
    assert (Message.objects.count(), Delivery.objects.count()) == (before, 0)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"%PDF-1.7\nnothing", "“a.pdf” cannot be faxed: It cannot be read."),
        (sheets.bare_pdf(500), "A fax has at most 60 pages."),
    ],
)
def test_a_file_that_breaks_later_fails_the_delivery_in_words(faxed, agent, fax, content, why):
    delivery = answered(faxed, agent, ("a.pdf", "application/pdf", content))
    with pytest.raises(NotComposable) as refused:
        ADAPTER.compose(delivery, fax)
    assert why in str(refused.value)


@pytest.mark.parametrize("to", ["+33 1 23 45 67 89, +44", "a@b.test", "", "+49 40 4321570\r\nX", "911; 112"])
def test_one_number_and_nothing_else_is_a_recipient(faxed, agent, fax, to):
    with pytest.raises(ValidationError):
        ADAPTER.address(to, fax.settings)


def test_a_cover_of_ones_own_with_merge_fields(faxed, agent, fax):
    factories.TemplateFactory(
        name="Plain",
        purpose="cover",
        texts={
            "en": ("", "# EN"),
            "zh-hans": ("", "# 传真\n致: {{ contact.name }}\n页数: {{ fax.pages }}\n{{ secret }}"),
        },
    )
    fax.settings["cover"] = "Plain"
    fields = composing._fields(faxed, agent, fax, CALLER)
    cover = composing._cover(fax, "zh-hans", fields)
    assert cover == f"# 传真\n致: Anna Schmidt\n页数: {composing.PAGES_MARK}\n{{{{ secret }}}}"
    fax.settings["cover"] = "none"
    assert composing._cover(fax, "zh-hans", fields) == ""


@pytest.mark.parametrize("cover", ["standard", "Own"])
def test_a_cover_has_no_line_for_what_nobody_knows(faxed, agent, fax, cover):
    factories.TemplateFactory(
        name="Own",
        purpose="cover",
        texts={
            "en": ("", 'To: {{ contact.name }}\nCompany: {{ customer.name }}\nVAT: {{ customer.name|default:"–" }}')
        },
    )
    fax.settings["cover"] = cover
    faxed.customer = None
    lines = composing._cover(fax, "en", composing._fields(faxed, agent, fax, CALLER)).splitlines()
    assert not [line for line in lines if line.startswith("Company")]
    assert cover == "standard" or lines == ["To: Anna Schmidt", "VAT: –"], "a default of its own is a wish"
    faxed.contact.name = ""
    lines = composing._cover(fax, "en", composing._fields(faxed, agent, fax, CALLER)).splitlines()
    assert not [line for line in lines if line.startswith("To:")], "the number stands below as it is"


def test_the_standard_cover_does_not_mix_languages(faxed, agent, fax, monkeypatch):
    """Django itself knows German, we do not: "Datum" would stand between "To" and "Pages"."""
    asked = []
    monkeypatch.setattr(rendering, "make", lambda **order: asked.append(order["cover"]))
    faxed.language = "de"
    composing.draw(ticket=faxed, author=agent, text="Hallo", attached=(), channel=fax, recipient=CALLER)
    assert [line.partition(":")[0] for line in asked[0].splitlines()[1:4]] == ["To", "Company", "Fax"]
    assert "\nDate: " in asked[0]


def test_no_file_and_no_address_is_opened_by_a_text(faxed, agent, fax, tmp_path):
    """S-21: markup is text like any other."""
    (tmp_path / "secret").write_text("hidden")
    text = f'<img src="file://{tmp_path}/secret"><iframe src="http://169.254.169.254/"></iframe>'
    result = composing.pages_of(answered(faxed, agent, text=text).message, fax)
    assert result.count == 1
    assert b"hidden" not in result.document


def test_a_gateway_gets_a_mail_through_the_mail_channel(faxed, agent, fax, channel, monkeypatch):
    fax.settings |= {"out_by": "mail", "out_channel": channel.name, "out_address": "{number}@fax.example"}
    fax.save()
    delivery = answered(faxed, agent)
    out = ADAPTER.compose(delivery, fax)
    mail = email.message_from_bytes(out.content, policy=email.policy.default)
    assert (out.recipient, out.envelope_from, out.through) == ("862155551234@fax.example", channel.address, channel)
    assert (mail["To"], mail["Message-ID"]) == ("862155551234@fax.example", f"<{delivery.mail_id}>")
    (pdf,) = mail.iter_attachments()
    assert (pdf.get_content_type(), pdf.get_filename()) == ("application/pdf", f"fax-{faxed.number}.pdf")
    assert rendering.read([pdf.get_content()]).count == 1
    sent = []

    async def send(through, handed):
        sent.append((through, handed.recipient))
        return Outcome.SENT

    monkeypatch.setattr("inbox.channels.fax.adapter.POOL.send", send)
    asyncio.run(ADAPTER.send(fax, out))
    assert sent == [(channel, "862155551234@fax.example")]


def test_the_try_out_writes_a_pdf_and_calls_nobody(faxed, agent, fax, settings, tmp_path):
    settings.MAIL_SINK = tmp_path
    out = ADAPTER.compose(answered(faxed, agent), fax)
    receipt = asyncio.run(ADAPTER.send(fax, out))
    (file,) = Path(tmp_path).iterdir()
    assert (receipt.outcome, file.suffix) == (Outcome.SENT, ".pdf")
    assert rendering.read([file.read_bytes()]).count == 1


# On the desk


@pytest.fixture
def desk(login, agent):
    return login(agent)


def url(name: str, key: int) -> str:
    return reverse(f"inbox:{name}", args=[key])


def test_pages_are_shown_when_they_are_drawn_and_turned_for_everybody(desk, faxed):
    message = faxed.messages.get()
    factories.AttachmentFactory(message=message, name="fax.tif", content_type="image/tiff", content=sheets.three())
    waiting = desk.get(url("fax", message.pk), **HTMX).content.decode()
    assert "data-waiting" in waiting
    while fax_pages.draw_waiting():
        pass
    drawn = desk.get(url("fax", message.pk), **HTMX)
    assert [sheet.number for sheet in drawn.context["sheets"]] == [1, 2, 3]
    assert "data-waiting" not in drawn.content.decode()
    sheet = drawn.context["sheets"][0]
    upright = Image.open(io.BytesIO(desk.get(sheet.source).content))
    assert upright.size == (sheet.width, sheet.height)
    assert desk.post(url("fax_turn", message.pk), {"degrees": "90"}).json() == {"turn": 90}
    turned = desk.get(url("fax_viewer", message.pk), **HTMX).context["sheets"][0]
    picture = Image.open(io.BytesIO(desk.get(turned.source).content))
    assert picture.size == (turned.width, turned.height) == upright.size[::-1]
    clockwise = upright.convert("L").transpose(Image.Transpose.ROTATE_270)
    assert picture.convert("L").tobytes() == clockwise.tobytes()
    for _ in range(3):
        desk.post(url("fax_turn", message.pk), {"degrees": "90"})
    assert FaxDocument.objects.get().turn == 0
    assert desk.post(url("fax_turn", message.pk), {"degrees": "45"}).status_code == 400


def test_a_fax_that_is_being_dialled_says_so_and_the_server_is_asked_to_give_it_up(desk, faxed, agent):
    from inbox.services import deliveries

    delivery = answered(faxed, agent)
    Delivery.objects.update(
        state="deferred",
        content={"kept": {"job": "7"}},
        response="Call 2: Busy signal detected. It is tried again by itself.",
    )
    shown = desk.get(reverse("inbox:ticket", args=[faxed.number])).content.decode()
    assert "Sending" in shown
    assert "Call 2: Busy signal detected." in shown
    assert "Send again" not in shown
    assert deliveries.cancel(delivery, by=agent) is True
    delivery.refresh_from_db()
    assert (delivery.state, delivery.content["call_off"]) == ("deferred", True), "what came of it says the server"


def test_a_page_is_a_picture_of_ours_and_nothing_else(desk, faxed):
    page = factories.FaxPageFactory(document__message=faxed.messages.get())
    response = desk.get(url("fax_page", page.pk))
    assert response.headers["Content-Type"] == "image/png"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"


def test_pages_of_a_foreign_ticket_are_not_there(login, faxed, other_queue):
    page = factories.FaxPageFactory(document__message=faxed.messages.get())
    stranger = factories.StaffFactory(email="other@guichet.test", role="agent")
    factories.QueueMemberFactory(queue=other_queue, user=stranger)
    client = login(stranger)
    assert client.get(url("fax_page", page.pk)).status_code == 404
    assert client.get(url("fax_viewer", faxed.messages.get().pk)).status_code == 404
    assert client.post(url("fax_turn", faxed.messages.get().pk), {"degrees": "90"}).status_code == 404


def test_a_mail_has_no_pages(desk, ticket, channel):
    message = ticket.messages.get()
    Message.objects.update(channel=channel)
    assert desk.get(url("fax", message.pk)).status_code == 404
    assert FaxDocument.objects.count() == 0


def test_what_was_faxed_is_seen_as_it_left(desk, faxed, agent):
    message = answered(faxed, agent).message
    desk.get(url("fax", message.pk), **HTMX)
    while fax_pages.draw_waiting():
        pass
    shown = desk.get(url("fax", message.pk), **HTMX)
    assert len(shown.context["sheets"]) == 1


def test_what_cannot_be_drawn_is_said(desk, faxed):
    message = faxed.messages.get()
    factories.AttachmentFactory(message=message, name="fax.tif", content_type="image/tiff", content=sheets.many(5000))
    desk.get(url("fax", message.pk), **HTMX)
    while fax_pages.draw_waiting():
        pass
    text = desk.get(url("fax", message.pk), **HTMX).content.decode()
    assert "Preview unavailable" in text
    assert "It has more pages than are drawn." in text


def test_the_preview_shows_the_pages_and_sends_nothing(desk, faxed, fax):
    from django.core.files.uploadedfile import SimpleUploadedFile

    asked = {"channel": fax.pk, "to": CALLER, "text": "您好", "files": SimpleUploadedFile("a.png", png(), "image/png")}
    response = desk.post(reverse("inbox:fax_preview", args=[faxed.number]), asked, **HTMX)
    assert [sheet.number for sheet in response.context["sheets"]] == [1, 2]
    assert response.context["sheets"][0].source.startswith("data:image/png;base64,")
    assert (Delivery.objects.count(), FaxDocument.objects.count(), faxed.messages.count()) == (0, 0, 1)


def test_nobody_looks_through_the_fax_of_a_foreign_queue(desk, faxed, other_queue, fax):
    foreign = factories.ChannelFactory(kind="fax", address="+493012", queue=other_queue, settings=fax.settings)
    asked = {"channel": foreign.pk, "to": "+493099999", "text": "Hello"}
    assert desk.post(reverse("inbox:fax_preview", args=[faxed.number]), asked, **HTMX).status_code == 404


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"to": "nobody"}, "“nobody” is not one fax number."),
        (
            {"files": ("a.docx", b"PK\x03\x04\x00")},
            "“a.docx” cannot be faxed. PDF, TIFF, PNG, JPEG and plain text can.",
        ),
        ({"files": ("a.pdf", b"%PDF-1.7 x")}, "“a.pdf” cannot be faxed: It cannot be read."),
    ],
)
def test_the_preview_says_what_cannot_be_faxed(desk, faxed, fax, changes, words):
    from django.core.files.uploadedfile import SimpleUploadedFile

    asked = {"channel": fax.pk, "to": CALLER, "text": "Hello", **changes}
    if isinstance(asked.get("files"), tuple):
        asked["files"] = SimpleUploadedFile(*asked["files"])
    response = desk.post(reverse("inbox:fax_preview", args=[faxed.number]), asked, **HTMX)
    assert response.context["refused"] == words


def test_settings_are_checked(db, channel):
    form = ADAPTER.form
    base = {"region": "de", "out_by": "mail", "out_channel": channel.name, "out_address": "{number}@fax.example"}
    good = form(base | {"in_queues": ""})
    assert good.is_valid(), good.errors
    assert good.settings()["region"] == "DE"
    for changes, field in (
        ({"region": "XX"}, "region"),
        ({"in_folder": "relative/path"}, "in_folder"),
        ({"in_folder": "/a/../b"}, "in_folder"),
        ({"in_queues": "0404321599 = Nowhere"}, "in_queues"),
        ({"in_queues": f"what = {channel.queue.name}"}, "in_queues"),
        ({"out_channel": "Nowhere"}, "out_channel"),
        ({"out_address": "fax@fax.example"}, "out_address"),
        ({"out_address": "{number}@a.example,x@b.example"}, "out_address"),
        ({"out_by": "hfaxd"}, "out_host"),
        ({"out_by": "hfaxd", "out_host": "a b"}, "out_host"),
        ({"out_by": "hfaxd", "out_host": "fax.test", "out_user": 'a"b'}, "out_user"),
    ):
        assert field in form(base | changes).errors, changes
