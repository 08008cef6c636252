"""Resource types whose life is a call each to create, change and delete them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from local.aws.cloudformation.provider import Place, Properties, Resource
from local.aws.resources.conform import UnsupportedProperty, accepted, arguments


@contextmanager
def all_or_nothing(take_back: Callable[[], None]) -> Iterator[None]:
    """Take back what has been made so far when what belongs to it fails."""
    try:
        yield
    except Exception:
        take_back()
        raise


class ApiProvider:
    """A resource type of one service; a subclass says which calls and how Ref and GetAtt are answered."""

    resource_type: ClassVar[str]
    service: ClassVar[str]
    create_call: ClassVar[str]
    update_call: ClassVar[str | None] = None
    delete_call: ClassVar[str | None] = None
    create_only: ClassVar[frozenset[str]] = frozenset()  # a change of one of these replaces the resource
    renamed: ClassVar[Mapping[str, str]] = {}  # property -> the API's name for it
    name_property: ClassVar[str | None] = None  # gets a generated name where the template gives none
    name_limit: ClassVar[int] = 64
    gone_codes: ClassVar[frozenset[str]] = frozenset({"ResourceNotFoundException", "NotFoundException"})

    def create(self, place: Place, properties: Properties) -> Resource:
        """Make it with one call."""
        client = place.client(self.service)
        named = self.named(place, properties)
        answer = getattr(client, self.create_call)(**arguments(client, self.create_call, named, **self.renamed))
        return self.made(place, named, answer)

    def replaces(self, before: Properties, after: Properties) -> bool:
        """Whether a property changed that AWS documents as "Update requires: Replacement"."""
        return any(before.get(name) != after.get(name) for name in self.create_only)

    def update(self, place: Place, resource: Resource, before: Properties, after: Properties) -> Resource:
        """Change it with one call; UnsupportedProperty names a change that the call cannot make."""
        if self.update_call is None:
            raise UnsupportedProperty(f"{self.resource_type} cannot be changed locally")
        client = place.client(self.service)
        named = {**self.named(place, after), **self.identified(resource, after)}
        known = accepted(client, self.update_call, named, **self.renamed)
        changed = {name for name in {*before, *after} if name != "Tags" and before.get(name) != after.get(name)}
        if lost := sorted(changed - set(known) - (set(before) - set(after))):
            raise UnsupportedProperty(f"the properties {', '.join(lost)} cannot be changed locally")
        answer = getattr(client, self.update_call)(**arguments(client, self.update_call, known, **self.renamed))
        return self.updated(place, resource, named, answer)

    def delete(self, place: Place, resource: Resource, properties: Properties) -> None:
        """Remove it with one call; that it is gone already is no failure."""
        if self.delete_call is None:
            return
        try:
            getattr(place.client(self.service), self.delete_call)(**self.identified(resource, properties))
        except ClientError as error:
            if error.response["Error"]["Code"] not in self.gone_codes:
                raise

    def named(self, place: Place, properties: Properties) -> dict[str, Any]:
        """The properties with a name of its own where the template gives none."""
        if self.name_property is None or self.name_property in properties:
            return dict(properties)
        return {**properties, self.name_property: place.generated_name(self.name_limit)}

    def identified(self, resource: Resource, properties: Properties) -> dict[str, Any]:
        """The arguments that tell the update and delete calls which resource is meant."""
        raise NotImplementedError

    def made(self, place: Place, properties: Properties, answer: Any) -> Resource:
        """What Ref and GetAtt give, from the answer of the create call."""
        raise NotImplementedError

    def updated(self, place: Place, resource: Resource, properties: Properties, answer: Any) -> Resource:
        """What Ref and GetAtt give after a change: the same, unless a subclass knows better."""
        return resource
