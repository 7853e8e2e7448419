"""`asi-arch bench cognition`: how well and how fast the base finds papers."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from asi_arch.cli.cognition import encoding_bar
from asi_arch.cognition.corpus import Corpus, load_corpus
from asi_arch.cognition.embedding import complaint_about_embeddings
from asi_arch.cognition.findings import PACKAGED, Finding, load_findings
from asi_arch.cognition.library import Library
from asi_arch.cognition.retrieval import quality
from asi_arch.novelty import lookup_times
from asi_arch.papers import Search, library_with, searchable
from asi_arch.settings import load_settings

_REPETITIONS = 3
_WARM_TEXTS = 40


def bench(findings: Path | None, *, as_json: bool) -> None:
    """Measure every search that can be had here, and print."""
    settings = load_settings()
    tests = load_findings(findings or PACKAGED)
    corpus = load_corpus(settings.papers)
    with encoding_bar() as reporting:
        lines = [
            _measured(search, library_with(search, corpus, settings, reporting.on_progress), tests, corpus)
            for search in searchable()
        ]
    result: dict[str, Any] = {
        "papers": len(corpus.papers),
        "entries": sum(len(paper.entries) for paper in corpus.papers),
        "findings": len(tests),
        "load": os.getloadavg()[0],
        "searches": lines,
        **_cold(corpus),
        "novelty": lookup_times(),
    }
    if complaint := complaint_about_embeddings():
        result["missing"] = complaint
    if as_json:
        Console(soft_wrap=True, highlight=False).print(json.dumps(result, indent=2), markup=False)
    else:
        _print(result)


def _measured(search: Search, library: Library, tests: Sequence[Finding], corpus: Corpus) -> dict[str, Any]:
    """Recall, reciprocal rank (None without a test set) and the warm time of one search."""
    found = quality(library, tests) if tests else None
    texts = [test.text for test in tests] or [entry.guidance for paper in corpus.papers for entry in paper.entries]
    times = [_timed(lambda text=text: library.near(text)) for text in texts[:_WARM_TEXTS]]
    return {
        "search": search.value,
        "recall_at_3": found.recall_at_3 if found else None,
        "any_at_3": found.any_at_3 if found else None,
        "mrr": found.mrr if found else None,
        "warm_ms": 1000 * statistics.median(times) if times else None,
        "warm_most_ms": 1000 * max(times) if times else None,
    }


def _cold(corpus: Corpus) -> dict[str, Any]:
    """Seconds of a whole `asi-arch cognition search`: with what is cached, and as the first one ever."""
    if not corpus.papers:
        return {"cold_s": None, "first_s": None}
    text = corpus.papers[0].entries[0].trigger
    command = [sys.executable, "-m", "asi_arch", "cognition", "search", "--json", text]

    def run(environment: dict[str, str]) -> Callable[[], object]:
        return lambda: subprocess.run(command, env=environment, check=True, capture_output=True)

    with tempfile.TemporaryDirectory(prefix="asi-arch-bench-") as empty:
        first_s = _timed(run({**os.environ, "ASI_ARCH_CACHE": empty}))
    return {"cold_s": statistics.median(_timed(run({**os.environ})) for _ in range(_REPETITIONS)), "first_s": first_s}


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _print(result: dict[str, Any]) -> None:
    console = Console(highlight=False)
    if not result["findings"]:
        console.print(
            "There is no test set yet, so recall was [bold]not measured[/bold]; --findings FILE names one of your own."
        )
    title = f"{result['papers']} papers, {result['entries']} entries, {result['findings']} findings"
    table = Table(title=title, title_justify="left")
    for name in ("search", "recall@3", "any right in 3", "MRR", "warm, ms", "slowest, ms"):
        table.add_column(name, justify="left" if name == "search" else "right")
    for line in result["searches"]:
        shares = [_told(line[name], "{:.3f}") for name in ("recall_at_3", "any_at_3", "mrr")]
        table.add_row(line["search"], *shares, *(_told(line[n], "{:.1f}") for n in ("warm_ms", "warm_most_ms")))
    console.print(table)
    cold, first = (_told(result[name], "{:.2f} s") for name in ("cold_s", "first_s"))
    console.print(
        f"A whole `asi-arch cognition search`: {cold}; the first one ever: {first}; load {result['load']:.1f}"
    )
    novelty = result["novelty"]
    console.print(
        f"The nearest of {novelty['motivations']:,} motivations by {novelty['measure']}: {novelty['lookup_ms']:.1f} ms,"
        f" and {novelty['encode_ms']:.1f} ms to encode the new one"
    )
    if "missing" in result:
        console.print(f"Search by meaning was not measured: {result['missing']}", markup=False)


def _told(value: float | None, form: str) -> str:
    return "not measured" if value is None else form.format(value)
