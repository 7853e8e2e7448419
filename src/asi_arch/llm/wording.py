"""The few sentences this room adds to a prompt."""

from asi_arch.domain.exchanges import Request, Turn


def schema_note(request: Request) -> str:
    """What the answer must look like, for models that are not held to it by their service, and for people."""
    return (
        "\n\nAnswer with one JSON object and nothing else: no explanation, no code fence. It must be valid under this"
        f" JSON schema:\n{request.json_schema}"
    )


def correction(turn: Turn) -> str:
    """Asks for another try."""
    return f"That can't be used: {turn.complaint}\n\nGive the whole answer again, corrected."
