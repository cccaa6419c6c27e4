"""What a drawn case must withstand before it becomes a fixture.

Each check returns the reason for refusing the draw, or None. A refused draw is repeated with the next seed.
"""

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn.functional import normalize

from case import Case
from reference import Answer, Problem, evaluate

ZERO = 1e-12

# A fifth of what the parity test allows in float64, half of what it allows in float32: (loss, relative, absolute).
FLOAT64 = (2e-11, 2e-10, 2e-11)
FLOAT32 = (5e-6, 5e-5, 5e-7)

MINED_PAIRWISE = {
    "BatchAllTripletLoss",
    "BatchHardTripletLoss",
    "BatchHardSoftMarginTripletLoss",
    "BatchSemiHardTripletLoss",
}
DEPENDS_ON_PLACES = {
    "AdaptiveLayerLoss",
    "AnglELoss",
    "EmbedDistillLoss",
    "Matryoshka2dLoss",
    "MatryoshkaLoss",
    "MSELoss",
    "SoftmaxLoss",
}
"""Losses whose dimensions differ: some are left out, have a place in a complex number, or parameters or targets."""

DEPENDS_ON_DIMENSION = {"GlobalOrthogonalRegularizationLoss"}


def agree(found: Answer, expected: Answer, tolerance: tuple[float, float, float]) -> bool:
    loss, relative, absolute = tolerance
    wanted = expected.flat_gradient()
    gap = (found.flat_gradient() - wanted).norm()
    return bool(
        abs(found.loss - expected.loss) <= loss * max(1.0, abs(expected.loss))
        and gap <= relative * wanted.norm() + absolute
    )


def is_finite(answer: Answer) -> bool:
    return bool(torch.isfinite(answer.flat_gradient()).all()) and abs(answer.loss) < float("inf")


def finite_and_as_flat_as_declared(case: Case, problem: Problem, expected: Answer) -> str | None:
    if not is_finite(expected):
        return "not finite"
    is_flat = bool(expected.flat_gradient().norm() <= ZERO)
    if is_flat != case.flat:
        return "the gradient is zero" if is_flat else "the gradient is not zero"
    return None


def labels_survive_float32(case: Case, problem: Problem, expected: Answer) -> str | None:
    """`ContrastiveLoss` rounds `1 - label` to float32 whatever it computes in: only labels for which that is exact."""
    if case.loss == "ContrastiveLoss" and problem.labels.is_floating_point():
        rest = 1 - problem.labels.double()
        if not torch.equal(rest.float().double(), rest):
            return "one minus a label is no float32 value"
    return None


def nudged(columns: list[Tensor], size: float, seed: int) -> list[Tensor]:
    """All rows moved a little; rows that were equal stay equal."""
    random = torch.Generator().manual_seed(seed)
    stacked = torch.cat(columns).double()
    rows, which = torch.unique(stacked, dim=0, return_inverse=True)
    step = 2 * torch.rand(rows.shape, generator=random, dtype=torch.float64) - 1
    moved = rows + size * stacked.square().mean().sqrt() * step
    return list(moved[which].split([len(column) for column in columns]))


def stays(problem: Problem, expected: Answer, size: float, tolerance: tuple[float, float, float]) -> bool:
    """Whether the float64 answer is still the expected one after moving the rows by `size`, three times over."""
    moved = (problem.with_columns(nudged(problem.columns, size, seed)) for seed in range(3))
    return all(agree(evaluate(near, torch.float64), expected, tolerance) for near in moved)


def stable_in_float64(case: Case, problem: Problem, expected: Answer) -> str | None:
    """No choice (hardest row, active hinge) may hang on the last bits. Exact ties cannot be nudged, nor need to be."""
    if case.is_exact:
        return None
    return None if stays(problem, expected, 1e-14, FLOAT64) else "hangs on the last bits of float64"


