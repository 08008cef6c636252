"""One synthesis for all tests, as one-machine mode runs it: `python app.py` with nothing in the environment to help."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
from aws_cdk import Validations
from cdk_nag import AwsSolutionsChecks

from bench.cold import unpack
from infra.application import build_application
from infra.packaging.bundles import ROOT, Bundles, build_bundles
from infra.packaging.target import LAMBDA, host, target_named
from tests.infra.template import Template

ROLE: Final = "arn:aws:iam::210987654321:role/skysaga-target"
TARGETS: Final[dict[str, Any]] = {
    "aws": {"payments": {"role_arn": ROLE, "external_id": "agreed", "withdrawn": True}},
    "azure": {
        "payments": {
            "subscription_id": "11111111-0000-0000-0000-000000000001",
            "tenant_id": "11111111-0000-0000-0000-000000000002",
            "client_id": "11111111-0000-0000-0000-000000000003",
        }
    },
    "gcp": {
        "payments": {
            "project": "payments-427",
            "service_account": "skysaga@payments-427.iam.gserviceaccount.com",
            "workload_identity_provider": "projects/1/locations/global/workloadIdentityPools/skysaga/providers/lambda",
        }
    },
}
PRIVATE_CLOUDS: Final[dict[str, Any]] = {
    "berlin": {
        "provider": "vsphere",
        "server": "https://vcenter.berlin.example/sdk",
        "secret": "skysaga/berlin",
        "worker": "lambda",
        "vpc": {"subnets": ["subnet-0123456789abcdef0"], "security_groups": ["sg-0123456789abcdef0"]},
        "clusters": {
            "berlin-1": {
                "cluster": "CL01",
                "folder": "skysaga",
                "network": "VM Network",
                "labels": {"site": "berlin"},
                "concurrency": 8,
                "overcommit": {"cpu": 6, "memory": 1.2, "disk": 1.5},
                "reserve": {"cpu": 8, "memory_mb": 65536, "disk_gb": 500},
            },
            "berlin-2": {"cluster": "CL02", "concurrency": 1},
        },
    },
    "paris": {
        "provider": "scvmm",
        "server": "https://vmm.paris.example:5986/wsman",
        "secret": "skysaga/paris",
        "worker": "lambda",
        "clusters": {"paris-1": {"cluster": "HV01"}},
    },
    "ulm": {
        "provider": "vsphere",
        "server": "https://vcenter.ulm.example/sdk",
        "secret": "arn:aws:secretsmanager:eu-central-1:210987654321:secret:ulm-AbCdEf",
        "target": "payments",
        "clusters": {"ulm-1": {"cluster": "CL01"}, "ulm-2": {"cluster": "CL02"}},
    },
}
"""Functions in a VPC, functions outside of one, and an agent whose secret is another account's."""

BILLING: Final[dict[str, Any]] = {
    "sources": {
        "own": {"kind": "aws-cost-explorer", "since": "2026-11-01T00:00:00Z", "account": "123456789012"},
        "payments": {
            "kind": "aws-cost-explorer",
            "since": "2026-11-01T00:00:00Z",
            "account": "210987654321",
            "target": "payments",
            "tag_keys": ["team"],
            "hourly": True,
        },
        "organization": {
            "kind": "aws-data-export",
            "since": "2026-10-01T00:00:00Z",
            "account": "321098765432",
            "bucket": "our-exports",
            "prefix": "focus/",
            "export": "focus-1-2",
            "bucket_region": "eu-west-1",
        },
        "subscription": {
            "kind": "azure-cost-query",
            "since": "2026-11-01T00:00:00Z",
            "subscription": "11111111-0000-0000-0000-000000000001",
        },
        "subscription-2": {
            "kind": "azure-cost-export",
            "since": "2026-11-01T00:00:00Z",
            "subscription": "22222222-0000-0000-0000-000000000001",
            "account_url": "https://ourexports.blob.core.windows.net",
            "container": "exports",
            "directory": "focus",
            "export": "focus-1-2",
        },
        "project": {
            "kind": "gcp-bigquery",
            "since": "2026-11-01T00:00:00Z",
            "project": "payments-427",
            "target": "payments",
            "table": "billing-427.exports.gcp_billing_export_resource_v1_0001AB",
            "location": "EU",
        },
        "vcenter": {
            "kind": "rate-card",
            "since": "2026-11-26T09:00:00Z",
            "provider": "vsphere",
            "currency": "EUR",
            "rates": {"cpu_hour": "0.02", "memory_gb_hour": 0.005, "disk_gb_hour": "0.0001"},
            "cluster_rates": {"berlin-2": {"cpu_hour": 1, "memory_gb_hour": 0, "disk_gb_hour": 0}},
        },
    },
    "former": {"old-project": "2025-03-01T00:00:00Z"},
    "budgets": {
        "shop": {"amount": "1000", "currency": "EUR", "label": "team=shop"},
        "migration": {"amount": 250.5, "currency": "USD", "saga": "s-1", "period": "total", "thresholds": [100]},
    },
}
"""One source of every kind, here and by targets, one that was, and a budget of either kind."""

