"""How mail clients introduce what they quote, in some thirty languages. Only a screened pattern sees a whole body."""

from __future__ import annotations

import re

from .screening import Screened


def _any(*patterns: str) -> str:
    return "|".join(patterns)


VERB = re.compile(
    _any(
        r"\b(?:wrote|writes|sent|said|says|schrieb(?:en)?(?: sie)?|geschrieben|het volgende geschreven|schreef|"
        r"geschreven|escribi[óo]|escribe|escreveu|escreveram|ha(?:nno)? scritto|scrive|scriveva|scrisse|"
        r"skrev|skrev følgende|skrifaði|kirjoitti|kirjoittaa|napsal(?:\(?a\)?)?|napísal(?:\(?a\)?)?|"
        r"napisa[łl](?:\(?a\)?|o)?|pisze|píše|írta|írt|scris|napisao|napisala|napisal|je napisal|је написао|"
        r"yazdı|tarihinde yazdı|написа|написал(?:\(?а\)?)?|пишет|писал(?:\(?а\)?|и)?|сообщает|написав(?:\(ла\))?|"
        r"написала|пише|писав|έγραψε|rašė|rakstīja|kirjutas|menulis|đã viết|viết|napisana|quoth|ha escrit|va escriure|"
        r"escribiu|idatzi du|ysgrifennodd|skryf|geskryf|aliandika|isinulat|yazıb|напиша|напісаў|бичсэн|жазды)(?!\w)",
        r"a (?:[ée]crit|&eacute;crit|ecrit)|nous a dit|写道|寫道|写到|写于|寫於|提到|写信|^[\s>]*引用|"
        r"回[复覆][^\n]{1,40}的(?:[邮郵]件|[来來]信)|書いた|書きました|のメール|さんは書きました|wrote|작성|님이|쓴 글|"
        r"のメッセージ|보낸|님의 말|เขียน|كتب|تمت كتابة|מאת|כתב|ने लिखा|a scris|shkroi|نوشت|نے لکھا|লিখেছেন|எழுதி|"
        r"వ్రాశారు|लिहिले|લખ્યું|ಬರೆದ|എഴുതി|գրել|წერს|დაწერა",
    ),
    re.IGNORECASE,
)

TOLD_TO = re.compile(
    r"\bwrote (?:to )?(?:me|us|you|him|her|them)\b|\bschrieb(?:en)? (?:sie )?(?:mir|uns|mich)\b|"
    r"\b(?:m['’]|nous |vous |lui )a écrit\b|\bme escribió|\bnos escribió|写信给|寫信給|给我(?:们)?写",
    re.IGNORECASE,
)
"""As people tell of a letter; programs never say to whom."""
# A wrapped introduction is only looked for where a line begins like one.
OPENER = re.compile(
    r"^[\s>*_<|(-]{0,12}(?:"
    + _any(
        r"(?:on|at|in message|in article|am|le|el|il(?: giorno)?|op|em|no dia|den|på|dnia|dňa|dne|w dniu|w|v|u|în|la|"
        r"la data de|pe|dana|tarihinde|vào|vào lúc|pada|ons|tor|fre|lør|søn|man|tir|в|во|у|на|от|στις|στις|a)\s+"
        r"(?=.{0,60}\d)",
        r"(?:on|am|le|el|il|op|em|den|dnia|den|in article <|in message <)\s*\w",
        r"(?:mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|so|lun|mar|mer|jeu|ven|sam|dim|mié|jue|vie|sáb|dom|"
        r"seg|ter|qua|qui|sex|mån|tis|ons|tors|fre|lör|sön|man|tir|tor|lør|søn|ma|ti|ke|to|pe|la|su|pon|wt|śr|"
        r"czw|pt|sob|"
        r"niedz|po|út|st|čt|pá|so|ne|пн|вт|ср|чт|пт|сб|вс|нд|понедельник|вторник|среда|четверг|пятница|суббота|"
        r"воскресенье|понеділок|вівторок|середа|четвер|п'ятниця|субота|неділя)[\w]{0,9}\.?,? .{0,30}\d",
        r"\d{1,4}[-./年년 ].{0,40}\d{2}",
        r"(?:בתאריך|ביום|في|يوم|بتاريخ)\s|在\s?.{0,40}\d|在[^\n]{2,40}(?:写道|寫道)|於 ?\d|于 ?\d|20\d\d\s?[年-]",
        r"-{2,} ?on ",
    )
    + ")",
    re.IGNORECASE,
)

