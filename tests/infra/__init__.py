"""The synthesized templates, read as CloudFormation would read them."""

import infra  # noqa: F401 - chooses the Node that jsii runs on, before a test imports aws_cdk
