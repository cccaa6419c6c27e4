"""Losses with a target per row: margin MSE, divergence of scores, distances from a teacher, MSE and softmax."""

from case import Case, options
from inputs import classes, linear, normal_scores, probabilities, scores, some_ignored

# rows, dim, negatives, regime, similarity, labels a row ("margin", "margins" or "scores"), purpose
MARGIN = [
    (8, 7, 1, "related", ..., "margin", "defaults"),
    (1, 5, 1, "normal", "dot_score", "margin", ""),
    (1, 48, 1, "unit", "cos_sim", "scores", ""),
    (1, 4, 3, "normal", "dot_score", "margins", ""),
    (2, 3, 1, "normal", "cos_sim", "margins", ""),
    (2, 16, 2, "unit", "dot_score", "scores", ""),
    (2, 2, 1, "normal", "dot_score", "scores", "as-many-rows-as-labels-a-row"),
    (3, 2, 2, "normal", "cos_sim", "margins", ""),
    (3, 24, 4, "unit", "cos_sim", "scores", ""),
    (3, 3, 3, "normal", "dot_score", "margins", "as-many-rows-as-labels-a-row"),
    (5, 7, 1, "normal", "dot_score", "margins", ""),
    (5, 1, 2, "normal", "dot_score", "margins", ""),
    (5, 40, 1, "normal", "dot_score", "margin", ""),
    (5, 6, 4, "normal", "dot_score", "margins", ""),
    (8, 4, 3, "unit", "cos_sim", "margins", ""),
    (8, 4, 3, "unit", "dot_score", "scores", ""),
    (8, 5, 1, "tight", "dot_score", "margin", ""),
    (8, 5, 2, "tight", "cos_sim", "scores", ""),
    (8, 5, 2, "clusters", "cos_sim", "margins", ""),
    (8, 4, 1, "large", "dot_score", "scores", ""),
    (8, 4, 2, "large", "cos_sim", "margins", ""),
    (8, 4, 1, "small", "dot_score", "margin", ""),
    (8, 4, 2, "small", "cos_sim", "scores", ""),
    (8, 4, 1, "copies", "cos_sim", "margin", "anchor-is-other"),
    (8, 4, 3, "duplicates", "dot_score", "margins", ""),
    (8, 8, 2, "orthogonal", "cos_sim", "scores", ""),
    (17, 8, 1, "normal", "cos_sim", "margin", ""),
    (17, 5, 2, "related", "dot_score", "scores", ""),
    (33, 4, 1, "unit", "cos_sim", "margins", ""),
    (33, 3, 4, "normal", "dot_score", "scores", ""),
    (64, 2, 1, "normal", "dot_score", "margin", ""),
    (64, 3, 2, "unit", "cos_sim", "margins", ""),
]


def margin_mse() -> list[Case]:
    shapes = {"margin": lambda n: (), "margins": lambda n: (n,), "scores": lambda n: (n + 1,)}
    return [
        Case(
            "MarginMSELoss",
            rows,
            dim,
            regime,
            options(similarity_fct=similarity),
            columns=2 + negatives,
            labels=normal_scores(*shapes[labels](negatives)),
            purpose=purpose,
        )
        for rows, dim, negatives, regime, similarity, labels, purpose in MARGIN
    ]


# rows, dim, documents, regime, similarity, temperatures (both, student's, teacher's), spread of the scores, purpose
DIVERGENCE = [
    (8, 7, 2, "related", ..., (..., ..., ...), 1.0, "defaults"),
    (1, 5, 2, "normal", "dot_score", (1.0, None, None), 1.0, ""),
    (1, 48, 3, "unit", "cos_sim", (0.1, ..., ...), 1.0, ""),
    (2, 3, 4, "normal", "cos_sim", (0.5, ..., ...), 1.0, ""),
    (2, 2, 2, "normal", "dot_score", (2.0, ..., ...), 1.0, "as-many-rows-as-documents"),
    (3, 24, 2, "unit", "dot_score", (..., 0.25, ...), 1.0, "student-temperature"),
    (3, 2, 3, "normal", "cos_sim", (..., ..., 4.0), 1.0, "teacher-temperature"),
    (5, 7, 2, "normal", "dot_score", (3.0, 0.5, 2.0), 1.0, "both-temperatures"),
    (5, 1, 2, "normal", "dot_score", (..., ..., ...), 1.0, ""),
    (5, 40, 5, "normal", "cos_sim", (0.05, ..., 1.0), 1.0, ""),
    (8, 4, 3, "unit", "dot_score", (0.2, ..., ...), 5.0, ""),
    (8, 5, 2, "tight", "dot_score", (..., ..., ...), 1.0, ""),
    (8, 5, 3, "tight", "cos_sim", (0.01, ..., 1.0), 1.0, ""),
    (8, 5, 3, "clusters", "cos_sim", (0.5, ..., ...), 1.0, ""),
    (8, 4, 3, "large", "dot_score", (..., ..., ...), 1.0, "far-apart"),
    (8, 4, 2, "large", "cos_sim", (..., ..., ...), 1.0, ""),
    (8, 4, 2, "small", "dot_score", (..., ..., ...), 1.0, ""),
    (8, 4, 3, "copies", "cos_sim", (0.3, ..., ...), 1.0, "anchor-is-other"),
    (8, 4, 4, "duplicates", "dot_score", (..., ..., ...), 1.0, ""),
    (8, 8, 3, "orthogonal", "cos_sim", (..., ..., ...), 1.0, ""),
    (8, 6, 3, "normal", "dot_score", (..., ..., ...), 100.0, "certain-teacher"),
    (17, 8, 2, "related", "dot_score", (0.1, ..., ...), 1.0, ""),
    (33, 4, 5, "unit", "cos_sim", (0.05, ..., 0.5), 1.0, ""),
    (64, 3, 3, "normal", "dot_score", (2.0, ..., ...), 2.0, ""),
]


