"""Addresses of the auditor's desk, below ``/admin/record/``."""

from django.contrib import admin
from django.urls import path

from approvals.admin.desk import pages, searching

_wrap = admin.site.admin_view

urlpatterns = [
    path("", _wrap(searching.search), name="record-search"),
    path("export/", _wrap(searching.download), name="record-export"),
    path("filters/save/", _wrap(searching.save), name="record-filter-save"),
    path("filters/<int:filter_id>/delete/", _wrap(searching.delete), name="record-filter-delete"),
    path("<str:subject>/", _wrap(pages.story), name="record-story"),
]
