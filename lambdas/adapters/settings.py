"""What a function reads from its environment; a missing variable is an error that names every missing one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field, Json

HIDDEN_SECONDS: Final = 90
"""How long nobody else sees a message, unless it is kept: then a worker that was killed is replaced."""


class MissingSettings(Exception):
    """The function's environment lacks variables that the deployment sets."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(f"set the environment variable(s) {', '.join(names)}; the deployment stacks do")


class Settings(BaseModel):
    """Variables of the environment; a field's alias is the variable's name."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """Read them; raises MissingSettings."""
        fields = {str(field.alias): field for field in cls.model_fields.values()}
        missing = [name for name, field in fields.items() if field.is_required() and not environ.get(name)]
        if missing:
            raise MissingSettings(missing)
        return cls.model_validate({name: environ[name] for name in fields if name in environ})


class LedgerSettings(Settings):
    """Where the ledger is."""

    table: str = Field(alias="LEDGER_TABLE")


class SagaSettings(LedgerSettings):
    """What the steps about whole sagas need besides: the functions behind each provider's verbs."""

    provider_functions: Json[dict[str, dict[str, str]]] = Field(alias="PROVIDER_FUNCTIONS")


class ExpirySettings(Settings):
    """Where schedules are made, as whom they start what they are for, and the state machine they start."""

    group: str = Field(alias="EXPIRY_SCHEDULE_GROUP")
    role: str = Field(alias="EXPIRY_ROLE")
    release_state_machine: str = Field(alias="RELEASE_STATE_MACHINE")


class TargetSettings(Settings):
    """The SSM parameters in which the deployment declares its targets, by cloud."""

    target_parameters: Json[dict[str, str]] = Field(alias="TARGET_PARAMETERS")


class AccessSettings(TargetSettings):
    """What it takes to know who may do what: the grants' parameter, and how old what was read of it may be."""

    grants_parameter: str = Field(alias="GRANTS_PARAMETER")
    grants_seconds: float = Field(default=30, ge=0, alias="SKYSAGA_GRANTS_SECONDS")


class WorkerSettings(LedgerSettings):
    """What the functions of a private cloud need besides: the names of its clusters."""

    clusters: Json[list[str]] = Field(alias="CLUSTERS")


class AgentSettings(Settings):
    """How patient an agent is: for how many seconds a message that it has taken is nobody else's, unless it is kept."""

    hidden_seconds: int = Field(default=HIDDEN_SECONDS, ge=1, alias="SKYSAGA_HIDDEN_SECONDS")


class SweepSettings(LedgerSettings):
    """What the sweep needs besides: the function that looks at each cloud."""

    sweep_functions: Json[dict[str, str]] = Field(alias="SWEEP_FUNCTIONS")


class ApiSettings(LedgerSettings):
    """What the API needs besides: the state machines it starts, and the function that checks each cloud."""

    check_functions: Json[dict[str, str]] = Field(alias="CHECK_FUNCTIONS")
    provisioning_state_machine: str = Field(alias="PROVISIONING_STATE_MACHINE")
    release_state_machine: str = Field(alias="RELEASE_STATE_MACHINE")
    sweep_state_machine: str = Field(alias="SWEEP_STATE_MACHINE")


class SignIn(BaseModel):
    """Where people sign in to the console, as which client of the issuer, and the scopes that the API wants."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    issuer: str
    client_id: str
    scopes: tuple[str, ...] = ()


class ConsoleSettings(Settings):
    """How people sign in to the console; None where the deployment does not serve it."""

    sign_in: Json[SignIn] | None = Field(default=None, alias="CONSOLE_SIGN_IN")


class RateCardSettings(Settings):
    """Where the rate cards stand among the sources of costs; empty where none are collected."""

    sources: str = Field(default="", alias="SOURCES_PARAMETER")


class SourcesSettings(Settings):
    """Where it stands which sources there are, and what is known of their windows."""

    sources: str = Field(alias="SOURCES_PARAMETER")
    windows: str = Field(alias="WINDOWS_TABLE")


class GaugeSettings(LedgerSettings):
    """Where what is measured stands: the ledger, and what is known of sources where costs are collected."""

    sources: str = Field(default="", alias="SOURCES_PARAMETER")
    windows: str = Field(default="", alias="WINDOWS_TABLE")


class CollectorSettings(SourcesSettings):
    """What collectors and the publisher need besides: the bucket that costs are kept in."""

    bucket: str = Field(alias="COSTS_BUCKET")


class BillingSettings(SourcesSettings):
    """What the steps about all sources need besides: the collector of each kind of source."""

    collectors: Json[dict[str, str]] = Field(alias="COLLECTORS")


class StartSettings(Settings):
    """The state machine that collects costs."""

    state_machine: str = Field(alias="BILLING_STATE_MACHINE")


class CostsSettings(SourcesSettings):
    """What it takes to ask about costs besides: the workgroup that asks, and the table that holds them."""

    workgroup: str = Field(alias="COSTS_WORKGROUP")
    database: str = Field(alias="COSTS_DATABASE")
    table: str = Field(alias="COSTS_TABLE")


class SummarySettings(CostsSettings):
    """What a summary needs besides: the parameter that declares budgets."""

    budgets: str = Field(alias="BUDGETS_PARAMETER")


class WebhookSettings(Settings):
    """The URL of each webhook by its name."""

    webhooks: Json[dict[str, str]] = Field(alias="WEBHOOKS")
