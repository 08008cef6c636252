"""What reading page by page has in common: cursors that were ours, and the forms of exported files."""

from __future__ import annotations

from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from lambdas.core.errors import CursorExpired, TerminalError

FileFormat = Literal["csv", "csv.gz", "parquet"]

_FORMATS: Final[tuple[FileFormat, ...]] = ("parquet", "csv.gz", "csv")


class Cursor(BaseModel):
    """Where the next page of a read begins, as one of its pages said."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    @classmethod
    def read(cls, text: str) -> Self:
        """Read what a page gave; raises CursorExpired for what none gave."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise CursorExpired("the cursor is none of this source's") from error


def file_format(name: str) -> FileFormat:
    """What a file is by its name; raises TerminalError for what is neither Parquet nor CSV."""
    for form in _FORMATS:
        if name.endswith(f".{form}"):
            return form
    raise TerminalError("UnknownFormat", f"{name} is neither Parquet nor CSV")
