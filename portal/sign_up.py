"""The form of a new account, which takes as long for an address that has one."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import SignupForm
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest


class EvenSignupForm(SignupForm):
    """Whoever measures does not learn whether there is an account (S-80)."""

    def try_save(self, request: HttpRequest) -> Any:
        """As the library's, with the work that a new password costs."""
        if self.account_already_exists:
            make_password(self.cleaned_data["password1"])
        return super().try_save(request)
