"""The tokens of a campaign as a tokenizer of the `tokenizers` package, which Transformers loads by itself.

Every id stands for what it stood for in training. Two tokens are given names for use: padding is the token of the byte
0xFF, which no text in UTF-8 has, and the end of a text is the zero byte that ends every file of a corpus.
"""

import json
from typing import Any, NamedTuple

from asi_arch.tasks.spelling import END as END_BYTE
from asi_arch.tasks.spelling import shown

PADDING_BYTE = 0xFF
PADDING, END = "<|padding|>", "\0"


class Vocabulary(NamedTuple):
    """Two files, and what the model's settings need to know of them."""

    tokenizer: str
    """`tokenizer.json`."""
    settings: dict[str, Any]
    """`tokenizer_config.json`."""
    padding_id: int
    end_id: int


def vocabulary(model: str, context: int) -> Vocabulary:
    """Of a BPE in the JSON form of `tokenizers`, or of bytes where `model` is empty."""
    content: dict[str, Any] = json.loads(model) if model else _bytes()
    padding = _named(content, PADDING_BYTE, PADDING)
    end = _named(content, END_BYTE, END)
    special = {"pad_token": PADDING, **({"eos_token": END} if end.is_special else {})}
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        **special,
        "model_max_length": context,
        "model_input_names": ["input_ids", "attention_mask"],
        "padding_side": "left",
        "clean_up_tokenization_spaces": False,
    }
    return Vocabulary(json.dumps(content, indent=1, ensure_ascii=False) + "\n", settings, padding.id, end.id)


class _Token(NamedTuple):
    id: int
    is_special: bool


def _named(content: dict[str, Any], byte: int, name: str) -> _Token:
    """Give a byte's token a name of its own, unless longer tokens were merged from it, which needs its usual one."""
    vocabulary, merges, character = content["model"]["vocab"], content["model"]["merges"], shown(byte)
    number = vocabulary[character]
    if any(character in "".join(pair) for pair in merges):
        return _Token(number, False)
    del vocabulary[character]
    vocabulary[name] = number
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    added: list[dict[str, Any]] = content["added_tokens"]
    added.append({"id": number, "content": name, **flags})
    added.sort(key=_number)
    return _Token(number, True)


def _number(token: dict[str, Any]) -> int:
    return token["id"]


def _bytes() -> dict[str, Any]:
    """256 tokens without a merge."""
    plain = {"add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": None,
        "pre_tokenizer": {"type": "ByteLevel", **plain},
        "post_processor": None,
        "decoder": {"type": "ByteLevel", **plain},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {shown(byte): byte for byte in range(256)},
            "merges": [],
        },
    }
