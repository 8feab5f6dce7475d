"""The same step in PyTorch, eager or compiled, around the ResNet50 of transformers."""

import time
from typing import Any

import torch
from transformers import ResNetConfig, ResNetModel

from benchmarks.backbone_speed.timed import (
    CLASSES,
    DIVERSITY,
    MATRIX,
    Timed,
    product_rate,
)
from benchmarks.peak_memory import peak_memory


class Network(torch.nn.Module):
    """ResNet50 with reduced strides and a dense head."""

    def __init__(self) -> None:
        """Makes the layers, at random."""
        super().__init__()
        self.backbone = ResNetModel(ResNetConfig())
        for stage in self.backbone.encoder.stages[2:]:
            for layer in stage.modules():
                if isinstance(layer, torch.nn.Conv2d):
                    layer.stride = (1, 1)
        self.dropout = torch.nn.Dropout(0.2)
        self.head = torch.nn.Linear(2048, CLASSES)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns logits [N, C] and maps [N, F, H, W]."""
        maps = self.backbone(images).last_hidden_state
        return self.head(self.dropout(maps.mean((2, 3)))), maps


def diversity_loss(maps: Any, logits: Any, weight: Any) -> Any:
    """Returns the feature diversity loss, features first."""
    relevance = weight[logits.argmax(1)].abs()
    relevance = relevance / (relevance.norm(dim=1, keepdim=True) + 1e-5)
    means = maps.mean((2, 3))
    scale = means / means.max(1, keepdim=True).values.clamp_min(1e-6)
    attention = maps.flatten(2).softmax(2)
    weighted = attention * (scale * relevance)[..., None]
    return -DIVERSITY * weighted.max(1).values.sum(1).mean()


def make(arm: str, batch_size: int, size: int) -> Timed:
    """Returns the compiled arm."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(0)
    network = Network().to(device)
    network = network.to(memory_format=torch.channels_last)  # type: ignore[no-matching-overload]
    images = torch.randint(0, 256, (batch_size, 3, size, size), dtype=torch.uint8)
    labels = torch.randint(0, CLASSES, (batch_size,)).to(device)
    started = time.perf_counter()
    train = _training(network, images, labels, arm == "torch-compiled", device)
    forward = _forward(network, images, arm == "torch-compiled", device)
    actions = {"train": train, "forward": forward}
    for action in actions.values():
        action()
    facts = {
        "device": f"{device}, torch {torch.__version__}",
        "precision": "float32",
        "peak_flops": product_rate(_product(device)),
        "compile": time.perf_counter() - started,
    }
    return Timed(facts, actions, peak_memory if device == "cpu" else _gpu_memory)


def _inputs(images: Any, device: str) -> Any:
    moved = images.to(device).to(memory_format=torch.channels_last)
    return (moved.float() / 255 - 0.5) / 0.5


def _training(
    network: Any, images: Any, labels: Any, compiled: bool, device: str
) -> Any:
    optimiser = torch.optim.SGD(
        network.parameters(), lr=1e-3, momentum=0.9, weight_decay=5e-4
    )

    def loss_of(inputs: Any) -> Any:
        logits, maps = network(inputs)
        entropy = torch.nn.functional.cross_entropy(logits, labels)
        return entropy + diversity_loss(maps, logits, network.head.weight)

    loss = torch.compile(loss_of) if compiled else loss_of

    def train() -> None:
        network.train()
        optimiser.zero_grad(set_to_none=True)
        loss(_inputs(images, device)).backward()
        optimiser.step()
        _wait(device)

    return train


def _forward(network: Any, images: Any, compiled: bool, device: str) -> Any:
    look = torch.compile(network) if compiled else network

    def forward() -> None:
        network.eval()
        with torch.no_grad():
            look(_inputs(images, device))
        _wait(device)

    return forward


def _product(device: str) -> Any:
    matrix = torch.ones(MATRIX, MATRIX, device=device)

    def multiply() -> None:
        matrix @ matrix
        _wait(device)

    return multiply


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def _gpu_memory() -> float:
    return torch.cuda.max_memory_allocated() / 2**30
