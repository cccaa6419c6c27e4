"""Writes the parity fixtures of sparse encoders: what their losses answer, for every case of every loss."""

import sys
from dataclasses import dataclass, field

sys.dont_write_bytecode = True

import torch
from sentence_transformers.sparse_encoder import losses
from torch import Tensor, nn

import fixture
from case import seeded
from inputs import cycle, normal_scores, scores
from reference import Answer, GivenEmbeddings, LabelsInType, Problem, argument

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
    matrices: object = None
    """A maker of (generator, rows, size) -> the matrices of all columns."""

    def name(self, number: int) -> str:
        return f"sparse_encoder.{self.loss}-{number:03}-n{self.rows}-d{self.dim}-{self.size}"

    def draw(self, name: str) -> Problem:
        random = seeded(name)
        columns = [(SIZES[self.size] * activations(random, self.rows, self.dim)).float() for _ in range(self.columns)]
        labels = self.labels and self.labels(random, self.rows)
        matrices = self.matrices(random, self.rows, SIZES[self.size]) if self.matrices else []
        return Problem(self.loss, self.config, columns, labels, matrices=matrices)

    def line(self, number: int) -> str:
        name = self.name(number)
        problem = self.draw(name)
        expected = evaluate(problem, torch.float64)
        assert torch.isfinite(expected.flat_gradient()).all(), name
        return fixture.case_line(name, problem, expected, evaluate(problem, torch.float32), family="sparse_encoder")


def build(name: str, config: dict, model: GivenEmbeddings) -> nn.Module:
    """The loss with losses among its options, which are written as `{"loss", "config"}`."""
    dense = name.removeprefix("Sparse")
    arguments = {}
    for key, value in config.items():
        if isinstance(value, dict):
            arguments["loss" if key == "inner" else key] = build(value["loss"], value["config"], model)
        else:
            arguments[key] = argument(dense, key, value)
    loss = getattr(losses, name)(model, **arguments)
    if dense == "CosineSimilarityLoss":
        loss.loss_fct = LabelsInType(loss.loss_fct)
    return loss


def evaluate(problem: Problem, dtype: torch.dtype) -> Answer:
    width = problem.columns[0].shape[1] if problem.columns else 0
    loss = build(problem.loss, problem.config, GivenEmbeddings(width)).to(dtype)
    columns = [column.to(dtype, copy=True).requires_grad_() for column in problem.columns]
    matrices = [
        {name: matrix if matrix is None else matrix.to(dtype, copy=True).requires_grad_() for name, matrix in column.items()}
        for column in problem.matrices
    ]
    labels = problem.labels
    if labels is not None and labels.is_floating_point():
        labels = labels.to(dtype)
    if problem.loss == "FlopsLoss":
        value = loss.compute_loss_from_embeddings(columns[0])
    elif problem.loss == "SparseMSELoss":
        # Called like this the library takes rows of the labels for columns. What it means is the dense loss.
        wanted = labels if labels.dim() == 3 else labels[:, None].expand(-1, len(columns), -1)
        value = torch.nn.functional.mse_loss(torch.stack(columns, dim=1), wanted)
    elif problem.loss == "CSRReconstructionLoss":
        value = loss.compute_loss_from_embeddings(matrices)
    elif problem.loss == "CSRLoss":
        value = loss([{"sentence_embedding": column, **of_column} for column, of_column in zip(columns, matrices)], labels)
    elif "Splade" in problem.loss:
        value = loss([{"sentence_embedding": column} for column in columns], labels)
    else:
        value = loss.compute_loss_from_embeddings(columns, labels)
    parts = {}
    if isinstance(value, dict):
        # The cached loss gives its parts in float32 only.
        parts = {} if problem.loss.startswith("Cached") else {name: part.item() for name, part in value.items()}
        value = sum(value.values())
    assert value.dtype == dtype, f"{problem.loss} answered in {value.dtype}, not in {dtype}"
    value.backward()
    by_matrix = [{name: matrix if matrix is None else slope(matrix) for name, matrix in column.items()} for column in matrices]
    return Answer(value.item(), [slope(column) for column in columns], parts=parts, matrix_gradients=by_matrix)


def slope(tensor: Tensor) -> Tensor:
    return torch.zeros_like(tensor) if tensor.grad is None else tensor.grad


SHAPES = [(1, 6, "normal"), (2, 8, "small"), (3, 8, "large"), (5, 12, "normal"), (9, 30, "normal")]
SMALL = [(2, 6, "small"), (3, 6, "large"), (4, 8, "normal")]
FLOPS = {"loss": "FlopsLoss", "config": {"threshold": 2}}
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


