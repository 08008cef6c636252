"""The Lambda handlers of AWS."""

from __future__ import annotations

import os

from lambdas.adapters.steps import provider_handlers
from lambdas.adapters.sweeping import sweep_handler
from lambdas.aws.prices import AwsPrices
from lambdas.aws.provider import AwsProvider

create, observe, delete, check = provider_handlers(
    lambda: AwsProvider.from_environment(os.environ), make_prices=lambda: AwsPrices.from_environment(os.environ)
)
sweep = sweep_handler("aws", lambda: AwsProvider.from_environment(os.environ))
