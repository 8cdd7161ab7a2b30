"""The look of account mail: written as plain text once, its HTML made from that."""

from __future__ import annotations

import re

import css_inline
from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import get_language

_LINK = re.compile(r"https?://\S+")


def as_html(subject: str, text: str) -> str:
    """The text as an HTML mail. A paragraph that is nothing but a link becomes a button, with the address below it."""
    parts = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        paragraph = paragraph.strip()
        parts.append({"link": paragraph} if _LINK.fullmatch(paragraph) else {"text": paragraph})
    page = render_to_string(
        "inbox/mail/frame.html",
        {
            "subject": subject,
            "parts": parts,
            "site": settings.WAGTAIL_SITE_NAME,
            "base_url": settings.BASE_URL,
            "language": get_language(),
        },
    )
    return css_inline.inline(page, load_remote_stylesheets=False)
