"""Candidate files as text, before anything heavy is loaded to check them."""

from pathlib import Path

from asi_arch.domain.errors import CandidateError

MAX_SOURCE_BYTES = 1_000_000


def candidate_files(paths: list[Path]) -> list[Path]:
    """Files as they are, folders as the Python files in them, sorted. Raises `CandidateError` for one without any."""
    found: list[Path] = []
    for path in paths:
        inside = sorted(path.glob("*.py")) if path.is_dir() else [path]
        if not inside:
            raise CandidateError(f"{path} is a folder without candidates; a candidate is a file whose name ends in .py")
        found += inside
    return found


def read_candidate(path: Path) -> str:
    """A candidate's source. Raises `CandidateError` for what is missing, too large or not text."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_SOURCE_BYTES + 1)
    except IsADirectoryError as error:
        raise CandidateError(f"{path} is a folder; name the files in it, e.g. {path}/*.py") from error
    except OSError as error:
        raise CandidateError(f"{path} can't be read: {error.strerror or error}") from error
    if len(content) > MAX_SOURCE_BYTES:
        raise CandidateError(f"{path} has more than the {MAX_SOURCE_BYTES:,} bytes that a candidate may have")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CandidateError(
            f"{path} is not UTF-8 text (byte {error.start}); a candidate is one Python file"
        ) from error
