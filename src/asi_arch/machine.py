"""What class a machine is of: trainings on machines of one class have the same noise. Free of torch."""

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")
_GPUS = Path("/proc/driver/nvidia/gpus")
_NAME_GPUS = ("nvidia-smi", "--query-gpu=name", "--format=csv,noheader")


def machine_class(device: str) -> str:
    """Processor, torch version and, for the device 'cuda', the GPU: 'AMD EPYC 7B13, torch 2.9.0'."""
    parts = [_processor(), f"torch {_torch_version()}"]
    return ", ".join([*parts, _gpu()] if device == "cuda" else parts)


def _processor() -> str:
    """The processor's model, or the architecture where the system does not tell."""
    return _value(_CPUINFO, "model name") or platform.processor() or platform.machine()


def _torch_version() -> str:
    try:
        return version("torch")
    except PackageNotFoundError:
        return "unknown"


def _gpu() -> str:
    """The first GPU's name, by the driver's files or its tool."""
    for path in sorted(_GPUS.glob("*/information")):
        if name := _value(path, "Model"):
            return name
    try:
        told = subprocess.run(_NAME_GPUS, capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return "unknown GPU"
    return told.strip().partition("\n")[0] or "unknown GPU"


def _value(path: Path, key: str) -> str:
    """Of the first line 'key : value'; empty where there is none."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    pairs = (line.partition(":") for line in lines)
    return next((" ".join(value.split()) for name, _, value in pairs if name.strip() == key), "")
