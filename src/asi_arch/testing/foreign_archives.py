"""Archives of others' shapes, made for tests: published tables, OpenEvolve's checkpoints, ShinkaEvolve's databases."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

TREE = (
    ("index", "parent", "score", "name", "display_name"),
    ("1", "", "1.64", "delta_net", "DeltaNet"),
    ("2", "1", "1.68", "delta_net_gate", "GateNet"),
    ("5", "2", "2.74", "delta_net_memory", ""),
    ("7", "1", "nan", "delta_net_lost", "LostNet"),
)
GALLERY = (
    ("index", "name", "parameters", "search_score", "loss@1", "loss@100", "loss@2000", "boolq", "lam_ppl", "average"),
    ("2", "delta_net_gate", "411.83M", "1.68", "11.03", "7.6", "3.4", "0.58", "nan", "0.39"),
    ("5", "delta_net_memory", "1.3B", "2.74", "11.02", "nan", "", "0.6", "nan", "0.4"),
)


def write_table(path: Path, rows: Iterable[Sequence[str]]) -> Path:
    """A tab-separated file."""
    path.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
    return path


def openevolve_program(key: str, parent: str | None = None, **changes: Any) -> dict[str, Any]:
    """The fields that OpenEvolve writes for a program."""
    program = {
        "id": key,
        "code": f"def solve():\n    return {key!r}\n",
        "changes_description": "",
        "language": "python",
        "parent_id": parent,
        "generation": 0 if parent is None else 1,
        "timestamp": 1_780_000_000.0 + len(key),
        "iteration_found": 0 if parent is None else 4,
        "metrics": {"combined_score": 0.5, "speed": 2.0},
        "complexity": 40.0,
        "diversity": 0.0,
        "metadata": {"island": 0, "changes": "Change 1: replace the loop"},
        "prompts": None,
        "artifacts_json": None,
        "artifact_dir": None,
        "embedding": None,
    }
    return {**program, **changes}


def write_checkpoint(folder: Path, programs: Iterable[dict[str, Any]], best: str | None = None) -> Path:
    """A checkpoint of OpenEvolve."""
    listed = list(programs)
    (folder / "programs").mkdir(parents=True)
    for place, program in enumerate(listed):
        (folder / "programs" / f"{place}.json").write_text(json.dumps(program), encoding="utf-8")
    keys = [program.get("id") for program in listed]
    metadata: dict[str, Any] = {
        "island_feature_maps": [{}],
        "islands": [keys],
        "archive": keys,
        "best_program_id": best,
        "island_best_programs": [best],
        "last_iteration": 40,
        "current_island": 0,
        "island_generations": [1],
        "last_migration_generation": 0,
        "feature_stats": {},
    }
    (folder / "metadata.json").write_text(json.dumps(metadata), encoding="utf-8")
    return folder


SHINKA_COLUMNS = {
    "id": "TEXT PRIMARY KEY",
    "code": "TEXT NOT NULL",
    "language": "TEXT NOT NULL",
    "parent_id": "TEXT",
    "archive_inspiration_ids": "TEXT",
    "top_k_inspiration_ids": "TEXT",
    "generation": "INTEGER NOT NULL",
    "timestamp": "REAL NOT NULL",
    "code_diff": "TEXT",
    "combined_score": "REAL",
    "public_metrics": "TEXT",
    "private_metrics": "TEXT",
    "text_feedback": "TEXT",
    "complexity": "REAL",
    "embedding": "TEXT",
    "correct": "BOOLEAN DEFAULT 0",
    "children_count": "INTEGER NOT NULL DEFAULT 0",
    "metadata": "TEXT",
    "island_idx": "INTEGER",
}
"""Name -> type, as ShinkaEvolve makes its table."""


def shinka_program(key: str, parent: str | None = None, **changes: Any) -> dict[str, Any]:
    """The columns that ShinkaEvolve fills for a program."""
    program = {
        "id": key,
        "code": f"# {key}\nx = 1\n",
        "language": "python",
        "parent_id": parent,
        "archive_inspiration_ids": "[]",
        "top_k_inspiration_ids": "[]",
        "generation": 0 if parent is None else 1,
        "timestamp": 1_780_000_000.0 + len(key),
        "combined_score": 0.5,
        "public_metrics": json.dumps({"speed": 2.0, "note": "fast"}),
        "private_metrics": "{}",
        "text_feedback": "",
        "correct": 1,
        "metadata": json.dumps(
            {"patch_name": "wider_steps", "patch_type": "diff", "patch_description": "Wider steps go further."}
        ),
        "island_idx": 0,
    }
    return {**program, **changes}


def write_shinka(path: Path, programs: Iterable[dict[str, Any]], *, is_logged: bool = False) -> Path:
    """A database of ShinkaEvolve; `is_logged`: in the mode with a log beside it, as it leaves it."""
    with closing(sqlite3.connect(path)) as database, database:
        if is_logged:
            database.execute("PRAGMA journal_mode = WAL")
        table = ", ".join(f"{name} {kind}" for name, kind in SHINKA_COLUMNS.items())
        database.execute(f"CREATE TABLE programs ({table})")
        for program in programs:
            marks = ", ".join("?" for _ in program)
            query = f"INSERT INTO programs ({', '.join(program)}) VALUES ({marks})"
            database.execute(query, list(program.values()))
    return path
