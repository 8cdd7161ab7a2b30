"""Settings of Guichet. Everything a deployment changes comes from the environment; README lists every name."""

from __future__ import annotations

import sys
from pathlib import Path

import environ
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

VAR_DIR = Path(env.str("GUICHET_VAR", str(BASE_DIR / "var")))
"""Everything that is written: database, mail, files. Never served by the web server."""
TESTING = "pytest" in sys.modules
DEBUG = env.bool("DEBUG", False)
DEMO = env.bool("GUICHET_DEMO", False)
"""The embedded try-out: outgoing mail goes to files, the mail door is open on loopback, keys are made on the spot."""


def _secret(name: str) -> str:
    """A key from the environment; a try-out on one machine keeps its own under `VAR_DIR`, mode 0600."""
    value = env.str(name, "")
    if value:
        return value
    if env.str("DATABASE_URL", "").startswith("postgres") and not (TESTING or DEMO):
        raise ImproperlyConfigured(f"{name} must be set: a deployment keeps its keys in the environment.")
    from portal.keys import local_key

    return local_key(VAR_DIR, name)


SECRET_KEY = _secret("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
CHANNEL_KEYS = [_secret("CHANNEL_KEY"), *env.list("CHANNEL_KEY_FALLBACKS", default=[])]
"""Key ring of stored channel secrets; the first one writes. Apart from SECRET_KEY so that each can be changed alone."""
TOKEN_KEYS = [_secret("TOKEN_KEY"), *env.list("TOKEN_KEY_FALLBACKS", default=[])]
"""Key ring of the tokens in mail (threading, return paths); old keys stay valid while they are listed."""

BASE_URL = env.str("BASE_URL", "http://127.0.0.1:8000").rstrip("/")
"""The public address. Every link in a mail is built from it, never from a request."""
SITE_NAME = env.str("SITE_NAME", "Guichet")
"""What customers read as the name of the house: on the portal and in the mail it sends."""
USERCONTENT_URL = env.str("USERCONTENT_URL", "").rstrip("/")
"""Another origin for untrusted files; empty serves them from a cookie-less path of this one."""
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
TRUSTED_PROXIES = env.list("TRUSTED_PROXIES", default=[])
"""Addresses of proxies whose X-Forwarded-For is believed; from anybody else it is ignored."""
HTTPS = BASE_URL.startswith("https://")

INSTALLED_APPS = [
    "daphne",
    "core",
    "routing",
    "crm.organisation",
    "crm.customers",
    "crm.planning",
    "crm.service",
    "crm.marketing",
    "inbox",
    "portal",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "channels",
    "csp",
    "django_htmx",
    "django_tasks",
    "django_tasks_db",
    "core.staff.users.UsersConfig",
    "wagtail.admin",
    "wagtail.documents",
    "wagtail.images",
    "wagtail",
    "taggit",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
]

MIDDLEWARE = [
    "portal.security.peer_middleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "portal.security.header_middleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "portal.security.StorageMiddleware",
    "portal.security.denial_middleware",
    "portal.security.staff_middleware",
    "portal.security.personal_middleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "portal.urls"
ASGI_APPLICATION = "portal.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

LEASE_SECONDS = env.int("LEASE_SECONDS", 30)
"""How long a duty (a mailbox, the scheduler, a mail on its way out) stays with a process that was killed or froze."""

DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'guichet.sqlite3'}")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["ENGINE"] = "core.sqlite3"
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    # IMMEDIATE takes the write lock when the transaction opens: a deferred one that upgrades fails with "database is
    # locked" whatever the timeout. FULL because a mail is acknowledged to its server after the commit.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA cache_size=-32000;",
    }
    if TESTING:
        DATABASES["default"]["OPTIONS"]["init_command"] = "PRAGMA journal_mode=WAL;PRAGMA synchronous=OFF;"
        DATABASES["default"]["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}
else:
    from core.limited_postgres import LimitedConnection

    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    # Whoever freezes inside a transaction keeps its locks from his successor, no longer than his duties. A busy machine
    # may hold up an honest one for a moment.
    idle = max(LEASE_SECONDS, 5)
    DATABASES["default"]["OPTIONS"] = {
        "pool": {
            "min_size": 1,
            "max_size": env.int("DATABASE_POOL", 8),
            "timeout": 10,
            "connection_class": LimitedConnection,
        },
        "options": f"-c lock_timeout=15s -c statement_timeout=60s -c idle_in_transaction_session_timeout={idle}s",
        # A server that is gone without a word (its machine fell) is noticed in seconds. By itself, TCP waits a quarter
        # of an hour for what was sent, and two hours where only an answer is missing.
        "connect_timeout": 5,
        "tcp_user_timeout": 15_000,
        "keepalives_idle": 15,
        "keepalives_interval": 5,
    }
    if TESTING:
        DATABASES["default"]["OPTIONS"] = {}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", "")
if REDIS_URL:
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [REDIS_URL], "prefix": env.str("REDIS_PREFIX", "guichet")},
        }
    }
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": env.str("REDIS_PREFIX", "guichet"),
        }
    }
