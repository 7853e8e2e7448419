"""The file of a local model, looked at before anything is started with it or needed for it."""

from pathlib import Path
from typing import Final

from asi_arch.domain.errors import UserError

_MAGIC: Final = b"GGUF"


def checked_model(path: Path) -> Path:
    """The file's absolute path. Raises `UserError` for a file that is missing or not GGUF."""
    try:
        with path.open("rb") as file:
            magic = file.read(len(_MAGIC))
    except OSError as error:
        raise UserError(
            f"the model {path} can't be read: {error.strerror}; give gguf: the path of a GGUF file"
        ) from None
    if magic != _MAGIC:
        raise UserError(f"the model {path} is not a GGUF file (it begins with {magic!r}, not {_MAGIC!r})")
    return path.absolute()
