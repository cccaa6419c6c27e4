"""Embeddings, labels and weights of a case: seeded, and rounded to float32 before anything is computed with them."""

import math

import torch
from torch import Tensor
from torch.nn.functional import normalize

CLUSTER_NOISE = 1e-3

# ---------------------------------------------------------------- embeddings: (generator, columns, rows, dim)


def normal(random: torch.Generator, columns: int, rows: int, dim: int) -> Tensor:
    return torch.randn(columns, rows, dim, generator=random, dtype=torch.float64)


def unit(random, columns, rows, dim):
    return normalize(normal(random, columns, rows, dim), dim=-1)


def large(random, columns, rows, dim):
    return 30 * normal(random, columns, rows, dim)


def small(random, columns, rows, dim):
    return 0.01 * normal(random, columns, rows, dim)


def related(random, columns, rows, dim):
    """Unit rows; row i of every column is a noisy copy of row i of one hidden column."""
    hidden = normal(random, 1, rows, dim)
    return normalize(hidden + 0.6 * normal(random, columns, rows, dim), dim=-1)


def tight(random, columns, rows, dim):
    """Every row of every column close to one common centre."""
    centre = unit(random, 1, 1, dim)
    return normalize(centre + CLUSTER_NOISE * normal(random, columns, rows, dim), dim=-1)


def clusters(random, columns, rows, dim):
    """Two tight clusters, taken in turn by the rows; from the third column on the other way round."""
    centres = unit(random, 1, 2, dim)[0]
    turn = (torch.arange(rows)[None, :] + (torch.arange(columns) >= 2)[:, None]) % 2
    return normalize(centres[turn] + CLUSTER_NOISE * normal(random, columns, rows, dim), dim=-1)


def duplicates(random, columns, rows, dim):
    """Within each column, every other pair of neighbours (0 and 1, 4 and 5, ...) is one row twice."""
    drawn = normal(random, columns, rows, dim)
    second = torch.arange(1, rows, 4)
    drawn[:, second] = drawn[:, second - 1]
    return drawn


def copies(random, columns, rows, dim):
    """Some rows of the second column, and other rows of the last, are exactly the row of the first."""
    drawn = normal(random, columns, rows, dim)
    drawn[1, 0::3] = drawn[0, 0::3]
    if columns > 2:
        drawn[-1, 1::3] = drawn[0, 1::3]
    return drawn


def orthogonal(random, columns, rows, dim):
    """Axis-aligned unit points; a row's axis differs from column to column."""
    axis = (torch.arange(rows)[None, :] + torch.arange(columns)[:, None]) % dim
    return torch.eye(dim, dtype=torch.float64)[axis]


def ties(random, columns, rows, dim):
    """Four coordinates of each row are 1 or -1, the others 0: all norms are 2 and many distances are equal."""
    assert dim >= 4
    places = torch.rand(columns, rows, dim, generator=random).argsort(dim=-1)[..., :4]
    signs = 2.0 * torch.randint(0, 2, (columns, rows, 4), generator=random).double() - 1
    return torch.zeros(columns, rows, dim, dtype=torch.float64).scatter(-1, places, signs)


REGIMES = {
    build.__name__: build
    for build in (normal, unit, large, small, related, tight, clusters, duplicates, copies, orthogonal, ties)
}

# Dot products, norms and cosines of these are exact in float32, so a tie is a tie in any order of summation.
EXACT_REGIMES = {"orthogonal", "ties"}


def embeddings(regime: str, random: torch.Generator, columns: int, rows: int, dim: int) -> list[Tensor]:
    drawn = REGIMES[regime](random, columns, rows, dim).float()
    assert bool((drawn != 0).any(dim=-1).all()), "a zero row: the reference's gradient there is arbitrary"
    return list(drawn)


# ---------------------------------------------------------------- labels: makers of (generator, rows) -> tensor


def classes(count: int):
    """Random class labels."""
    return lambda random, rows: torch.randint(0, count, (rows,), generator=random)


def in_turn(count: int):
    """0, 1, ..., count - 1, 0, 1, ..."""
    return lambda random, rows: torch.arange(rows) % count


def neighbours(random, rows):
    """0, 0, 1, 1, 2, 2, ..."""
    return torch.arange(rows) // 2


def one_class(random, rows):
    return torch.zeros(rows, dtype=torch.int64)


def all_distinct(random, rows):
    return torch.randperm(rows, generator=random)


def some_alone(random, rows):
    """Two classes, and every fourth row in a class of its own."""
    alone = torch.arange(rows) % 4 == 3
    return torch.where(alone, 10 + torch.arange(rows), torch.arange(rows) % 2)


def arbitrary_integers(random, rows):
    return torch.tensor([1000, -3, 7])[torch.arange(rows) % 3]


def cycle(*values: float):
    """The given values in turn; whole numbers without a point make integer labels."""
    return lambda random, rows: torch.tensor(values)[torch.arange(rows) % len(values)]


def scores(low: float, high: float, *shape: int):
    """Uniform real labels of shape [rows, *shape]."""
    return lambda random, rows: low + (high - low) * torch.rand(rows, *shape, generator=random)


def normal_scores(*shape: int):
    return lambda random, rows: torch.randn(rows, *shape, generator=random)


def probabilities(count: int):
    return lambda random, rows: torch.softmax(torch.randn(rows, count, generator=random), dim=-1)


def some_ignored(count: int):
    """Class labels with every third row left out by PyTorch's ignore index."""
    def build(random, rows):
        labels = torch.randint(0, count, (rows,), generator=random)
        labels[1::3] = -100
        return labels

    return build


# ---------------------------------------------------------------- weights: maker of (generator) -> named tensors


def linear(name: str, outputs: int, inputs: int):
    """A `torch.nn.Linear` under its names and layout, at the size of PyTorch's own initialisation."""
    bound = 1 / math.sqrt(inputs)

    def build(random: torch.Generator) -> dict[str, Tensor]:
        def draw(*shape: int) -> Tensor:
            return bound * (2 * torch.rand(*shape, generator=random) - 1)

        return {f"{name}.weight": draw(outputs, inputs), f"{name}.bias": draw(outputs)}

    return build


def logarithm(name: str, value: float):
    """A parameter that is the logarithm of a number."""
    return lambda random: {name: torch.tensor(math.log(value))}
