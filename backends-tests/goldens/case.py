"""One case before its numbers are drawn, and the drawing."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from inputs import EXACT_REGIMES, embeddings
from reference import Problem

Labels = Callable[[torch.Generator, int], Tensor]
Weights = Callable[[torch.Generator], dict[str, Tensor]]


@dataclass(frozen=True)
class Case:
    loss: str
    rows: int
    dim: int
    regime: str
    config: dict = field(default_factory=dict)
    columns: int = 1
    labels: Labels | None = None
    weights: Weights | None = None
    guide: tuple[str, int] | None = None
    """Regime and dimension of the guide's embeddings."""
    layers: int = 0
    purpose: str = ""
    flat: bool = False
    """The gradient is zero, and that is what the case shows."""

    @property
    def is_exact(self) -> bool:
        return self.regime in EXACT_REGIMES

    def name(self, number: int) -> str:
        parts = [self.loss, f"{number:03}", f"n{self.rows}", f"d{self.dim}", self.regime, self.purpose]
        return "-".join(part for part in parts if part)

    def draw(self, name: str, attempt: int) -> Problem:
        """The same numbers for the same name and attempt, on every run."""
        random = seeded(f"{name}/{attempt}")
        columns = embeddings(self.regime, random, self.columns * max(self.layers, 1), self.rows, self.dim)
        labels = self.labels and self.labels(random, self.rows)
        params = self.weights and self.weights(random)
        guide = self.guide and embeddings(self.guide[0], random, self.columns, self.rows, self.guide[1])
        return Problem(self.loss, self.config, columns, labels, params, guide, self.layers)


def seeded(text: str) -> torch.Generator:
    """Random numbers that follow from a text."""
    return torch.Generator().manual_seed(int.from_bytes(hashlib.sha256(text.encode()).digest()[:7]))


def options(**values) -> dict:
    """A configuration without the options that are left at the library's default (given as `...`)."""
    return {name: value for name, value in values.items() if value is not ...}
