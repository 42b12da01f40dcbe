"""The one settings module; everything that differs between places comes from the environment.

Each variable is described in the README. A variable that is missing or wrong stops the start with
a sentence that names it and says what to do.
"""

from datetime import timedelta
from pathlib import Path

from django.templatetags.static import static

from config.database import database_from_url, use_newer_sqlite
from config.environment import env_flag, env_int, env_path, env_text, load
from config.mail import mail_server_from_url

BASE_DIR = Path(__file__).resolve().parent.parent

use_newer_sqlite()
load(BASE_DIR)

# --- Where we are ---------------------------------------------------------------------------

COUNTERSIGN_ENV = env_text("COUNTERSIGN_ENV", "production", remedy="production, demo or test")
COUNTERSIGN_ROLE = env_text(
    "COUNTERSIGN_ROLE", "command", remedy="web, money, default, beat, sealer or command"
)
IN_PRODUCTION = COUNTERSIGN_ENV == "production"
COUNTERSIGN_VAR_DIR = env_path("COUNTERSIGN_VAR_DIR", BASE_DIR / "var", remedy="a directory")
DEBUG = env_flag("DEBUG", False)
PORT = env_int("PORT", 8000, remedy="a port", most=65535)
COUNTERSIGN_BASE_URL = env_text(
    "COUNTERSIGN_BASE_URL",
    None if IN_PRODUCTION else f"http://localhost:{PORT}",
    remedy="the address that people open, such as https://countersign.example",
).rstrip("/")
ALLOWED_HOSTS = env_text(
    "ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]", remedy="host names, separated by commas"
).split(",")
CSRF_TRUSTED_ORIGINS = [COUNTERSIGN_BASE_URL]

# --- Secrets, outside the database ------------------------------------------------------------

SECRET_KEY = env_text("SECRET_KEY", remedy="50 random characters", secret=True)
#: Keys the hashes of agent keys; changing it makes every agent key invalid.
COUNTERSIGN_PEPPER = env_text("COUNTERSIGN_PEPPER", remedy="50 random characters", secret=True)
#: Authenticates history rows until they are sealed.
COUNTERSIGN_HISTORY_KEY = env_text(
    "COUNTERSIGN_HISTORY_KEY", remedy="50 random characters", secret=True
)
COUNTERSIGN_SIGNING_KEY_FILE = env_path(
    "COUNTERSIGN_SIGNING_KEY_FILE",
    COUNTERSIGN_VAR_DIR / "keys" / "signing.pem",
    remedy="the private key that signs decisions; `manage.py rotate_signing_key` makes one",
)
COUNTERSIGN_LOG_KEY_FILE = env_path(
    "COUNTERSIGN_LOG_KEY_FILE",
    COUNTERSIGN_VAR_DIR / "keys" / "log.pem",
    remedy="the private key that signs checkpoints",
)
COUNTERSIGN_TRUSTED_KEYS_FILE = env_path(
    "COUNTERSIGN_TRUSTED_KEYS_FILE",
    COUNTERSIGN_VAR_DIR / "keys" / "trusted.json",
    remedy="the public keys that workers and verifiers trust",
)
COUNTERSIGN_ISSUER = env_text(
    "COUNTERSIGN_ISSUER", remedy="a fixed name of this installation, such as urn:countersign:acme"
)
COUNTERSIGN_AUDIENCE = f"{COUNTERSIGN_ISSUER}#executor"

#: Where each checkpoint is copied to, outside the database; it may hold an account.
COUNTERSIGN_ANCHOR = env_text(
    "COUNTERSIGN_ANCHOR", "", remedy="file:…, command:…, https://… or mailto:…", secret=True
)

# --- E-mail ---------------------------------------------------------------------------------------

_MAIL = mail_server_from_url(
    env_text("EMAIL_URL", "", remedy="smtp://user:password@host:587", secret=True)
)
EMAIL_HOST = _MAIL.host
EMAIL_PORT = _MAIL.port
EMAIL_HOST_USER = _MAIL.user
EMAIL_HOST_PASSWORD = _MAIL.password
EMAIL_USE_SSL = _MAIL.ssl
EMAIL_USE_TLS = _MAIL.starttls
DEFAULT_FROM_EMAIL = env_text(
    "EMAIL_FROM", "countersign@localhost", remedy="the address that e-mail comes from"
)
EMAIL_TIMEOUT = 10

# --- The provider -----------------------------------------------------------------------------

