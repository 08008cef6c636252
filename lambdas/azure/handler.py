"""The Lambda handlers of Azure."""

from __future__ import annotations

import os

from lambdas.adapters.steps import provider_handlers
from lambdas.azure.provider import AzureProvider

create, observe, delete = provider_handlers(lambda: AzureProvider.from_environment(os.environ))
