"""The words by which automatic replies and absence notes show themselves, in some twenty-five languages."""

from __future__ import annotations

import re

from .screening import Screened


def _any(*patterns: str) -> Screened:
    return Screened("|".join(patterns))


_ABSENT_SUBJECT = (
    r"out[- ]of[- ](?:the[- ])?office(?! (?:furniture|supplies|chair))|\booo\b|(?:on|away (?:on|for)) (?:annual |"
    r"maternity |parental |sick )?(?:vacation|holidays?|leave)\b|"
    r"away from (?:my |the )?(?:office|desk|mail|e-mail|keyboard)|i(?:['’]m| am) (?:away|out|on (?:vacation|"
    r"holiday|leave))|vacation (?:reply|response|notice|message)|absence notice",
    r"abwesenheit(?! (?:bei|während)\b)|abwesend\b(?! (?:bei|während)\b)|"
    r"(?:bin )?nicht im (?:büro|haus)|(?:ich bin )?im urlaub|urlaubs(?:notiz|"
    r"benachrichtigung|meldung)|außer haus",
    r"absence du bureau|absent(?:e)? du bureau|message d['’]absence|(?:en )?cong[ée]s? (?:annuel|jusqu)|"
    r"notification d['’]absence|absence\s*[:(]|absent(?:e|\(e\))?\s*:|je suis absent|hors du bureau",
    r"fuera de (?:la )?oficina|ausente de la oficina|ausencia (?:de|temporal)|estoy de vacaciones|"
    r"mensaje de ausencia|fora do escrit[óo]rio|ausente do escrit[óo]rio|aus[êe]ncia (?:do|tempor)|"
    r"estou de f[ée]rias|fora da oficina",
    r"fuori (?:sede|ufficio)|assenza dall['’]ufficio|assente dall['’]ufficio|messaggio di assenza|sono in ferie|"
    r"in ferie (?:fino|dal)",
    r"afwezig(?:heid)?|niet op kantoor|buiten kantoor|met vakantie|op vakantie|frånvaro|frånvarande|"
    r"inte på kontoret|ej på kontoret|på semester|fravær|fraværende|ikke på kontoret|på ferie|"
    r"poissa(?: toimistolta|olo|\s*:)|lomalla\b",
    r"poza biurem|nieobecno[śs][ćc]|na urlopie|odpove[ďd] v neprítomnosti|odpověď v nepřítomnosti|"
    r"mimo kancel[áa][řr]|nepřítomn|neprítomn|dovolen[áée]|házon kívül|"
    r"irodán kívül|szabadság|în afara biroului|absență|concediu",
    r"вне офиса|отсутству(?:ю|ет) в офисе|нет на (?:рабочем )?месте|в отпуске|уведомление об отсутствии|"
    r"поза офісом|у відпустці|извън офиса|εκτός γραφείου|ofis dışında|izinde|görev dışında",
    r"不在办公室|不在辦公室|外出自动|外出自動|休假(?:中|通知|自动|自動)|外出通知|不在のお知らせ|不在通知|"
    r"休暇(?:中|の(?:お知らせ|ご連絡))|不在です|부재\s*중|휴가\s*중|vắng mặt|"
    r"ไม่อยู่ที่สำนักงาน|خارج المكتب|מחוץ למשרד",
)
_AUTO_SUBJECT = (
    r"auto(?:matic|mated|matically generated|matically)?[- ]?(?:e-?mail )?(?:reply|response|repl(?:y|ied)|answer|"
    r"acknowledge?ment|confirmation)|(?:autoreply|autoresponse|autoresponder)\b(?=\s*(?:[:\-–(\[]|$|re:))|"
    r"auto[- ]?reply\b(?! (?:is|was|does|not|broken|problem|stop|from|loop))|^auto:|"
    r"this is an automat(?:ic|ed) (?:reply|response)\b",
    r"automatische? (?:antwort|rückantwort|e-?mail-?antwort|beantwoording|reactie|bevestiging|"
    r"empfangsbestätigung|eingangsbestätigung|bestätigung)|automatisch antwoord|autoantwort|eingangsbestätigung",
    r"r[ée]ponse automatique|accus[ée] de r[ée]ception automatique|respuesta autom[áa]tica|respuesta de ausencia|"
    r"autorespuesta|risposta automatica|autorisposta|resposta autom[áa]tica|"
    r"resposta automatica",
    r"(?:odpowied[źz] automatyczna|autoodpowied[źz]|tự động trả lời)(?=\s*(?:[:：\-–(\[]|$))|"
    r"autosvar|automatiskt? svar|autosvarer|automaattinen vastaus|automaattivastaus|automatyczna odpowied[źz]|"
    r"automatick[áa] odpov[ěe][ďd]|automatikus válasz|r[ăa]spuns automat|otomatik (?:yanıt|cevap)|"
    r"automatski odgovor|samodejn[io] odgovor|automaatvastus|automātiska atbilde|automatinis atsakymas|"
    r"resposta automàtica|sjálfvirkt svar|پاسخ خودکار",
    r"автоматический ответ|автоответ|автоматична відповідь|автоматичен отговор|аутоматски одговор|"
    r"αυτόματη απάντηση|自动(?:回复|答复|回覆|回信|应答)|自動(?:回覆|回复|回信|答覆|返信|応答|回應)|"
    r"자동\s*(?:응답|회신|답장)|(?:thư )?trả lời tự động|balasan otomatis|jawapan automatik|(?:การ)?ตอบกลับอัตโนมัติ|"
    r"رد (?:تلقائي|آلي)|"
    r"تلقائي|תשובה אוטומטית|מענה אוטומטי|स्वचालित उत्तर",
)


