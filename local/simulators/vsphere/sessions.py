"""Who is signed in: users with their passwords, and the sessions that their cookies stand for."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pyVmomi import vim

from local.simulators.vsphere.collector import Pages
from local.simulators.vsphere.machine_properties import moment

COOKIE: Final = "vmware_soap_session"


@dataclass
class Session:
    """Somebody signed in, called DOMAIN, a backslash and user, until nothing was heard of them for a while."""

    key: str
    user: str
    last_active: float
    pages: Pages = field(default_factory=Pages)


class Sessions:
    """The sessions by key, and the passwords that open one."""

    def __init__(self, users: Mapping[str, tuple[str, ...]], idle_seconds: float) -> None:
        self.passwords = {user: tuple(passwords) for user, passwords in users.items()}
        self._idle = idle_seconds
        self._sessions: dict[str, Session] = {}

    def sign_in(self, user: str, password: str, now: float) -> Session:
        """A new session; raises InvalidLogin."""
        if password not in self.passwords.get(user, ()):
            message = "Cannot complete login due to an incorrect user name or password."
            raise vim.fault.InvalidLogin(msg=message)
        name, _, domain = user.partition("@")
        session = Session(uuid.uuid4().hex, f"{domain.upper()}\\{name}" if domain else user, now)
        self._sessions[session.key] = session
        return session

    def of(self, key: str | None, now: float) -> Session:
        """The session of a cookie, which it keeps alive; raises NotAuthenticated."""
        session = self._sessions.get(key or "")
        if session is None or now - session.last_active > self._idle:
            raise vim.fault.NotAuthenticated(
                object=vim.Folder("group-d1", None), privilegeId="System.View", msg="The session is not authenticated."
            )
        session.last_active = now
        return session

    def end(self, session: Session) -> None:
        """Sign somebody out."""
        self._sessions.pop(session.key, None)

    def end_all(self) -> None:
        """Forget every session, as a vCenter does that is started anew."""
        self._sessions.clear()


def described(session: Session) -> Any:
    """A session as Login answers it."""
    return vim.UserSession(
        key=session.key,
        userName=session.user,
        fullName=session.user,
        loginTime=moment(session.last_active),
        lastActiveTime=moment(session.last_active),
        locale="en",
        messageLocale="en",
        extensionSession=False,
        ipAddress="127.0.0.1",
        userAgent="",
        callCount=1,
    )
