"""What the real libraries read back. They are no part of the extra `dev`: see docs/guides/trackers.md."""

import json
import os
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from asi_arch.domain.extras import is_installed
from asi_arch.testing.fake_store import FakeStore
from asi_arch.trackers.child import Order, Teller, open_tracker
from asi_arch.trackers.following import Bookmark
from asi_arch.trackers.port import campaign_name, experiment_name
from asi_arch.trackers.targets import Kind, Target

from .campaigns import Growing

ENDED = threading.Event()
ENDED.set()


def require(*modules: str) -> None:
    if missing := [module for module in modules if not is_installed(module)]:
        give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        give_up(f"telling {modules[0]} is NOT TESTED: the package {missing[0]} is not installed")


def tell(campaign: Growing, target: Target) -> list[str]:
    """What a session says that finds the campaign as it is and ends."""
    said: list[str] = []
    Teller(Order(campaign.folder, target), open_tracker, said.append).tell_until(ENDED)
    return said


def in_child(campaign: Growing, target: Target, experiments: int) -> None:
    """The same in the child that a campaign starts: what a library leaves behind in a process dies with it."""
    bookmark = Bookmark(campaign.folder, target)
    command = [sys.executable, "-m", "asi_arch.trackers.child"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None and child.stdout is not None
        child.stdin.write(Order(campaign.folder, target).as_line())
        child.stdin.flush()
        deadline = time.monotonic() + 200
        while bookmark.read().told < experiments and time.monotonic() < deadline and child.poll() is None:
            time.sleep(0.2)
        child.stdin.close()
        assert child.stdout.read() == ""
        assert child.wait(30) == 0


@pytest.mark.filterwarnings("default")
def test_tensorboard_reads_back_each_number_once_however_often_it_was_told(
    campaign: Growing, source: FakeStore, tmp_path: Path
) -> None:
    require("tensorboard")
    target = Target(Kind.TENSORBOARD, str(tmp_path / "runs"))
    for count in (3, 8):
        campaign.grow(count)
        assert tell(campaign, target) == []
    Bookmark(campaign.folder, target).path.unlink()
    assert tell(campaign, target) == []
    made = source.campaign()
    assert made is not None
    folder = tmp_path / "runs" / campaign_name(made)
    told = scalars(folder / "search")
    fitness = {s.index: s.fitness for s in source.summaries() if s.index < 8 and s.fitness is not None}
    assert dict(told["fitness/of_experiment"]) == pytest.approx(fitness)
    assert [step for step, _ in told["measured/is_measured"]] == list(range(8))
    first = source.experiment(0)
    assert first is not None
    curves = scalars(folder / f"{experiment_name(first)}-measured")
    steps, losses = zip(*curves["loss/language/seed0"], strict=True)
    assert losses == pytest.approx(first.runs[0].losses)
    assert steps == tuple(range(1, 501))


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    from tensorboard.backend.event_processing.event_accumulator import TENSORS, EventAccumulator

    found = EventAccumulator(str(folder), size_guidance={TENSORS: 0})
    found.Reload()
    return {
        tag: [(e.step, float(e.tensor_proto.float_val[0])) for e in found.Tensors(tag)] for tag in found.Tags()[TENSORS]
    }


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_mlflow_reads_back_each_experiment_once_however_often_it_was_told(
    campaign: Growing, source: FakeStore, tmp_path: Path
) -> None:
    require("mlflow", "sqlalchemy", "alembic")
    target = Target(Kind.MLFLOW, str(tmp_path / "mlflow"))
    (tmp_path / "mlflow").mkdir()
    for count in (3, 8):
        campaign.grow(count)
        in_child(campaign, target, count)
    Bookmark(campaign.folder, target).path.unlink()
    in_child(campaign, target, 8)
    from mlflow import MlflowClient

    made = source.campaign()
    assert made is not None
    client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path / 'mlflow' / 'mlflow.db'}")
    place = client.get_experiment_by_name(campaign_name(made))
    runs = {run.data.tags["asi_arch.experiment"]: run for run in client.search_runs([place.experiment_id])}
    assert sorted(runs) == [*map(str, range(8)), "search"]
    for summary in source.summaries(before=8):
        run = runs[str(summary.index)]
        assert run.data.params["outcome"] == summary.outcome
        assert run.data.metrics.get("fitness") == summary.fitness
        assert run.data.metrics.get("language_loss_nats") == summary.language_loss
    history = client.get_metric_history(runs["search"].info.run_id, "measured/is_measured")
    assert sorted(metric.step for metric in history) == list(range(8))
    first = source.experiment(0)
    assert first is not None
    curve = client.get_metric_history(runs["0"].info.run_id, "language/seed0/training_loss")
    assert [m.value for m in sorted(curve, key=lambda m: m.step)] == list(first.runs[0].losses)


@pytest.mark.slow
def test_wandb_keeps_the_metrics_offline_and_the_key_nowhere(
    campaign: Growing, source: FakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    require("wandb")
    key = "0f" * 20
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_API_KEY", key)
    campaign.grow(7)
    in_child(campaign, Target(Kind.WANDB, "asi-arch-test"), 7)
    runs = [records(path) for path in (campaign.folder / "wandb").glob("offline-run-*/*.wandb")]
    found = {name: (history, summary) for name, history, summary in runs}
    assert len(found) == len(runs) == 8
    first = source.experiment(0)
    assert first is not None
    history, summary = found[experiment_name(first)]
    assert [row["language/seed0/training_loss"] for row in history if "language/seed0/training_loss" in row] == list(
        first.runs[0].losses
    )
    assert summary["fitness"] == source.summaries()[0].fitness
    series, _ = found[next(name for name in found if name.startswith("search "))]
    assert [row["experiment"] for row in series if "measured/is_measured" in row] == list(range(7))
    files = [path for path in campaign.folder.rglob("*") if path.is_file()]
    assert not [path for path in files if key.encode() in path.read_bytes()]


def records(path: Path) -> tuple[str, list[dict[str, float]], dict[str, float]]:
    """Name, rows and summary of a run in the library's own records."""
    from wandb.proto.wandb_internal_pb2 import Record

    name, rows, summary = "", [], {}
    for content in entries(path.read_bytes()):
        record = Record.FromString(content)
        kind = record.WhichOneof("record_type")
        if kind == "run":
            name = record.run.display_name
            assert record.run.host == ""
        elif kind == "history":
            rows.append(values(record.history.item))
        elif kind == "summary":
            summary.update(values(record.summary.update))
    return name, rows, summary


def values(items: Iterable[Any]) -> dict[str, Any]:
    return {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in items}


def entries(content: bytes) -> Iterator[bytes]:
    """The file is a log in blocks of 32 KiB, as LevelDB's; each piece has checksum, length and kind before it."""
    at, entry = 7, b""
    while at + 7 <= len(content):
        if 32_768 - at % 32_768 < 7:
            at += 32_768 - at % 32_768
            continue
        length, kind = struct.unpack_from("<HB", content, at + 4)
        entry += content[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):
            yield entry
            entry = b""
