"""Small words, letters and writing systems, by language.

The words are frequent ones, greetings and words of support mail. They decide where a mail is too short for statistics.
"""

from __future__ import annotations

LATIN = "en de fr es it nl pt sv da no fi pl cs sk hu ro tr id ms vi hr sl et lv lt ca is la"
CYRILLIC = "ru uk bg sr mk be"

WORDS: dict[str, str] = {
    "en": "the and is are was were have has had not you your my we our i it this that with for from please "
    "thanks thank hello hi dear regards can could would will what when where how why which there been but any "
    "order help need still does do don't can't i'm it's me to of in on at be an if as so about get got yes no "
    "just know invoice account delivery received want "
    "see test reply message mail email attached file page meeting question problem send sent new update team "
    "text words plain body "
    "ok okay good great sorry sure he she they them his her than then them over under again also only very much "
    "more most some "
    "password reset attached",
    "de": "der die das und ist sind war nicht ich sie wir mein meine meinen ihre ihr euch mit für von den dem "
    "ein eine einen auf zu im am bitte danke hallo guten tag sehr geehrte grüße gruß können kann habe haben "
    "wird werden noch aber auch wie was wann wo warum es bei nach oder wenn dass schon mal bestellung rechnung "
    "lieferung vielen dank leider mir mich uns gerne immer seit "
    "passwort vergessen siehe anhang anbei",
    "fr": "le la les et est sont pas je vous nous mon ma mes votre vos avec pour de des du un une dans sur ce "
    "cette que qui bonjour merci cordialement madame monsieur pouvez peux ai avez été être mais comment quand "
    "où pourquoi plus encore il elle au aux ne c'est j'ai commande facture livraison salut svp bien toujours car par "
    "joint jointe jointes",
    "es": "el la los las y es son no yo usted mi mis su sus con para de del un una en que por hola gracias "
    "buenos buenas días tardes estimado estimados saludos puedo puede tengo he ha pero como cómo cuándo dónde "
    "qué más todavía se lo le al este esta pedido factura envío ayuda quiero necesito favor muy está estoy ya "
    "mal funciona factura quiero reembolso llámeme cuenta todo nada puede ahora adjunto",
    "it": "il lo la i gli le e è sono non io voi mio mia miei vostro con per di del della un una in che da ciao "
    "grazie buongiorno buonasera salve gentile gentili saluti posso può ho ha ma come quando dove perché più "
    "ancora si al "
    "questo questa ordine fattura spedizione vorrei mi vi ci nel alla sono stato cordiali allego",
    "pt": "o a os as e é são não eu você meu minha meus seu sua com para de do da um uma em que por olá obrigado "
    "obrigada bom dia boa tarde prezado prezados cumprimentos posso pode tenho mas como quando onde porque mais "
    "ainda "
    "se ao no na este esta pedido fatura encomenda gostaria preciso quero favor está estou já nos uma muito "
    "quanto custa",
    "nl": "de het een en is zijn was niet ik u je wij we mijn uw jullie met voor van op in te dat die dit deze "
    "hallo bedankt dank beste geachte groet groeten kan kunt heb heeft maar hoe wanneer waar waarom nog ook er "
    "aan bij naar "
    "bestelling factuur levering graag alvast goedemiddag goedendag vriendelijke al wel om als geen",
    "sv": "och är det att jag inte en ett min mitt mina er ni med för på av som har hade hej tack vänliga "
    "hälsningar kan men hur när var varför till från om den de vi så också ännu beställning faktura leverans "
    "skulle vill mvh god bra "
    "någon något inget detta "
    "fungerar fel vad mig hjälp",
    "da": "og er det at jeg ikke en et min mit mine jeres i med for på af som har havde hej tak venlig hilsen "
    "kan men hvordan hvornår hvor hvorfor til fra om den de vi så også endnu ordre faktura levering ville gerne "
    "mvh god dag "
    "nogen noget ikke dette efter blev "
    "virker bestilling bestillingen forkert venligst pakke mine hvad kommer blevet mig hjælp",
    "no": "og er det at jeg ikke en et min mitt mine deres dere med for på av som har hadde hei takk vennlig "
    "hilsen kan men hvordan når hvor hvorfor til fra om den de vi så også ennå ordre bestilling faktura levering "
    "vil gjerne mvh god "
    "noen noe dette etter ble pakken fått bare "
    "fungerer feil bestillingen pakken vennligst varene hva kommer blitt meg hjelp",
    "fi": "ja on ei minä olen oli en minun teidän kanssa että se tämä hei kiitos terveisin voinko voitteko voi "
    "mutta miten milloin missä miksi vielä myös kun jos niin tilaus tilauksen lasku toimitus haluaisin hyvää "
    "päivää moi terve ole ovat "
    "mitä sitten kuin saanut ystävällisin",
    "pl": "i jest są nie ja pan pani państwo mój moja moje z do na w że się to jak dzień dobry cześć dziękuję "
    "pozdrawiam proszę mogę czy ale kiedy gdzie dlaczego jeszcze mam był była zamówienie faktura przesyłka witam "
    "szanowni o od za po już "
    "nadal tylko dla przez który",
    "cs": "a je jsou není já vy můj moje s do na v že se to jak dobrý den ahoj děkuji děkuju pozdravem prosím "
    "mohu můžete ale kdy kde proč ještě mám jsem byl byla objednávka faktura zásilka dobry o od za po už který "
    "také nebo bych vám mi při "
    "stále objednávku "
    "nefunguje prosím zavolejte chci děkuji peníze balík",
    "sk": "a je sú nie ja vy môj moja s do na v že sa to ako dobrý deň ahoj ďakujem pozdravom prosím môžem "
    "môžete ale kedy kde prečo ešte mám som bol bola objednávka faktúra zásielka o od za po už ktorý tiež alebo "
    "by vám mi pri stále "
    "objednávku čo "
    "nefunguje prosím chcem peniaze balík",
    "hu": "és a az nem van vagyok volt hogy is én ön önök kérem köszönöm üdvözlettel jó napot kívánok szia helló "
    "tisztelt mikor hol miért hogyan még már csak meg ha vagy rendelés rendelésem számla szállítás szeretnék "
    "kaptam ez egy de el kell mert "
    "nekem",
    "ro": "și si este sunt nu eu dumneavoastră meu mea cu pentru de din la un o în in că ca bună ziua buna "
    "mulțumesc multumesc salut pot puteți dar când unde cum mai încă am ai are comanda factura livrare vreau vă "
    "rog aș dori stimate ce pe să se le "
    "fost",
    "tr": "ve bir bu için ile değil ben siz benim sizin merhaba teşekkürler teşekkür ederim iyi günler sayın "
    "saygılarımla var yok ne nasıl nerede neden zaman ama çok daha henüz sipariş siparişim fatura kargo lütfen "
    "istiyorum mi mı mu olarak olan "
    "gibi da de kadar ederim selam",
    "id": "dan yang di ke dari untuk dengan tidak saya anda kami ini itu apa bagaimana kapan dimana mengapa bisa "
    "sudah belum ada akan juga atau pada halo terima kasih selamat pagi siang pesanan faktur pengiriman tolong "
    "mohon salam hormat karena "
    "tetapi masih menerima "
    "tidak berfungsi tolong bisakah",
    "vi": "và là của không tôi bạn anh chị chúng này đó cho với từ đến có được đã đang sẽ xin chào cảm ơn trân "
    "trọng làm thế nào khi đâu tại sao đơn hàng hóa vui lòng giúp một những các nhưng còn rất nhận",
    "hr": "i je su nije ja vi moj moja s sa do na u da se to kako dobar dan bok hvala pozdrav lijep poštovani "
    "molim mogu možete ali kada gdje zašto još imam sam bio bila narudžba račun dostava o od za po već koji "
    "također ili bih vam mi što "
    "ne radi",
    "sl": "in je so ni jaz vi moj moja z s do na v da se to kako dober dan živjo hvala lep pozdrav spoštovani "
    "prosim lahko ampak kdaj kje zakaj še imam sem bil bila naročilo račun dostava o od za po že ki tudi ali bi "
    "vam mi pri kaj "
    "ne deluje",
    "et": "ja on ei mina olen oli minu teie et see tere aitäh tänan lugupidamisega palun kas aga kuidas millal "
    "kus miks veel ka kui siis tellimus arve tarne sooviksin päevast ning või ma te pole saanud",
    "lv": "un ir nav es jūs mans mana ar uz no ka tas labdien sveiki paldies ar cieņu lūdzu varu bet kā kad kur "
    "kāpēc vēl arī ja vai pasūtījums rēķins piegāde man mani par pie esmu",
    "lt": "ir yra nėra aš jūs mano su į iš kad tai laba diena sveiki ačiū pagarbiai prašau galiu bet kaip kada "
    "kur kodėl dar taip pat jei ar užsakymas sąskaita pristatymas man apie prie esu labas",
    "ca": "el la els les i és són no jo vostè meu meva amb per de del un una en que hola gràcies bon dia bones "
    "salutacions puc pot tinc però com quan on per què més encara aquest aquesta comanda factura enviament "
    "voldria si us plau molt",
    "ms": "dan yang di ke dari untuk dengan tidak saya anda kami ini itu apa bagaimana bila mengapa boleh sudah "
    "belum ada akan juga atau pada terima kasih selamat pesanan invois penghantaran tolong kerana tetapi masih "
    "encik puan",
    "is": "og að er ekki ég ekki þú við minn mín með á í frá til hvað hvenær pakkinn reikningur pöntun takk kveðja "
    "halló góðan daginn kominn ennþá vantar get hef",
    "la": "lorem ipsum dolor sit amet consectetur consectetuer adipiscing adipisicing elit sed eiusmod tempor "
    "incididunt labore dolore magna aliqua quis nulla vestibulum et ut in ac enim minim veniam nostrud",
    "ru": "и в не на я что с по это как но мне вы мой моя ваш за от для у к здравствуйте добрый день привет "
    "спасибо пожалуйста уважением могу можно когда где почему ещё еще уже заказ счет счёт доставка нет да меня "
    "был есть если или только так бы "
    "верните деньги работает посылка пришла "
    "забыл пароль",
    "uk": "і в не на я що з по це як але мені ви мій моя ваш за від для у до вітаю добрий день привіт дякую будь "
    "ласка повагою можу можна коли де чому ще вже замовлення рахунок доставка немає так мене був є якщо або "
    "тільки та чи "
    "поверніть гроші працює посилка прийшла ще моя "
    "забув пароль",
    "bg": "и в не на аз че с по това как но ми вие моят моята ваш за от до у здравейте добър ден привет "
    "благодаря моля поздрави мога може кога къде защо още вече поръчка поръчката фактура доставка няма да ме "
    "беше е са съм ако или само си ще "
    "не работи пратката искам парите "
    "забравих паролата стоката беше повредена",
    "sr": "и у не на ја што са по ово како али ми ви мој моја ваш за од до код здраво добар дан хвала молим "
    "поздрав могу може када где зашто још већ поруџбина рачун достава нема да ме био је сам ако или само се ли",
    "mk": "и во не на јас што со по ова како но ми вие мојот мојата ваш за од до кај здраво добар ден благодарам "
    "ве молам поздрав можам може кога каде зошто уште веќе нарачка сметка достава нема да ме беше е сум ако или "
    "само се",
    "be": "і ў не на я што з па гэта як але мне вы мой мая ваш за ад для у да вітаю добры дзень прывітанне "
    "дзякуй калі ласка павагай магу можна калі дзе чаму яшчэ ўжо заказ рахунак дастаўка няма так мяне быў ёсць "
    "калі або толькі",
}