# "reply On Wed, Apr 4, 2012 at 3:59 PM, bob@example.com wrote:" and "---- John Smith wrote ----" stand on one line.
SAME_LINE = re.compile(
    r"(?:^|[\s.!?-])[-–— ]{0,6}(On (?:\w{3,9}, )?\w{3,9}\.? \d{1,2}, \d{4}[^\n]{0,200}\bwrote:?)\s*$"
)
DASHED = re.compile(
    r"^[\s>]{0,6}+[-=]{2,}+[^\n]{1,200}(?:写道|寫道)[^\n=-]{0,80}[-=]{2,}\s*$|"
    r"^[\s>]{0,6}+-{2,}+[^\n]{1,200}\b(?:wrote|schrieb|a écrit|escribió|ha scritto|schreef|escreveu|skrev|"
    r"написал(?:\(а\))?)\b[^\n]{0,80}-{2,}\s*$",
    re.IGNORECASE,
)
NAMED = re.compile(
    r"^[\s>*]{0,6}+[^\n:]{0,184}[\w.+-]@[A-Za-z0-9_.-]{0,200}+[^\n]{0,60}(?:wrote|writes|schrieb|"
    r"a écrit|escribió|ha scritto|schreef|escreveu|skrev|kirjoitti|napisał(?:\(a\))?|написал(?:\(а\))?|пишет|写道|"
    r"寫道|のメール|さん|様)"
    r"[^\n]{0,40}[:：]?\s*$|^[^\n]{1,80} via [^\n]{1,80} (?:wrote|schrieb|a écrit|escribió)\s?:?\s*$|"
    r"^[^\n:]{1,80}\b(?:wrote on|schrieb am|schreef op|a écrit le)\b[^\n]{3,80}[:：]\s*$|"
    r"^[^\n:]{1,80}\bkirjoitti (?=[^\n]{0,20}\d)[^\n]{3,80}[:：]\s*$|"
    r"^[^\n:]{1,80}\bon\b[^\n]{6,60}\bwrote:\s*$|"
    r"^[\s>*]{0,6}posted by [^\n]{1,80} on \d\d/\d\d/\d{4}\s*$",
    re.IGNORECASE,
)
# Gmail in some languages writes date and address only: "2014-10-17 11:28 GMT+03:00 Postmaster <a@b>:".
DATED_ADDRESS = re.compile(
    r"^[\s>*]{0,6}(?:\w{2,12}[.,]{0,2} ){0,2}(?:\d{1,2}[.:]? ?\w{2,12}\.? ?,? ?)?\d{1,4}[-/.年 "
    r"][^\n<>]{2,90}[<(]\s*(?:mailto:)?[\w.+=-]{1,80}@[\w.-]{1,200}\s*[>)]\s*[:：]?\s*$"
    r"|^[\s>*]{0,6}20\d\d-\d\d-\d\d \d\d:\d\d GMT[+-]\d\d:\d\d [\w .'-]{1,60}:?\s*$|"
    r"^[\s>*]{0,6}20\d\d年\d{1,2}月\d{1,2}日[^\n]{0,80}(?:[:：]|[<＜][^\n]{3,100}[>＞](?: ?のメール)?[:：]?)\s*$",
)
ENDING = re.compile(
    r"(?:[:：][\s*>_-]{0,6}|-{2,}\s*|(?:wrote|writes|写道|寫道|a écrit|ha scritto|skrev|schrieb|geschrieben|написал|"
    r"escribió|escreveu|napisał(?:\(a\))?|viết)[\s.*>-]{0,6})$",
    re.IGNORECASE,
)

