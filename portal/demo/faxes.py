"""Faxes of the demo company: forms that people fill in, sign, stamp and put into a machine, sometimes upside down."""

from __future__ import annotations

import io
import math
import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from PIL import Image, ImageDraw, ImageFont

from crm.customers.models import ContactPoint
from crm.organisation.models import User
from crm.service import services
from crm.service.models import Ticket
from inbox.channels.fax.envelope import Envelope
from inbox.channels.fax.pages import rendering
from inbox.models import Channel, RawMessage
from inbox.services import fax_receiving, replies
from inbox.services.processing import process
from portal.demo.files import file
from portal.demo.people import People
from routing.models import Queue

NUMBER = "+49404321560"
FOLDER = Path("fax") / "in"
WIDTH, HEIGHT = 1728, 2386
"""Dots of an A4 sheet, square; faxes have fewer lines."""
NUMBERS = {"greta": "+49802299887", "wangli": "+862163298811", "linyj": "+886225556677"}
Step = tuple[datetime, Callable[[], None]]


def channel(queue: Queue) -> Channel:
    """The fax in Hamburg, with a folder that is watched; made once its past is told, it reads words too."""
    folder = Path(settings.VAR_DIR) / FOLDER
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    values = {
        "region": "DE",
        "in_folder": str(folder),
        "in_after": "move",
        "in_ocr": "all",
        "in_ocr_pages": 10,
        "in_ocr_wait": 0,
        "out_by": "hfaxd",
        "out_host": "localhost",
        "cover": "standard",
    }
    return Channel.objects.create(
        name="Fax Hamburg", kind="fax", address=NUMBER, display_name="Halden", queue=queue, settings=values
    )


def steps(line: Channel, people: People, now: datetime) -> list[Step]:
    """What came and what was answered, each with its time."""
    for key, number in NUMBERS.items():
        contact = people.customers[key].contact
        ContactPoint.objects.create(contact=contact, kind=ContactPoint.Kind.FAX, value=number)
    staff = people.staff
    old = _Case(line, NUMBERS["linyj"], "SENLIN COFFEE", "000000041")
    order = _Case(line, NUMBERS["wangli"], "LANHU COFFEE", "000000057")
    hotel = _Case(line, NUMBERS["greta"], "HOTEL SONNENHOF", "000000061")
    stranger = _Case(line, "+493012348765", "", "000000063")
    day = timedelta(days=1)
    return [
        (now - 6 * day, lambda: old.comes([taiwan_order()], coarse=True)),
        (now - 6 * day + timedelta(hours=2), lambda: old.is_answered(staff["chen"], TAIWAN_ANSWER, [])),
        (now - 6 * day + timedelta(hours=3), lambda: old.is_done(staff["chen"])),
        (now - day - timedelta(hours=3), lambda: order.comes([chinese_order(), chinese_conditions()])),
        (now - day - timedelta(hours=1), lambda: order.is_answered(staff["mei"], CHINESE_ANSWER, ["quote-3114.pdf"])),
        (now - timedelta(minutes=95), lambda: hotel.comes([hotel_order()])),
        (now - timedelta(minutes=50), lambda: stranger.comes([letter().rotate(180)], coarse=True)),
        (now - timedelta(minutes=1), lambda: _settle(line)),
    ]


def _settle(line: Channel) -> None:
    """From now on a fax waits for its words, where Tesseract is installed."""
    line.settings["in_ocr_wait"] = 60
    line.save(update_fields=["settings"])


class _Case:
    """One fax and what becomes of it."""

    def __init__(self, line: Channel, sender: str, station: str, commid: str) -> None:
        self.line, self.sender, self.station, self.commid = line, sender, station, commid
        self.ticket_id = 0

    def comes(self, pages: Sequence[Image.Image], *, coarse: bool = False) -> None:
        """Through the door that the hook of HylaFAX uses."""
        told = Envelope(
            sender=self.sender, called=NUMBER, station=self.station, commid=self.commid, name=f"fax{self.commid}.tif"
        )
        raw: RawMessage = process(fax_receiving.receive(faxed(pages, self.commid, coarse=coarse), told, self.line))
        if raw.ticket_id is None:
            raise ValueError(f"{self.commid}: {raw.outcome or raw.state} {raw.reason} {raw.error}")
        self.ticket_id = raw.ticket_id

    def is_answered(self, by: User, text: str, attached: Sequence[str]) -> None:
        """By fax, with a cover page."""
        ticket = services.assign(Ticket.objects.get(pk=self.ticket_id), by, by=by)
        replies.reply(
            ticket, author=by, text=text, attached=[file(name) for name in attached], seen=ticket.sequence,
            status=Ticket.Status.PENDING,
        )  # fmt: skip

    def is_done(self, by: User) -> None:
        """Nothing more to do."""
        services.set_status(Ticket.objects.get(pk=self.ticket_id), Ticket.Status.RESOLVED, by=by)


