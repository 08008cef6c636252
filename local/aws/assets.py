"""File assets on their way into the account's S3: folders zipped once per asset, objects put once per account."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local.aws.assembly import FileAsset

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment a zip can name; the same folder gives the same bytes


def publish(asset: FileAsset, s3: Any, cache_dir: Path) -> bool:
    """Put the asset into its bucket unless it is there; whether it was put. An asset's id stands for its content."""
    if _is_there(asset, s3):
        return False
    with packaged(asset, cache_dir).open("rb") as content:
        s3.put_object(Bucket=asset.bucket, Key=asset.key, Body=content)
    return True


def packaged(asset: FileAsset, cache_dir: Path) -> Path:
    """The file that is put: the source itself, or the folder as a zip, made in `cache_dir` if it is not there yet."""
    if not asset.is_directory:
        return asset.source
    target = cache_dir / f"{asset.asset_id}.zip"
    if not target.exists():
        cache_dir.mkdir(parents=True, exist_ok=True)
        unfinished = cache_dir / f"{asset.asset_id}.{os.getpid()}.part"
        _zip(asset.source, unfinished)
        unfinished.replace(target)
    return target


def _is_there(asset: FileAsset, s3: Any) -> bool:
    try:
        s3.head_object(Bucket=asset.bucket, Key=asset.key)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return False
        raise
    return True


def _zip(folder: Path, target: Path) -> None:
    """Stored, not compressed: it goes no further than this machine, and reading it back is what costs."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _EPOCH)
                entry.external_attr = (path.stat().st_mode & 0xFFFF) << 16
                archive.writestr(entry, path.read_bytes())