MNRL = ("SparseMultipleNegativesRankingLoss", {}, 2, None)
SCALED = ("SparseMultipleNegativesRankingLoss", {"scale": 0.5}, 4, None)
MARGINS = ("SparseMarginMSELoss", {}, 3, normal_scores())
TEACHER = ("SparseDistillKLDivLoss", {"temperature": 1.5}, 4, normal_scores(3))
TRIPLET = ("SparseTripletLoss", {"triplet_margin": 2.0}, 3, None)
COSENT = ("SparseCoSENTLoss", {}, 2, scores(0, 1))
SCORED = ("SparseCosineSimilarityLoss", {}, 2, scores(0, 1))

# loss inside, options beside the weight of documents
REGULARISED = [
    (MNRL, {}),
    (MNRL, {"query_regularizer_weight": 0.2}),
    (SCALED, {"query_regularizer_weight": 0.2, "document_regularizer_threshold": 3, "query_regularizer_threshold": 2}),
    (MARGINS, {"use_document_regularizer_only": True, "query_regularizer_weight": 0.7}),
    (TEACHER, {"query_regularizer_weight": 0, "document_regularizer_threshold": 4}),
    (TRIPLET, {"use_document_regularizer_only": True, "document_regularizer_threshold": 3, "query_regularizer_threshold": 1}),
    (COSENT, {"query_regularizer_weight": -0.1, "query_regularizer_threshold": 3}),
    (SCORED, {"document_regularizer": FLOPS, "document_regularizer_threshold": 1}),
    (TEACHER, {"query_regularizer": FLOPS, "query_regularizer_threshold": 9, "query_regularizer_weight": 0.4}),
]


def splade() -> list[Case]:
    found = []
    for number, ((inner, config, columns, labels), options) in enumerate(REGULARISED):
        settings = {"inner": {"loss": inner, "config": config}, "document_regularizer_weight": 0.5 / (number + 1), **options}
        found += [Case("SpladeLoss", rows, dim, size, settings, columns, labels) for rows, dim, size in SMALL]
        cached = {**settings, "mini_batch_size": 2 + number % 3}
        found.append(Case("CachedSpladeLoss", 4, 6, "normal", cached, columns, labels))
    return found


def reconstructions(columns: int, dim: int, aux: bool = True, equal: bool = False):
    """Dense embeddings and what was decoded in their place; where `equal`, all rows of the residual are one row."""

    def build(random: torch.Generator, rows: int, size: float) -> list[dict]:
        def draw(*shape: int) -> Tensor:
            return size * torch.randn(*shape, dim, generator=random)

        def column() -> dict:
            # In eighths, so that a difference is exact.
            x = (8 * draw(rows)).round() / 8 if equal else draw(rows)
            pre_bias = x - 2.0 if equal else x + 0.5 * draw(rows)
            return {
                "sentence_embedding_backbone": x,
                "decoded_embedding_k": pre_bias + 0.1 * draw(1),
                "decoded_embedding_4k": x + 0.2 * draw(rows),
                "decoded_embedding_aux": 0.5 * draw(rows) if aux else None,
                "decoded_embedding_k_pre_bias": pre_bias,
            }

        return [column() for _ in range(columns)]

    return build


def csr_reconstruction() -> list[Case]:
    return [
        Case("CSRReconstructionLoss", rows, dim, size, config, 0, matrices=reconstructions(columns, dim, aux))
        for config in [{}, {"beta": 0.1}, {"beta": -2.0}, {"beta": 0}]
        for columns, aux in [(1, True), (2, True), (3, False)]
        for rows, dim, size in [(1, 3, "normal"), (3, 4, "small"), (5, 2, "large")]
    ] + [Case("CSRReconstructionLoss", rows, 2, "normal", {}, 0, matrices=reconstructions(2, 2, equal=True)) for rows in (2, 4)]


def csr() -> list[Case]:
    found = []
    for (inner, config, columns, labels), options in [
        (MNRL, {}),
        (MNRL, {"beta": 0.5, "gamma": 0.25}),
        (SCALED, {"beta": 0.0}),
        (MARGINS, {"gamma": 2.0}),
        (TEACHER, {"gamma": -0.5, "beta": 1.0}),
        (COSENT, {"gamma": 0.0}),
        (SCORED, {"beta": 2.0}),
        (TRIPLET, {}),
    ]:
        settings = options if inner == MNRL[0] and not options else {"inner": {"loss": inner, "config": config}, **options}
        for rows, dim, size in SMALL:
            matrices = reconstructions(columns, 3, aux=(rows + columns) % 4 > 0)
            found.append(Case("CSRLoss", rows, dim, size, settings, columns, labels, matrices))
    return found


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
    "csr": csr(),
    "csr_reconstruction": csr_reconstruction(),
    "splade": splade(),
    "triplet": cases(
        "SparseTripletLoss", [{}, {"distance_metric": "cosine", "triplet_margin": 0.5}, {"distance_metric": "manhattan"}, {"triplet_margin": 20}], SHAPES, [3], [None]
    ),
}


if __name__ == "__main__":
    fixture.write("sparse", CASES)
