"""Addresses of the machines' side. ``urlpatterns`` lives under ``api/v1/``, ``root`` at the top."""

from django.urls import URLPattern, path

from approvals.api import public_views, views

urlpatterns: list[URLPattern] = [
    path("requests", views.RequestsView.as_view(), name="requests"),
    path("requests/<str:request_id>", views.RequestView.as_view(), name="request"),
    path(
        "requests/<str:request_id>/withdrawal",
        views.WithdrawalView.as_view(),
        name="request-withdrawal",
    ),
    path(
        "requests/<str:request_id>/decision", views.DecisionView.as_view(), name="request-decision"
    ),
    path("actions", views.ActionsView.as_view(), name="actions"),
    path("openapi.json", public_views.openapi_json, name="openapi"),
]

root: list[URLPattern] = [
    path(".well-known/jwks.json", public_views.KeysView.as_view(), name="jwks"),
    path("healthz", public_views.HealthView.as_view(), name="healthz"),
    path("readyz", public_views.ReadinessView.as_view(), name="readyz"),
    path("api/docs", public_views.DocumentationView.as_view(), name="api-docs"),
]
