"""Asking the clouds' check functions on Lambda, within the time that a caller of the API waits."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel, ConfigDict, ValidationError

from lambdas.core.ports.checks import Checked
from lambdas.core.preflight import Shortage
from lambdas.core.prices import Price
from lambdas.core.specs import ResourceDefinition
from lambdas.core.targets import Target


class _Answer(BaseModel):
    """What a check function answers."""

    model_config = ConfigDict(defer_build=True)

    shortages: tuple[Shortage, ...]
    prices: tuple[Price, ...] = ()
    unpriced: str | None = None


class LambdaChecks:
    """Invokes one function per cloud, in parallel and once; how long it may take is the client's read timeout."""

    def __init__(self, client: Any, functions: Mapping[str, str]) -> None:
        self._client = client
        self._functions = functions

    def ask(
        self, clouds: Sequence[str], resources: Sequence[ResourceDefinition], targets: Mapping[str, Target]
    ) -> Mapping[str, Checked]:
        """What each of the clouds says of its part of `resources`, each in its target; never raises."""
        with ThreadPoolExecutor(max_workers=max(1, len(clouds))) as pool:
            answers = pool.map(lambda cloud: self._ask(cloud, _payload(cloud, resources, targets)), clouds)
            return dict(zip(clouds, answers, strict=True))

    def _ask(self, cloud: str, payload: str) -> Checked:
        function = self._functions.get(cloud)
        if function is None:
            return Checked(failure="nobody can be asked")
        try:
            answer = self._client.invoke(FunctionName=function, Payload=payload)
            document = json.loads(answer["Payload"].read())
        except ClientError as error:
            return Checked(failure=f"{error.response['Error']['Code']}: the check could not be started")
        except BotoCoreError as error:
            return Checked(failure=f"{type(error).__name__}: the check did not answer in time")
        if "FunctionError" in answer:
            return Checked(failure=_failure(document))
        try:
            said = _Answer.model_validate(document)
        except ValidationError:  # the function is of another version, as while a deployment is under way
            return Checked(failure="the check answered in a form that is not known here")
        return Checked(said.shortages, None, said.prices, said.unpriced)


def _payload(cloud: str, resources: Sequence[ResourceDefinition], targets: Mapping[str, Target]) -> str:
    """What a cloud's function is told: its own part, in hardly more words than the request, since it takes 6 MB.

    A target stands there once, by its name, whatever number of resources is in it.
    """
    here = [definition for definition in resources if definition.provider == cloud]
    named = {definition.target: targets[definition.id] for definition in here if definition.id in targets}
    document = {
        "cloud": cloud,
        "resources": [definition.model_dump(mode="json", exclude_defaults=True) for definition in here],
        "named_targets": {name: target.model_dump(mode="json") for name, target in named.items()},
    }
    return json.dumps(document, separators=(",", ":"))


def _failure(document: Mapping[str, Any]) -> str:
    """An error of the function's own: of a step's error its text, of any other only the name."""
    name = str(document.get("errorType", "Unknown"))
    known = name in ("RetryableError", "CapacityError", "TerminalError")
    return str(document.get("errorMessage", name)) if known else name
