"""An export as Transformers loads it, against the model that was trained."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save

from asi_arch.domain.profile import ModelSpec
from asi_arch.lab.adapters import load_adapted
from asi_arch.lab.loading import load_mixer
from asi_arch.mixers import baselines
from asi_arch.mixers.model import LanguageModel
from asi_arch.report.export.folder import export_files, write_export

from .conftest import MLP_WIDTH, VOCABULARY, WIDTH, MakeSubject
from .designs import BUFFERS, FLA, RECURRENT, adapter_of
from .test_layer import composed

transformers = pytest.importorskip("transformers")
pytestmark = [pytest.mark.torch, pytest.mark.slow, pytest.mark.filterwarnings("default")]

NAMES = ("delta_net", "gated_delta_net", "delta_window", "softmax_attention", "retnet")
SOURCES = {name: baselines.load(name).source for name in NAMES} | {
    "recurrent": RECURRENT,
    "buffers": BUFFERS,
    "fla": FLA,
}
TEXTS = ("import os\n", "def f(self, x):\n    return ", "x")


@pytest.fixture(params=[*SOURCES, "composed"])
def source(request: pytest.FixtureRequest) -> str:
    return composed() if request.param == "composed" else SOURCES[request.param]


@pytest.fixture
def trained(source: str) -> LanguageModel:
    """Not trained, but with weights that no default gives."""
    spec = ModelSpec(depth=2, width=WIDTH, heads=2)
    model = LanguageModel(
        load_adapted(source, adapter_of(source)), spec, vocabulary=VOCABULARY, mlp_width=MLP_WIDTH, seed=0
    )
    generator = torch.Generator().manual_seed(1)
    for parameter in model.parameters():
        parameter.data += 0.05 * torch.randn(parameter.shape, generator=generator)
    return model.eval()


@pytest.fixture
def folder(source: str, trained: LanguageModel, make_subject: MakeSubject, tmp_path: Path) -> Path:
    """Written with the weights as a worker sends them, in float32 throughout."""
    weights = save({name: tensor.float().contiguous() for name, tensor in trained.state_dict().items()})
    path = tmp_path / "keen_mixer"
    subject = make_subject(source, weights=weights, adapter=adapter_of(source))
    write_export(path, export_files(subject), is_forced=False)
    return path


@pytest.fixture(autouse=True, scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One folder for what Transformers copies, because Python remembers where the package lies."""
    with pytest.MonkeyPatch.context() as patch:
        modules = str(tmp_path_factory.mktemp("modules"))
        patch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", modules)
        patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        yield


def loaded(folder: Path) -> Any:
    return transformers.AutoModelForCausalLM.from_pretrained(folder, trust_remote_code=True).eval()


@torch.no_grad()
def test_a_design_is_the_same_at_home_and_abroad(trained: LanguageModel, folder: Path, tmp_path: Path) -> None:
    model, tokenizer = loaded(folder), transformers.AutoTokenizer.from_pretrained(folder, trust_remote_code=True)
    ids = tokenizer(TEXTS[1], return_tensors="pt")["input_ids"]
    expected = trained(ids)
    torch.testing.assert_close(model(ids).logits, expected, rtol=1e-5, atol=1e-5)
    _generates(model, tokenizer, trained)
    _pads(model, tokenizer)
    _learns(model, ids)
    model.save_pretrained(tmp_path / "again")
    torch.testing.assert_close(loaded(tmp_path / "again")(ids).logits, model(ids).logits, rtol=0, atol=0)


def _generates(model: Any, tokenizer: Any, trained: LanguageModel) -> None:
    """Greedy with cache, without, in a padded batch and by our own model: token for token the same; beams, too."""
    wanted = {"max_new_tokens": 12, "do_sample": False, "eos_token_id": None}
    batch = tokenizer(list(TEXTS), return_tensors="pt", padding=True)
    together = model.generate(**batch, **wanted)[:, batch["input_ids"].shape[1] :]
    for row, text in enumerate(TEXTS):
        ids = tokenizer(text, return_tensors="pt")
        own = ids["input_ids"]
        for _ in range(12):
            own = torch.cat([own, trained(own)[:, -1:].argmax(-1)], dim=1)
        assert torch.equal(model.generate(**ids, **wanted), own)
        assert torch.equal(model.generate(**ids, **wanted, use_cache=False), own)
        assert together[row].tolist() == own[0, ids["input_ids"].shape[1] :].tolist()
    beams = {"max_new_tokens": 6, "num_beams": 3, "do_sample": False}
    assert torch.equal(model.generate(**batch, **beams), model.generate(**batch, **beams, use_cache=False))


def _pads(model: Any, tokenizer: Any) -> None:
    for side in ("left", "right"):
        batch = tokenizer(list(TEXTS), return_tensors="pt", padding=True, padding_side=side)
        logits = model(**batch).logits
        for row, text in enumerate(TEXTS):
            alone = model(tokenizer(text, return_tensors="pt")["input_ids"]).logits[0]
            torch.testing.assert_close(logits[row][batch["attention_mask"][row].bool()], alone, rtol=1e-4, atol=1e-4)


@torch.enable_grad()
def _learns(model: Any, ids: torch.Tensor) -> None:
    """Every parameter that a gradient reaches in training is there to be trained."""
    loss = model(ids, labels=ids).loss
    loss.backward()
    missing = [name for name, parameter in model.named_parameters() if parameter.grad is None]
    model.zero_grad()
    assert torch.isfinite(loss)
    assert missing == []


@pytest.mark.parametrize("source", [SOURCES["delta_net"]], indirect=False)
def test_without_weights_a_model_starts_as_ours_do(source: str, folder: Path) -> None:
    config = transformers.AutoConfig.from_pretrained(folder, trust_remote_code=True)
    model = transformers.AutoModelForCausalLM.from_config(config, trust_remote_code=True)
    ours = LanguageModel(
        load_mixer(source), ModelSpec(depth=2, width=WIDTH, heads=2), vocabulary=VOCABULARY, mlp_width=MLP_WIDTH, seed=0
    ).state_dict()
    theirs = model.state_dict()
    assert torch.equal(theirs["model.layers.1.mixer.mixer.qkv.weight"], ours["blocks.1.mixer.qkv.weight"])
    for name, own in (("embeddings", "embedding"), ("layers.0.mlp.down", "blocks.0.mlp.down")):
        spread = theirs[f"model.{name}.weight"].std()
        assert abs(spread / ours[f"{own}.weight"].std() - 1) < 0.1


@pytest.mark.parametrize("source", [RECURRENT], indirect=False)
def test_the_tests_that_travel_pass_where_they_lie(folder: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_MODULES_CACHE": str(tmp_path / "modules")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