CITING = re.compile(
    r"^[\s>*]{0,6}(?:(?:zitat von|quoting|citando(?: a)?|citation de|citerar|citat fra|cytowanie)\b[^\n]{1,160}|"
    r"(?:вы писали|you wrote|sie schrieben|vous écriviez|usted escribió)\b[^\n]{0,20}\d[^\n]{3,60}|"
    r"[^\n]{0,60}(?:于|於|在)\s?20\d\d[^\n]{3,60}(?:写道|寫道)|[^\n]{1,60}さんは書きました[^\n]{0,60})\s?[:：]\s*$",
    re.IGNORECASE,
)
ORIGINAL = re.compile(
    r"^[\s>*]{0,6}(?:[-=_—–‐*]{2,}+\s*+|\*{1,2})\s{0,3}(?:"
    + _any(
        r"original(?:[ -]?(?:message|appointment|text|e-?mail|mail))?|repl(?:y|ied) message|in reply to|"
        r"previous (?:messages?|repl(?:y|ies)|conversation)|vorherige antworten|réponses précédentes|"
        r"respuestas anteriores|"
        r"message below|your (?:message|mail)|reply (?:above|below)[^\n]{0,40}|"
        r"quoted (?:message|text)",
        r"ursprüngliche (?:nachricht|mail|e-?mail)|original-?nachricht|originalnachricht|urspr\. nachricht|"
        r"antwort nachricht|ursprünglicher termin|original[- ]?mail",
        r"message d['’ ]?origine|message (?:initial|original|précédent)|mail (?:d['’]origine|original)|"
        r"courriel original|"
        r"mensaje (?:original|anterior)|mensagem (?:original|anterior)|correo original|messaggio (?:originale|"
        r"originario|precedente)",
        r"oorspronkelijk(?:e)? bericht|origineel bericht|oprindelig (?:meddelelse|besked)|opprinnelig melding|"
        r"original(?:t|-)?meddelande|ursprungligt meddelande|originalmeddelande|alkuperäinen viesti|"
        r"upprunaleg(?:t|) (?:skilaboð|skeyti)",
        r"wiadomo[śs][ćc] (?:oryginalna|pierwotna)|oryginalna wiadomo[śs][ćc]|p[ůu]vodn[íi] (?:zpr[áa]va|"
        r"e-?mail)|p[ôo]vodn[áa] spr[áa]va|eredeti (?:üzenet|levél)|mesaj(?:ul)? (?:original|inițial)|"
        r"originalna poruka|izvorna poruka|izvirno sporočilo",
        r"orijinal (?:mesaj|ileti)|özgün ileti|asıl mesaj|исходное (?:сообщение|письмо)|"
        r"оригинальное (?:сообщение|письмо)|початкове повідомлення|оригінальне повідомлення|"
        r"първоначално съобщение|αρχικό μήνυμα|thư gốc|tin nhắn gốc|pesan asli",
        r"原始(?:信息|资讯|邮件|郵件|信件|消息|訊息|内容)|邮件原[件文]|郵件原[件文]|原(?:邮件|郵件|信)|原来的邮件|"
        r"回复(?:的)?原?邮件|回覆(?:的)?原?郵件|回复的邮件(?:信息)?|original|元のメッセージ|"
        r"オリジナルメッセージ|元のメール|원본 (?:메시지|메일|이메일)|원래 메시지|ข้อความต้นฉบับ|الرسالة الأصلية|"
        r"הודעה מקורית",
    )
    + r")\s{0,3}(?:[:：]?\s*[-=_—–‐*]{2,}[\s*]*|\*{1,2}\s*|[:：]\s*)$"
    r"|^[\s>*-]{0,12}repl(?:y|ied) to [^\n]{1,80}-{3,}\s*$"
    r"|^[\s>*\[]{0,6}original message processed by david\b[^\n]{0,80}$"
    # GroupWise: ">>> Ann <a@b> 3/2/2026 10:20 AM >>>"
    r"|^>{3} [^\n]{0,200}\d[^\n]{0,60}>{3}\s*$",
    re.IGNORECASE,
)
ABOVE_THIS_LINE = Screened(
    r"^(?:[^\w\n]|_){0,40}(?=[^\n]{0,90}(?:repl|answer|respon|write|antwo[ro]|répon|respuesta|rispo|resposta|ответ|відпов|"
    r"odpow|svar|回[复覆答]|答[复覆]|返信))"
    r"[^\n.:：?？]{0,60}?(?:above this line|(?:über|oberhalb) dieser (?:zeile|linie)|"
    r"au[- ]dessus de cette ligne|encima de esta línea|acima desta linha|"
    r"(?:al di )?sopra (?:di )?questa (?:riga|linea)|"
    r"boven deze (?:regel|lijn)|над (?:этой|цією) (?:строкой|линией|чертой|лінією)|(?:powyżej|nad) tej linii|"
    r"(?:ovanför|over) denn[ae] (?:rad|raden|linjen?)|[此这這该該][行线線条條](?:的)?(?:以上|之上|上方|上面)|"
    r"在上面回[复覆])"
    r"(?: (?:to [^\n.?]{1,40}|ein|eingeben|schreiben|antworten|verfassen|hinzufügen)|[回答，,][^\n?？]{0,12})?"
    r"(?:[^\w\n]|_){0,40}$",
    re.IGNORECASE | re.MULTILINE,
)
"""What service desks set above their own mail, for the answer to be found."""
FORWARD = re.compile(
    r"^[\s*]{0,6}(?:[-=_—–]{2,}\s*)?(?:"
    + _any(
        r"(?:begin )?forwarded (?:message|mail|e-?mail)|forwarded by [^\n]{1,120}|start of forwarded message|"
        r"weitergeleitete (?:nachricht|e-?mail|mail)|anfang der weitergeleiteten (?:nachricht|e-?mail)|"
        r"message (?:transféré|transmis|réexpédié)|"
        r"début du message (?:transféré|réexpédié)|mensaje reenviado|inicio del mensaje reenviado|"
        r"mensagem (?:encaminhada|reencaminhada)|in[íi]cio da mensagem (?:encaminhada|reencaminhada)|"
        r"messaggio inoltrato|inizio messaggio inoltrato|"
        r"doorgestuurd bericht|begin doorgestuurd bericht|videresendt (?:meddelelse|besked|melding)|"
        r"start på videresendt besked|vidarebefordrat (?:meddelande|mail)|vidarebefordrat brev|välitetty viesti|"
        r"edelleenlähetetty viesti|"
        r"wiadomo[śs][ćc] przekazana|przekazana wiadomo[śs][ćc]|p[řr]eposlan[áa] zpr[áa]va|"
        r"preposlan[áa] spr[áa]va|továbbított (?:üzenet|levél)|mesaj redirecționat|iletilen (?:mesaj|ileti)|"
        r"пересылаемое сообщение|пересланное (?:сообщение|письмо)|"
        r"переслане повідомлення|препратено съобщение|προωθημένο μήνυμα|转发(?:的)?邮件(?:信息)?|轉寄(?:的)?郵件|"
        r"转发的邮件|轉寄郵件|"
        r"以下是转发的邮件|已转发邮件|転送(?:された)?メッセージ|転送メール|전달된 (?:메시지|메일)|"
        r"thư được chuyển tiếp|pesan terusan",
    )
    + r")(?:\s*[:：])?\s*(?:[-=_—–]{2,}\s*)?$",
    re.IGNORECASE,
)

