"""Grants and targets that a test gives and changes."""

from __future__ import annotations

from dataclasses import dataclass, field

from lambdas.core.access import Access, Grant, Grants
from lambdas.core.targets import DEFAULT, AwsTarget, AzureTarget, GcpTarget, Target, Targets

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"


def some_targets(**more: Target) -> dict[str, dict[str, Target]]:
    """The default target of each cloud, and `more` by name, each on its own cloud."""
    targets: dict[str, dict[str, Target]] = {
        "aws": {DEFAULT: AwsTarget()},
        "azure": {DEFAULT: AzureTarget(subscription_id=SUBSCRIPTION)},
        "gcp": {DEFAULT: GcpTarget(project="shop")},
    }
    for name, target in more.items():
        targets[target.cloud][name.replace("_", "-")] = target.model_copy(update={"name": name.replace("_", "-")})
    return targets


@dataclass
class FakeAccess:
    """Nobody is granted anything unless `grants` says so; what stands in `broken` is raised instead."""

    targets: Targets = field(default_factory=some_targets)
    grants: list[Grant] = field(default_factory=list)
    broken: Exception | None = None

    def current(self) -> Access:
        """What the test says is granted and declared now."""
        if self.broken is not None:
            raise self.broken
        return Access(Grants(grants=self.grants), self.targets)