def distill_kl_div() -> list[Case]:
    names = ("temperature", "student_temperature", "teacher_temperature")
    return [
        Case(
            "DistillKLDivLoss",
            rows,
            dim,
            regime,
            options(similarity_fct=similarity, **dict(zip(names, temperatures))),
            columns=1 + documents,
            labels=scores(-spread, spread, documents),
            purpose=purpose,
        )
        for rows, dim, documents, regime, similarity, temperatures, spread, purpose in DIVERGENCE
    ]


# rows, dim, columns, regime, projection, whether each column has a target of its own, purpose
DISTILLATION = [
    (8, 7, 2, "unit", ..., False, "defaults"),
    (1, 5, 1, "normal", None, False, ""),
    (1, 1, 1, "normal", None, False, ""),
    (1, 48, 1, "unit", None, True, ""),
    (2, 3, 2, "normal", None, True, ""),
    (2, 16, 3, "normal", None, True, ""),
    (3, 2, 3, "normal", None, False, ""),
    (3, 24, 1, "unit", None, False, ""),
    (5, 7, 2, "large", None, False, ""),
    (5, 7, 2, "small", None, True, ""),
    (8, 5, 2, "tight", None, False, ""),
    (8, 5, 3, "clusters", None, True, ""),
    (8, 4, 2, "duplicates", None, False, ""),
    (8, 4, 2, "copies", None, False, ""),
    (8, 8, 1, "orthogonal", None, False, ""),
    (17, 6, 2, "normal", None, True, ""),
    (33, 4, 1, "normal", None, False, ""),
    (64, 2, 2, "normal", None, True, ""),
    (1, 5, 1, "normal", 3, False, "projected"),
    (2, 7, 2, "unit", 16, False, "projected"),
    (3, 4, 3, "normal", 2, True, "projected"),
    (5, 24, 1, "normal", 8, True, "projected"),
    (5, 6, 2, "unit", 6, True, "projected"),
    (5, 3, 2, "normal", 1, False, "projected-to-one"),
    (8, 5, 2, "large", 4, False, "projected"),
    (8, 5, 2, "small", 4, True, "projected"),
    (8, 5, 2, "tight", 7, False, "projected"),
    (8, 4, 2, "duplicates", 3, False, "projected"),
    (8, 4, 2, "copies", 3, True, "projected"),
    (17, 6, 3, "normal", 5, True, "projected"),
    (33, 4, 2, "unit", 3, False, "projected"),
    (64, 3, 1, "normal", 2, False, "projected"),
]


def teacher(dim: int, columns: int, projection, own_targets: bool) -> dict:
    """The targets of embeddings, and the weights of a projection to their dimension."""
    projects = projection not in (..., None)
    target_dim = projection if projects else dim
    return {
        "labels": normal_scores(columns, target_dim) if own_targets else normal_scores(target_dim),
        "weights": linear("projection", projection, dim) if projects else None,
    }


def mse() -> list[Case]:
    return [
        Case(
            "MSELoss",
            rows,
            dim,
            regime,
            options(projection_dim=projection),
            columns=columns,
            **teacher(dim, columns, projection, own_targets),
            purpose=purpose,
        )
        for rows, dim, columns, regime, projection, own_targets, purpose in DISTILLATION
    ]