# The word opens the subject or stands in brackets: a person's "Re: Automatic reply: …" does not count.
def _opening(patterns: tuple[str, ...]) -> str:
    return r"^[\s\[\]【】（(*!#<\"'“-]{0,5}(?:" + "|".join(patterns) + ")"


def _bracketed(patterns: tuple[str, ...]) -> str:
    return r"[\[(（【](?:" + "|".join(patterns) + r")[^\])）】]{0,40}[\])）】]"


ABSENT_SUBJECT = _any(_opening(_ABSENT_SUBJECT), _bracketed(_ABSENT_SUBJECT), r"\bis out of (?:the )?office\b")
AUTO_MARK = _any(_bracketed(_AUTO_SUBJECT) + r"\s*$")
# … nor one who writes about such replies.
_NOT_ABOUT_IT = (
    r"(?!\s*(?:(?:is|was|are|does|did|do|has|isn|wasn|doesn|didn|not|no longer|never|broken|problem|issue|error|"
    r"stop|loop|setting|setup|feature|function)|(?:funktioniert|geht|kommt|wird|einrichten|abschalten|deaktivieren|"
    r"fehlt)|ne |n['’]|no (?:funciona|llega)|não funciona|non funziona|"
    r"[设設]|功能|失败|失敗|无法|無法|怎|如何|没有|沒有|问题|問題))"
)
AUTO_SUBJECT = _any(_opening(_AUTO_SUBJECT) + _NOT_ABOUT_IT, _bracketed(_AUTO_SUBJECT))
# People give their own mails these subjects too: they prove nothing without a text that says no more.
BARE_SUBJECT = re.compile(
    r"^\W*(?:ausente|(?:de |em )?f[ée]rias|(?:en )?vacances|(?:de )?vacaciones|外出中|出張中|(?:im )?urlaub|"
    r"(?:on |(?:on )?(?:maternity|paternity|parental|annual|sick) )leave)"
    r"(?P<rest>\s*[:：].*|\s+(?:re|aw)[:：].*|\s+(?:bis|vom|until|from|"
    r"jusqu['’]|hasta|até|du)\b.*|[\s\d.,/–!-]*)$",
    re.IGNORECASE,
)
REPLY_PREFIX = re.compile(
    r"^\s*(?:re|aw|antw|sv|vs|rv|ref|odp|ynt|res|回复|回覆|答复|答覆|回信)\s*(?:\[\d+\])?\s*[:：]\s*", re.IGNORECASE
)

