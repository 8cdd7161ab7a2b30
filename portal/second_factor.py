"""The form that connects an authenticator app."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import TOTP


class SpentCodeForm(ActivateTOTPForm):
    """The code that connected the app is used up: who saw it typed does not log in with it (S-82)."""

    def clean_code(self) -> str:
        """As the library's, which counts codes as used only where one logs in."""
        code = super().clean_code()
        TOTP(Authenticator(user=self.user))._mark_code_used(code)
        return code
