"""Lists and expansions of the local Stripe beyond what the contract tests walk."""

import pytest

from tests.executors.stripe.conftest import Stage, error_of


@pytest.mark.parametrize(
    ("form", "param"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"limit": ""}, "limit"),
        ({"created": "yesterday"}, "created"),
        ({"created[gte]": -1}, "created[gte]"),
        ({"created[gte]": 2**53}, "created[gte]"),
        ({"created[around]": 1}, "created[around]"),
        ({"payment_intent": "pi_missing"}, "payment_intent"),
        ({"charge": "ch_missing"}, "charge"),
        ({"ending_before": "re_missing"}, "ending_before"),
        ({"expand": "data"}, "expand"),
    ],
)
def test_a_wrong_filter_is_refused_by_name(
    stage: Stage, form: dict[str, object], param: str
) -> None:
    answer = stage.send("GET", "/v1/refunds", form)

    assert (answer.status, error_of(answer)["param"]) == (400, param)


def test_times_are_those_of_the_clock(stage: Stage) -> None:
    payment = stage.pay()
    for _ in range(3):
        stage.clock.now += 10
        stage.read("POST", "/v1/refunds", {"payment_intent": payment["id"], "amount": 100})
    end = stage.clock.now

    def found(**bounds: int) -> int:
        form = {f"created[{name}]": value for name, value in bounds.items()}
        return len(stage.read("GET", "/v1/refunds", form)["data"])

    assert found(gte=end - 20, lt=end) == 2
    assert found(gt=end - 20, lte=end) == 2
    assert len(stage.read("GET", "/v1/refunds", {"created": end})["data"]) == 1


def test_a_page_has_ten_objects_unless_asked(stage: Stage) -> None:
    for _ in range(11):
        stage.pay()

    page = stage.read("GET", "/v1/payment_intents")

    assert (len(page["data"]), page["has_more"], page["url"]) == (10, True, "/v1/payment_intents")


def test_objects_expand_four_levels_deep(stage: Stage) -> None:
    customer = stage.read("POST", "/v1/customers", {"name": "Ada"})
    payment = stage.pay(customer=customer["id"])
    made = stage.read(
        "POST",
        "/v1/refunds",
        {
            "payment_intent": payment["id"],
            "amount": 100,
            "expand[0]": "charge.payment_intent.latest_charge.customer",
            "expand[1]": "payment_intent",
        },
    )

    assert made["charge"]["payment_intent"]["latest_charge"]["customer"] == customer
    assert made["payment_intent"]["id"] == payment["id"]


@pytest.mark.parametrize(
    ("path", "expand"),
    [
        ("/v1/refunds/re_missing", "colour"),
        ("/v1/refunds/re_missing", "charge.colour"),
        ("/v1/refunds/re_missing", "charge.customer.id.x.y"),
        ("/v1/balance", "available"),
    ],
)
def test_an_expansion_is_refused_before_the_object_is_looked_up(
    stage: Stage, path: str, expand: str
) -> None:
    answer = stage.send("GET", path, {"expand[]": expand})

    assert answer.status == 400
    assert "expand" in error_of(answer)["message"]


def test_what_is_empty_expands_to_nothing(stage: Stage) -> None:
    payment = stage.pay(confirm="false")

    read = stage.read(
        "GET", f"/v1/payment_intents/{payment['id']}", {"expand[]": "latest_charge.customer"}
    )

    assert read["latest_charge"] is None


def test_a_list_may_name_its_data(stage: Stage) -> None:
    stage.pay()

    assert len(stage.read("GET", "/v1/charges", {"expand[]": "data"})["data"]) == 1
