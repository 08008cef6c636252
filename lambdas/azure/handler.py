"""The Lambda handlers of Azure."""

from __future__ import annotations

import os

from lambdas.adapters.steps import provider_handlers
from lambdas.adapters.sweeping import sweep_handler
from lambdas.azure.prices import AzurePrices
from lambdas.azure.provider import AzureProvider

create, observe, delete, check = provider_handlers(
    lambda: AzureProvider.from_environment(os.environ), make_prices=lambda: AzurePrices.from_environment(os.environ)
)
sweep = sweep_handler("azure", lambda: AzureProvider.from_environment(os.environ))
