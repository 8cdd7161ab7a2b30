"""The words by which mail systems say that a mail did not arrive. Patterns see one line or a short head."""

from __future__ import annotations

from .screening import Screened


def _any(*patterns: str) -> Screened:
    return Screened("|".join(patterns))


# As Exchange and others head a notice that a message did arrive.
SUBJECT_SUCCESS = _any(
    r"^\s*(?:delivered|relayed|expanded|zugestellt|übermittelt|weitergeleitet|remise?|relayée?|distribuée?|entregado|"
    r"retransmitido|recapitato|inoltrato|entregue|bezorgd|doorgegeven|levererat|leveret|levert|toimitettu|dostarczono|"
    r"doručeno|kézbesítve|livrat|teslim edildi|παραδόθηκε|доставлено|доставлен|"
    r"已送达|已送達|已传递|已傳遞|已中继|已轉送|"
    r"配信済み|中継済み|배달됨|릴레이됨)\s*[:：]",
    r"\((?:success|relay(?:ed)?|delivered)\)\s*$|^success notice|successful (?:mail )?delivery report",
)

SUBJECT_FAILURE = _any(
    r"\bundeliver(?:ed|able|y)\b.{0,20}(?:mail|message|return|:|$)|^undeliver(?:ed|able)\b|\bundeliverable$",
    r"\breturn(?:ed|ing) (?:e-?mail|mail|message)|(?:mail|message)[^\n]{0,20} returned|"
    r"returned to (?:the )?sender|returning (?:mail|message) to",
    r"\bdeliver(?:y|ed)?[ -](?:status|failed|failures?|errors?|problems?|reports?|notification|warning|"
    r"delay(?:ed)?|has failed|is delayed)\b",
    r"^(?:mail|e-?mail|message) (?:delivery|error|failure|not delivered|could not|system|status|delayed|"
    r"undeliverable|was not|has not)",
    r"\bfail(?:ure|ed)[ -](?:notice|notification|delivery|mail)\b|\bnon-?[ ]?deliver(?:y|able|ed)\b|"
    r"\bnondeliverable\b",
    r"(?:message|mail)\b[^\n]{0,60} (?:could not|couldn't|cannot|can't|can not|was not|not|not yet|"
    r"not been)[ -](?:be )?(?:sent|delivered|deliver)",
    r"\b(?:unable|failed) to (?:deliver|send) (?:mail|message|e-?mail|your)|\bmail (?:failed|failure|error)\b|"
    r"^processing error$",
    r"^warning: (?:message|could not send|e?-?mail)|\bdelayed mail\b|^message delayed\b|still being retried|"
    r"user unknown|unknown user",
    r"automatically rejected mail|^mail system error|nameserver error report|message you sent (?:was )?blocked|"
    r"rejected by .{0,40}server",
    r"\bunzustellbar|nicht zustellbar|nicht zugestellt|zustellung fehlgeschlagen|zustell(?:ungs)?fehler|"
    r"übermittlungsfehler",
    r"unzustellbarkeit|fehlgeschlagen[^\n]{0,20}zustellung|nicht (?:ausgeliefert|übermittelt)|verzögerte zustellung",
    r"\bnon remis(?:e)?\b|non[- ]distribu|échec de (?:la )?(?:remise|livraison|distribution)|non délivr|"
    r"échec d'envoi|remise impossible|"
    r"utilisateur non recens",
    r"no se (?:puede|pudo|ha podido) entregar|no entregad|error (?:de|en la) entrega|correo devuelto|"
    r"mensaje devuelto|no entregable|"
    r"entrega (?:fallida|retrasada)|fallo (?:de|en la) entrega",
    r"impossibile (?:recapitare|consegnare)|mancat[ao] (?:recapito|consegna)|non recapit|"
    r"messaggio non (?:consegnato|recapitato)|"
    r"recapito non riuscito|errore di consegna",
    r"onbestelbaar|niet (?:te bezorgen|bezorgd|afgeleverd)|bezorging mislukt|aflevering mislukt",
    r"não (?:é possível|foi possível) entregar|não entreg|falha (?:na|de) entrega|mensagem devolvida|nao entreg",
    r"kan (?:inte|ikke) leveres|kunde inte levereras|kunne ikke leveres|oleverer|ikke levert|ej levererat|"
    r"leveransen misslyckades",
    r"toimitus epäonnistui|ei voi(?:da|tu) toimittaa|perille toimittamaton|toimittamatta",
    r"nie (?:można|udało się) dostarczyć|niedostarcz|nie dostarczono|zwrot poczty|nedoručite|nedoručen|nelze doručit",
    r"kézbesít(?:hetetlen|ési hiba|és sikertelen)|teslim edilemedi|teslim edilemeyen|iletilemedi|nu (?:a|"
    r"poate) fi livrat|nelivrat|δεν παραδόθηκε",
    r"не (?:было )?доставлен|недоставлен|невозможно доставить|сбой доставки|ошибка доставки|не доставлено|"
    r"возврат (?:почты|письма)|не удалось доставить",
    r"退信|退件|退回|无法(?:投递|送达|传递|发送)|無法(?:投遞|送達|傳遞|傳送|遞送)|投递失败|投遞失敗|发送失败|"
    r"傳送失敗|发信失败|未送达|未送達|未传递|未傳遞|"
    r"递送失败|送信失敗|系统邮件退回|发送邮件失败|传送状态通知|傳遞狀態通知|邮件未能|未能送达|未能投递",
    r"配信(?:不能|不可|エラー|失敗|できません|できませんでした|状況通知)|送信(?:できません|エラー|失敗)|"
    r"メールエラー|未配信|未達|届きません|配達(?:不能|できません|できなかった)",
    r"배달(?:되지|하지|할 수|불가|실패|\s*실패)|반송|전송\s*(?:실패|되지)|전달(?:되지|할 수)|발송\s*실패|배달 상태",
    r"không (?:gửi|chuyển|phân phối) được|không thể gửi|gagal terkirim|tidak (?:dapat )?terkirim|ส่งไม่ได้|"
    r"ไม่สามารถส่ง",
)