# rows, dim, columns, regime, distance, projection, whether each column has a target of its own, purpose
TEACHER_DISTANCE = [
    (8, 7, 2, "unit", ..., ..., False, "defaults"),
    (1, 5, 1, "normal", "cosine", None, False, ""),
    (1, 1, 1, "normal", "l2", None, False, "one-dimension"),
    (1, 48, 1, "unit", "l2", None, True, ""),
    (2, 3, 2, "normal", "mse", None, True, ""),
    (2, 16, 3, "normal", "cosine", None, True, ""),
    (3, 2, 3, "normal", "l2", None, False, ""),
    (3, 24, 1, "unit", "mse", None, False, ""),
    (5, 7, 2, "large", "cosine", None, False, ""),
    (5, 7, 2, "large", "l2", None, True, ""),
    (5, 7, 2, "small", "cosine", None, True, ""),
    (8, 5, 2, "tight", "l2", None, False, ""),
    (8, 5, 3, "clusters", "cosine", None, True, ""),
    (8, 4, 2, "duplicates", "l2", None, False, ""),
    (8, 4, 2, "copies", "cosine", None, False, ""),
    (8, 8, 1, "orthogonal", "cosine", None, False, ""),
    (17, 6, 2, "normal", "l2", None, True, ""),
    (33, 4, 1, "normal", "cosine", None, False, ""),
    (64, 2, 2, "normal", "mse", None, True, ""),
    (1, 5, 1, "normal", "cosine", 3, False, "projected"),
    (2, 7, 2, "unit", "l2", 16, False, "projected"),
    (3, 4, 3, "normal", "mse", 2, True, "projected"),
    (5, 24, 1, "normal", ..., 8, True, "projected"),
    (5, 3, 2, "normal", "l2", 1, False, "projected-to-one"),
    (8, 5, 2, "large", "cosine", 4, False, "projected"),
    (8, 5, 2, "tight", "l2", 7, True, "projected"),
    (33, 4, 2, "unit", "cosine", 3, False, "projected"),
]


def embed_distill() -> list[Case]:
    return [
        Case(
            "EmbedDistillLoss",
            rows,
            dim,
            regime,
            options(distance_metric=distance, projection_dim=projection),
            columns=columns,
            **teacher(dim, columns, projection, own_targets),
            purpose=purpose,
        )
        for rows, dim, columns, regime, distance, projection, own_targets, purpose in TEACHER_DISTANCE
    ]


# rows, dim, regime, classes, flags (representation, difference, multiplication), labels, purpose
CLASSIFICATION = [
    (8, 7, "unit", 3, (..., ..., ...), classes, "defaults"),
    (1, 5, "normal", 2, (True, True, False), classes, ""),
    (1, 48, "unit", 3, (False, True, False), classes, ""),
    (2, 3, "normal", 3, (True, True, True), classes, ""),
    (2, 16, "unit", 2, (True, False, False), classes, ""),
    (2, 5, "normal", 2, (False, False, True), probabilities, "as-many-rows-as-classes"),
    (3, 1, "normal", 2, (True, True, True), classes, ""),
    (3, 24, "normal", 5, (True, False, True), classes, ""),
    (5, 7, "normal", 4, (True, True, False), classes, ""),
    (5, 7, "normal", 4, (True, False, False), classes, ""),
    (5, 7, "normal", 4, (False, True, False), classes, ""),
    (5, 7, "normal", 4, (False, False, True), classes, ""),
    (5, 7, "normal", 4, (True, False, True), classes, ""),
    (5, 7, "normal", 4, (False, True, True), classes, ""),
    (5, 7, "normal", 4, (True, True, True), classes, ""),
    (8, 6, "normal", 3, (True, True, False), probabilities, "probabilities"),
    (8, 6, "unit", 3, (False, True, True), probabilities, "probabilities"),
    (8, 4, "normal", 3, (True, True, False), some_ignored, "some-ignored"),
    (17, 3, "unit", 4, (True, True, True), some_ignored, "some-ignored"),
    (8, 5, "tight", 3, (True, True, False), classes, ""),
    (8, 5, "clusters", 3, (False, True, True), classes, ""),
    (8, 4, "large", 3, (True, True, False), classes, ""),
    (8, 4, "large", 3, (True, False, True), probabilities, "probabilities"),
    (8, 4, "small", 3, (True, True, True), classes, ""),
    (8, 4, "copies", 3, (True, True, False), classes, "anchor-is-other"),
    (8, 4, "duplicates", 2, (..., ..., True), classes, ""),
    (8, 8, "orthogonal", 3, (True, True, True), classes, ""),
    (5, 4, "normal", 1, (..., ..., ...), classes, "one-class"),
    (17, 12, "unit", 5, (True, False, ...), classes, ""),
    (33, 4, "normal", 3, (True, True, False), classes, ""),
    (33, 6, "unit", 2, (False, ..., True), probabilities, "probabilities"),
    (64, 2, "normal", 5, (True, True, False), classes, ""),
    (64, 3, "unit", 3, (True, True, True), probabilities, "probabilities"),
]


def softmax() -> list[Case]:
    cases = []
    for rows, dim, regime, count, flags, labels, purpose in CLASSIFICATION:
        names = ("concatenation_sent_rep", "concatenation_sent_difference", "concatenation_sent_multiplication")
        chosen = [default if flag is ... else flag for flag, default in zip(flags, (True, True, False))]
        vectors = sum(width for width, flag in zip((2, 1, 1), chosen) if flag)
        cases.append(
            Case(
                "SoftmaxLoss",
                rows,
                dim,
                regime,
                options(num_labels=count, **dict(zip(names, flags))),
                columns=2,
                labels=labels(count),
                weights=linear("classifier", count, vectors * dim),
                purpose=purpose,
                flat=purpose == "one-class",
            )
        )
    return cases


CASES = {"distill_kl_div": distill_kl_div(), "embed_distill": embed_distill(), "margin_mse": margin_mse(), "mse": mse(), "softmax": softmax()}
