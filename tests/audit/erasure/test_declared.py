"""Every text and JSON column of every model is declared: it may hold personal data, or must not."""

import pytest
from django.apps import apps
from django.db import models

from audit.erasure import declared
from audit.erasure.declared import HISTORY_ERASED, HISTORY_KEPT
from audit.erasure.fields import ErasableField
from audit.history import HistoryRow
from audit.log.unsealed import history_models
from tests.test_architecture import our_models

TEXTS = (models.CharField, models.TextField, models.JSONField, models.BinaryField)
DECLARED = {one.model: one for one in declared.all_declared()}
#: Django's own models with history, whose texts are names of ours.
NAMES_OF_OURS = {"Group": {"name"}}


def texts_of(model: type[models.Model]) -> set[str]:
    return {
        field.name
        for field in model._meta.concrete_fields
        if isinstance(field, TEXTS) and not isinstance(field, models.BinaryField)
    }


@pytest.mark.parametrize("model", our_models(), ids=lambda model: model.__name__)
def test_every_text_column_is_declared_once(model):
    one = DECLARED[model]

    assert texts_of(model) == {*one.erased, *one.kept}
    assert not {*one.erased} & {*one.kept}


@pytest.mark.parametrize("model", our_models(), ids=lambda model: model.__name__)
def test_what_may_hold_personal_data_can_be_emptied(model):
    """Django's own columns allow no NULL: they become empty, as a person without a name has."""
    one = DECLARED[model]
    erasable = {f.name for f in model._meta.concrete_fields if isinstance(f, ErasableField)}
    own = {name for name in one.erased if model._meta.get_field(name).null}

    assert erasable == own
    assert own == {*one.erased} or model.__name__ == "User"
    assert not one.erased or one.of is not None


@pytest.mark.parametrize("model", history_models(), ids=lambda model: model.__name__)
def test_every_text_column_of_a_history_table_is_declared(model):
    one = declared.of_history(model)
    tracked = model.instance_type
    ours = {*one.erased, *one.kept} if one else NAMES_OF_OURS[tracked.__name__]

    assert texts_of(model) <= {*ours, *HISTORY_ERASED, *HISTORY_KEPT}


def test_no_other_table_of_ours_holds_a_text():
    """Copies of memberships are numbers alone."""
    known = {*our_models(), *history_models()}
    others = [
        model
        for label in ("approvals", "executors", "audit")
        for model in apps.get_app_config(label).get_models(include_auto_created=True)
        if model not in known and not issubclass(model, HistoryRow)
    ]

    assert {model.__name__ for model in others if texts_of(model)} == set()
