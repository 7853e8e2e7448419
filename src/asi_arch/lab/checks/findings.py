"""How a check says what it found."""

from asi_arch.domain.outcome import Finding, Severity


class Fault(Exception):
    """The candidate's own code failed while a check called it; becomes the finding of that check.

    `line` is the source line where that is known; `sizes` names the input.
    """

    def __init__(self, message: str, *, line: int | None = None, sizes: dict[str, int] | None = None) -> None:
        super().__init__(message)
        self.line = line
        self.sizes = sizes or {}


def error(
    check: str,
    message: str,
    *,
    measured: float | None = None,
    limit: float | None = None,
    position: int | None = None,
    **sizes: int,
) -> Finding:
    """A reason to reject the candidate."""
    return Finding(
        check=check,
        severity=Severity.ERROR,
        message=message,
        measured=measured,
        limit=limit,
        position=position,
        sizes=sizes,
    )


def warning(check: str, message: str, *, measured: float | None = None, limit: float | None = None) -> Finding:
    """Something the author should know."""
    return Finding(check=check, severity=Severity.WARNING, message=message, measured=measured, limit=limit)
