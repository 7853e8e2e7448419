"""All files of an export, and putting them where they belong: whole, or not at all."""

import json
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from asi_arch.domain.errors import UserError
from asi_arch.domain.record import sha256
from asi_arch.report.export.card import TEMPLATES, card
from asi_arch.report.export.program import programs
from asi_arch.report.export.subject import Subject
from asi_arch.report.export.vocabulary import vocabulary
from asi_arch.report.export.weights import Renamed

MANIFEST = "export.json"
_FORMAT = "asi-arch export 1"
_LEFT_BY_USE = ("__pycache__", ".pytest_cache")
"""Folders that running the tests leaves."""
_NORM_EPS = 1e-5
_STEP = re.compile(r"^    def step\(", re.MULTILINE)

Files = Mapping[str, bytes]
"""Content by path within the folder."""


def export_files(subject: Subject) -> Files:
    """Everything that is written. Raises `UserError` for a design that can't be taken out of asi-arch."""
    proposal = subject.experiment.proposal
    program = programs(proposal.source, proposal.adapter, f"asi-arch {subject.version}")
    weights = Renamed(subject.weights)
    tokens = vocabulary(subject.tokenizer, subject.campaign.profile.language.context)
    ids = {"pad_token_id": tokens.padding_id, "eos_token_id": tokens.end_id}
    name = _plain(proposal.name)
    packages = ("torch", "'transformers>=4.57'", *program.packages)
    texts = {
        "README.md": card(
            subject, packages=packages, parameters=weights.parameters, has_step=bool(_STEP.search(proposal.source))
        ),
        "LICENSE": _template("LICENSE"),
        "__init__.py": _template("__init__.py.txt").format(name=name),
        "configuration_asi_arch.py": _template("configuration.py.txt").format(name=name, sha=proposal.sha),
        "modeling_asi_arch.py": _template("modeling.py.txt"),
        "layer.py": _template("layer.py.txt"),
        "mixer.py": program.mixer,
        "operators.py": program.operators,
        "tests/test_export.py": _template("test_export.py.txt"),
        "config.json": _json(_settings(subject, weights.vocabulary) | ids),
        "generation_config.json": _json({**ids, "transformers_version": "5.0.0"}),
        "tokenizer.json": tokens.tokenizer,
        "tokenizer_config.json": _json(tokens.settings),
    }
    files = {name: text.encode() for name, text in texts.items()} | {"model.safetensors": weights.content}
    return files | {MANIFEST: _json(_manifest(subject, files)).encode()}


def write_export(folder: Path, files: Files, *, is_forced: bool) -> None:
    """Write beside and rename. An earlier export is replaced only if `is_forced` and nothing else is in its folder.

    Raises `UserError` where something is in the way or the place can't be written.
    """
    require_place(folder, is_forced=is_forced)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as scratch:
            beside, before = Path(scratch) / "new", Path(scratch) / "before"
            for name, content in files.items():
                path = beside / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            _exchange(folder, beside, before)
    except OSError as error:
        raise UserError(f"{folder} can't be written: {error.strerror or error}; choose another folder") from error


def _exchange(folder: Path, new: Path, before: Path) -> None:
    """`new` in the place of the folder; where that fails, the folder is as it was."""
    was_there = folder.exists()
    if was_there:
        os.rename(folder, before)
    try:
        os.rename(new, folder)
    except OSError:
        if was_there:
            os.rename(before, folder)
        raise


def require_place(folder: Path, *, is_forced: bool) -> None:
    """Raises `UserError` unless the folder is missing, empty, or holds nothing but an export that may be replaced."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UserError(f"{folder} is there and is no folder; choose another name")
    if not folder.exists() or not any(folder.iterdir()):
        return
    earlier = _earlier(folder)
    if earlier is None:
        raise UserError(f"{folder} has files in it that are no export; choose a new or an empty folder")
    if not is_forced:
        raise UserError(f"{folder} holds an export already; --force replaces it")
    foreign = sorted(set(_names(folder)) - earlier)
    if foreign:
        raise UserError(f"{folder} also has {foreign[0]!r}, which is not of the export; move it away first")


def _earlier(folder: Path) -> set[str] | None:
    """The files of the export in the folder; None where there is none."""
    try:
        found: Any = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(found, dict):
        return None
    manifest = cast("dict[str, Any]", found)
    is_ours = manifest.get("format") == _FORMAT and isinstance(manifest.get("files"), dict)
    return {*manifest["files"], MANIFEST} if is_ours else None


def _names(folder: Path) -> list[str]:
    paths = [path.relative_to(folder) for path in folder.rglob("*") if not path.is_dir()]
    return [path.as_posix() for path in paths if not set(path.parts) & set(_LEFT_BY_USE)]


def _settings(subject: Subject, tokens: int) -> dict[str, Any]:
    """`config.json` without the ids of special tokens."""
    model, stage = subject.campaign.profile.model, subject.campaign.profile.language
    return {
        "architectures": ["AsiArchForCausalLM"],
        "auto_map": {
            "AutoConfig": "configuration_asi_arch.AsiArchConfig",
            "AutoModel": "modeling_asi_arch.AsiArchModel",
            "AutoModelForCausalLM": "modeling_asi_arch.AsiArchForCausalLM",
        },
        "model_type": "asi_arch",
        "dtype": "float32",
        "vocab_size": tokens,
        "hidden_size": model.width,
        "num_hidden_layers": model.depth,
        "num_attention_heads": model.heads,
        "intermediate_size": subject.run.mlp_width,
        "max_position_embeddings": stage.context,
        "rms_norm_eps": _NORM_EPS,
        "tie_word_embeddings": True,
        "use_cache": True,
    }


def _manifest(subject: Subject, files: Files) -> dict[str, Any]:
    proposal = subject.experiment.proposal
    return {
        "format": _FORMAT,
        "asi_arch": subject.version,
        "experiment": subject.experiment.index,
        "name": proposal.name,
        "author": proposal.author.value,
        "candidate": proposal.sha,
        "source_sha256": sha256(proposal.source),
        "stored_weights_sha256": subject.run.weights,
        "seed": subject.run.key.seed,
        "protocol": subject.experiment.protocol,
        "profile_hash": subject.campaign.profile.profile_hash,
        "campaign_version": subject.campaign.version,
        "files": {name: sha256(content) for name, content in sorted(files.items())},
    }


def _template(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _plain(name: str) -> str:
    """A name in which nothing ends a docstring."""
    return re.sub(r"[^\w .,+()-]", "", name) or "A design"
