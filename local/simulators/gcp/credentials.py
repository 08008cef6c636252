"""Google credentials that are good for the simulator only, in the file form that google.auth.default() reads."""

from __future__ import annotations

import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

_ACCOUNT = "skysaga@local.iam.gserviceaccount.com"


def write_service_account(path: Path, token_uri: str, project: str = "local") -> None:
    """Write a service account file with a fresh RSA key, readable by its owner only; tokens come from `token_uri`."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    document = {
        "type": "service_account",
        "project_id": project,
        "private_key_id": "local",
        "private_key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        "client_email": _ACCOUNT,
        "client_id": "0",
        "token_uri": token_uri,
    }
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(json.dumps(document, indent=2))
