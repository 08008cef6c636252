"""The whole application: settings and bundles in, five stacks out, and more where clusters or sources are declared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from aws_cdk import App

from infra.api_stack import ApiStack
from infra.billing import Billing
from infra.billing_stack import BillingStack
from infra.clusters_stack import ClustersStack
from infra.data_stack import DataStack
from infra.guard_stack import GuardStack
from infra.notices_stack import NoticesStack
from infra.packaging.bundles import ROOT, build_bundles
from infra.packaging.target import target_named
from infra.private_clouds import PrivateClouds
from infra.saga_stack import SagaStack
from infra.settings import Settings
from infra.targets import Targets
from infra.telemetry_stack import TelemetryStack
from infra.webhooks import Webhooks

DEFINITIONS: Final = ROOT / "statemachines"


def build_application(
    definitions: Path = DEFINITIONS, outdir: str | None = None, context: dict[str, Any] | None = None
) -> App:
    """Return the application, not yet synthesized; `outdir` is by default where the CDK wants it (CDK_OUTDIR).

    The defaults of the context are those of `cdk.json` even when the CDK's command line, which would read them, is not
    the one that runs this, so that there is one template; `-c`, CDK_CONTEXT_JSON and `context` override them.
    """
    app = App(outdir=outdir, context={**_default_context(), **(context or {})}, analytics_reporting=False)
    bundles = build_bundles(target_named(app.node.get_context("bundle")))
    settings, targets = Settings.from_context(app), Targets.from_context(app)
    private_clouds = PrivateClouds.from_context(app)
    billing = Billing.from_context(app, targets, private_clouds)
    data = DataStack(
        app, "SkysagaData", targets=targets, private_clouds=private_clouds, billing=billing, settings=settings
    )
    saga = SagaStack(
        app,
        "SkysagaSaga",
        ledger=data.ledger,
        bundles=bundles,
        settings=settings,
        targets=targets,
        definitions=definitions,
        costs=bool(billing.sources),
    )
    guard = GuardStack(
        app,
        "SkysagaGuard",
        ledger=data.ledger,
        provisioning=saga.provisioning,
        release=saga.release,
        bundles=bundles,
        settings=settings,
        targets=targets,
        definitions=definitions,
    )
    api = ApiStack(
        app,
        "SkysagaApi",
        ledger=data.ledger,
        provisioning=saga.provisioning,
        release=saga.release,
        sweep=guard.sweep,
        checks=saga.checks,
        bundles=bundles,
        token_issuer=settings.token_issuer,
        costs=bool(billing.sources),
    )
    NoticesStack(
        app,
        "SkysagaNotices",
        ledger=data.ledger,
        topic=guard.alarms.topic,
        webhooks=Webhooks.from_context(app),
        bundles=bundles,
    )
    if private_clouds.by_name:
        ClustersStack(
            app,
            "SkysagaClusters",
            ledger=data.ledger,
            provisioning=saga.provisioning,
            release=saga.release,
            topic=guard.alarms.topic,
            private_clouds=private_clouds,
            bundles=bundles,
        )
    if billing.sources:
        BillingStack(
            app,
            "SkysagaBilling",
            ledger=data.ledger,
            topic=guard.alarms.topic,
            billing=billing,
            bundles=bundles,
            settings=settings,
            targets=targets,
            definitions=definitions,
        )
    TelemetryStack(
        app,
        "SkysagaTelemetry",
        ledger=data.ledger,
        topic=guard.alarms.topic,
        api_ids=api.api_ids,
        clusters=bool(private_clouds.by_name),
        costs=bool(billing.sources),
        bundles=bundles,
    )
    return app


def _default_context() -> dict[str, Any]:
    settings: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())
    context: dict[str, Any] = settings["context"]
    return context
