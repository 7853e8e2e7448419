import subprocess
import sys

import pytest
import torch
from torch import nn

from asi_arch.lab.optimizer import AdamW

pytestmark = pytest.mark.torch


def trained(optimizer_class: type[torch.optim.AdamW]) -> list[torch.Tensor]:
    torch.manual_seed(0)
    model = nn.Linear(30, 20)
    groups = [{"params": [model.weight], "weight_decay": 0.1}, {"params": [model.bias], "weight_decay": 0.0}]
    optimizer = optimizer_class(groups, lr=0.01, betas=(0.9, 0.95), eps=1e-8, fused=True)
    for step in range(20):
        for group in optimizer.param_groups:
            group["lr"] = 0.01 / (step + 1)
        model(torch.randn(4, 30)).square().sum().backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    assert model.weight.grad is None
    return [parameter.detach().clone() for parameter in model.parameters()]


def test_it_updates_as_torch_does_bit_for_bit() -> None:
    for ours, theirs in zip(trained(AdamW), trained(torch.optim.AdamW), strict=True):
        assert torch.equal(ours, theirs)


def test_neither_training_nor_scoring_loads_the_compiler() -> None:
    code = (
        "import sys\nfrom asi_arch.lab.rehearsal import rehearse\nrehearse('cpu')\n"
        "sys.exit('torch._dynamo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
