"""Clouds that say what a test has them say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lambdas.core.ports.checks import Checked
from lambdas.core.specs import ResourceDefinition
from lambdas.core.targets import Target


@dataclass
class FakeChecks:
    """Every cloud has enough unless `answers` says otherwise; `asked` is who was asked about which resources."""

    answers: dict[str, Checked] = field(default_factory=dict)
    asked: list[tuple[str, list[str]]] = field(default_factory=list)

    def ask(
        self, clouds: Sequence[str], resources: Sequence[ResourceDefinition], targets: Mapping[str, Target]
    ) -> Mapping[str, Checked]:
        """What the test has each of the clouds say."""
        self.asked += [(cloud, [it.id for it in resources]) for cloud in clouds]
        return {cloud: self.answers.get(cloud, Checked()) for cloud in clouds}