_SPACE = r"[ \t\u00a0]"
_LABELS = {
    "from": r"from|von|de|da|van|från|fra|od|feladó|lähettäjä|от|кого|от кого|від|kimden|gönderen|de la|"
    r"expéditeur|remitente|mittente|afzender|absender|remetente|avsändare|avsender|afsender|nadawca|odesílatel|"
    r"odosielateľ|expeditor|отправитель|"
    r"从|发件人|發件人|寄件者|寄件人|寄信人|差出人|送信者|보낸 사람|보낸사람|발신자|từ|dari|จาก|مِن|من|מאת|από|"
    r"frá|saatja",
    "date": r"date|message du|sent|sent on|sent at|sent time|datum|gesendet|gesendet am|verschickt|envoyé|"
    r"envoyé le|date d['’]envoi|enviado|enviado el|enviado em|enviada em|enviada|fecha|data|inviato|data invio|"
    r"verzonden|verstuurd|skickat|skickad|sendt|dato|lähetetty|"
    r"päiväys|päivämäärä|wysłano|wysłane|data wysłania|odesláno|odoslané|dátum|elküldve|küldve|trimis|"
    r"gönderme tarihi|tarih|gönderildi|дата|отправлено|дата отправки|надіслано|изпратено|发送时间|發送時間|"
    r"发送日期|日[ \u3000]?期|时间|時間|"
    r"傳送時間|寄件日期|"
    r"送信日時|日時|日付|보낸 날짜|보낸날짜|날짜|보낸 시간|발송일|đã gửi|gửi|ngày|dikirim|tanggal|วันที่|تاريخ|"
    r"תאריך|αποστολή|ημερομηνία|"
    r"στάλθηκε|data e invio|отправка",
    "to": r"to|an|à|a|para|aan|till|til|do|komu|címzett|vastaanottaja|кому|получатель|до|către|kime|alıcı|"
    r"destinataire|destinatario|destinatário|empfänger|收件人|收信人|收件者|宛先|받는 사람|받는사람|수신자|수신|"
    r"tới|đến|kepada|ถึง|إلى|"
    r"אל|προς|pro|pour|per",
    "cc": r"cc|c\.c\.|bcc|kopie|copie(?: à)?|kopia|kopi|kópia|copia|копия|抄[ \u3000]?送|副本|抄送人|参照|참조|dw|"
    r"másolatot kap|cópia|"
    r"cc to",
    "subject": r"subject|betreff|objet|asunto|assunto|oggetto|onderwerp|ämne|emne|aihe|temat|předmět|predmet|"
    r"tárgy|тема|относно|subiect|konu|主[ \u3000]?题|主[ \u3000]?題|主旨|标题|標題|件名|제목|"
    r"chủ đề|tiêu đề|perihal|subjek|เรื่อง|"
    r"الموضوع|נושא|"
    r"θέμα|efni",
    "reply": r"reply[- ]to|antwort an|répondre à|responder a|rispondi a|回复|回覆|返信先|organization|organisation|"
    r"importance|wichtigkeit|importancia|prioridad|anlagen|attachments?|mailed-by|newsgroups|message-id|list|"
    r"sender|signed by|mailing list",
}
HEADER = re.compile(
    r"^[\s>]{0,8}[*_]{0,2}(?:"
    + "|".join(f"(?P<{kind}>{labels})" for kind, labels in _LABELS.items())
    + rf"){_SPACE}*[*_]{{0,2}}{_SPACE}?[:：][*_]{{0,2}}(?P<value>.{{0,400}})$",
    re.IGNORECASE,
)
INLINE_HEADER = re.compile(
    r"^[\s>*]{0,8}(?:(?:from|von|de|da|van)\s?:\s?[^\n]{0,120}@[^\n]{1,80}\s"
    r"(?:date|sent|datum|gesendet|envoyé|enviado|inviato|verzonden)\s?:[^\n]*\d|"
    r"(?=[^\n]{0,400}\b(?:from|von|de|da|van)\s?:)(?=[^\n]{0,400}\b(?:to|an|à|para|a|aan)\s?:)"
    r"(?=[^\n]{0,500}\b(?:subject|betreff|objet|asunto|oggetto|onderwerp)\s?:)"
    r"(?:date|sent|from|datum|gesendet|von|de|da|van|envoyé|enviado|inviato|verzonden)\s?:)",
    re.IGNORECASE,
)
DATED_TIME = re.compile(
    r"(?<!\d)20\d\d(?!\d).*\d[:.]\d\d|(?<!\d)\d{1,2}[:.]\d\d(?!\d).*(?<!\d)20\d\d(?!\d)|"
    r"(?<!\d)\d{1,2}[./]\d{1,2}[./]\d\d\b,? (?:um |at |à )?\d{1,2}:\d\d"
)
"""A year and a time of day, as no sentence that ends in a colon has them."""
ANY_FIELD = re.compile(r"^[\s>*_]{0,4}[^\W\d_][^\n:：@<>]{0,24}[:：](?P<value>.{0,400})$")
"""A field of a header in a language that is not known here."""
FOXMAIL_DATE = re.compile(r"(?:Date|发送时间|發送時間|日期)[:：]\s*20\d\d-\d\d-\d\d\s+\d\d:\d\d")
NAMED_ADDRESS = re.compile(r"[<\[(](?:mailto:)?\s?[\w.+=-]{1,64}@[\w-]{1,63}\.[\w.-]{1,100}[>\])]")
ADDRESS = re.compile(r"[\w.+=-]{1,64}@[\w-]{1,63}\.[\w.-]{1,100}")

