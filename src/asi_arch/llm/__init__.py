"""Backends for language models: text in, text out, usage counted. The only room that talks to one.

    mind.py       `Minds`, the port's implementation: role -> line -> answer
    asking.py     question -> request; reply -> parsed, repaired, validated, complained about, asked again
    patience.py   the one owner of retries
    ledger.py     records before and after, reserves and settles, recalls after a restart;
                  budgets.py, prices.py, redact.py
    backend.py    the narrow port; scripted.py, recorded.py, inbox.py, remote.py (pydantic-ai), gguf.py (llama.cpp)
    plan.py       what a user configures;  lines.py makes backends of it

Backends make one attempt and keep nothing. They are imported when a line to them is opened, so that nothing here needs
an extra to be installed before it is used.
"""