FAILURE = _any(
    r"this (?:message|e-?mail|report) (?:was|is|has been) (?:created|generated|sent)? ?automatically (?:created|"
    r"generated|by)[^\n]{0,60}(?:mail|deliver|server)",
    r"(?:message|mail|e-?mail|it|letter|delivery)\b[^\n]{0,80}\b(?:could not|couldn't|cannot|can ?not|can't|"
    r"was not|wasn't|not|unable to|has not|"
    r"have not|did not|may not|were not|is not|not yet|been)\b[^\n]{0,25}\b(?:be )?(?:deliver|sent|send|reach|"
    r"accept|process|relay|forward|return|recogni|able)",
    r"(?:could not|couldn't|cannot|can't|unable to|failed to|not able to|wasn't able to)\s+(?:be )?(?:deliver|"
    r"send|reach|forward|relay)\w*\s+(?:your |the |this |a )?"
    r"(?:message|mail|e-?mail|following|it|to)",
    r"delivery (?:to|of|for|status|attempt)[^\n]{0,80}(?:fail|postpon|delay|unsuccess|not possible|impossible)|"
    r"delivery (?:has |have )?failed|fail(?:ed|ure) to deliver",
    r"following (?:e-?mail )?(?:address|recipient|destination|user|mailbox)\w*(?:\(e?s\))?[^\n]{0,50}(?:fail|had|"
    r"could|error|reject|problem|not|were affected|undeliver)",
    r"(?:message|mail|e-?mail)\b[^\n]{0,60}\b(?:undeliverable|undelivered|rejected|refused|bounced|blocked|"
    r"discarded|deferred|delayed|not accepted|returned|postponed)",
    r"permanent(?: fatal)? (?:delivery )?errors?|fatal errors|permanently fail|transcript of (?:the )?session|"
    r"non-?delivered|undeliverable|"
    r"undelivered (?:mail|message)|returned (?:mail|message)|failure reasons?|delivery errors|delivery problems?",
    r"(?:user|recipient|mailbox|address|account|host|domain)\b[^\n]{0,60}(?:unknown|not found|does(?: not|"
    r"n't) exist|do(?: not|n't) exist|is full|"
    r"disabled|unavailable|invalid|is inactive|not exist|not listed|over ?quota|exceed|no longer|rejected|"
    r"suspended|not known|not recognized|does not have)",
    r"(?:unknown|invalid|no such|bad|illegal|nonexistent|over-?quota) (?:user|recipient|mailbox|address|account|"
    r"local|host|domain|destination)|mailbox full|quota exceed",
    r"(?:still|will|are|being|continue to) (?:be )?(?:retr(?:y|ied)|try(?:ing)?)|not (?:yet )?been delivered|"
    r"will be (?:re)?tried|delayed \d+ (?:hour|day)|"
    r"delivery attempts will|messages? (?:is|has been) delayed|has been queued",
    r"no such user|user(?:name)? unknown|not a valid (?:user|address|mailbox|recipient)|"
    r"sorry[^\n]{0,40}(?:no mailbox|unable|couldn)|rejected (?:your|the) (?:message|mail)|mail loop|"
    r"too many hops|hop count|"
    r"message (?:size )?(?:is )?too (?:large|big)|550[ -]|(?:^|\W)55[0-4][ -]5?\.?|host or domain name not found|"
    r"rcpt to",
    r"konnte(?:n)?\b[^\n]{0,80}nicht\b[^\n]{0,40}(?:zugestellt|übermittelt|gesendet|ausgeliefert|überbracht)|"
    r"unzustellbar|zustellung[^\n]{0,60}(?:fehl|nicht)|"
    r"fehler bei der (?:nachrichten)?(?:zustellung|übermittlung)|nicht (?:zustellbar|zugestellt)|"
    r"empfänger[^\n]{0,40}nicht (?:gefunden|erreicht|bekannt)|"
    r"erreichte den[^\n]{0,60}nicht|nicht[^\n]{0,30}erreicht",
    r"n['’]a(?:vons|i)? pas? pu|n['’]a pu|pas pu [eê]tre|n['’]a pas [eé]t[eé] (?:remis|d[eé]livr|distribu)|"
    r"[eé]chec de (?:la )?(?:remise|livraison|distribution)|"
    r"impossible (?:de|d')[^\n]{0,30}(?:remettre|distribuer|livrer|acheminer)|n['’]a pas pu|"
    r"destinataire[^\n]{0,40}(?:inconnu|introuvable)|non remis",
    r"no (?:se |ha |pudo |puede |ha podido )*(?:entregar|entregado|ser entregado|llegó|llegar)|error (?:de|"
    r"al)[^\n]{0,20}entreg|no se (?:pudo|puede|ha podido|encontr)|"
    r"no (?:alcanzó|llegó) a",
    r"impossibile[^\n]{0,40}(?:recapitare|consegnare|inviare)|non (?:è stato (?:possibile )?|ha )?(?:recapita|"
    r"consegna|raggiunto)|mancato recapito|recapito[^\n]{0,40}(?:fallit|non riuscit)",
    r"(?:niet|kon|kan)\b[^\n]{0,60}(?:bezorg|aflever|afgeleverd|besteld)|bezorging[^\n]{0,30}mislukt|onbestelbaar",
    r"não (?:foi |pôde |pode |é possível |foi possível )[^\n]{0,30}entreg|falha (?:na|de) entrega|"
    r"a entrega[^\n]{0,30}falhou|não encontrad",
    r"(?:inte|ikke)\b[^\n]{0,40}(?:lever|nå|motta)|leveranse?n?[^\n]{0,30}(?:misslyck|mislykk|feil)|ei (?:voitu|"
    r"voida|saavuttanut|onnistu)|toimitus[^\n]{0,30}epäonnist",
    r"nie (?:można|mogła|mógł|udało|została|zostało|został)[^\n]{0,60}(?:dostarcz|wysłan)|niedostarcz|"
    r"nelze doručit|nebyl[ao]? (?:možné )?(?:doručen|odesl)|nepodařilo[^\n]{0,30}doruč|"
    r"nem (?:kézbesít|sikerült|érte el)|kézbesít[^\n]{0,30}sikertelen|teslim edil(?:e)?me|iletileme|"
    r"nu a (?:putut|fost)[^\n]{0,30}livrat",
    r"не (?:может быть|было|было доставлено|удалось|доставлен|были|может)[^\n]{0,60}(?:доставл|отправ)|"
    r"не доставлен|недоставлен|доставка[^\n]{0,60}(?:невозможна|не удалась)|"
    r"сбой[^\n]{0,30}доставк|не найден|не удалось доставить|не существует",
    r"退信|退回|无法(?:投递|送达|传递|发送|递送)|無法(?:投遞|送達|傳遞|傳送|遞送|寄達)|未能(?:送达|投递|送達|"
    r"发送|成功)|投递失败|发送失败|傳送失敗|不能(?:投递|送达|送達)|沒有送達|"
    r"没有送达|邮件发送不成功|傳遞失敗|传递失败|收件人(?:不存在|地址)|邮箱已满|邮件被|被拒",
    r"送信(?:できません|に失敗|が失敗|できなかった)|配信(?:できません|に失敗|が失敗|されませんでした|不能|を行え|"
    r"できなかった)|届(?:けられ|きません|かな)|お届けできません|送達できません|"
    r"見つかりません|容量(?:超過|オーバー|が)|一杯のため|拒否|ディレクトリのリストにありません|存在しない",
    r"배달(?:되지|하지|할 수|에 실패|하지 못)|전달(?:되지|할 수|하지)|전송(?:되지|할 수|에 실패|하지)|반송|"
    r"보낼 수 없|받는 사람",
)

