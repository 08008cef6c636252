"""One stack with every resource type there is (`everything.yaml`), and the files it refers to."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

TEMPLATE = Path(__file__).with_name("everything.yaml").read_text()


def code(source: str = "def handler(event, context): return event") -> bytes:
    """A function's zip."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.py", source)
    return packed.getvalue()


def put_assets(s3: Any) -> None:
    """Put the code and the state machine definition that the template refers to."""
    definition = {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "${fn}", "End": True}}}
    s3.create_bucket(Bucket="assets")
    s3.put_object(Bucket="assets", Key="code.zip", Body=code())
    s3.put_object(Bucket="assets", Key="m.asl.json", Body=json.dumps(definition))
