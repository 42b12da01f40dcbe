"""People and groups. Accounts are deactivated, never deleted; usernames never change."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, Permission
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from approvals.models import User
from approvals.models.people import AUDITORS, REVIEWERS
from audit.admin.base import HistoryPages

BUILT_IN = (REVIEWERS, AUDITORS)
#: What makes somebody powerful; only a superuser hands it out.
POWERS = ("is_staff", "is_superuser", "groups")
#: The apps whose permissions mean anything here.
APPS = ("approvals", "executors", "audit", "auth")

admin.site.unregister(Group)


class ChangeForm(UserChangeForm):
    """The theme's form for our own accounts."""

    class Meta(UserChangeForm.Meta):
        model = User


class CreationForm(UserCreationForm):
    """The theme's form for a new account of ours."""

    class Meta(UserCreationForm.Meta):
        model = User


TICK = {"widget": UnfoldAdminCheckboxSelectMultipleWidget()}


class _KeptForGood:
    """No deleting."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is ever deleted."""
        return False


@admin.register(User)
class UserAdmin(_KeptForGood, HistoryPages, DjangoUserAdmin, ModelAdmin):  # type: ignore[type-arg]
    """Accounts: made, deactivated, put into groups, each with a history."""

    form = ChangeForm
    add_form = CreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "is_active", "is_superuser", "membership", "last_login")
    list_filter = ("is_active", "is_superuser", "groups")
    search_fields = ("username", "first_name", "last_name", "email")
    ordering = ("username",)
    filter_horizontal = ()
    actions = None
    change_list_template = "audit/list.html"
    change_form_template = "audit/form.html"
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("May", {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Call the list what the sidebar calls it."""
        extra = {"list_title": "People", "title": "People"} | (extra_context or {})
        return super().changelist_view(request, extra)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Read the groups along."""
        return super().get_queryset(request).prefetch_related("groups")

    @admin.display(description="groups")
    def membership(self, row: User) -> str:
        """Return the groups, separated by commas."""
        return ", ".join(sorted(group.name for group in row.groups.all())) or "–"

    def formfield_for_manytomany(
        self, db_field: Any, request: HttpRequest | None = None, **kwargs: Any
    ) -> Any:
        """Offer groups as boxes to tick; permissions come from groups alone."""
        return super().formfield_for_manytomany(db_field, request, **kwargs | TICK)  # type: ignore[arg-type]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Fix the username once it exists, and powers for whoever is no superuser."""
        if obj is None:
            return ()
        fixed = ("username", "last_login", "date_joined")
        return fixed if request.user.is_superuser else (*fixed, *POWERS)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let nobody but a superuser change a superuser, or set that person's password."""
        if obj is not None and obj.is_superuser and not request.user.is_superuser:
            return False
        return bool(super().has_change_permission(request, obj))


@admin.register(Group)
class GroupAdmin(_KeptForGood, HistoryPages, DjangoGroupAdmin, ModelAdmin):
    """Groups. The two that every installation has keep their names."""

    ordering = ("name",)
    filter_horizontal = ()
    actions = None
    change_list_template = "audit/list.html"
    change_form_template = "audit/form.html"

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Call the page what the sidebar calls it."""
        return super().changelist_view(request, {"title": "Groups", **(extra_context or {})})

    def formfield_for_manytomany(
        self, db_field: Any, request: HttpRequest | None = None, **kwargs: Any
    ) -> Any:
        """Offer the permissions of this project as boxes to tick."""
        offered = Permission.objects.filter(content_type__app_label__in=APPS)
        kwargs |= {"queryset": offered.select_related("content_type"), **TICK}
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Fix the names that the code knows."""
        return ("name",) if obj is not None and obj.name in BUILT_IN else ()
