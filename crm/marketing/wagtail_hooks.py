"""What marketing adds to the staff shell beside its screens."""

from __future__ import annotations

from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from wagtail import hooks


@hooks.register("insert_global_admin_css", order=10)
def styles() -> SafeString:
    """The style sheet, after the components that it is built on."""
    return format_html('<link rel="stylesheet" href="{}">', static("marketing/marketing.css"))