STRIPE_API_KEY = env_text("STRIPE_API_KEY", "", remedy="the worker's key", secret=True)
STRIPE_READ_KEY = env_text("STRIPE_READ_KEY", "", remedy="a read-only key", secret=True)
#: Proves that an event comes from Stripe; for web alone. Without it no webhook is accepted.
STRIPE_WEBHOOK_SECRET = env_text("STRIPE_WEBHOOK_SECRET", "", remedy="whsec_…", secret=True)
#: Only outside production: the local Stripe's address. Empty means Stripe's own.
STRIPE_API_BASE = env_text("STRIPE_API_BASE", "", remedy="http://127.0.0.1:…")

# --- Limits -----------------------------------------------------------------------------------

#: How long a request may wait for a decision, in seconds: default, least and most.
COUNTERSIGN_EXPIRES_IN_DEFAULT = env_int("COUNTERSIGN_EXPIRES_IN_DEFAULT", 3600)
COUNTERSIGN_EXPIRES_IN_LEAST = env_int("COUNTERSIGN_EXPIRES_IN_LEAST", 60)
COUNTERSIGN_EXPIRES_IN_MOST = env_int("COUNTERSIGN_EXPIRES_IN_MOST", 7 * 24 * 3600)
#: How long after the decision it may be carried out, in seconds; at most 23 h, which is within
#: the provider's memory for idempotency keys.
COUNTERSIGN_EXECUTE_WITHIN = env_int("COUNTERSIGN_EXECUTE_WITHIN", 4 * 3600, most=23 * 3600)
#: How old facts may be when a person decides, in seconds.
COUNTERSIGN_FACTS_MAX_AGE = env_int("COUNTERSIGN_FACTS_MAX_AGE", 600)
COUNTERSIGN_READ_FACTS = env_flag("COUNTERSIGN_READ_FACTS", True)
COUNTERSIGN_PENDING_PER_AGENT = env_int("COUNTERSIGN_PENDING_PER_AGENT", 200)
COUNTERSIGN_RATE_PER_SECOND = env_int("COUNTERSIGN_RATE_PER_SECOND", 50)
COUNTERSIGN_RATE_BURST = env_int("COUNTERSIGN_RATE_BURST", 200)
#: How long a worker may hold an execution before another may take over, in seconds.
COUNTERSIGN_LEASE = env_int("COUNTERSIGN_LEASE", 50)
COUNTERSIGN_SWEEP_EVERY = env_int("COUNTERSIGN_SWEEP_EVERY", 5)
#: Checks that every execution needs (see ``executors.checks``); a missing one holds it.
COUNTERSIGN_CHECKS = ["entitlement"]

# --- Django -----------------------------------------------------------------------------------

INSTALLED_APPS = [
    "config",
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.simple_history",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "simple_history",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "axes",
    "csp",
    "approvals",
    "executors",
    "audit",
]

MIDDLEWARE = [
    "approvals.api.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "approvals.admin.middleware.RefuseNulMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

_DATABASE_URL = env_text(
    "DATABASE_URL",
    "" if IN_PRODUCTION else f"sqlite:///{COUNTERSIGN_VAR_DIR / 'countersign.sqlite3'}",
    remedy="postgres://user:password@host:5432/name",
    secret=True,
)
#: Of the role that owns the tables: for ``harden_database`` alone, never for a process that runs.
DATABASE_OWNER_URL = env_text(
    "DATABASE_OWNER_URL", "", remedy="postgres://owner:password@host:5432/name", secret=True
)
DATABASES = {"default": database_from_url(_DATABASE_URL, lease=COUNTERSIGN_LEASE)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "approvals.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
if COUNTERSIGN_ENV == "test":
    # A slow hash protects nothing in a test and would take most of its time.
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

#: Throttled login: after 5 failures an account and address pair waits a quarter of an hour.
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
AXES_LOCKOUT_TEMPLATE = "approvals/locked_out.html"
#: Its pages could delete; failed sign-ins are for whoever reads the database and the log.
AXES_ENABLE_ADMIN = False

#: Idle logout after half an hour; every request starts it anew.
SESSION_ENGINE = "approvals.sessions"
SESSION_COOKIE_AGE = 30 * 60
SESSION_SAVE_EVERY_REQUEST = True
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
_HTTPS = IN_PRODUCTION
SESSION_COOKIE_SECURE = _HTTPS
CSRF_COOKIE_SECURE = _HTTPS
SECURE_SSL_REDIRECT = _HTTPS
#: Probes come from inside, by plain HTTP; their answers tell nothing that needs a secret way.
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz)$"]
SECURE_HSTS_SECONDS = 31_536_000 if _HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _HTTPS
SECURE_HSTS_PRELOAD = _HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _HTTPS else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        # The admin theme's Alpine needs eval, and its components inline styles; nothing that an
        # agent writes ever reaches a page unescaped.
        "script-src": ["'self'", "'unsafe-eval'"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "object-src": ["'none'"],
    }
}

