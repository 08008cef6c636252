"""What keeps costs and asks for them, one resource of each kind: deployed only where a deployment declares sources."""

from __future__ import annotations

from typing import Any

READ = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}],
}

RESOURCES: dict[str, tuple[str, dict[str, Any]]] = {
    "Bucket": (
        "AWS::S3::Bucket",
        {
            "BucketName": "costs-of-east",
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [
                    {
                        "BucketKeyEnabled": True,
                        "ServerSideEncryptionByDefault": {
                            "SSEAlgorithm": "aws:kms",
                            "KMSMasterKeyID": {"Fn::GetAtt": ["Key", "Arn"]},
                        },
                    }
                ]
            },
            "LifecycleConfiguration": {
                "Rules": [
                    {
                        "Id": "staged",
                        "Prefix": "staging/",
                        "ExpirationInDays": 14,
                        "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
                        "Status": "Enabled",
                    },
                    {
                        "Id": "unfinished",
                        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
                        "ExpiredObjectDeleteMarker": True,
                        "Status": "Enabled",
                    },
                ]
            },
            "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
            "PublicAccessBlockConfiguration": {"BlockPublicAcls": True, "BlockPublicPolicy": True},
            "VersioningConfiguration": {"Status": "Enabled"},
        },
    ),
    "BucketPolicy": ("AWS::S3::BucketPolicy", {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": READ}),
    "Catalog": (
        "AWS::Glue::Database",
        {"CatalogId": {"Ref": "AWS::AccountId"}, "DatabaseInput": {"Name": "east", "Description": "costs"}},
    ),
    "Costs": (
        "AWS::Glue::Table",
        {
            "CatalogId": {"Ref": "AWS::AccountId"},
            "DatabaseName": {"Ref": "Catalog"},
            "TableInput": {
                "Name": "costs",
                "Parameters": {"projection.source.values": "east,west"},
                "PartitionKeys": [{"Name": "source", "Type": "string"}],
                "StorageDescriptor": {"Columns": [{"Name": "billedcost", "Type": "decimal(38,20)"}]},
            },
        },
    ),
    "Questions": (
        "AWS::Athena::WorkGroup",
        {
            "Name": "east",
            "RecursiveDeleteOption": True,
            "WorkGroupConfiguration": {
                "BytesScannedCutoffPerQuery": 20_000_000,
                "EnforceWorkGroupConfiguration": True,
                "ResultConfiguration": {"OutputLocation": "s3://costs-of-east/athena/"},
            },
        },
    ),
}
