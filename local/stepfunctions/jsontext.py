"""JSON as Step Functions writes it: no spaces, characters as they are, numbers as they came."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, TypeAlias

Json: TypeAlias = Any

MAX_PAYLOAD_BYTES = 256 * 1024


def _encoder(ensure_ascii: bool) -> Callable[[Json], str]:
    """An encoder that is put together once: JSONEncoder.encode does so for every value, which costs more than most do.

    It does not look for values that contain themselves: none that has come out of JSON does.
    """
    encoder = json.JSONEncoder(ensure_ascii=ensure_ascii, check_circular=False, separators=(",", ":"), allow_nan=False)
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return encoder.encode
    write = json.encoder.encode_basestring_ascii if ensure_ascii else json.encoder.encode_basestring
    chunks = make(None, encoder.default, write, None, ":", ",", False, False, False)
    return lambda value: "".join(chunks(value, 0))


dumps = _encoder(ensure_ascii=False)
"""The compact text of a JSON value; raises ValueError for NaN and infinities."""

_encode_ascii = _encoder(ensure_ascii=True)


def to_bytes(value: Json) -> bytes:
    """The compact text in ASCII, which carries any string, even one that UTF-8 cannot."""
    return _encode_ascii(value).encode()


def loads(text: str) -> Json:
    """The value of a JSON text; raises ValueError for anything else: NaN, infinities, numbers beyond a double."""
    try:
        value, end = _scan(text, 0)
    except StopIteration:
        return _decoder.decode(text)
    return value if end == len(text) else _decoder.decode(text)


def too_large(text: str) -> bool:
    """Whether a payload is over the service's 256 KiB of UTF-8."""
    size = len(text)
    return size > MAX_PAYLOAD_BYTES or (
        size * 4 > MAX_PAYLOAD_BYTES and len(text.encode(errors="surrogatepass")) > MAX_PAYLOAD_BYTES
    )


def _refuse_constant(name: str) -> Json:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is beyond a double")
    return number


_decoder = json.JSONDecoder(parse_float=_finite, parse_constant=_refuse_constant)
# Without the search for white space around the text, which decode makes twice and hardly any text has.
_scan = _decoder.scan_once  # type: ignore[attr-defined]  # a part of the class that typeshed leaves out


def type_name(value: Json) -> str:
    """The JSON type's own name: array, boolean, null, number, object or string."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"