_LETTERS = {
    "ыэё": "ru be",
    "і": "uk be",
    "їєґ": "uk",
    "ў": "be",
    "ъ": "bg ru",
    "јљњџ": "sr mk",
    "ћђ": "sr",
    "ѓќѕ": "mk",
    "щ": "ru uk bg",
    "ß": "de",
    "þð": "is",
    "ñ¿¡": "es",
    "ã": "pt",
    "õ": "pt et",
    "ç": "fr pt tr ca",
    "øæ": "da no",
    "å": "sv da no fi",
    "łżśźń": "pl",
    "ąę": "pl lt",
    "řůě": "cs",
    "ľĺŕ": "sk",
    "őű": "hu",
    "ă": "ro vi",
    "șțţ": "ro",
    "ğı": "tr",
    "ş": "tr ro",
    "đ": "vi hr",
    "ơư": "vi",
    "ê": "fr pt vi",
    "āēīņļ": "lv",
    "ėųį": "lt",
    "ä": "de sv fi et sk",
    "ö": "de sv fi hu tr et",
    "ü": "de tr hu et",
    "è": "it fr ca",
    "ò": "it ca",
    "ì": "it",
    "ù": "it fr",
    "ć": "pl hr",
    "œ": "fr",
    "ô": "fr pt sk vi",
    "î": "fr ro",
}
LETTERS = {letter: languages for letters, languages in _LETTERS.items() for letter in letters}
"""Letters that few languages have, to those languages."""

