"""What whoever reaches System Center VMM servers reads from the environment; the clusters themselves are declared."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from lambdas.adapters.settings import Settings


class ScvmmSettings(Settings):
    """How we sign in to the WSMan endpoints of VMM servers, and how patient we are with them, in seconds.

    `auth` is what WinRM is asked for; `negotiate` comes down to NTLM where there is no Kerberos, as in a Lambda.
    Without TLS, messages are encrypted with what NTLM agreed upon. Basic does not encrypt, and is refused without TLS
    unless `plain_basic` says that nobody listens. `script_timeout` is for one script as a whole, of which the server
    holds each look back for `poll_timeout` at most. A shell that nobody used for `idle_timeout` is ended by the server,
    and one that was not used for `check_after` is asked whether it is still there.
    """

    auth: Literal["negotiate", "ntlm", "basic"] = Field(default="negotiate", alias="SCVMM_AUTH")
    plain_basic: bool = Field(default=False, alias="SCVMM_PLAIN_BASIC")
    connect_timeout: int = Field(default=3, gt=0, alias="SCVMM_CONNECT_TIMEOUT")
    read_timeout: int = Field(default=15, gt=0, alias="SCVMM_READ_TIMEOUT")
    poll_timeout: int = Field(default=5, gt=0, alias="SCVMM_POLL_TIMEOUT")
    script_timeout: float = Field(default=25, gt=0, alias="SCVMM_SCRIPT_TIMEOUT")
    idle_timeout: int = Field(default=300, ge=1, alias="SCVMM_IDLE_TIMEOUT")
    check_after: float = Field(default=5, ge=0, alias="SCVMM_CHECK_AFTER")
    settling_seconds: float = Field(default=120, ge=0, alias="SCVMM_SETTLING_SECONDS")
    repeat_seconds: float = Field(default=120, ge=0, alias="SCVMM_REPEAT_SECONDS")
