"""How mail systems and robots show themselves: their addresses and their names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inbox.channels.email.reading.parsed import ParsedMail

_DAEMON_LOCAL = re.compile(
    r"^(?:mail|smtp|e-?mail|mta)?[-_.]?(?:er)?[-_.]?daemon\b|^mailer?[-_.]?daemon|^post[-_.]?master|^mdaemon|"
    r"^mail[-_.]?"
    r"(?:delivery|er|administrator|system)(?:[-_.]?(?:sub)?system)?$|^mmdf$|^microsoftexchange[0-9a-f]{8,}$|"
    r"^ndr$|^dsn$"
    r"|^system[-_.]?administrator$|^non-?delivery|^mail[-_]?returned|^symantec_antivirus_for_smtp",
    re.IGNORECASE,
)
_DAEMON_NAME = re.compile(
    r"^\W*(?:mail(?:er)?[- ]?deliver(?:y|er)?(?: (?:sub)?system| service)?|mailer[- ]daemon|"
    r"internet mail delivery|system administrator|"
    r"systemadministrator|microsoft outlook|microsoft exchange|microsoft office outlook|mail administrator|"
    r"postmaster|administrador "
    r"del sistema|administrateur système|администратор системы|系统管理员|系統管理員|システム管理者|mail system|"
    r"jetmail system|"
    r"mdaemon|"
    r"電子郵件系統管理員|メール配信システム|邮件系统|mail router|courier mail server[^<]{0,80})\W*$",
    re.IGNORECASE,
)
_ROBOT_LOCAL = re.compile(
    r"^(?:(?:do|please)?[-_.]*(?:do)?[-_.]*(?:no|not|n0|dont|donot|ne-?pas)[-_.]?(?:reply|respond|answer|"
    r"response|repondre|re?ply[-_.]?to)s?"
    r"|no-?responder|no-?responda|nao-?responda|nao-?responder|non-?rispondere|nicht-?antworten|keine-?antwort|"
    r"niet-?beantwoorden|"
    r"ne-?pas-?repondre|nepasrepondre|ei-?vastata|ikke-?svar|svara-?ej|auto-?(?:reply|responder|confirm|mailer|"
    r"notify|mail)|autoanswer|"
    r"(?:mail-?|e-?mail-?)?(?:robot|bot)|bounces?|mailing-?list|majordomo|listserv|list-?(?:owner|request)|sympa|"
    r"mailman|daemon|root|cron|nobody|"
    r"www-data|apache|nagios|icinga|zabbix|monitoring|system-?mail|automated|unattended)(?:[-_.+=\d].*)?$",
    re.IGNORECASE,
)
_ROBOT_PIECE = re.compile(
    r"(?:^|[-_.+])(?:no|not|donot)[-_.]?(?:reply|respond|responder)(?:$|[-_.+=\d])|-(?:bounces?|owner|request|"
    r"admin-bounces)(?:$|\+)",
    re.IGNORECASE,
)


def local_part(address: str) -> str:
    """What stands before the last `@`, or the whole when there is none."""
    return address.rpartition("@")[0] or address


def is_mail_system(parsed: ParsedMail) -> bool:
    """True when the sender names itself as a mail transfer system (RFC 5321 section 4.5.5, RFC 2142)."""
    if parsed.sender is None:
        return bool(re.search(r"<\s*>\s*$|\b(?:mailer-daemon|postmaster)\b", parsed.header("from"), re.IGNORECASE))
    local = local_part(parsed.sender.address).strip("'\"<> ")
    return bool(_DAEMON_LOCAL.search(local) or _DAEMON_NAME.match(parsed.sender.name.strip()))


def is_robot(parsed: ParsedMail) -> bool:
    """True when the sender's address says that nobody reads answers to it."""
    if parsed.sender is None:
        return False
    local = local_part(parsed.sender.address).strip("'\"<> ")
    return bool(_ROBOT_LOCAL.match(local) or _ROBOT_PIECE.search(local))


def has_null_sender(parsed: ParsedMail) -> bool:
    """True when the envelope sender was empty (RFC 5321 section 4.5.5): nothing may be sent in answer."""
    return any(value.strip().replace(" ", "") == "<>" for value in parsed.headers.get("return-path", ()))
