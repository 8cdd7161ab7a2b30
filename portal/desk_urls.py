"""Addresses at /desk/ that stand before Wagtail's own: the start page, and what is closed or lives elsewhere."""

from django.urls import include, path, re_path
from django.views.decorators.cache import never_cache
from django.views.generic import RedirectView
from wagtail.admin.auth import require_admin_access
from wagtail.admin.urls import display_custom_404
from wagtail.utils.urlpatterns import decorate_urlpatterns

from core.staff.closed import not_here
from inbox.calls import urls as calls
from inbox.staff.start import StartView
from inbox.workspace import urls as workspace

CLOSED = "|".join(
    (
        "password_reset/.*",  # passwords are allauth's, with its rate limits
        "bulk/.*",  # Wagtail's bulk actions on people change roles past our services
        "failwhale/",  # raises on purpose
        "test404/",
        "reports/.*",
        "workflows/.*",
        "collections/.*",
        "editing-sessions/.*",
        "pages/.*",
        "choose-[a-z]+(?:-link)?/.*",
        "api/.*",
        "block-preview/",
        "images/.*",  # there are no pages yet that pictures and documents could stand on
        "documents/.*",
        "tag-autocomplete/.*",
    )
)

urlpatterns = [
    # Before Wagtail's own door, which asks for permissions and profile: the workspace has its own, and little time.
    # What is not there is said in the shell, as by the rest of the desk.
    path("inbox/", include((decorate_urlpatterns(workspace.urlpatterns, display_custom_404), "inbox"))),
    path("calls/", include((decorate_urlpatterns(calls.urlpatterns, display_custom_404), "calls"))),
    path("", never_cache(require_admin_access(StartView.as_view())), name="desk_start"),
    path("login/", RedirectView.as_view(pattern_name="account_login"), name="desk_login"),
    path("account/", require_admin_access(RedirectView.as_view(pattern_name="profile:index")), name="desk_account"),
    re_path(f"^(?:{CLOSED})$", not_here, name="desk_closed"),
]
