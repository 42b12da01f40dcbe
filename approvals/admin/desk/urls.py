"""Addresses of the auditor's desk, below ``/admin/record/``."""

from django.contrib import admin
from django.urls import path

from approvals.admin.desk import pages

_wrap = admin.site.admin_view

urlpatterns = [
    path("<str:subject>/", _wrap(pages.story), name="record-story"),
]
