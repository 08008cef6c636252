"""What one machine grants to whoever runs it."""

from __future__ import annotations

import json
from typing import Final

from local.aws.clients import create_client

_GRANTS: Final = "/skysaga/grants"


def grant_operator(endpoint: str, region: str, caller: str) -> None:
    """Let a caller see all costs and run sweeps.

    Nothing on the bill of a machine that has just begun is of their own sagas, and nobody else could be asked to sweep.
    """
    grants = {"grants": [{"callers": [caller], "costs": "all", "sweeps": "run"}]}
    parameters = create_client("ssm", endpoint, region)
    parameters.put_parameter(Name=_GRANTS, Value=json.dumps(grants), Type="String", Overwrite=True)
