"""From text to tokens and from tokens back to bytes, for texts that are no corpus."""

import json

from asi_arch.domain.errors import UserError

_PRINTABLE = frozenset((*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)))
"""Bytes that the byte-level alphabet shows as themselves; the others are shown as the characters from U+0100 on."""
END = 0
"""The byte that ends every file of a corpus."""


def shown(byte: int) -> str:
    """The character that stands for a byte in the byte-level alphabet."""
    if byte in _PRINTABLE:
        return chr(byte)
    return chr(0x100 + sum(other not in _PRINTABLE for other in range(byte)))


class Spelling:
    """Of bytes, or of a byte-level BPE in the JSON form of the `tokenizers` package."""

    def __init__(self, model: str = "") -> None:
        """`model` is empty for bytes."""
        self._model = model
        bytes_of = {shown(byte): byte for byte in range(256)}
        known: dict[str, int] = json.loads(model)["model"]["vocab"] if model else {}
        self._bytes = {number: bytes(map(bytes_of.__getitem__, token)) for token, number in known.items()}

    def tokens(self, text: str) -> list[int]:
        """Raises `UserError` for an empty text, or one that is not Unicode."""
        try:
            content = text.encode()
        except UnicodeEncodeError as error:
            raise UserError(f"the text is not UTF-8 (character {error.start}); give it in a terminal that is") from None
        if not content:
            raise UserError('the text is empty; a model continues one, such as "import "')
        if not self._model:
            return list(content)
        from tokenizers import Tokenizer

        return list(Tokenizer.from_str(self._model).encode(text).ids)

    def content(self, token: int) -> bytes:
        """What a token stands for."""
        return self._bytes[token] if self._model else bytes([token])
