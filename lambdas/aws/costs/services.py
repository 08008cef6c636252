"""FOCUS's ServiceCategory of what Cost Explorer calls a service.

The names are values of the dimension SERVICE, the categories those of FOCUS 1.2's ServiceCategory, chosen as the FOCUS
table of Data Exports does where that is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_OTHER: Final = "Other"

_SERVICES: Final[Mapping[str, tuple[str, ...]]] = {
    "AI and Machine Learning": (
        "Amazon Bedrock",
        "Amazon Comprehend",
        "Amazon Lex",
        "Amazon Polly",
        "Amazon Rekognition",
        "Amazon SageMaker",
        "Amazon Textract",
        "Amazon Transcribe",
        "Amazon Translate",
    ),
    "Analytics": (
        "AWS Glue",
        "AWS Lake Formation",
        "Amazon Athena",
        "Amazon Elastic MapReduce",
        "Amazon Kinesis",
        "Amazon Kinesis Analytics",
        "Amazon Kinesis Firehose",
        "Amazon OpenSearch Service",
        "Amazon QuickSight",
        "Amazon Redshift",
    ),
    "Business Applications": ("Amazon Connect", "Amazon Simple Email Service", "Amazon WorkMail"),
    "Compute": (
        "AWS Batch",
        "AWS Elastic Beanstalk",
        "AWS Lambda",
        "AWS Outposts",
        "Amazon EC2 Container Registry (ECR)",
        "Amazon EC2 Container Service",
        "Amazon Elastic Compute Cloud - Compute",
        "Amazon Elastic Container Registry Public",
        "Amazon Elastic Container Service",
        "Amazon Elastic Container Service for Kubernetes",
        "Amazon Lightsail",
        "Amazon WorkSpaces",
        "EC2 - Other",
    ),
    "Databases": (
        "Amazon DocumentDB (with MongoDB compatibility)",
        "Amazon DynamoDB",
        "Amazon ElastiCache",
        "Amazon Keyspaces (for Apache Cassandra)",
        "Amazon MemoryDB",
        "Amazon Neptune",
        "Amazon Relational Database Service",
        "Amazon Timestream",
    ),
    "Developer Tools": (
        "AWS Amplify",
        "AWS CodeArtifact",
        "AWS CodeCommit",
        "AWS CodePipeline",
        "AWS X-Ray",
        "CodeBuild",
    ),
    "Identity": ("AWS Directory Service", "Amazon Cognito"),
    "Integration": (
        "AWS AppSync",
        "AWS Step Functions",
        "Amazon API Gateway",
        "Amazon AppFlow",
        "Amazon EventBridge",
        "Amazon MQ",
        "Amazon Managed Streaming for Apache Kafka",
        "Amazon Simple Notification Service",
        "Amazon Simple Queue Service",
        "CloudWatch Events",
    ),
    "Internet of Things": ("AWS IoT", "AWS IoT Device Management", "AWS IoT Greengrass"),
    "Management and Governance": (
        "AWS CloudFormation",
        "AWS CloudTrail",
        "AWS Config",
        "AWS Cost Explorer",
        "AWS Service Catalog",
        "AWS Systems Manager",
        "AmazonCloudWatch",
    ),
    "Media": ("AWS Elemental MediaConvert", "AWS Elemental MediaLive", "Amazon Interactive Video Service"),
    "Migration": ("AWS Application Migration Service", "AWS Database Migration Service", "AWS DataSync"),
    "Networking": (
        "AWS Direct Connect",
        "AWS Global Accelerator",
        "AWS Transit Gateway",
        "Amazon CloudFront",
        "Amazon Elastic Load Balancing",
        "Amazon Route 53",
        "Amazon Virtual Private Cloud",
    ),
    "Security": (
        "AWS Certificate Manager",
        "AWS Key Management Service",
        "AWS Secrets Manager",
        "AWS Security Hub",
        "AWS Shield",
        "AWS WAF",
        "Amazon GuardDuty",
        "Amazon Inspector",
        "Amazon Macie",
    ),
    "Storage": (
        "AWS Backup",
        "AWS Storage Gateway",
        "AWS Transfer Family",
        "Amazon Elastic Block Store",
        "Amazon Elastic File System",
        "Amazon FSx",
        "Amazon Glacier",
        "Amazon Simple Storage Service",
    ),
}

_CATEGORIES: Final = {service: category for category, services in _SERVICES.items() for service in services}


def service_category(service: str) -> str:
    """The category of a service, `Other` for taxes, support, the Marketplace and whatever is not in the table."""
    return _CATEGORIES.get(service, _OTHER)