DELAY = _any(
    r"still being retried|will (?:be )?(?:retr|continue|keep)|continue to try|delivery attempts will|"
    r"not yet been delivered|has not been delivered (?:yet|after)|"
    r"do not need to resend|no need to resend|needn't resend|this is a warning (?:only|message)|"
    r"warning message only|has been (?:delayed|postponed)|delayed \d|"
    r"(?:is|are|was|been) delayed|temporarily (?:delayed|deferred)|advisory-only|does not need to be resent|"
    r"still trying|\(delay(?:ed)?\)|delivery delayed|delayed mail|"
    r"verzögert|wird weiter(?:hin)? versucht|a été retardé|se ha retrasado|è stata ritardata|is vertraagd|"
    r"está atrasada|задерж|延迟|延遲|遅延|遅れ|지연",
)

NOT_DELAY = _any(
    r"permanent|given up|giving up|fatal error|not retr|no further|will not be (?:retr|re-?tri)|"
    r"failed permanently|has failed|out of retr"
)

CERTAIN = _any(
    r"^this (?:message|e-?mail) was created automatically by (?:the )?mail deliver",
    r"^this is (?:the|an?) (?:automated |automatically generated )?(?:mail system|postfix|message from|"
    r"delivery status|mail delivery|bounce|e?-?mail delivery|non-?delivery)",
    r"^hi\. this is the [^\n]{0,60}(?:program|deliver|at)",
    r"^your (?:message|mail|e-?mail)\b[^\n]{0,120}\b(?:could|did|was|cannot|can|has|couldn't|can't) ?(?:not|"
    r"n't)?\b[^\n]{0,30}(?:be )?(?:deliver|sent|reach|been)",
    r"^(?:the )?(?:message|mail|e-?mail) (?:that )?you sent[^\n]{0,80}(?:undeliverable|could not|couldn't|"
    r"was not|cannot|not)",
    r"^(?:unknown user|unknown host|undeliverable to|user mailbox exceeds|mailbox (?:is )?full|"
    r"unable to deliver message to|invalid (?:final delivery userid|user))\b",
    r"^-{0,4} ?non-?delivery report|^delivery of e?-?mail to this address|^(?:the |this )?(?:e-?mail|"
    r"message) below could not|^the standard form of",
    r"^-{2,}[^\n]{0,10}(?:the following|transcript|failure reasons|message not delivered|failed recipients?|"
    r"delivery errors)",
    r"^(?:delivery|your message)[^\n]{0,30}(?:to|for) the following recipients?",
    r"^the (?:original message|following (?:message|mail|addresses?|recipients?))[^\n]{0,80}(?:was received|"
    r"could not|cannot|had|failed|was not|undeliver)",
    r"^(?:could not|unable to|failed to|sorry[^\n]{0,20}(?:unable|could)|i'?m sorry to (?:have|inform)|"
    r"we (?:were|are) (?:sorry|unable))[^\n]{0,60}(?:deliver|inform|send|message)",
    r"^error: (?:invalid|unknown)[^\n]{0,20}(?:user|address|recipient)|^message from [\w.-]+\.?$|"
    r"^delivery status notification|^each of the following recipients",
    r"^<[^<>\s]{3,100}@[^<>\s]{3,100}>:?$|^did not reach|^your message$|^\*{6,} message from |^reporting-mta:|"
    r"^final-recipient:",
    r"^diese nachricht wurde automatisch|^ihre nachricht[^\n]{0,120}(?:nicht|verzögert)|"
    r"^votre message[^\n]{0,120}(?:pas|non)|^su mensaje[^\n]{0,80} no ",
    r"^il messaggio[^\n]{0,80}(?:non|impossibile)|^uw bericht[^\n]{0,80}niet|^(?:a )?sua mensagem[^\n]{0,80}não|"
    r"^a mensagem[^\n]{0,60}não",
    r"^ваше (?:сообщение|письмо)[^\n]{0,100}не |^это (?:письмо|сообщение) (?:создано|сформировано)|^(?:抱歉|很抱歉|"
    r"对不起|您发送的|您的邮件|您的郵件|您寄出|您寄給|你的邮件|这是)[^\n]{0,80}"
    r"(?:退|无法|無法|未|不能|失败|失敗|没有|沒有)|^このメール(?:は|を)[^\n]{0,60}(?:自動|送信|配信)|"
    r"^(?:あなたの|お客様が?|送信(?:先|した|"
    r"された))[^\n]{0,80}(?:できません|失敗|エラー|でした)|"
    r"^(?:送信|配信)[^\n]{0,30}(?:できません|失敗)|^次の(?:受信者|あて先|宛先)|^귀하의?[^\n]{0,60}|"
    r"^다음 (?:받는 사람|수신자)",
)