else:
    CHANNEL_LAYERS = {"default": {"BACKEND": "core.memory_layer.MemoryLayer"}}
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["default"]}}

AUTH_USER_MODEL = "organisation.User"
AUTHENTICATION_BACKENDS = [
    "crm.organisation.backends.PasswordBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
if TESTING:
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "portal:start"
PASSWORD_RESET_TIMEOUT = 3600
"""Seconds that the link of a reset mail is good for (S-83)."""
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_ADAPTER = "portal.accounts.AccountAdapter"
ACCOUNT_SIGNUP_FORM_CLASS = "portal.accounts.SignupForm"
ACCOUNT_FORMS = {"signup": "portal.sign_up.EvenSignupForm"}
ACCOUNT_RATE_LIMITS = {
    "signup": "20/h/ip",
    "reset_password": "20/m/ip,3/h/key,5/d/key",
    "confirm_email": "1/3m/key,3/h/key,5/d/key",
}
"""Anybody can type the address of anybody: it gets so many mails and no more (S-50)."""
ACCOUNT_REAUTHENTICATION_REQUIRED = True
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = SITE_NAME
MFA_ADAPTER = "portal.accounts.SecondFactorAdapter"
MFA_FORMS = {"activate_totp": "portal.second_factor.SpentCodeForm"}
STAFF_SECOND_FACTOR = env.str("STAFF_SECOND_FACTOR", "optional" if DEMO or TESTING else "required")
"""`required`: colleagues get nowhere without a second factor but to where they set it up; `optional`: as they like."""

WAGTAIL_SITE_NAME = SITE_NAME
WAGTAILADMIN_BASE_URL = BASE_URL
WAGTAILADMIN_LOGIN_URL = "/accounts/login/"
WAGTAIL_PASSWORD_RESET_ENABLED = False
WAGTAIL_PASSWORD_MANAGEMENT_ENABLED = False
WAGTAIL_EMAIL_MANAGEMENT_ENABLED = False
WAGTAIL_GRAVATAR_PROVIDER_URL = None
WAGTAIL_ENABLE_UPDATE_CHECK = False
WAGTAILIMAGES_EXTENSIONS = ["avif", "gif", "jpg", "jpeg", "png", "webp"]
WAGTAILADMIN_PERMITTED_LANGUAGES = [("en", "English"), ("zh-hans", "简体中文"), ("zh-hant", "繁體中文")]

LANGUAGE_CODE = env.str("LANGUAGE_CODE", "en")
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文"), ("zh-hant", "繁體中文")]
LOCALE_PATHS = [BASE_DIR / "locale", BASE_DIR / "locale" / "libraries"]
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
USE_TZ = True
TIME_ZONE = env.str("TIME_ZONE", "UTC")

STATIC_URL = "/static/"
STATIC_ROOT = env.str("STATIC_ROOT", str(VAR_DIR / "static"))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or DEMO or TESTING
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG or DEMO or TESTING
MEDIA_ROOT = env.str("MEDIA_ROOT", str(VAR_DIR / "files"))
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 3 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
DATA_UPLOAD_MAX_NUMBER_FILES = 20

CHAT_SOCKETS_PER_ADDRESS = env.int("CHAT_SOCKETS_PER_ADDRESS", 100)
"""Open chat sockets that one process takes from one network address."""
CHAT_SOCKETS_PER_CHANNEL = env.int("CHAT_SOCKETS_PER_CHANNEL", 5000)
CHAT_MESSAGES_PER_MINUTE = env.int("CHAT_MESSAGES_PER_MINUTE", 40)
"""Messages of one visitor; who writes faster is asked to wait."""
CHAT_UNLIMITED_NETWORKS = env.list("CHAT_UNLIMITED_NETWORKS", default=[])
"""Networks behind which many visitors share an address (an own branch, a load test): no limits per address there."""

MAIL_ALERT_PER_HOUR, MAIL_PARK_PER_HOUR = env.int("MAIL_ALERT_PER_HOUR", 60), env.int("MAIL_PARK_PER_HOUR", 300)
"""Mails of one sender in an hour beyond which staff are told, and beyond which more of them wait to be looked at."""
STORAGE_RESERVE = env.int("STORAGE_RESERVE", 0 if TESTING else 512 * 1024 * 1024)
"""Bytes that stay free where files are kept: before that, mail is left at its server and uploads are refused (507)."""
MAIL_MAX_BYTES = env.int("MAIL_MAX_BYTES", 50 * 1024 * 1024)
"""A larger mail is parked with a notice instead of being read."""
SMTP_DOOR = env.str("SMTP_DOOR", "127.0.0.1:8025" if DEMO else "")
LMTP_DOOR = env.str("LMTP_DOOR", "")
"""`host:port` where mail for our channels is taken directly; empty is closed."""
MAIL_TIMEOUT = env.float("MAIL_TIMEOUT", 60.0)
"""Seconds a mail server may take for one answer."""
SCANNER = env.str("SCANNER", "")
"""Where a virus scanner listens that speaks clamd's protocol: `host:port`, or the path of its socket."""
SCANNER_REQUIRED = env.bool("SCANNER_REQUIRED", True)
"""Whether files are kept back while the scanner does not answer."""
METRICS_TOKEN = env.str("METRICS_TOKEN", "")
"""Bearer token for /metrics; without one nobody reads them, but in a try-out."""
OUTBOUND_PRIVATE_HOSTS = env.list("OUTBOUND_PRIVATE_HOSTS", default=[])
"""Hosts on the own network that the HTTP client may call all the same."""
EMAIL_BACKEND = "inbox.channels.email.system_mail.QueuedEmailBackend"
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "Guichet <no-reply@localhost>")
MAIL_SINK = VAR_DIR / "mail" if DEMO else None
"""When set, nothing leaves the machine: outgoing mail is written here as .eml files."""

SESSION_ENGINE = "core.sessions"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"
SESSION_COOKIE_AGE = 7 * 24 * 3600
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", HTTPS)
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "SAMEORIGIN"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:", *([USERCONTENT_URL] if USERCONTENT_URL else [])],
        "font-src": [SELF],
        "connect-src": [SELF],
        "frame-src": [SELF, *([USERCONTENT_URL] if USERCONTENT_URL else [])],
        "manifest-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

LOG_FORMAT = env.str("LOG_FORMAT", "text")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {"format": "{asctime} {levelname:<7} {name}: {message}", "style": "{"},
        "json": {"()": "core.logs.JsonFormatter"},
    },
    "filters": {"request_id": {"()": "core.logs.RequestIdFilter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["request_id"]}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
    "loggers": {
        "daphne": {"level": "WARNING"},
        "mail.log": {"level": "WARNING"},
        "django.channels.server": {"level": "WARNING"},
    },
}

SILENCED_SYSTEM_CHECKS = [
    "security.W019",  # mails and previews are shown in frames of the same origin; CSP frame-ancestors says which pages
    "security.W021",  # to be in the browsers' preload list is the operator's decision, and hard to take back
]
