"""The console's page: the files that it consists of, and what a browser is told that it may do.

Whoever serves it serves it by this, the API behind a sign-in as well as `skysaga console`; it needs no package.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

JSON: Final = "application/json"

_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": JSON,
    ".svg": "image/svg+xml",
}


class PageFile(NamedTuple):
    """One file of the page, with its media type."""

    content: bytes
    media_type: str

    @property
    def tag(self) -> str:
        """Its entity tag."""
        return f'"{hashlib.sha256(self.content).hexdigest()[:16]}"'


def page_files(folder: Path) -> dict[str, PageFile]:
    """Every file of the page by its path in the folder, as in views/saga.js; nothing else of the disk."""
    return {
        path.relative_to(folder).as_posix(): PageFile(path.read_bytes(), _TYPES[path.suffix])
        for path in sorted(folder.rglob("*"))
        if path.suffix in _TYPES and path.is_file()
    }


def page_headers(connect: str = "'self'") -> Mapping[str, str]:
    """The headers that keep the page to itself: it runs and shows its own files, and calls what `connect` names.

    Nothing that is written into it can become a script.
    """
    policy = (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        f"connect-src {connect}",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
    return {
        "Content-Security-Policy": "; ".join(policy),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
