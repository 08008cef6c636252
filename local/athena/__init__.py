"""Athena on one machine: its API over DuckDB, and over the Parquet files that the local S3 holds."""

from local.athena.service import Athena

__all__ = ["Athena"]
