"""Every address of the site, in one list."""

from django.urls import include, path
from wagtail.admin import urls as wagtailadmin_urls

urlpatterns = [
    path("desk/", include(wagtailadmin_urls)),
    path("accounts/", include("allauth.urls")),
]
