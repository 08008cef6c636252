"""The Lambda handlers of AWS."""

from __future__ import annotations

import os

from lambdas.adapters.steps import provider_handlers
from lambdas.aws.provider import AwsProvider

create, observe, delete = provider_handlers(lambda: AwsProvider.from_environment(os.environ))
