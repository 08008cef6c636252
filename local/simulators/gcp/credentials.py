"""Google credentials that are good for the simulator only, in the file form that google.auth.default() reads."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

UNIVERSE: Final = "local.invalid"
"""The universe that the credentials belong to, as a sovereign cloud's do.

For Google's own universe, google-auth 2.62 asks iamcredentials.googleapis.com in the background where a service account
may be used; nothing of ours is to leave the machine.
"""


def write_service_account(path: Path, token_uri: str, project: str = "local") -> None:
    """Write a service account file, readable by its owner only, whose tokens come from `token_uri`."""
    document = {
        "type": "service_account",
        "universe_domain": UNIVERSE,
        "project_id": project,
        "private_key_id": "local",
        "private_key": _private_key(),
        "client_email": "skysaga@local.iam.gserviceaccount.com",
        "client_id": "0",
        "token_uri": token_uri,
    }
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(json.dumps(document, indent=2))


@cache
def _private_key() -> str:
    """One RSA key per process, since it takes a while to make and opens nothing."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
