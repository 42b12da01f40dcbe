"""A row as labelled values, for pages that only show."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.admin import AdminSite
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from audit import visible, words
from audit.admin.changes import SECRET
from audit.erasure.fields import ErasableField


@dataclass(frozen=True, kw_only=True)
class Line:
    """One field: its label, its value as HTML, and whether the value needs the whole width."""

    label: str
    value: SafeString
    wide: bool = False


def lines(instance: models.Model, site: AdminSite, request: HttpRequest) -> Iterator[Line]:
    """Yield every stored field of a row, but for secrets, in the order of the model."""
    for field in instance._meta.concrete_fields:
        if field.name in SECRET:
            continue
        wide = isinstance(field, models.JSONField | models.TextField)
        value = _value(instance, field, site, request)
        yield Line(label=_label(field), value=value, wide=wide)


def link_to(instance: models.Model, site: AdminSite, request: HttpRequest) -> SafeString:
    """Return the name of another row, linked to its page when this person may open it."""
    text = visible.show(str(instance))
    admin = site._registry.get(type(instance))
    if admin is None or not admin.has_view_permission(request, instance):
        return text
    options = instance._meta
    name = f"{site.name}:{options.app_label}_{options.model_name}_change"
    return format_html('<a href="{}">{}</a>', reverse(name, args=[instance.pk]), text)


def _label(field: Any) -> str:
    text = str(field.verbose_name)
    return text[:1].upper() + text[1:]


def _value(instance: Any, field: Any, site: AdminSite, request: HttpRequest) -> SafeString:
    value = getattr(instance, field.name)
    if value is None and isinstance(field, ErasableField):
        return visible.show(None)
    if value is None or value == "":
        return visible.show("–")
    if isinstance(field, models.ForeignKey):
        return link_to(value, site, request)
    if isinstance(field, models.JSONField):
        return visible.show_json(value)
    if isinstance(value, datetime):
        return visible.show(words.instant(value))
    if isinstance(value, bool):
        return visible.show("yes" if value else "no")
    if field.choices:
        return visible.show(str(getattr(instance, f"get_{field.name}_display")()))
    return visible.show_block(str(value))
