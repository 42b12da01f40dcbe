"""Every address of the web process."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from approvals.api import urls as api
from approvals.unavailable import server_error
from audit.log import views as log
from executors.views import stripe_webhook

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/record/", include("approvals.admin.desk.urls")),
    path("admin/", admin.site.urls),
    path("api/v1/", include("approvals.api.urls")),
    path("log/checkpoint", log.checkpoint, name="log-checkpoint"),
    path("log/tile/<path:place>", log.tile, name="log-tile"),
    path("webhooks/stripe", stripe_webhook, name="stripe-webhook"),
    *api.root,
]

handler500 = server_error