CHINESE_ANSWER = """王经理：

订货单已经收到，咖啡豆二十公斤和滤芯十二个都有现货，明天从上海仓库发出，后天送到静安店。
第二页的付款条件我们同意，报价单附后，请签字后回传。

如有问题请直接打电话给我。"""
TAIWAN_ANSWER = """林小姐您好：

傳真收到了。濾芯六個與沖煮頭墊圈十個已經備妥，星期四由新竹物流送達敦化店。
發票隨貨附上，謝謝您的訂購。"""


def faxed(pages: Sequence[Image.Image], seed: str, *, coarse: bool = False) -> bytes:
    """Sheets as the other side's machine sends them: a little crooked, with specks, black and white."""
    chance = random.Random(seed)
    lines = (1145, (204, 98)) if coarse else (2290, (204, 196))
    sheets = []
    for page in pages:
        crooked = page.convert("L").rotate(chance.uniform(-0.5, 0.5), fillcolor=255, resample=Image.Resampling.BICUBIC)
        pen = ImageDraw.Draw(crooked)
        for _ in range(60):
            x, y = chance.randrange(WIDTH), chance.randrange(HEIGHT)
            pen.ellipse((x, y, x + chance.randint(1, 4), y + chance.randint(1, 4)), fill=0)
        squeezed = crooked.resize((WIDTH, lines[0]), Image.Resampling.LANCZOS)
        sheets.append(squeezed.point(lambda v: 255 if v > 140 else 0).convert("1", dither=Image.Dither.NONE))
    out = io.BytesIO()
    sheets[0].save(out, "TIFF", save_all=True, append_images=sheets[1:], compression="group4", dpi=lines[1])
    return out.getvalue()


class _Sheet:
    """A sheet of paper to write on."""

    def __init__(self, top: str, form: int = 2) -> None:
        self.image = Image.new("L", (WIDTH, HEIGHT), 255)
        self.pen = ImageDraw.Draw(self.image)
        self._form = form
        self.write(90, 40, top, 24)

    def write(self, x: int, y: int, text: str, size: int, *, bold: bool = False) -> None:
        """One or more lines."""
        font = ImageFont.truetype(rendering.font(), size, index=self._form, layout_engine=ImageFont.Layout.BASIC)
        self.pen.multiline_text((x, y), text, font=font, fill=0, spacing=size * 0.55, stroke_width=2 if bold else 0)

    def table(self, y: int, columns: Sequence[int], rows: Sequence[Sequence[str]], *, high: int = 84) -> int:
        """Rows with lines around them, the first one bold; where it ends."""
        for number, row in enumerate(rows):
            top = y + number * high
            for left, right, text in zip(columns, columns[1:], row, strict=False):
                self.pen.rectangle((left, top, right, top + high), outline=0, width=3)
                self.write(left + 18, top + 18, text, 36, bold=number == 0)
        return y + len(rows) * high

    def sign(self, x: int, y: int, seed: str) -> None:
        """A signature."""
        chance = random.Random(seed)
        place, swing = (float(x), float(y)), chance.uniform(0, 6)
        for step in range(1, 90):
            angle = swing + step * chance.uniform(0.28, 0.34)
            following = (x + step * 4.6 + 34 * math.cos(angle), y + (52 - step * 0.3) * math.sin(angle))
            self.pen.line((*place, *following), fill=0, width=6)
            place = following

    def stamp(self, x: int, y: int, text: str) -> None:
        """A round stamp with a star, as Chinese companies have."""
        self.pen.ellipse((x, y, x + 330, y + 330), outline=0, width=9)
        star = [
            (x + 165 + r * math.sin(n * math.pi / 5), y + 150 - r * math.cos(n * math.pi / 5))
            for n, r in ((n, 62 if n % 2 == 0 else 25) for n in range(10))
        ]
        self.pen.polygon(star, fill=0)
        self.write(x + 165 - 22 * len(text), y + 235, text, 44)


def chinese_order() -> Image.Image:
    """An order from Shanghai."""
    sheet = _Sheet("2026-09-30 16:12   发件: 蓝湖咖啡 021-63298811   收件: +49 40 4321560   P.1/2")
    sheet.write(560, 130, "订  货  单", 92, bold=True)
    sheet.write(120, 300, "收件人: Halden 亚洲客服    林美 小姐", 42)
    sheet.write(120, 375, "发件人: 上海蓝湖咖啡有限公司    王丽", 42)
    sheet.write(120, 450, "传真: 021-6329 8811          订单编号: LH-20260118", 42)
    end = sheet.table(
        570,
        (120, 240, 900, 1130, 1330, 1610),
        [
            ("序号", "品名", "数量", "单位", "备注"),
            ("1", "意式咖啡豆 Nordlicht 1 公斤装", "20", "包", "急用"),
            ("2", "滤芯 CF-40", "12", "个", ""),
            ("3", "密封圈 58 毫米", "30", "个", "静安店"),
            ("4", "清洁粉 900 克", "8", "罐", ""),
            ("5", "", "", "", ""),
        ],
    )
    sheet.write(120, end + 60, "送货地址: 上海市静安区南京西路 1266 号 3 楼", 42)
    sheet.write(120, end + 140, "希望送达日期: 本周五之前", 42)
    sheet.write(120, end + 220, "请确认价格和交货期，并回传本单。谢谢！", 42)
    sheet.write(120, end + 420, "签字盖章:", 42)
    sheet.sign(420, end + 450, "wangli")
    sheet.stamp(1080, end + 330, "蓝湖咖啡")
    return sheet.image