DELIMITER = re.compile(r"^[ \t]*[-_=~*—–]{3,}[ \t]*$")
SIGNATURE_MARK = re.compile(r"^(?:--|-- |— ?--|--\u00a0|&#45;&#45;|- -)[ \t]*$")
LIST_FOOTER = re.compile(
    r"mailing list|unsubscribe|mailman|listinfo|you (?:are receiving|received) this (?:message|e?-?mail)|"
    r"google ?groups|yahoo ?groups",
    re.IGNORECASE,
)

_DEVICE = (
    r"(?:iphone|ipad|ipod|mac|macbook|android|samsung|galaxy|huawei|honor|xiaomi|redmi|mi|oppo|vivo|oneplus|"
    r"nokia|htc|lg|sony|xperia|motorola|moto|blackberry|windows|outlook|mobile?|mobil\w*|cell\w*|phone|"
    r"telefon\w*|tel[ée]fono|handy|tablet|"
    r"smartphone|tele(?:ph|f)on\w*|device|gerät|mail|gmail|yahoo|aol|proton\w*|fastmail|spark|airmail|newton|"
    r"bluemail|mailbird|thunderbird|k-9|foxmail|zoho|网易|qq|verizon|wireless|treo|palm|lumia|surface|pixel|alcatel|lenovo|realme|asus|google|fairphone|meizu|zte|appareil|"
    r"dispositivo|computer|pc|"
    r"hub|nine|edison|superhuman|hey|missive|front|inbox|boxer|acompli|sparrow|mailbox|postbox|ti-\d+|touch|alto|"
    r"unibox|polymail|boomerang|mutt|emacs|evolution|sailfish|jolla|app)"
)
SENT_FROM = re.compile(
    r"^[\s>*_(<«\[]{0,6}(?:"
    + _any(
        r"sen[td] (?:from|via|with|by|using|on) (?:my |a |the |"
        r"an )?(?:[\w'’.+/®™-]{1,30} |verizon, ){0,6}?(?:[\w'’.+/®™-]{1,30})(?: (?:device|"
        r"phone))?(?:[.,!;]? {1,2}(?:please )?(?:excuse|forgive|pardon|apolog\w*|sorry|typed)[^\n]{0,80})?",
        r"(?:get|download|try) (?:the )?(?:new )?(?:outlook|yahoo mail|spark|bluemail|gmail|aol app|mail\.ru|"
        r"proton ?mail|fastmail|edison|boxer) ?(?:for|app|on|mail|now)?[^\n]{0,80}",
        r"yahoo mail: search, organize, conquer",
        r"(?:\w{2,20} )?from (?:my )?(?:mobile|cell ?phone|iphone[\w ]{0,6}|ipad[\w ]{0,6}|android[\w ]{0,12}|"
        r"phone|blackberry)",
        r"(?:von|vom) (?:meinem|meiner|unterwegs)?[^\n]{0,60}(?:gesendet|verschickt|versendet|geschickt)|"
        r"gesendet (?:von|mit|über|aus)[^\n]{1,60}|diese nachricht wurde (?:von|mit)[^\n]{1,60}gesendet|"
        r"holen sie sich outlook[^\n]{0,40}|outlook für (?:ios|android) (?:beziehen|herunterladen)[^\n]{0,40}",
        r"envoy[ée]e? (?:de|depuis|à partir|via|par|avec)[^\n]{1,60}|t[ée]l[ée]charge[zr] outlook[^\n]{0,60}|"
        r"obten(?:ez|ir) outlook[^\n]{0,50}|provenance : courrier[^\n]{0,40}",
        r"enviad[oa] (?:desde|do|da|a partir|via|por|con|de)[^\n]{1,60}|obtener outlook[^\n]{0,40}|"
        r"obtenga outlook[^\n]{0,40}|obter o? ?outlook[^\n]{0,40}|inviato da[l]?[^\n]{1,60}|"
        r"ottieni outlook[^\n]{0,40}|scarica outlook[^\n]{0,40}",
        r"verzonden (?:vanaf|met|via|vanuit)[^\n]{1,60}|verstuurd (?:vanaf|met|via|vanuit)[^\n]{1,60}|"
        r"outlook voor (?:ios|android)[^\n]{0,40}|download outlook[^\n]{0,40}|skickat (?:från|med)[^\n]{1,60}|"
        r"från min [^\n]{1,30}|skaffa outlook[^\n]{0,40}|sendt fra[^\n]{1,60}|hent outlook[^\n]{0,40}|"
        r"få outlook[^\n]{0,40}|lähetetty[^\n]{1,60}|hanki outlook[^\n]{0,40}",
        r"wysłan[eoy](?: z| za)[^\n]{1,60}|wysłano z[^\n]{1,60}|pobierz (?:aplikację |program )?outlook[^\n]{0,40}|"
        r"odesláno z[^\n]{1,60}|odoslané z[^\n]{1,60}|získat(?:e)? outlook[^\n]{0,40}|az? [^\n]{1,30} küldve|"
        r"elküldve[^\n]{1,40}|küldve az? [^\n]{1,40}|trimis (?:de pe|din|de la)[^\n]{1,60}|"
        r"[^\n]{1,40}(?:['’]?(?:den|dan|ımdan|imden|umdan)) gönderildi|poslano (?:s|z|iz)[^\n]{1,50}",
        r"(?:отправлено|відправлено) (?:с|из|через|з)[^\n]{1,60}|надіслано з[^\n]{1,60}|изпратено от[^\n]{1,60}|"
        r"στάλθηκε από[^\n]{1,60}|скачать outlook[^\n]{0,40}|получить outlook[^\n]{0,40}|đã gửi từ[^\n]{1,60}|"
        r"gửi từ[^\n]{1,60}|dikirim dari[^\n]{1,60}|"
        r"terkirim dari[^\n]{1,40}|ส่งจาก[^\n]{1,40}|أُ?رسلت? من[^\n]{1,50}|נשלח מ[^\n]{1,40}",
        r"(?:发|發|寄|来|传|傳|送)?(?:自|送自|来自|發自|寄自)\s?(?:我|my|我的)?[^\n]{0,40}(?:iphone|ipad|手机|"
        r"手機|邮箱|邮件|郵件|华为|小米|mail|"
        r"outlook|android|安卓|客户端|qq|平板|设备|大师|phone)[^\n]{0,20}|(?:從|从|由)我?的? ?[^\n]{1,30}(?:傳送|"
        r"发送|發送|寄出|发出)|"
        r"-{0,12}\s?(?:该|此|本)邮件(?:从|由|通过)[^\n]{1,20}发送|使用[^\n]{1,30}(?:发送|發送)|"
        r"签名由[^\n]{1,20}定制|获取 ?(?:适用于)?[^\n]{1,40}outlook[^\n]{0,30}|"
        r"下载 ?(?:适用于)?[^\n]{0,20}outlook[^\n]{0,30}|"
        r"(?:iphone|ipad|android|スマートフォン|携帯|スマホ|外出先)[^\n]{0,20}から送信|"
        r"[^\n]{1,30}から送信(?:しました|されました)?|"
        r"outlook for [^\n]{1,20} ?(?:を入手|获取|다운로드)|(?:ios|android) ?版 ?outlook ?を入手|"
        r"(?:ios|android)용 outlook (?:다운로드|받기)|(?:ios|android) için outlook['’]?[uı] (?:edinin|indirin)|"
        r"laden sie outlook für (?:ios|android)(?: herunter)?|tải outlook cho (?:ios|android)|"
        r"(?:descărcați|obțineți) outlook pentru (?:ios|android)|(?:отримати|завантажити) outlook для (?:ios|android)|"
        r"(?:나의|내) [^\n]{1,20}에서 보냄|[^\n]{1,30}에서 (?:보냄|보냈습니다|발송)",
    )
    + r")[\s*_)>»\].!]{0,6}(?:[<(\[]?\s?https?://[^\s]{1,300})?[\s*_)>»\].]{0,6}$",
    re.IGNORECASE,
)
OUTLOOK_LINK = re.compile(
    r"^(?=[^\n<]{0,60}outlook)(?=[^\n<]{0,60}(?:ios|android))[^\n<]{8,60}<https://aka\.ms/\w{4,20}>[^\n<]{0,20}$",
    re.IGNORECASE,
)
"""As Outlook on phones sets it in every language."""
LONE_LINK = re.compile(r"^\s{0,4}[<(\[]?https?://[^\s]{1,300}[>)\]]?\s{0,4}$", re.IGNORECASE)
"""As it stands below the line that names the program, for those who want it too."""
SENT_FROM_MY = re.compile(r"^\s{0,4}sent from my (?:[\w-]{1,20} ){0,3}[\w-]{1,20}\s*$", re.IGNORECASE)
SENT_FROM_DEVICE = re.compile(
    rf"\b{_DEVICE}\b|(?:iphon|ipad|android|outlook|samsung)\w|"
    rf"[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af\u0400-\u04ff\u0e00-\u0e7f\u0590-\u06ff\u0370-\u03ff]",
    re.IGNORECASE,
)
