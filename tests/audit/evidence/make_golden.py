"""Makes the golden files anew: ``python -m pytest tests/audit/evidence/make_golden.py``.

They are kept, so that what was given out once goes on being proven by every later verifier: make
new ones beside them when the format gets a new version, and only then.
"""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import OKPKey

from audit.evidence import package
from audit.log import services as sealer
from tests.audit.evidence import forging
from tests.audit.evidence.conftest import run

pytestmark = pytest.mark.django_db


@pytest.fixture
def golden_keys(settings: Any, tmp_path: Any) -> None:
    settings.COUNTERSIGN_ISSUER = "urn:countersign:golden"
    settings.COUNTERSIGN_AUDIENCE = "urn:countersign:golden#executor"
    settings.COUNTERSIGN_SIGNING_KEY_FILE = tmp_path / "decisions.pem"
    settings.COUNTERSIGN_LOG_KEY_FILE = tmp_path / "log.pem"
    settings.COUNTERSIGN_TRUSTED_KEYS_FILE = tmp_path / "trusted.json"
    known = []
    for name, use in ((forging.DECISIONS, "decision"), (forging.LOG, "log")):
        private = forging.private_key(name)
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (tmp_path / f"{name}.pem").write_bytes(pem)
        public = OKPKey.import_key(private).as_dict(private=False)
        known.append(
            {
                "kid": forging.thumbprint(name),
                "use": use,
                "x": public["x"],
                "not_before": "2026-01-01T00:00:00+00:00",
                "not_after": None,
                "revoked_at": None,
            }
        )
    settings.COUNTERSIGN_TRUSTED_KEYS_FILE.write_text(json.dumps({"keys": known}))


def test_make_golden_files(
    golden_keys: None, submit: Any, refund_payload: Any, approve: Any, reject: Any
) -> None:
    changed = submit(
        refund_payload, reason="Parcel never arrived. <b>Très</b> sûr. \u202e\u0430pple"
    )
    approve(changed, patch=refund_payload | {"amount": 6000})
    run(changed)
    rejected = submit(refund_payload | {"amount": 1000}, context={"a/b~c": "\n<script>"})
    reject(rejected)
    sealer.seal()
    for name, request in (("changed", changed), ("rejected", rejected)):
        (forging.GOLDEN / f"{name}.zip").write_bytes(package.make(request.pk))
