"""Every address of the site, in one list."""

from django.urls import include, path
from wagtail.admin import urls as wagtailadmin_urls

from inbox.calls import door
from inbox.channels.chat import widget
from portal import health

handler500 = health.failed
urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("api/v1/cti/<str:token>", door.cti, name="cti"),
    path("widget.js", widget.script, name="widget"),
    path("", include("portal.my.urls")),
    path("usercontent/", include("inbox.usercontent")),
    path("chat/v1/", include("inbox.channels.chat.urls")),
    path("desk/", include("portal.desk_urls")),
    path("desk/", include(wagtailadmin_urls)),
    path("accounts/", include("allauth.urls")),
]
