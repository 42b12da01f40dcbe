"""The tables of the local Stripe. What must always be true of money is a constraint."""

#: Marks the file as ours ("LSTR"), so that no other program's database is ever taken for it.
APPLICATION_ID = 0x4C535452
VERSION = 2

_OBJECT = """
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    created INTEGER NOT NULL"""
_METADATA = "metadata TEXT NOT NULL DEFAULT '{}'"

TABLES = f"""
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);

CREATE TABLE api_keys (role TEXT PRIMARY KEY, secret TEXT NOT NULL UNIQUE);

CREATE TABLE grants (
    role TEXT NOT NULL REFERENCES api_keys (role),
    resource TEXT NOT NULL,
    level TEXT NOT NULL CHECK (level IN ('read', 'write')),
    PRIMARY KEY (role, resource)
);

CREATE TABLE customers ({_OBJECT}, {_METADATA},
    name TEXT,
    email TEXT,
    description TEXT
);

CREATE TABLE payment_methods ({_OBJECT}, {_METADATA},
    card TEXT NOT NULL,
    customer TEXT REFERENCES customers (id)
);

CREATE TABLE payment_intents ({_OBJECT}, {_METADATA},
    amount INTEGER NOT NULL CHECK (amount > 0),
    currency TEXT NOT NULL,
    status TEXT NOT NULL,
    capture_method TEXT NOT NULL,
    secret TEXT NOT NULL,
    payment_method TEXT REFERENCES payment_methods (id),
    customer TEXT REFERENCES customers (id),
    description TEXT,
    receipt_email TEXT,
    latest_charge TEXT
);

CREATE TABLE charges ({_OBJECT}, {_METADATA},
    payment_intent TEXT NOT NULL REFERENCES payment_intents (id),
    payment_method TEXT NOT NULL REFERENCES payment_methods (id),
    card TEXT NOT NULL,
    customer TEXT REFERENCES customers (id),
    description TEXT,
    amount INTEGER NOT NULL CHECK (amount > 0),
    currency TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('succeeded', 'failed')),
    amount_captured INTEGER NOT NULL CHECK (amount_captured BETWEEN 0 AND amount),
    amount_refunded INTEGER NOT NULL DEFAULT 0,
    disputed INTEGER NOT NULL DEFAULT 0,
    decline_code TEXT,
    user_report TEXT,
    balance_transaction TEXT,
    CHECK (amount_refunded BETWEEN 0 AND amount_captured)
);

CREATE TABLE refunds ({_OBJECT}, {_METADATA},
    charge TEXT NOT NULL REFERENCES charges (id),
    payment_intent TEXT NOT NULL REFERENCES payment_intents (id),
    amount INTEGER NOT NULL CHECK (amount > 0),
    currency TEXT NOT NULL,
    reason TEXT,
    status TEXT NOT NULL
        CHECK (status IN ('pending', 'requires_action', 'succeeded', 'failed', 'canceled')),
    instructions_email TEXT,
    pending_reason TEXT,
    failure_reason TEXT,
    balance_transaction TEXT,
    failure_balance_transaction TEXT,
    CHECK ((status IN ('failed', 'canceled')) = (failure_reason IS NOT NULL)),
    CHECK ((status = 'pending') = (pending_reason IS NOT NULL))
);

CREATE INDEX refunds_by_payment ON refunds (payment_intent, sequence);

CREATE TABLE events ({_OBJECT},
    type TEXT NOT NULL,
    object TEXT NOT NULL,
    request TEXT,
    idempotency_key TEXT
);

CREATE TABLE idempotency_keys (
    account TEXT NOT NULL,
    key TEXT NOT NULL,
    created INTEGER NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    parameters TEXT NOT NULL,
    request TEXT NOT NULL,
    status INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (account, key)
);
"""
