"""The language of short mail."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from inbox.channels.email.understanding.language import detect, of_tag

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "hello"),
        ("en", "My order has not arrived yet"),
        ("en", "Thanks!"),
        ("en", "Hello from Germany, I bought a Bosch Waschmaschine and it does not work"),
        ("de", "Wo ist meine Bestellung?"),
        ("de", "Danke!"),
        ("fr", "Où est mon colis ?"),
        ("es", "¿Dónde está mi pedido?"),
        ("it", "Buongiorno, non ho ricevuto la fattura"),
        ("pt", "Não consigo entrar na minha conta"),
        ("nl", "Goedemiddag, ik heb nog geen factuur ontvangen"),
        ("sv", "Hej, var är mitt paket?"),
        ("da", "Jeg har ikke modtaget min ordre endnu"),
        ("no", "Hei, hvor er pakken min?"),
        ("fi", "Missä tilaukseni on?"),
        ("pl", "Nie otrzymałem faktury"),
        ("cs", "Dobrý den, kde je moje objednávka?"),
        ("sk", "Dobrý deň, kde je moja objednávka?"),
        ("hu", "Jó napot, hol van a rendelésem?"),
        ("ro", "Bună ziua, unde este comanda mea?"),
        ("tr", "Merhaba, siparişim nerede?"),
        ("id", "Halo, di mana pesanan saya?"),
        ("vi", "Xin chào, đơn hàng của tôi ở đâu?"),
        ("ru", "Здравствуйте, где мой заказ?"),
        ("uk", "Добрий день, де моє замовлення?"),
        ("bg", "Здравейте, къде е поръчката ми?"),
        ("sr", "Здраво, где је моја поруџбина?"),
        ("el", "Γεια σας, πού είναι η παραγγελία μου;"),
        ("he", "שלום, איפה ההזמנה שלי?"),
        ("ar", "مرحبا، أين طلبي؟"),
        ("fa", "سلام، سفارش من هنوز نرسیده است"),
        ("fa", "سلام، سفارش من کجاست؟ لطفاً پیگیری کنید"),
        ("th", "สวัสดีค่ะ สินค้าของฉันอยู่ที่ไหน"),
        ("hi", "नमस्ते, मेरा ऑर्डर कहाँ है?"),
        ("ja", "注文はどこですか？"),
        ("ja", "返品したいのですが、可能でしょうか。"),
        ("ko", "주문이 아직 도착하지 않았습니다"),
        ("zh-hans", "您好，我的订单还没有到"),
        ("zh-hans", "谢谢"),
        ("zh-hant", "您好，我的訂單還沒有到"),
        ("zh-hant", "請問什麼時候出貨？"),
    ],
)
def test_short_mail(language: str, text: str) -> None:
    assert detect(text) == language


@pytest.mark.parametrize("text", ["", "   \n", "12345", ":-)", "https://shop.example/o/1", "ann@client.example", "x"])
def test_nothing_is_guessed_from_nothing(text: str) -> None:
    assert detect(text) == ""


def test_quoted_lines_do_not_count() -> None:
    assert detect("> Where is my order? I would like to know when it arrives.\nIst schon unterwegs, danke.") == "de"


def test_a_long_mail_takes_no_longer_than_a_short_one() -> None:
    text = "My order has not arrived yet and I would like to know why. " * 20_000
    detect(text)
    started = time.perf_counter()
    for _ in range(20):
        detect(text)
    assert (time.perf_counter() - started) / 20 < 0.005


def test_the_model_is_not_loaded_before_it_is_needed() -> None:
    code = (
        "import sys; from inbox.channels.email.understanding.language import detect; detect('您好，我的订单还没有到');"
        "sys.exit('py3langid' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_encrypted_message_has_no_language() -> None:
    assert detect("-----BEGIN PGP MESSAGE-----\nVersion: GnuPG v2\n\n" + ("hQEMAwzOQ1qnzNo7AQf" * 3 + "\n") * 9) == ""


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("en", "en"),
        ("en-US", "en"),
        ("de_AT", "de"),
        ("zh", "zh-hans"),
        ("zh-CN", "zh-hans"),
        ("zh-TW", "zh-hant"),
        ("zh-Hant-HK", "zh-hant"),
        ("fil-PH", "fil"),
        ("", ""),
        ("*", ""),
        ("i-klingon", ""),
        ("<script>", ""),
    ],
)
def test_a_tag_of_a_browser_is_named_as_a_detected_language(tag: str, language: str) -> None:
    assert of_tag(tag) == language