def chinese_conditions() -> Image.Image:
    """Its second page."""
    sheet = _Sheet("2026-09-30 16:13   发件: 蓝湖咖啡 021-63298811   收件: +49 40 4321560   P.2/2")
    sheet.write(560, 130, "付 款 条 件", 80, bold=True)
    sheet.write(
        120,
        320,
        "一、货到验收合格后十五天内付款。\n\n二、运费由供方承担，外包装须注明订单编号。\n\n"
        "三、质保期十二个月；质保期内的零件免费更换。\n\n四、如不能按期交货，请提前两个工作日通知。",
        46,
    )
    sheet.write(120, 1180, "供方确认（签字）: ____________________      日期: ____________", 42)
    sheet.stamp(1080, 1380, "蓝湖咖啡")
    return sheet.image


def taiwan_order() -> Image.Image:
    """An order from Taipei, by hand and short."""
    sheet = _Sheet("09/25 2026 10:41  FAX 886 2 2555 6677  SENLIN COFFEE  P.01", form=3)
    sheet.write(640, 140, "傳 真 訂 購", 84, bold=True)
    sheet.write(
        130,
        340,
        "Halden 台灣客服 您好：\n\n敦化店需要：\n\n　・濾芯 CF-40　　　　六個\n\n　・沖煮頭墊圈 58 mm　十個",
        50,
    )
    sheet.write(130, 1060, "請於星期四前送達，發票隨貨。\n\n森林系咖啡　聯絡人：林怡君　電話：02-2555-6678", 50)
    sheet.sign(1080, 1500, "linyj")
    return sheet.image


def hotel_order() -> Image.Image:
    """An order from a hotel by a lake."""
    sheet = _Sheet("FROM: HOTEL SONNENHOF  08022 99887      TO: 040 4321560      P. 01/01")
    sheet.write(120, 150, "Hotel Sonnenhof", 84, bold=True)
    sheet.write(120, 270, "Seestraße 3 · 83684 Tegernsee · Tel. 08022 998877 · Fax 08022 99887", 32)
    sheet.pen.line((120, 340, 1610, 340), fill=0, width=4)
    sheet.write(120, 400, "Bestellung 2026-0417", 62, bold=True)
    sheet.write(
        120,
        520,
        "Sehr geehrte Damen und Herren,\nfür unsere Frühstücksküche bestellen wir zur sofortigen Lieferung:",
        42,
    )
    end = sheet.table(
        720,
        (120, 360, 1130, 1330, 1610),
        [
            ("Art.-Nr.", "Bezeichnung", "Menge", "Preis"),
            ("HP2-DS58", "Dichtungssatz Brühgruppe 58 mm", "4", "lt. Liste"),
            ("CF-40", "Wasserfilter", "6", "lt. Liste"),
            ("MB-900", "Reinigungspulver 900 g", "12", "lt. Liste"),
            ("HP2-DP", "Dampfrohr komplett", "1", "bitte nennen"),
        ],
    )
    sheet.write(
        120,
        end + 60,
        "Bitte liefern Sie bis Donnerstag, am Wochenende sind wir ausgebucht.\n"
        "Das Dampfrohr der linken Maschine tropft - ist das ein Garantiefall?",
        42,
    )
    sheet.write(120, end + 290, "Mit freundlichen Grüßen", 42)
    sheet.sign(150, end + 430, "greta")
    sheet.write(120, end + 530, "G. Aigner, F&B", 42)
    return sheet.image


def letter() -> Image.Image:
    """From somebody whom nobody knows yet, who put it into the machine the wrong way round."""
    sheet = _Sheet("30/09/26  09:20   030 12348765                                              P.1")
    sheet.write(120, 300, "An die Firma Halden\nHamburg", 56)
    sheet.write(
        120,
        560,
        "Guten Tag,\n\nich betreibe ein kleines Café in Berlin-Moabit\nund suche eine gebrauchte Halden Pro 2"
        " mit zwei\nGruppen. Haben Sie so etwas im Angebot?\n\nBitte schicken Sie mir einen Preis per Fax,\n"
        "E-Mail habe ich leider nicht.",
        54,
    )
    sheet.write(120, 1480, "Freundliche Grüße", 54)
    sheet.sign(200, 1680, "moabit")
    sheet.write(120, 1800, "Erika Baumann   ·   Fax 030 12348765", 44)
    return sheet.image
