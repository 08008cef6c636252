"""SdkHttpMetadata and SdkResponseMetadata: what optimized integrations add to a service's answer."""

from __future__ import annotations

from collections.abc import Mapping

from local.stepfunctions.jsontext import Json

_SHOWN = {
    name.lower(): name
    for name in (
        "Content-Length",
        "Content-Type",
        "Date",
        "X-Amz-Executed-Version",
        "x-amzn-Remapped-Content-Length",
        "x-amzn-RequestId",
        "X-Amzn-Trace-Id",
        "x-amz-crc32",
        "Server",
    )
}


def response_metadata(
    headers: Mapping[str, str], status: int, connection: str = "Connection", drop: tuple[str, ...] = ("Server",)
) -> dict[str, Json]:
    """Both metadata objects, from an answer's headers; `connection` is how that service spells that header."""
    shown = {_SHOWN[name.lower()]: value for name, value in headers.items() if name.lower() in _SHOWN}
    for name in drop:
        shown.pop(name, None)
    shown[connection] = "keep-alive"
    ordered = dict(sorted(shown.items()))
    request_id = shown.get("x-amzn-RequestId", "")
    return {
        "SdkHttpMetadata": {
            "AllHttpHeaders": {name: [value] for name, value in ordered.items()},
            "HttpHeaders": ordered,
            "HttpStatusCode": status,
        },
        "SdkResponseMetadata": {"RequestId": request_id},
    }
