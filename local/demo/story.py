"""What the demo does: provision three clouds, look, destroy; then the same where one cloud is full."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import requests
from botocore.credentials import Credentials

from cli.api import Saga
from cli.client import ApiClient
from local.demo.screen import Screen
from local.machine import CREDENTIALS, REGION, Endpoints

REQUEST: Final = Path(__file__).resolve().parents[2] / "examples" / "three-clouds.yaml"
CLOUDS: Final = {"aws": "AWS", "azure": "Azure", "gcp": "Google Cloud"}

_LAST: Final = "web-gcp"
_MARGIN_SECONDS: Final = 1.5


class StoryWentWrong(Exception):
    """The demo did not end as it must; the message says what was seen instead."""


def tell(endpoints: Endpoints, screen: Screen) -> None:
    """Run the demo; raises StoryWentWrong."""
    story = _Story(endpoints, screen)
    committed = story.provision_and_commit()
    story.provision_and_roll_back(committed)


class _Story:
    def __init__(self, endpoints: Endpoints, screen: Screen) -> None:
        ((access_key, secret_key),) = CREDENTIALS.items()
        self._clouds = {name: endpoints._asdict()[name] for name in CLOUDS}
        self._api = ApiClient(endpoints.api, Credentials(access_key, secret_key), REGION)
        self._screen = screen

    def provision_and_commit(self) -> Saga:
        """Everything becomes ready, and each cloud says so itself; returns the saga."""
        self._screen.chapter(f"One request, three clouds: {REQUEST.name}")
        saga = self._follow(self._submit(), "COMMITTED")
        self._show_inventories(empty=False)
        return saga

    def provision_and_roll_back(self, committed: Mapping[str, Any]) -> None:
        """The same request, but Google Cloud runs out of capacity when the other two clouds are ready."""
        self._screen.chapter("Destroy it, and submit the same again: this time Google Cloud runs out of capacity")
        self._api.destroy(committed["id"])
        delay = _others_took(committed) + _MARGIN_SECONDS
        fault = {"operation": "instances.insert", "fault": "capacity", "delay": delay}
        requests.post(f"{self._clouds['gcp']}/_simulator/faults", json=[fault], timeout=10).raise_for_status()
        saga = self._follow(self._submit(), "ROLLED_BACK")
        late = [it["id"] for it in saga["resources"] if it["id"] != _LAST and it["ready_at"] is None]
        if late:
            raise StoryWentWrong(f"{', '.join(late)} had not become ready when {_LAST} failed")
        for event in self._api.follow(committed["id"], committed["version"]):
            self._screen.note(committed["id"], event)
        self._show_inventories(empty=True)

    def _submit(self) -> str:
        saga_id: str = self._api.submit(REQUEST.read_bytes(), "application/yaml", str(uuid4()))["id"]
        self._screen.say(f"saga {saga_id} accepted")
        return saga_id

    def _follow(self, saga_id: str, expected: str) -> Saga:
        self._screen.start(self._api.get(saga_id)["resources"])
        for event in self._api.follow(saga_id):
            self._screen.show(event)
        saga = self._api.get(saga_id)
        self._screen.finish(saga)
        if saga["status"] != expected:
            raise StoryWentWrong(f"the saga ended {saga['status']}, not {expected}")
        return saga

    def _show_inventories(self, *, empty: bool) -> None:
        inventories = {
            CLOUDS[name]: requests.get(f"{url}/_simulator/resources", timeout=10).json()
            for name, url in self._clouds.items()
        }
        self._screen.inventories(inventories)
        wrong = [cloud for cloud, resources in inventories.items() if bool(resources) is empty]
        if wrong:
            raise StoryWentWrong(f"{', '.join(wrong)} should {'be empty' if empty else 'hold something'}")


def _held(url: str) -> list[dict[str, Any]]:
    resources: list[dict[str, Any]] = requests.get(f"{url}/_simulator/resources", timeout=10).json()
    return resources


def _others_took(saga: Mapping[str, Any]) -> float:
    """Seconds from when the last cloud was asked for its instance until the others had theirs."""
    asked = next(it["created_at"] for it in saga["resources"] if it["id"] == _LAST)
    ready = max(it["ready_at"] for it in saga["resources"] if it["id"] != _LAST)
    return (datetime.fromisoformat(ready) - datetime.fromisoformat(asked)).total_seconds()