# Says of itself that no person wrote it.
SELF_DECLARED = _any(
    r"this (?:is|was|message is|e-?mail is|reply (?:is|was)) an? (?:auto(?:matic|mated|-?generated|"
    r"matically generated)|computer[- ]generated|system[- ]generated)[- ]*(?:e-?mail |out of office )?"
    r"(?:reply|response|answer|acknowledge?ment|confirmation|message|e-?mail|notification)",
    r"(?:auto(?:matic|mated)|auto-?generated) (?:reply|response|acknowledge?ment|answer)\b|(?:message|e-?mail|"
    r"reply|response) (?:was|has been|is) (?:auto(?:matically)?[- ]?)(?:generated|created|sent)|"
    r"autoresponder|auto-?reply|automatic reply",
    r"dies(?:e|es|er)? (?:ist|nachricht|e-?mail|antwort|mail)[^.\n]{0,40}automatisch|automatisch (?:generierte|"
    r"erstellte|erzeugte|versandte)|automatische (?:antwort|nachricht|eingangsbestätigung)",
    r"(?:ceci est|message|r[ée]ponse|courriel|e-?mail|mail)[^.\n]{0,30}(?:automatique|"
    r"g[ée]n[ée]r[ée] automatiquement|envoy[ée] automatiquement)|accus[ée] de r[ée]ception automatique",
    r"(?:mensaje|respuesta|correo|mensagem|resposta|e-?mail)[^.\n]{0,30}(?:autom[áa]tic|generad[oa] autom|"
    r"gerad[oa] autom)|(?:messaggio|risposta|e-?mail)[^.\n]{0,30}automatic",
    r"(?:dit is een|bericht|antwoord|e-?mail)[^.\n]{0,30}automatisch|automatisk(?:t)? (?:svar|genererat|"
    r"genereret|generert|besked|meddelande|melding)|autosvar|automaattinen (?:vastaus|viesti)",
    r"(?:wiadomo[śs][ćc]|odpowied[źz])[^.\n]{0,40}automatyczn|automaticky (?:generovan|odeslan|vygenerovan)|"
    r"automatická (?:odpověď|zpráva)|automatikus (?:válasz|üzenet)|mesaj automat|r[ăa]spuns automat|"
    r"otomatik (?:olarak|yanıt|cevap|bir)",
    r"автоматическ(?:ий ответ|ое (?:сообщение|письмо|уведомление)|и (?:сформирован|создан|отправлен))|автоответ|"
    r"автоматично|αυτόματ(?:ο|η) (?:μήνυμα|απάντηση)",
    r"(?:本|此|这|該|这封|此封|这是|這是)[^。\n]{0,14}(?:自动|自動)|自动回复|自動回覆|自动发送|自動發送|系统自动|"
    r"系統自動|自動返信|自動送信|自動応答|自動配信|자동\s*(?:응답|"
    r"회신|발송|답장)|tự động|ตอบกลับอัตโนมัติ|رد تلقائي",
)

# Of the machine that its writer had an answer from, often ours: people quote what they complain about.
NOT_OF_ITSELF = re.compile(
    r"\b(?:your|ihre?[nrms]?|eure?[nrms]?|uw|jullie)\s+(?:\w+[\s-]+)?auto\w*(?:[\s-]+\w+)?"
    r"|\b(?:votre|vos|su|tu|sua|vuestra|vostra)\s+(?:\S+\s+)?\S+\s+autom[aá]ti\w+"
    r"|\b(?:i|we)\b[^.\n]{0,30}\b(?:got|get|getting|received)\b[^.\n]{0,20}?\bauto\w*[\s-]+\w+"
    r"|\bauto\w*[\s-]+(?:reply|response|answer|e-?mail|message|acknowledge?ment)\s+(?:(?:that|which)\s+)?(?:you|i|we)\b"
    r"|\bhabe[^.\n]{0,30}\bautomatische \w+ (?:erhalten|bekommen)"
    r"|\b(?:thanks|thank you) for (?:\w+\s+){0,2}auto\w*(?:[\s-]+\w+)?|\bdanke? für [^.\n]{0,20}\bautomatische \w+"
    r"|\b(?:merci (?:pour|de)|gracias por|obrigad[oa] pel[ao]|grazie per)[^.\n]{0,30}\bautom[aá]ti\w+"
    r"|(?:谢谢|謝謝|感谢|感謝)(?:您|你们?|贵司)?的?自[动動]\w{0,4}"
    r"|(?:您|你们?|您们|贵\w{1,2}?|貴\w{1,2}?)的?の?自[动動]\w{0,4}|收到了?(?:一封|的)?自[动動]回[复覆]"
    r"|(?:頂いた|いただいた)自動\w{0,4}",
    re.IGNORECASE,
)

