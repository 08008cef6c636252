"""How costs are asked for with SQL: a Glue table over the files of all windows, and an Athena workgroup."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from aws_cdk import Aws, CfnOutput, Stack
from aws_cdk import aws_athena as athena
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.billing import Billing
from infra.constructs.costs import BUCKET, COSTS, RESULTS

WORKGROUP: Final = "skysaga-costs"
DATABASE: Final = "skysaga"
TABLE: Final = "costs"
COLUMNS: Final[dict[str, str]] = json.loads(Path(__file__).with_name("cost_columns.json").read_text())
"""FOCUS 1.2's columns and ours, by name, with their types as Athena calls them."""

MOST_BYTES: Final = 20 * 2**30
"""That one query may read, for ten cents."""

_PARQUET: Final = "org.apache.hadoop.hive.ql.io.parquet"


class CostQueries(Construct):
    """The table `skysaga.costs` and the workgroup that queries it; neither holds anything.

    Partitions are reckoned from the names of the sources and from the calendar, so nobody has to register them:
    "Use partition projection with Amazon Athena", user guide.
    """

    def __init__(self, scope: Construct, id: str, *, billing: Billing, key: kms.IKey) -> None:
        super().__init__(scope, id)
        database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=Aws.ACCOUNT_ID,
            database_input=glue.CfnDatabase.DatabaseInputProperty(name=DATABASE, description="skysaga"),
        )
        table = glue.CfnTable(
            self,
            "Table",
            catalog_id=Aws.ACCOUNT_ID,
            database_name=DATABASE,
            table_input=glue.CfnTable.TableInputProperty(
                name=TABLE,
                description="What things cost, a row a charge, in the columns of FOCUS 1.2",
                table_type="EXTERNAL_TABLE",
                parameters=_projection(billing),
                partition_keys=[_column(name, "string") for name in ("source", "billing_period")],
                storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
                    columns=[_column(name.lower(), type_) for name, type_ in COLUMNS.items()],
                    location=f"s3://{BUCKET}/{COSTS}",
                    input_format=f"{_PARQUET}.MapredParquetInputFormat",
                    output_format=f"{_PARQUET}.MapredParquetOutputFormat",
                    serde_info=glue.CfnTable.SerdeInfoProperty(
                        serialization_library=f"{_PARQUET}.serde.ParquetHiveSerDe"
                    ),
                ),
            ),
        )
        table.node.add_dependency(database)
        athena.CfnWorkGroup(
            self,
            "WorkGroup",
            name=WORKGROUP,
            description="skysaga: questions about costs",
            recursive_delete_option=True,
            work_group_configuration=_configuration(key),
        )
        CfnOutput(
            Stack.of(self),
            "CostsTable",
            value=f"{DATABASE}.{TABLE}",
            description=f"To be queried in the workgroup {WORKGROUP}",
        )


def query_environment() -> dict[str, str]:
    """Return what a function must be told to ask for costs."""
    return {"COSTS_DATABASE": DATABASE, "COSTS_TABLE": TABLE, "COSTS_WORKGROUP": WORKGROUP}


def querying(stack: Stack) -> list[iam.PolicyStatement]:
    """Return leave to query the table in the workgroup: to read costs, and to write and read results.

    From "Fine-grained access to databases and tables" and "Workgroup example policies", Athena user guide. Whoever asks
    also needs the key, by `key_access`.
    """
    catalog = [
        stack.format_arn(service="glue", resource="catalog"),
        stack.format_arn(service="glue", resource="database", resource_name=DATABASE),
        stack.format_arn(service="glue", resource="table", resource_name=f"{DATABASE}/{TABLE}"),
    ]
    bucket = f"arn:{stack.partition}:s3:::{BUCKET}"
    return [
        iam.PolicyStatement(
            sid="QueryCosts",
            actions=[
                "athena:GetQueryExecution",
                "athena:GetQueryResults",
                "athena:StartQueryExecution",
            ],
            resources=[stack.format_arn(service="athena", resource="workgroup", resource_name=WORKGROUP)],
        ),
        iam.PolicyStatement(
            sid="LookUpCosts",
            actions=["glue:GetDatabase", "glue:GetPartitions", "glue:GetTable"],
            resources=catalog,
        ),
        iam.PolicyStatement(
            sid="FindCosts",
            actions=["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
            resources=[bucket],
        ),
        iam.PolicyStatement(
            sid="ReadCostsAndResults",
            actions=["s3:GetObject"],
            resources=[f"{bucket}/{COSTS}*", f"{bucket}/{RESULTS}*"],
        ),
        iam.PolicyStatement(
            sid="WriteResults",
            actions=["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:PutObject"],
            resources=[f"{bucket}/{RESULTS}*"],
        ),
    ]


def _projection(billing: Billing) -> dict[str, Any]:
    return {
        "classification": "parquet",
        "projection.enabled": "true",
        "projection.source.type": "enum",
        "projection.source.values": ",".join(billing.names),
        "projection.billing_period.type": "date",
        "projection.billing_period.format": "yyyy-MM",
        "projection.billing_period.range": f"{_month(billing.beginning)},NOW+1MONTHS",
        "projection.billing_period.interval": "1",
        "projection.billing_period.interval.unit": "MONTHS",
        "storage.location.template": (f"s3://{BUCKET}/{COSTS}source=${{source}}/billing_period=${{billing_period}}/"),
    }


def _month(beginning: datetime) -> str:
    """The billing period that an hour is in wherever months begin."""
    return (beginning - timedelta(days=1)).strftime("%Y-%m")


def _column(name: str, type_: str) -> glue.CfnTable.ColumnProperty:
    return glue.CfnTable.ColumnProperty(name=name, type=type_)


def _configuration(key: kms.IKey) -> athena.CfnWorkGroup.WorkGroupConfigurationProperty:
    return athena.CfnWorkGroup.WorkGroupConfigurationProperty(
        bytes_scanned_cutoff_per_query=MOST_BYTES,
        enforce_work_group_configuration=True,
        publish_cloud_watch_metrics_enabled=False,
        engine_version=athena.CfnWorkGroup.EngineVersionProperty(selected_engine_version="Athena engine version 3"),
        result_configuration=athena.CfnWorkGroup.ResultConfigurationProperty(
            output_location=f"s3://{BUCKET}/{RESULTS}",
            expected_bucket_owner=Aws.ACCOUNT_ID,
            encryption_configuration=athena.CfnWorkGroup.EncryptionConfigurationProperty(
                encryption_option="SSE_KMS", kms_key=key.key_arn
            ),
        ),
    )
