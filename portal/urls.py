"""Every address of the site, in one list."""

from django.urls import include, path
from wagtail.admin import urls as wagtailadmin_urls

urlpatterns = [
    path("", include("portal.my.urls")),
    path("desk/", include("portal.desk_urls")),
    path("desk/", include(wagtailadmin_urls)),
    path("accounts/", include("allauth.urls")),
]