CHALLENGE = _any(
    r"(?:guest|white|allowed|approved|safe ?sender)s?[ -]?list[^\n]{0,80}(?:click|link|deliver|add|ensure)|"
    r"(?:click|follow)[^\n]{0,60}link[^\n]{0,120}(?:white|allowed|guest|approved|verif)"
    r"|has been wait-?listed|verify (?:that )?(?:you are|your) (?:human|a person|address)|"
    r"confirm (?:that )?you are (?:a )?(?:human|real)|account is protected by|"
    r"sender (?:verification|validation) required|challenge[/ -]response|awaiting (?:your )?verification|boxbe|"
    r"spamarrest|bluebottle",
)

VACATION_SUBJECT = _any(
    r"out[ -]of[ -](?:the[ -])?office|automatic (?:reply|response)|auto(?:mated)?[- ]?(?:reply|response|"
    r"responder)|\bon (?:vacation|holiday|leave)|away from|abwesen|"
    r"vacation|automatische antwort|réponse automatique|respuesta automática|risposta automatica|自动回复|"
    r"自動回覆|自動返信",
)

ORIGINAL_MARK = _any(
    r"^[ \t>]*-{2,}[^\n]{0,60}(?:original|returned|unsent|undelivered|copy of|source mail|message header|"
    r"message follows|message body|header of|headers follow|headers of|below this line|"
    r"included message|nachricht|message d'origine|原始|元のメ|原信|原邮件|オリジナル|送信メール)[^\n]{0,80}$",
    r"^[ \t]*(?:the |your |this is (?:the|a copy of the) |a copy of the |included is the )?(?:original |"
    r"first \d+ lines of |headers? (?:of|from) |full |body of )[^\n]{0,60}"
    r"(?:message|mail|e-mail|headers?)[^\n]{0,40}(?:follow|\bas received|attached|below|:\s*$)[^\n]{0,40}$",
    r"^[ \t]*original message (?:headers?|details|follows?)\b|^[ \t]*message text follows|"
    r"^[ \t]*-{3,} ?message ?-{3,}|^[ \t]*your (?:original )?message (?:follows|was|reads)[^\n]{0,40}:$",
    r"^[ \t]*received:[ \t]?(?:from|by|\(|;)|^return-path:[ \t]?<|^[ \t]*={5,}[^\n]{0,30}original",
    r"^[ \t]*(?:the )?(?:original|unsent|undelivered) (?:message|mail)[^\n]{0,20}(?:follows|is attached|below)",
    r"^[ \t]*(?:元のメッセージ|オリジナルメッセージ|以下は(?:元|送信)|原始邮件|原邮件(?!信息)|邮件原文|"
    r"原始郵件)[^\n]{0,30}$",
)

PARCEL = _any(
    r"\b(?:parcels?|packages?|shipments?|orders?|couriers?|deliver(?:y|ies) (?:address|driver|date|slot)|paket|"
    r"päckchen|sendung|lieferung|colis|paquete|pacco|pakket|pakje|"
    r"encomenda|paczk\w+|посылк\w+)\b|包裹|快递|快件|物流|荷物|小包|宅配|택배|소포",
)

GREETING = _any(
    r"^(?:hi|hello|hey|dear|good (?:morning|day|afternoon)|hallo|guten|sehr geehrte|liebe[rs]?|bonjour|hola|"
    r"buen[ao]s|estimad|ciao|buongiorno|gentile|beste|geachte|olá|prezad|caro|"
    r"hej|hei|cześć|dzień dobry|witam|здравствуйте|добрый|привет|您好|你好|尊敬|お世話|こんにちは|"
    r"안녕)\b(?!\. this is)",
    r"^(?:您好|你好|尊敬的|お世話になって|こんにちは|안녕하세요)",
)
