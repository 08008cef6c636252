"""The Lambda handlers of Google Cloud."""

from __future__ import annotations

import os

from lambdas.adapters.steps import provider_handlers
from lambdas.adapters.sweeping import sweep_handler
from lambdas.gcp.provider import GcpProvider

create, observe, delete, check = provider_handlers(lambda: GcpProvider.from_environment(os.environ))
sweep = sweep_handler("gcp", lambda: GcpProvider.from_environment(os.environ))
