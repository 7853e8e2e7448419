"""The test set of the retrieval: findings worded like the Analyst's, each with the papers that should come.

Written by people who had not read the entries, or it would measure nothing.
"""

import sys
from pathlib import Path

from pydantic import Field, ValidationError

from asi_arch.cognition.corpus import readable
from asi_arch.domain.errors import PaperError
from asi_arch.domain.record import Record

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PACKAGED = Path(__file__).parent / "findings.toml"


class Finding(Record):
    """A text to search for, and the papers of which at least some should be found."""

    text: str = Field(min_length=1)
    arxiv: tuple[str, ...] = Field(min_length=1)


class _File(Record):
    findings: tuple[Finding, ...]


def load_findings(path: Path = PACKAGED) -> tuple[Finding, ...]:
    """Read `[[findings]]` with `text` and `arxiv`; none where nobody has written the packaged file yet.

    Raises `PaperError` for a file that can't be used.
    """
    if path == PACKAGED and not path.exists():
        return ()
    try:
        return _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).findings
    except OSError as error:
        raise PaperError(f"{path} can't be read: {error.strerror or error}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PaperError(f"{path} can't be read as TOML: {error}") from error
    except ValidationError as error:
        raise PaperError(f"{path}: {readable(error)}") from error
