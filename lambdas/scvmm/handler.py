"""The Lambda handlers of System Center VMM, and how its provider is made elsewhere."""

from __future__ import annotations

import os
from collections.abc import Mapping

from lambdas.adapters.secrets import Secrets
from lambdas.core.clusters import ClusterSettings
from lambdas.core.ports.provider import PrivateProvider
from lambdas.scvmm.provider import ScvmmProvider
from lambdas.worker.handler import deployed_private_cloud


def make_provider(clusters: Mapping[str, ClusterSettings], secrets: Secrets) -> PrivateProvider:
    """The provider of some clusters, as patient as the environment says."""
    return ScvmmProvider.from_environment(os.environ, clusters, secrets)


work, report = deployed_private_cloud(make_provider)