ABSENT = _any(
    r"\bi(?:['’]m| am| will be|['’]ll be)\b[^\n]{0,40}(?:out of (?:the )?office|away (?:from|on|until|till|and)|"
    r"on (?:annual |maternity |paternity |parental |sick |business )?(?:vacation|holidays?|leave)|"
    r"travell?ing|not in the office|absent|unavailable)|currently (?:out of|away from|on (?:leave|vacation|"
    r"holiday))|is (?:currently )?out of (?:the )?office|no longer (?:with|works? (?:for|at))",
    r"\bich (?:bin|befinde mich|werde)\b[^\n]{0,60}(?:nicht (?:im (?:büro|haus|dienst)|erreichbar|anwesend)|"
    r"urlaub|abwesend|außer haus|elternzeit|dienstreise|wieder (?:im|ab|erreichbar))|nicht im büro",
    r"je (?:suis|serai)\b[^\n]{0,50}(?:absent|cong[ée]|d[ée]placement|vacances|indisponible|hors du bureau)|"
    r"actuellement (?:absent|en cong)",
    r"(?:estoy|estar[ée]|me encuentro|encuentro)\b[^\n]{0,50}(?:fuera|vacaciones|ausente|de baja|permiso)|"
    r"(?:estou|estarei|encontro-me)\b[^\n]{0,50}(?:f[ée]rias|fora|ausente|licença)",
    r"(?:sono|sar[òo]|mi trovo)\b[^\n]{0,50}(?:fuori|ferie|assente|trasferta|permesso)|"
    r"ik ben\b[^\n]{0,50}(?:afwezig|vakantie|niet (?:op kantoor|aanwezig|bereikbaar)|verlof|weer)",
    r"(?:jag är|jag har|jeg er|jeg har)\b[^\n]{0,50}(?:semester|ferie|inte på|ikke på|ledig|tjänsteledig|borte|"
    r"bortrest|föräldraledig|permisjon|kontoret)|olen\b[^\n]{0,40}(?:lomalla|poissa|matkoilla|vapaalla)",
    r"(?:jestem|przebywam|b[ęe]d[ęe])\b[^\n]{0,50}(?:poza biurem|urlop|nieobecn|zwolnieni)|(?:jsem|"
    r"budu)\b[^\n]{0,50}(?:mimo|dovolen|nepřítom)|szabadság(?:on|omat)|nem vagyok (?:az )?(?:irodában|elérhető)|"
    r"(?:sunt|voi fi)\b[^\n]{0,40}(?:concediu|plecat|absent)|(?:izindeyim|izinde|ofis dışında|ofiste değil)",
    r"(?:я|меня)\b[^\n]{0,60}(?:отпуск|отсутств|нет (?:в офисе|на месте)|командировк)|нахожусь в (?:отпуск|"
    r"командировк)|перебуваю у відпустц|в отпуск[еу] (?:до|с)|απουσιάζω|εκτός γραφείου",
    r"不在(?:办公室|辦公室|公司)|(?:正在|目前|现在|本人|我)[^。\n]{0,15}(?:休(?:年|病|产|產|婚|事|长|長)?假|度假|"
    r"出差|请假|請假|外出)|"
    r"无法(?:及时|立即)(?:回复|答复|查看)|無法(?:及時|"
    r"立即)(?:回覆|回信)|不在(?:に|です|と|の(?:ため|間))|"
    r"(?:休暇|休み|出張|外出)(?:を|中|の(?:ため|為)|いただ|させて|しており)|부재\s*중|휴가\s*(?:중|입니다)|"
    r"출장\s*중|자리를 비",
)
RETURNING = _any(
    r"\b(?:until|till|return(?:ing)?|back (?:on|in|at)|through|as of|from .{3,30} to|urgent|"
    r"immediate (?:assistance|attention|help)|in my absence|during (?:my absence|this time|that time)|limited access|"
    r"(?:no|limited|intermittent) access|contact|as soon as (?:i|possible)|upon my return|when i (?:get back|"
    r"return))\b",
    r"\b(?:bis (?:zum|einschließlich|\d)|ab (?:dem|\d)|wieder (?:da|im|erreichbar|zurück)|zurück|dringend|"
    r"vertret|wenden sie sich|rückkehr|weitergeleitet)",
    r"jusqu['’]|retour|urgen[ct]e?|contacter|hasta|regres|volver|urgente|contact|até|retorn|volto|fino|rientr|"
    r"tornerò|rivolger|tot (?:en met|\d)|terug|dringend|spoed|till och med|tillbaka|åter|brådskande|"
    r"til og med|tilbake|tilbage|haster|asti|saakka|palaan|takaisin|do dnia|wracam|powrot|pilnych|kontakt|do \d|"
    r"zpět|naléhav|vissza|sürgős|până|urgent|kadar|acil|döneceğim",
    r"до \d|вернусь|срочн|обращай|свяж|повернусь|терміново|επιστρ|επείγ|до|返回|回来|回來|紧急|緊急|急事|联系|"
    r"聯絡|聯繫|尽快|儘快|盡快|"
    r"恢复|直至|戻り|緊急|お急ぎ|まで|後日|改めて|出社|ご連絡|돌아|복귀|급한|긴급|까지|연락",
)
RECEIVED = _any(
    r"(?:we|i) (?:have |['’]ve )?(?:received|got) your (?:e-?mail|message|request|enquiry|inquiry|ticket)|"
    r"your (?:e-?mail|message|request|enquiry|inquiry|ticket) (?:has been|was|is) (?:received|registered|created|"
    r"assigned)|"
    r"thank you for (?:your (?:e-?mail|message|enquiry|inquiry|request)|contacting|getting in touch|reaching out)",
    r"(?:haben|habe) ihre (?:nachricht|anfrage|e-?mail|mail) (?:erhalten|empfangen)|ihre (?:nachricht|anfrage|"
    r"e-?mail) (?:ist|wurde)[^.\n]{0,20}(?:eingegangen|empfangen|erhalten|registriert)|"
    r"vielen dank für ihre (?:nachricht|anfrage|e-?mail)",
    r"(?:nous avons|avons) bien reçu votre|votre (?:message|demande|courriel|e-?mail) a (?:bien )?été (?:reçu|"
    r"enregistr)|hemos recibido su|su (?:mensaje|solicitud|correo) ha sido recibid|recebemos (?:a )?(?:sua|seu)|"
    r"abbiamo ricevuto (?:la|il) (?:sua|suo|tua|tuo)|wij hebben uw (?:bericht|e-?mail|vraag) ontvangen|"
    r"vi har mottagit|vi har modtaget|vi har mottatt|otrzymaliśmy (?:państwa|twoj)|мы получили ваш|"
    r"ваше (?:обращение|письмо) "
    r"(?:получено|зарегистрировано)|(?:已|已经|已經)(?:收到|接收)(?:您|你)?的?(?:邮件|郵件|来信|來信|邮箱|请求)?|"
    r"(?:工[单單]|请求|請求|案件|申请|申請)[^。\n]{0,16}(?:已受理|已[创創]建|已登[记記]|已提交)|"
    r"您的(?:邮件|郵件|来信|來信|请求|"
    r"请求)[^。\n]{0,10}(?:收到|受理)|メール(?:を|は)[^。\n]{0,12}(?:受信|受け取り|受領|受け付け|受付)|"
    r"お問い?合わせ(?:を|いただき|ありがとう)[^。\n]{0,20}|메일(?:을|이)[^.\n]{0,12}(?:접수|수신|받았)|문의(?:가|"
    r"를)[^.\n]{0,12}접수",
)
PROMISE = _any(
    r"(?:will|shall) (?:\w+ )?(?:reply|respond|answer|get back|be in touch|contact|endeavou?r|review|process)|"
    r"within \d+ (?:business |working )?(?:hours?|days?)|do(?: not|n['’]t) reply|ticket (?:number|id|#)|"
    r"reference number|case (?:number|id)|"
    r"as soon as (?:possible|we can)|wir werden|melden uns|schnellstmöglich|umgehend|bearbeit|"
    r"antworten (?:sie )?(?:bitte )?nicht|vorgangsnummer|ticketnummer|nous (?:vous )?(?:r[ée]pondrons|traiterons|"
    r"reviendrons)|dans les (?:meilleurs|plus)|"
    r"ne (?:pas|r[ée]pondez)|responderemos|a la (?:mayor brevedad|brevedad)|lo antes posible|no responda|"
    r"o mais (?:breve|rápido)|não responda|risponderemo|al più presto|il prima possibile|non rispondere|"
    r"zo snel mogelijk|"
    r"niet te beantwoorden|återkommer|så snart som möjligt|vender tilbage|hurtigst muligt|så snart som mulig|"
    r"najszybciej|odpowiemy|как можно скорее|ответим|свяжемся|в ближайшее время|尽快|儘快|盡快|稍后|稍後|"
    r"及时回复|请勿(?:直接)?回复|"
    r"勿回覆|处理|處理|折り返し|改めて(?:ご)?(?:連絡|返信)|順次|返信しないで|返信いただけません|营业日|工作日|"
    r"営業日|빠른 시일|회신하지|답변",
)
# Whom to ask instead.
DEPUTY = _any(
    r"\b(?:urgent|immediate|in my absence|contact|colleague|dringend|vertret|wenden sie sich|kolleg|urgence|contacter|"
    r"collègue|urgente|contactar|compañer|colega|urgenze|rivolger|contattare|collega|spoed|brådskande|kollega|haster|"
    r"kiireelli|pilnych|kontakt|naléhav|sürgős|acil)",
    r"срочн|обращай|коллег|терміново|紧急|緊急|急事|联系|聯絡|聯繫|同事|お急ぎ|担当|급한|긴급|연락",
)
GREETING = re.compile(
    r"^\W*(?:hi|hello|hey|dear|good (?:morning|day|afternoon|evening)|thanks?(?: you)?|"
    r"(?:best|kind|warm) (?:regards|wishes)|guten (?:tag|morgen|abend)|hallo|moin|"
    r"sehr geehrte(?: damen und herren|r? \w+)|liebe[r]?|mit freundlichen grüßen|(?:viele|beste|liebe) grüße|"
    r"(?:vielen |herzlichen )?dank|danke|bonjour|bonsoir|chers?|chères?|madame|monsieur|merci|(?:bien )?cordialement|"
    r"hola|buen[oa]s (?:d[íi]as|tardes)|estimad[oa]s?|(?:muchas )?gracias|(?:un )?saludos?|atentamente|ol[áa]|bom dia|"
    r"boa tarde|prezad[oa]s?|car[oa]s?|obrigad[oa]|atenciosamente|(?:com os melhores )?cumprimentos|您好|你好|谢谢|"
    r"謝謝|お世話になっております|お世話になります|こんにちは|よろしくお願い(?:いた)?します|ありがとうございます)(?![a-zß-ÿ])",
    re.IGNORECASE,
)
# What a person asks of us, and no absence note does.
REQUEST = _any(
    r"please (?!contact|call|reach|e-?mail|direct|refer|write|get in touch|note|allow|expect|speak|ask|bear)|"
    r"\b(?:contact|call|tell|send|help|let) me\b|\b(?:i|we) (?:need|want|would like|wish|have to|can['’]?t|cannot|lost|"
    r"missed)\b|\bi['’]d like|\b(?:can|could|do|does|will|would) (?:i|you|my)\b|\b(?:cancel|rebook|book|deliver|refund|"
    r"ship|reschedul|postpone|invoice|subscription|parcel|package|flight|hotel)",
    r"\bbitte (?!wenden|kontakt|schreib|rufen sie(?! mich)|richten|an\b|haben|beacht|um (?:geduld|verständnis))|"
    r"\b(?:möchte|brauche|benötige|hätte gern|will)\b|(?:kontaktieren|rufen) sie mich|liefer|zustell|stornier|"
    r"buch(?:en|ung|t)|verschieb|bestell|rechnung|erstatt|geld|reise\b|flug|hotel|paket",
    r"(?:merci de|veuillez) (?!contacter|vous adresser|joindre|écrire|noter|patienter)|\bje (?:voudrais|souhait|veux|"
    r"dois)|contactez-moi|appelez-moi|commande|livr[ea]|annul|r[ée]serv|rembours|factur|colis|\bvol\b|h[ôo]tel",
    r"por favor,? (?!contact|entre|dir[ií]j|escr|ll[aá]m|lig|fale|envi)|\b(?:quiero|quisiera|necesito|quero|queria|"
    r"gostaria|preciso)\b|pedido|entrega|cancel|reserv|reembols|fatura|factura|paquete|encomenda|vuelo|voo\b",
    r"注文|配送|配達|届け|キャンセル|予約|返金|したい|してください|していただけ|订单|訂單|发货|發貨|退款|取消|预订|快递|吗",
)
