"""SQL that is written once does what Django's own, written each time, does."""

from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction

from approvals.models import ApprovalRequest, PayloadVersion
from audit import statements
from audit.statements import insert

pytestmark = pytest.mark.django_db

FLOORS = ("approvals", "executors", "audit")
OURS = sorted(
    (model for app in FLOORS for model in apps.get_app_config(app).get_models()),
    key=lambda model: model.__name__,
)


def version(request: ApprovalRequest, **others: Any) -> PayloadVersion:
    content = {
        "request": request,
        "number": 2,
        "payload": {"amount": 1, "words": ["“%s”", None]},
        "sha256": "0" * 64,
        "made_by": "person:reviewer",
        "made_at": request.submitted_at,
    }
    return PayloadVersion(**(content | others))


def columns(row: models.Model) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_an_insert_names_every_column_but_the_one_that_the_database_fills(model):
    sql, fields = statements._insertion(model)

    missing = {*model._meta.concrete_fields} - {*fields}
    assert missing <= {model._meta.auto_field}
    assert all(connection.ops.quote_name(field.column) in sql for field in fields)


def test_an_inserted_row_is_the_row_that_django_would_have_saved(pending_request):
    saved, inserted = version(pending_request), version(pending_request, number=3)
    saved.save()
    insert(inserted)

    one, other = (
        PayloadVersion.objects.get(request=pending_request, number=number) for number in (2, 3)
    )
    differing = {name for name, value in columns(one).items() if value != columns(other)[name]}
    assert differing == {"id", "number"}
    assert (inserted._state.adding, inserted._state.db) == (False, "default")


def test_a_constraint_refuses_an_inserted_row_too(pending_request):
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(version(pending_request, number=1))