RANGES = (
    (0x0041, 0x024F, "latin"),
    (0x1E00, 0x1EFF, "latin"),
    (0x0370, 0x03FF, "el"),
    (0x1F00, 0x1FFF, "el"),
    (0x0400, 0x052F, "cyrillic"),
    (0x0530, 0x058F, "hy"),
    (0x0590, 0x05FF, "he"),
    (0x0600, 0x077F, "arabic"),
    (0xFB50, 0xFEFC, "arabic"),
    (0x0900, 0x097F, "hi"),
    (0x0980, 0x09FF, "bn"),
    (0x0A00, 0x0A7F, "pa"),
    (0x0A80, 0x0AFF, "gu"),
    (0x0B80, 0x0BFF, "ta"),
    (0x0C00, 0x0C7F, "te"),
    (0x0C80, 0x0CFF, "kn"),
    (0x0D00, 0x0D7F, "ml"),
    (0x0D80, 0x0DFF, "si"),
    (0x0E00, 0x0E7F, "th"),
    (0x0E80, 0x0EFF, "lo"),
    (0x1000, 0x109F, "my"),
    (0x10A0, 0x10FF, "ka"),
    (0x1100, 0x11FF, "hangul"),
    (0x3131, 0x318E, "hangul"),
    (0xAC00, 0xD7AF, "hangul"),
    (0x1780, 0x17FF, "km"),
    (0x3041, 0x3096, "kana"),
    (0x30A1, 0x30FA, "kana"),
    (0xFF66, 0xFF9D, "kana"),
    (0x3400, 0x4DBF, "han"),
    (0x4E00, 0x9FFF, "han"),
    (0xF900, 0xFAFF, "han"),
    (0x20000, 0x2FA1F, "han"),
)
"""First and last code point of what one writing system uses."""
