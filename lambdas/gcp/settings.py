"""What the Google Cloud functions read from their environment, besides what google-auth reads itself."""

from __future__ import annotations

from pydantic import Field

from lambdas.adapters.settings import Settings


class GcpSettings(Settings):
    """Whose project, where the APIs are, who we are to them, and how patient we are with them, in seconds.

    `workload_identity_provider` exchanges our AWS role for a Google token, which may act as `service_account`;
    `aws_region` is where our role is looked up.
    """

    project: str = Field(alias="GOOGLE_CLOUD_PROJECT", min_length=1)
    endpoint: str = Field(default="https://compute.googleapis.com", alias="GOOGLE_COMPUTE_ENDPOINT")
    bigquery_endpoint: str = Field(default="https://bigquery.googleapis.com", alias="GOOGLE_BIGQUERY_ENDPOINT")
    service_account: str = Field(default="", alias="GOOGLE_SERVICE_ACCOUNT")
    workload_identity_provider: str = Field(default="", alias="GOOGLE_WORKLOAD_IDENTITY_PROVIDER")
    sts_endpoint: str = Field(default="https://sts.googleapis.com", alias="GOOGLE_STS_ENDPOINT")
    iam_endpoint: str = Field(default="https://iamcredentials.googleapis.com", alias="GOOGLE_IAM_CREDENTIALS_ENDPOINT")
    aws_region: str = Field(default="us-east-1", alias="AWS_REGION")
    settling_seconds: float = Field(default=120, ge=0, alias="GOOGLE_SETTLING_SECONDS")
    connect_timeout: float = Field(default=3, gt=0, alias="GOOGLE_CONNECT_TIMEOUT")
    read_timeout: float = Field(default=15, gt=0, alias="GOOGLE_READ_TIMEOUT")
