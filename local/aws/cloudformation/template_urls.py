"""Templates that are given by the address of an S3 object."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote, urlsplit

from local.aws.cloudformation.errors import ValidationError

_BUCKET_IN_HOST = re.compile(r"^(?P<bucket>.+?)\.s3[.-]")


def fetch_template(url: str, s3: Any) -> str:
    """The text of the object at `url`, path-style or virtual-hosted; ValidationError if it cannot be had."""
    parts = urlsplit(url)
    path = unquote(parts.path.lstrip("/"))
    if in_host := _BUCKET_IN_HOST.match(parts.hostname or ""):
        bucket, key = in_host["bucket"], path
    else:
        bucket, _, key = path.partition("/")
    try:
        return str(s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode())
    except s3.exceptions.ClientError as error:
        raise ValidationError(f"S3 error: {error.response['Error']['Message']} ({bucket}/{key})") from None
