"""Writes the parity fixtures of sparse encoders: what their losses answer, for every case of every loss."""

import sys
from dataclasses import dataclass, field
from pathlib import Path

sys.dont_write_bytecode = True

import torch
from sentence_transformers.sparse_encoder import losses
from torch import Tensor

import fixture
from case import seeded
from inputs import cycle, normal_scores, scores
from reference import Answer, GivenEmbeddings, LabelsInType, Problem, argument

FIXTURES = Path(__file__).parent.parent / "fixtures"
SIZES = {"normal": 1.0, "small": 0.05, "large": 8.0}


def activations(random: torch.Generator, rows: int, dim: int) -> Tensor:
    """Non-negative, about two thirds zero, and no row without a number."""
    drawn = torch.randn(rows, dim, generator=random, dtype=torch.float64)
    kept = torch.rand(rows, dim, generator=random, dtype=torch.float64) < 1 / 3
    kept[torch.arange(rows), torch.arange(rows) % dim] = True
    return drawn.abs() * kept


@dataclass(frozen=True)
class Case:
    loss: str
    rows: int
    dim: int
    size: str
    config: dict = field(default_factory=dict)
    columns: int = 1
    labels: object = None

    def name(self, number: int) -> str:
        return f"sparse_encoder.{self.loss}-{number:03}-n{self.rows}-d{self.dim}-{self.size}"

    def draw(self, name: str) -> Problem:
        random = seeded(name)
        columns = [(SIZES[self.size] * activations(random, self.rows, self.dim)).float() for _ in range(self.columns)]
        labels = self.labels and self.labels(random, self.rows)
        return Problem(self.loss, self.config, columns, labels)

    def line(self, number: int) -> str:
        name = self.name(number)
        problem = self.draw(name)
        expected = evaluate(problem, torch.float64)
        assert torch.isfinite(expected.flat_gradient()).all(), name
        return fixture.case_line(name, problem, expected, evaluate(problem, torch.float32), family="sparse_encoder")


def evaluate(problem: Problem, dtype: torch.dtype) -> Answer:
    dense = problem.loss.removeprefix("Sparse")
    arguments = {name: argument(dense, name, value) for name, value in problem.config.items()}
    loss = getattr(losses, problem.loss)(GivenEmbeddings(problem.columns[0].shape[1]), **arguments).to(dtype)
    if dense == "CosineSimilarityLoss":
        loss.loss_fct = LabelsInType(loss.loss_fct)
    columns = [column.to(dtype, copy=True).requires_grad_() for column in problem.columns]
    labels = problem.labels
    if labels is not None and labels.is_floating_point():
        labels = labels.to(dtype)
    if problem.loss == "FlopsLoss":
        value = loss.compute_loss_from_embeddings(columns[0])
    elif problem.loss == "SparseMSELoss":
        # Called like this the library takes rows of the labels for columns. What it means is the dense loss.
        wanted = labels if labels.dim() == 3 else labels[:, None].expand(-1, len(columns), -1)
        value = torch.nn.functional.mse_loss(torch.stack(columns, dim=1), wanted)
    else:
        value = loss.compute_loss_from_embeddings(columns, labels)
    assert value.dtype == dtype, f"{problem.loss} answered in {value.dtype}, not in {dtype}"
    value.backward()
    return Answer(value.item(), [column.grad for column in columns])


SHAPES = [(1, 6, "normal"), (2, 8, "small"), (3, 8, "large"), (5, 12, "normal"), (9, 30, "normal")]
PAIRS = [(2, 8, "small"), (3, 8, "large"), (4, 12, "normal"), (9, 30, "normal")]


def cases(loss, configs, shapes, columns, labels) -> list[Case]:
    found = [
        Case(loss, rows, dim, size, config, count, make)
        for config in configs
        for rows, dim, size in shapes
        for count, make in zip(columns, labels)
    ]
    return found


def matrices(count: int):
    return lambda dim: lambda random, rows: torch.randn(rows, *([count] if count else []), dim, generator=random).abs()


def mse() -> list[Case]:
    return [
        Case("SparseMSELoss", rows, dim, size, {}, columns, matrices(shape)(dim))
        for columns, shape in [(1, 0), (2, 0), (2, 2), (3, 3)]
        for rows, dim, size in SHAPES
    ]


SIMILARITIES = [{}, {"similarity_fct": "dot_score"}, {"similarity_fct": "cos_sim"}]
CASES = {
    "flops": cases("FlopsLoss", [{}, {"threshold": 2}, {"threshold": None}, {"threshold": 4}, {"threshold": 1}], SHAPES, [1], [None]),
    "angle": cases("SparseAnglELoss", [{}, {"scale": 5.0}, {"scale": 1.0}], PAIRS, [2, 2], [scores(0, 1), cycle(1, 0)]),
    "cosent": cases(
        "SparseCoSENTLoss", [{}, {"scale": 5.0}, {"scale": 1.0, "similarity_fct": "dot_score"}], PAIRS, [2, 2], [scores(0, 1), cycle(1, 0)]
    ),
    "cosine_similarity": cases(
        "SparseCosineSimilarityLoss", [{}, {"loss_fct": "L1Loss"}], SHAPES, [2, 2], [scores(0, 1), cycle(1.0, 0.0)]
    ),
    "distill_kl_div": cases(
        "SparseDistillKLDivLoss",
        [*SIMILARITIES, {"temperature": 1.0}, {"student_temperature": 0.5, "teacher_temperature": 4.0}],
        SHAPES,
        [3, 5],
        [normal_scores(2), normal_scores(4)],
    ),
    "margin_mse": cases("SparseMarginMSELoss", SIMILARITIES, SHAPES, [3, 5], [normal_scores(), normal_scores(4)]),
    "mse": mse(),
    "multiple_negatives_ranking": cases(
        "SparseMultipleNegativesRankingLoss",
        [{}, {"scale": 4.0, "similarity_fct": "cos_sim"}, {"directions": ["query_to_doc", "doc_to_query"], "partition_mode": "per_direction"}],
        PAIRS,
        [2, 4],
        [None, None],
    ),
    "triplet": cases(
        "SparseTripletLoss", [{}, {"distance_metric": "cosine", "triplet_margin": 0.5}, {"distance_metric": "manhattan"}, {"triplet_margin": 20}], SHAPES, [3], [None]
    ),
}


def main() -> None:
    fixture.require_reference()
    torch.set_num_threads(1)
    for stem, listed in CASES.items():
        text = fixture.file_text([case.line(number) for number, case in enumerate(listed)])
        (FIXTURES / f"sparse_{stem}.json").write_text(text)
        print(f"sparse_{stem}: {len(listed)} cases, {len(text) / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
