"""What can come of a call."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

OUTCOMES = {
    "solved": _("Solved"),
    "informed": _("Informed"),
    "order": _("Order or request"),
    "complaint": _("Complaint"),
    "call-again": _("Call again"),
    "message-left": _("Left a message"),
    "wrong-number": _("Wrong number"),
    "no-interest": _("No interest"),
}

CAUSES = {
    "normalClearing": pgettext_lazy("why a call ended", "hung up"),
    "busy": pgettext_lazy("why a call ended", "busy"),
    "cancel": pgettext_lazy("why a call ended", "the caller gave up"),
    "noAnswer": pgettext_lazy("why a call ended", "nobody answered"),
    "congestion": pgettext_lazy("why a call ended", "the lines were full"),
    "notFound": pgettext_lazy("why a call ended", "there is no such number"),
    "forwarded": pgettext_lazy("why a call ended", "forwarded"),
}
"""Why a call ended, as telephone systems say it; other words are shown as they came."""