WEBHOOKS: Final[dict[str, Any]] = {
    "chat": {"url": "https://hooks.example.org/in", "events": ["saga.ended", "budget.passed"]},
    "payments": {"url": "https://payments.example.org/in", "events": ["saga.changed"], "labels": {"team": "payments"}},
}

SETTINGS: Final = {
    "azure_subscription_id": "11111111-0000-0000-0000-000000000001",
    "azure_tenant_id": "11111111-0000-0000-0000-000000000002",
    "azure_client_id": "11111111-0000-0000-0000-000000000003",
    "google_cloud_project": "shop-427",
}
EVERYTHING: Final[dict[str, Any]] = {
    **SETTINGS,
    "targets": TARGETS,
    "private_clouds": PRIVATE_CLOUDS,
    "billing": BILLING,
    "webhooks": WEBHOOKS,
    "google_service_account": "skysaga@shop-427.iam.gserviceaccount.com",
    "google_workload_identity_provider": "projects/2/locations/global/workloadIdentityPools/skysaga/providers/lambda",
    "keep_trying": "3600",
    "azure_client_id_delete": "11111111-0000-0000-0000-000000000004",
    "azure_client_id_costs": "11111111-0000-0000-0000-000000000005",
    "sweep_regions": "eu-west-1,eu-central-1",
    "jwt_issuer": "https://id.example/tenant",
    "jwt_audience": "skysaga, another",
    "jwt_scopes": "sagas",
    "jwt_client_id": "console",
    "runbooks": "https://wiki.example/skysaga/operations",
    "slo": {"completion": 99.5, "recovery": 99.95, "within": 7200, "least": 3},
    "otlp": {"endpoint": "https://otlp.example:4318", "headers_secret": "skysaga/otlp"},
}
"""A deployment that chooses all there is to choose: what the checkers are to see."""


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cloud assembly for this machine, made without credentials, an account, a region, or Node on the path.

    Bundles are another matter: a package index may want to be found through the environment.
    """
    build_bundles(target_named("host"))
    folder = tmp_path_factory.mktemp("assembly")
    context = {
        "bundle": "host",
        "targets": TARGETS,
        "private_clouds": PRIVATE_CLOUDS,
        "billing": BILLING,
        "webhooks": WEBHOOKS,
    }
    environment = {
        "CDK_CONTEXT_JSON": json.dumps(context),
        "CDK_OUTDIR": str(folder),
        "HOME": os.environ.get("HOME", str(folder)),
        "PATH": str(folder),
    }
    subprocess.run([sys.executable, "app.py"], cwd=ROOT, env=environment, check=True)
    return folder


@pytest.fixture(name="deployed", scope="session")
def _deployed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The assembly for Lambda of a deployment that chooses everything; synthesis fails where a rule of cdk-nag does."""
    folder = tmp_path_factory.mktemp("deployed")
    app = build_application(outdir=str(folder), context=EVERYTHING)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()
    return folder


@pytest.fixture(scope="session")
def data(assembly: Path) -> Template:
    return Template(assembly / "SkysagaData.template.json")


@pytest.fixture(scope="session")
def saga(assembly: Path) -> Template:
    return Template(assembly / "SkysagaSaga.template.json")


@pytest.fixture(scope="session")
def guard(assembly: Path) -> Template:
    return Template(assembly / "SkysagaGuard.template.json")


@pytest.fixture(scope="session")
def notices(assembly: Path) -> Template:
    return Template(assembly / "SkysagaNotices.template.json")


@pytest.fixture(scope="session")
def clusters(assembly: Path) -> Template:
    return Template(assembly / "SkysagaClusters.template.json")


@pytest.fixture(scope="session")
def api(assembly: Path) -> Template:
    return Template(assembly / "SkysagaApi.template.json")


@pytest.fixture(scope="session")
def telemetry(assembly: Path) -> Template:
    return Template(assembly / "SkysagaTelemetry.template.json")


@pytest.fixture(scope="session")
def billing(assembly: Path) -> Template:
    return Template(assembly / "SkysagaBilling.template.json")


@pytest.fixture(name="here", scope="session")
def _here() -> Bundles:
    return build_bundles(host())


@pytest.fixture(name="for_lambda", scope="session")
def _for_lambda() -> Bundles:
    return build_bundles(LAMBDA)


@pytest.fixture(name="unpacked", scope="session")
def _unpacked(here: Bundles, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every bundle for this machine, unpacked as Lambda would: the code, and beside it a folder for each layer."""
    folder = tmp_path_factory.mktemp("unpacked")
    unpack(here, folder)
    return folder


@pytest.fixture(name="layers", scope="session")
def _layers(unpacked: Path, here: Bundles) -> dict[str, Path]:
    """Where the packages are that the functions of each folder have."""
    return {folder: unpacked / bundle.stem / "python" for folder, bundle in here.dependencies.items()}
