"""What CloudFormation refuses, with the codes of its API."""

from __future__ import annotations

from moto.core.exceptions import ServiceException


class ValidationError(ServiceException):  # type: ignore[misc]  # moto is untyped here
    """The request or template cannot be carried out; nothing has been changed."""

    code = "ValidationError"


class AlreadyExists(ServiceException):  # type: ignore[misc]  # moto is untyped here
    """A stack of this name is there."""

    code = "AlreadyExistsException"


class ChangeSetNotFound(ServiceException):  # type: ignore[misc]  # moto is untyped here
    """There is no such change set."""

    code = "ChangeSetNotFound"


class InvalidChangeSetStatus(ServiceException):  # type: ignore[misc]  # moto is untyped here
    """The change set cannot be executed."""

    code = "InvalidChangeSetStatus"


class ResourceFailed(Exception):
    """A resource could not be created, changed or deleted; the message is what a stack event shows."""
