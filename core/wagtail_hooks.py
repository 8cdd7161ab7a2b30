"""What core adds to the staff shell."""

from __future__ import annotations

from django.urls import URLPattern, path
from wagtail import hooks

from core.gallery import gallery


@hooks.register("register_admin_urls")
def gallery_url() -> list[URLPattern]:
    """The page of components at /desk/gallery/."""
    return [path("gallery/", gallery, name="core_gallery")]
