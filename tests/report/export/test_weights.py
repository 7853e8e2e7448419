import numpy as np
import pytest
from safetensors.numpy import load, save

from asi_arch.domain.errors import StoreError
from asi_arch.report.export.weights import Renamed

from .conftest import arrays


def test_tensors_get_new_names_and_keep_their_numbers() -> None:
    given = arrays() | {
        "blocks.11.mixer_norm.weight": np.ones(3, dtype=np.float32),
        "blocks.0.mlp.gate_up.weight": np.ones((2, 3), dtype=np.float32),
        "blocks.0.mixer.norm.weight": np.zeros(3, dtype=np.float32),
    }
    found = Renamed(save(given))
    kept = load(found.content)
    assert sorted(kept) == [
        "model.embeddings.weight",
        "model.layers.0.mixer.mixer.a.weight",
        "model.layers.0.mixer.mixer.norm.weight",
        "model.layers.0.mlp.gate_up.weight",
        "model.layers.11.mixer_norm.weight",
        "model.norm.weight",
    ]
    assert np.array_equal(kept["model.embeddings.weight"], given["embedding.weight"])
    assert found.parameters == sum(array.size for array in given.values())
    assert found.vocabulary == 256


@pytest.mark.parametrize("content", [b"", b"no weights at all", save({"other.weight": np.ones(2)})])
def test_what_is_no_model_of_ours_is_refused(content: bytes) -> None:
    with pytest.raises(StoreError, match="stored weights"):
        Renamed(content)
