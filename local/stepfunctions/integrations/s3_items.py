"""A Distributed Map's items from S3, and its results to S3."""

from __future__ import annotations

import csv
import gzip
import io
import json
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local.stepfunctions.jsontext import Json, dumps
from local.stepfunctions.runtime.host import Outcome

READ_FAILED = "States.ItemReaderFailed"
WRITE_FAILED = "States.ResultWriterFailed"
_DELIMITERS = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}


class ItemsError(ValueError):
    """An object that does not hold items as configured."""


def read_items(client: Any, parameters: Json) -> Outcome:
    """The items of a reader, as JSON text; failures are States.ItemReaderFailed."""
    try:
        items = (
            _list_objects(client, parameters)
            if parameters["Action"] == "listObjectsV2"
            else _object(client, parameters)
        )
    except ItemsError as error:
        return Outcome("failed", error=READ_FAILED, cause=str(error))
    except ClientError as error:
        return Outcome("failed", error=READ_FAILED, cause=error.response["Error"].get("Message", str(error)))
    except BotoCoreError as error:
        return Outcome("failed", error=READ_FAILED, cause=f"Unable to execute HTTP request: {error}")
    limit = parameters["MaxItems"]
    return Outcome("succeeded", output=dumps(items[:limit] if limit else items))


def _list_objects(client: Any, parameters: Json) -> list[Json]:
    items: list[Json] = []
    for page in client.get_paginator("list_objects_v2").paginate(**parameters["Arguments"]):
        for entry in page.get("Contents", ()):
            listed = {
                "Etag": entry["ETag"],
                "Key": entry["Key"],
                "LastModified": int(entry["LastModified"].timestamp()),
                "Size": entry["Size"],
                "StorageClass": entry.get("StorageClass", "STANDARD"),
            }
            items.append(listed)
    return items


def _object(client: Any, parameters: Json) -> list[Json]:
    body: bytes = client.get_object(**parameters["Arguments"])["Body"].read()
    if parameters["Arguments"].get("Key", "").endswith(".gz"):
        body = gzip.decompress(body)
    config = parameters["ReaderConfig"]
    kind = config.get("InputType", "JSON")
    if kind == "CSV":
        return _csv(body.decode("utf-8-sig"), config)
    if kind == "JSONL":
        return [json.loads(line) for line in body.decode().splitlines() if line.strip()]
    if kind == "MANIFEST":
        return _manifest(client, body)
    return _json_array(body, config)


def _json_array(body: bytes, config: Json) -> list[Json]:
    try:
        items = json.loads(body)
    except ValueError as error:
        raise ItemsError("Attempting to map over non-iterable node.") from error
    for part in config.get("ItemsPointer", "").strip("/").split("/"):
        if part:
            items = items.get(part) if isinstance(items, dict) else None
    if not isinstance(items, list):
        raise ItemsError("Attempting to map over non-iterable node.")
    return items


def _csv(text: str, config: Json) -> list[Json]:
    rows = list(csv.reader(io.StringIO(text), delimiter=_DELIMITERS[config.get("CSVDelimiter", "COMMA")]))
    if config.get("CSVHeaderLocation") == "GIVEN":
        headers = config.get("CSVHeaders", [])
    else:
        headers, rows = (rows[0], rows[1:]) if rows else ([], [])
    if len(set(headers)) < len(headers):
        raise ItemsError("CSV headers cannot contain duplicates.")
    width = len(headers)
    return [dict(zip(headers, (row + [""] * width)[:width], strict=True)) for row in rows if row]


def _manifest(client: Any, body: bytes) -> list[Json]:
    manifest = json.loads(body)
    bucket = manifest["destinationBucket"].rsplit(":", 1)[-1]
    headers = [name.strip() for name in manifest["fileSchema"].split(",")]
    items: list[Json] = []
    for entry in manifest["files"]:
        data = client.get_object(Bucket=bucket, Key=entry["key"])["Body"].read()
        text = (gzip.decompress(data) if entry["key"].endswith(".gz") else data).decode()
        items += [dict(zip(headers, row, strict=False)) for row in csv.reader(io.StringIO(text))]
    return items


def write_results(client: Any, parameters: Json) -> Outcome:
    """Write a map run's results and its manifest; the Map state's result names them."""
    bucket = parameters["Arguments"]["Bucket"]
    run_id = parameters["MapRunArn"].rsplit(":", 1)[-1]
    prefix = parameters["Arguments"].get("Prefix", "").strip("/")
    folder = f"{prefix}/{run_id}" if prefix else run_id
    files: dict[str, list[Json]] = {"SUCCEEDED": [], "FAILED": [], "PENDING": []}
    try:
        for status in ("SUCCEEDED", "FAILED"):
            results = [
                item for item in parameters["Results"] if (item["Status"] == "SUCCEEDED") == (status == "SUCCEEDED")
            ]
            if results:
                key = f"{folder}/{status}_0.json"
                body = _formatted(results, parameters["WriterConfig"])
                client.put_object(Bucket=bucket, Key=key, Body=body)
                files[status].append({"Key": key, "Size": len(body)})
        manifest = {"DestinationBucket": bucket, "MapRunArn": parameters["MapRunArn"], "ResultFiles": files}
        client.put_object(Bucket=bucket, Key=f"{folder}/manifest.json", Body=dumps(manifest).encode())
    except (ClientError, BotoCoreError) as error:
        return Outcome("failed", error=WRITE_FAILED, cause=str(error))
    details = {"Bucket": bucket, "Key": f"{folder}/manifest.json"}
    return Outcome("succeeded", output=dumps({"MapRunArn": parameters["MapRunArn"], "ResultWriterDetails": details}))


def _formatted(results: list[Json], config: Json) -> bytes:
    values = results
    if config.get("Transformation", "NONE") != "NONE":
        values = [json.loads(item.get("Output", "null")) for item in results]
        if config["Transformation"] == "FLATTEN":
            values = [part for value in values for part in (value if isinstance(value, list) else [value])]
    if config.get("OutputType") == "JSONL":
        return "\n".join(dumps(value) for value in values).encode()
    return dumps(values).encode()
