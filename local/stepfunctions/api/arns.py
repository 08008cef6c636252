"""The service's ARNs and names."""

from __future__ import annotations

import re
from typing import NamedTuple

from local.stepfunctions.errors import ApiError

_ARN = re.compile(r"arn:(aws[a-zA-Z-]*):states:([a-z0-9-]*):(\d*):([a-zA-Z]+):(.+)")
_FORBIDDEN = re.compile('[\\s<>{}\\[\\]?*"#%\\\\^|~`$&,;:/\u0000-\u001f\u007f-\u009f\ufffe\uffff\ud800-\udfff]')


class Arn(NamedTuple):
    """A Step Functions ARN: `kind` as in `stateMachine`, `rest` what follows it."""

    region: str
    account: str
    kind: str
    rest: str


def parse_arn(text: str, *kinds: str) -> Arn:
    """Take an ARN apart; raises ApiError InvalidArn when it is none, or of another kind than `kinds`."""
    match = _ARN.fullmatch(text)
    if match is None:
        raise ApiError("InvalidArn", f"Invalid Arn: 'Invalid ARN prefix: {text}'")
    arn = Arn(match.group(2), match.group(3), match.group(4), match.group(5))
    if kinds and arn.kind not in kinds:
        raise ApiError("InvalidArn", f"Invalid Arn: 'Resource type not valid in this context: {arn.kind}'")
    return arn


def check_name(name: str) -> None:
    """Raise ApiError InvalidName for a name with characters that the service does not take."""
    if not 1 <= len(name) <= 80 or _FORBIDDEN.search(name):
        raise ApiError("InvalidName", f"Invalid Name: '{name}'")
