"""The Lambda handlers of Google Cloud."""

from __future__ import annotations

import os

from lambdas.adapters.steps import provider_handlers
from lambdas.gcp.provider import GcpProvider

create, observe, delete = provider_handlers(lambda: GcpProvider.from_environment(os.environ))