def independent_of_summation_order(case: Case, problem: Problem, expected: Answer) -> str | None:
    """The same points with their coordinates shuffled, and among unrelated zeros: all sums run in another order."""
    if case.loss in DEPENDS_ON_PLACES:
        return None
    order = torch.randperm(case.dim, generator=torch.Generator().manual_seed(case.dim))
    padding = [order]
    differences = problem.config.get("distance_metric") in ("euclidean", "manhattan")
    if case.loss not in DEPENDS_ON_DIMENSION and (case.loss in MINED_PAIRWISE or not differences):
        padding.append(torch.cat([torch.full((3,), -1), order, torch.full((5,), -1)]))
    for places in padding:
        answer = evaluate(problem.with_columns([spread(column, places) for column in problem.columns]), torch.float64)
        back = [torch.zeros(len(gradient), case.dim, dtype=torch.float64) for gradient in answer.gradients]
        for target, gradient in zip(back, answer.gradients):
            target[:, places[places >= 0]] = gradient[:, places >= 0]
        if not agree(replace(answer, gradients=back), expected, FLOAT64):
            return "depends on the order of summation"
    return None


def spread(column: Tensor, places: Tensor) -> Tensor:
    """Column `places[j]` at j, or zeros where that is -1."""
    return torch.where(places >= 0, column[:, places.clamp(min=0)], 0)


def by_differences(metric: str):
    """The distances of the mined triplet losses, taken from differences of rows instead of a Gram matrix."""

    def distance(rows: Tensor) -> Tensor:
        points = normalize(rows, dim=-1) if metric == "cosine" else rows
        squared = (points[:, None] - points[None]).square().sum(dim=-1)
        if metric != "euclidean":
            return squared / 2 if metric == "cosine" else squared
        same = squared == 0
        return torch.where(same, 0, torch.where(same, 1, squared).sqrt())

    return distance


def with_differences(problem: Problem) -> Problem:
    metric = problem.config.get("distance_metric", "euclidean")
    return replace(problem, config={**problem.config, "distance_metric": by_differences(metric)})


def free_of_cancellation(case: Case, problem: Problem, expected: Answer) -> str | None:
    """The Gram matrix of the mined losses loses digits for close rows: not so many that a better distance disagrees."""
    if case.loss not in MINED_PAIRWISE:
        return None
    if agree(evaluate(with_differences(problem), torch.float64), expected, FLOAT64):
        return None
    return "float64 distances from the Gram matrix are too coarse"


def answerable_in_float32(case: Case, problem: Problem, expected: Answer) -> str | None:
    """Some float32 computation meets the tolerance, and the answer does not swing with the last bits of float32."""
    found = agree(evaluate(problem, torch.float32), expected, FLOAT32)
    if not found and case.loss in MINED_PAIRWISE and problem.config.get("distance_metric") != "cosine":
        found = agree(evaluate(with_differences(problem), torch.float32), expected, FLOAT32)
    if not found:
        return "too ill-conditioned for float32"
    if case.is_exact:
        return None
    size = 2e-7 * (1e-3 if rests_on_differences(case, problem) else 1.0)
    return None if stays(problem, expected, size, FLOAT32) else "swings with the last bits of float32"


def rests_on_differences(case: Case, problem: Problem) -> bool:
    """Close points under a distance of differences: float32 rounds those differences, which are a thousandth as long."""
    default = "euclidean" if case.loss in MINED_PAIRWISE | {"TripletLoss"} else "cosine"
    metric = problem.config.get("distance_metric", default)
    return case.regime in ("tight", "clusters") and metric != "cosine"


CHECKS = (
    finite_and_as_flat_as_declared,
    labels_survive_float32,
    stable_in_float64,
    independent_of_summation_order,
    free_of_cancellation,
    answerable_in_float32,
)


def objection(case: Case, problem: Problem, expected: Answer) -> str | None:
    return next((reason for check in CHECKS if (reason := check(case, problem, expected))), None)
