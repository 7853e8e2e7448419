"""The child of `gguf.py`: llama.cpp's own server on loopback. Reads a line of JSON, writes one, ends with its stdin."""

import importlib
import json
import os
import sys
from typing import Any, Final

CACHE_MIB: Final = 2048
"""Memory for the states of earlier prompts: what a role is told every time is not read again at its next turn."""


def main() -> None:
    """Serve until stdin is closed, which the death of the parent does too."""
    wish = json.loads(sys.stdin.readline())
    told = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # What llama.cpp has to say goes nowhere: it would fill the pipe, and prompts are none of a log's business.
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    try:
        server = _server(wish)
    except (ImportError, RuntimeError, ValueError) as error:
        sys.exit(str(error))
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    told.write(json.dumps({"url": server.listening_address}) + "\n")
    told.flush()
    sys.stdin.read()
    os._exit(0)


def _server(wish: dict[str, Any]) -> Any:
    """The started server, which serves as long as it is kept."""
    xllamacpp: Any = importlib.import_module("xllamacpp")
    params = xllamacpp.CommonParams()
    params.model.path = wish["model"]
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [wish["key"]]
    params.n_ctx = wish["context"]
    params.n_parallel = 1
    params.cache_ram_mib = CACHE_MIB
    params.cpuparams.n_threads = wish["threads"]
    params.cpuparams_batch.n_threads = wish["threads"]
    params.warmup = False
    params.endpoint_slots = False
    return xllamacpp.Server(params)


if __name__ == "__main__":
    main()
