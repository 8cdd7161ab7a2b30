"""What the demo company has written once: automatic answers, canned replies, words that tell what somebody wants."""

from __future__ import annotations

from inbox.models import Template, TemplateText
from routing.models import KeywordSet

AUTOMATIC, CANNED, MODULE = Template.Purpose.AUTOMATIC, Template.Purpose.CANNED, Template.Purpose.MODULE

TEMPLATES: dict[str, tuple[str, str, dict[str, tuple[str, str]]]] = {
    "Acknowledgement": (
        AUTOMATIC,
        "",
        {
            "en": (
                "We have your message: {{ ticket.subject }}",
                'Dear {{ contact.name|default:"customer" }},\n\nthank you for your message. It has the number '
                "{{ ticket.number }}, and a colleague of {{ queue.name }} will answer you soon. To add something, "
                "just answer this mail.\n\nKind regards\nYour team at Halden",
            ),
            "zh-hans": (
                "我们已收到您的来信：{{ ticket.subject }}",
                '{{ contact.name|default:"您好" }}，您好：\n\n感谢您的来信，工单号为 {{ ticket.number }}，'
                "我们的同事会尽快回复您。如需补充信息，直接回复本邮件即可。\n\n顺颂商祺\nHalden 客户服务",
            ),
            "zh-hant": (
                "我們已收到您的來信：{{ ticket.subject }}",
                '{{ contact.name|default:"您好" }}，您好：\n\n感謝您的來信，工單號碼為 {{ ticket.number }}，'
                "我們的同仁會儘快回覆您。如需補充資料，直接回覆本郵件即可。\n\n敬祝商祺\nHalden 客戶服務",
            ),
        },
    ),
    "Outside business hours": (
        AUTOMATIC,
        "",
        {
            "en": (
                "We are back on the next working day: {{ ticket.subject }}",
                'Dear {{ contact.name|default:"customer" }},\n\nthank you for your message (number '
                "{{ ticket.number }}). Our office is closed just now; you will hear from us on the next working day. "
                "With a service contract you reach the stand-by at any hour under +49 40 555 0 112.\n\n"
                "Kind regards\nYour team at Halden",
            ),
            "zh-hans": (
                "我们将在下一个工作日回复：{{ ticket.subject }}",
                '{{ contact.name|default:"您好" }}，您好：\n\n感谢您的来信（工单号 {{ ticket.number }}）。'
                "现在是非工作时间，我们会在下一个工作日回复您。服务合同客户可随时拨打值班电话 +86 21 5555 0112。"
                "\n\n顺颂商祺\nHalden 客户服务",
            ),
            "zh-hant": (
                "我們將於下一個工作日回覆：{{ ticket.subject }}",
                '{{ contact.name|default:"您好" }}，您好：\n\n感謝您的來信（工單號碼 {{ ticket.number }}）。'
                "目前為非上班時間，我們會在下一個工作日回覆您。服務合約客戶可隨時撥打值班電話 +886 2 5555 0112。"
                "\n\n敬祝商祺\nHalden 客戶服務",
            ),
        },
    ),
    "Ask for the serial number": (
        CANNED,
        "serial",
        {
            "en": (
                "",
                "Could you tell us the serial number, please? It begins with H and stands on the type plate: "
                "behind the drip tray of coffee machines, on the left inner side of oven doors.",
            ),
            "zh-hans": ("", "麻烦您提供机器的序列号，以 H 开头，印在铭牌上：咖啡机在接水盘后面，烤箱在门的左内侧。"),
            "zh-hant": ("", "麻煩您提供機器的序號，以 H 開頭，印在銘牌上：咖啡機在接水盤後方，烤箱在門的左內側。"),
        },
    ),
    "Return label": (
        CANNED,
        "return",
        {
            "en": (
                "",
                "I have sent you a return label by mail. Please pack the item in its box, stick the label on "
                "it and hand it in at any parcel shop within 14 days. The refund follows within three working "
                "days after it has arrived.",
            ),
            "zh-hans": (
                "",
                "退货地址已发到您的手机，请在 14 天内用原包装寄回，运费由我们承担。收到后三个工作日内退款。",
            ),
            "zh-hant": (
                "",
                "退貨標籤已寄到您的信箱，請於 14 天內以原包裝寄回，運費由我們負擔。收到後三個工作天內退款。",
            ),
        },
    ),
    "Descaling guide": (
        CANNED,
        "descale",
        {
            "en": (
                "",
                "Descaling takes 25 minutes: Menu > Care > Descale, one sachet on 0.8 litres of lukewarm "
                "water, then follow the display. How often depends on the hardness that is set under "
                "Menu > Water.",
            ),
            "zh-hans": (
                "",
                "除垢大约 25 分钟：菜单 > 保养 > 除垢，一包除垢剂兑 0.8 升温水，按屏幕提示操作。"
                "频率取决于菜单 > 水质里设置的硬度。",
            ),
            "zh-hant": (
                "",
                "除垢大約 25 分鐘：選單 > 保養 > 除垢，一包除垢劑加 0.8 公升溫水，依畫面指示操作。"
                "頻率取決於選單 > 水質中設定的硬度。",
            ),
        },
    ),
    "Warranty in short": (
        MODULE,
        "warranty",
        {
            "en": (
                "",
                "Our warranty is 24 months from delivery and covers parts and labour; wearing parts such as "
                "seals and burrs are excluded.",
            ),
            "zh-hans": ("", "保修期为交货后 24 个月，包含配件和人工；密封圈、刀盘等易损件除外。"),
            "zh-hant": ("", "保固期為交貨後 24 個月，包含零件與工資；密封圈、刀盤等耗材除外。"),
        },
    ),
}
"""Name → purpose, shortcut, and (subject, text) by language."""

WORDS = {
    "complaint": "complaint\nnot acceptable\nunacceptable\ndisappointed\nthird time\nbeschwerde\nreklamation\n"
    "nicht hinnehmbar\nunverschämt\n投诉\n不满\n太差\n客訴\n投訴\n抗議\n賠償",
    "question": "question\nhow do i\nis it normal\nwhich\ncould you tell\nfrage\nwie kann\nwelche\n"
    "咨询\n请问\n怎么\n諮詢\n請問\n如何",
    "order": "order\ndelivery date\nship\nbestellung\nlieferung\nliefertermin\n订单\n发货\n補貨\n訂單\n出貨\n採購",
    "invoice": "invoice\nvat\nrefund\nrechnung\nabgebucht\nmahnung\n发票\n退款\n發票\n請求書",
    "urgent": "urgent\nimmediately\nright away\ndringend\nsofort\neilig\n紧急\n尽快\n馬上\n盡快\n至急\n急用",
}
"""Intent → words, one a line, in all languages at once."""


def write() -> dict[str, Template]:
    """Make the templates and the keyword sets; the templates by name."""
    made = {}
    for name, (purpose, shortcut, texts) in TEMPLATES.items():
        made[name] = Template.objects.create(name=name, purpose=purpose, shortcut=shortcut)
        TemplateText.objects.bulk_create(
            TemplateText(template=made[name], language=language, subject=subject, body=body)
            for language, (subject, body) in texts.items()
        )
    KeywordSet.objects.bulk_create(KeywordSet(name=name, words=words) for name, words in WORDS.items())
    return made