#: The strict parser has its own, smaller limit; this one guards the admin's forms.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True
FORMAT_MODULE_PATH = "config.formats"

STATIC_URL = "static/"
STATIC_ROOT = COUNTERSIGN_VAR_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if IN_PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not IN_PRODUCTION

SIMPLE_HISTORY_REVERT_DISABLED = True
SIMPLE_HISTORY_ENFORCE_HISTORY_MODEL_PERMISSIONS = True
SIMPLE_HISTORY_DATE_INDEX = False

# --- REST -------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["approvals.api.authentication.AgentKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["approvals.api.parsing.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "approvals.api.errors.handle",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Countersign",
    "VERSION": "1",
    "DEFAULT_GENERATOR_CLASS": "approvals.api.openapi.Generator",
    "OAS_VERSION": "3.1.0",
    "SERVE_PUBLIC": True,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/v1",
}

# --- Celery: a bell, nothing more ---------------------------------------------------------------

REDIS_URL = env_text("REDIS_URL", "", remedy="redis://host:6379/0", secret=True)
CELERY_BROKER_URL = REDIS_URL or "memory://"
#: A frozen or absent broker must never hold up a decision: every wait is short and bounded.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 1,
    "socket_connect_timeout": 1,
    "visibility_timeout": 10 * COUNTERSIGN_LEASE,
    # One try: the library would otherwise sleep and connect again for up to six seconds.
    "max_retries": 0,
}
CELERY_BROKER_CONNECTION_RETRY = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
#: A worker that lost its broker waits for it, however long that takes.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {
    "executors.tasks.run": {"queue": "money"},
    "executors.tasks.reconcile": {"queue": "money"},
    "executors.tasks.scan": {"queue": "money"},
}
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "sweep-executions": {
        "task": "executors.tasks.sweep",
        "schedule": COUNTERSIGN_SWEEP_EVERY,
        "options": {"expires": COUNTERSIGN_SWEEP_EVERY},
    },
    "ring-for-readings": {
        "task": "executors.tasks.ring_for_readings",
        "schedule": 30,
        "options": {"expires": 30},
    },
    # What did not pass the gate is reported within this many seconds.
    "scan-the-provider": {
        "task": "executors.tasks.scan",
        "schedule": 300,
        "options": {"expires": 300},
    },
    "expire-requests": {
        "task": "approvals.tasks.expire_requests",
        "schedule": 15,
        "options": {"expires": 15},
    },
    "read-missing-facts": {
        "task": "approvals.tasks.read_missing_facts",
        "schedule": 10,
        "options": {"expires": 10},
    },
    # It looks whether a day has passed; the verification itself is daily, whenever beat began.
    "verify-the-record": {
        "task": "audit.tasks.verify_record",
        "schedule": 600,
        "options": {"expires": 600},
    },
}

# --- Admin --------------------------------------------------------------------------------------

UNFOLD = {
    "SITE_TITLE": "Countersign",
    "SITE_HEADER": "Countersign",
    "SITE_URL": None,
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    # One look: the pages that decide stand outside the theme and have no dark one.
    "THEME": "light",
    "SITE_SYMBOL": "draw",
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": lambda request: static("approvals/favicon.svg"),
        }
    ],
    "COLORS": {
        "primary": {
            "50": "#ecf7f1",
            "100": "#d6efe2",
            "200": "#b0dfc7",
            "300": "#80c8a6",
            "400": "#4aab80",
            "500": "#248c60",
            "600": "#0f6f44",
            "700": "#0b5836",
            "800": "#0a472d",
            "900": "#083a26",
            "950": "#042016",
        }
    },
    "ENVIRONMENT": "approvals.admin.site.environment_label",
    "DASHBOARD_CALLBACK": "approvals.admin.site.dashboard",
    "STYLES": [lambda request: static("approvals/admin.css")],
    "SIDEBAR": {
        "show_search": False,
        "navigation": "approvals.admin.site.navigation",
    },
}

# --- Logs ---------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "config.logs.RedactingFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        }
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
        }
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {"django.server": {"handlers": ["console"], "level": "INFO", "propagate": False}},
}
