"""Regularisers, which take embeddings and no labels."""

from case import Case, options

# rows, dim, columns, regime, similarity, weights (mean, second moment), aggregation, purpose
ORTHOGONAL = [
    (8, 7, 1, "related", ..., (..., ...), ..., "defaults"),
    (1, 5, 1, "normal", ..., (..., ...), ..., "one-row"),
    (2, 5, 2, "normal", "cos_sim", (1.0, 1.0), "mean", ""),
    (2, 1, 1, "normal", "dot_score", (1.0, 1.0), "mean", "one-dimension"),
    (3, 24, 3, "unit", "cos_sim", (1.0, 0.5), "sum", ""),
    (3, 24, 1, "unit", "cos_sim", (0.0, 2.0), "mean", "second-moment-only"),
    (4, 4, 2, "normal", "cos_sim", (None, 1.0), "mean", "second-moment-only"),
    (5, 7, 2, "normal", "cos_sim", (2.0, None), "mean", "mean-only"),
    (5, 40, 2, "related", "cos_sim", (1.0, 0.0), "sum", "mean-only"),
    (5, 3, 1, "normal", "dot_score", (..., ...), ..., ""),
    (8, 2, 2, "unit", "dot_score", (0.5, 0.1), "sum", ""),
    (8, 4, 1, "large", "cos_sim", (..., ...), ..., ""),
    (8, 4, 2, "large", "dot_score", (1e-4, 1e-4), "mean", ""),
    (8, 4, 1, "small", "cos_sim", (..., ...), ..., ""),
    (8, 4, 2, "small", "dot_score", (1e6, 1.0), "sum", "second-moment-below"),
    (8, 6, 2, "clusters", "cos_sim", (1.0, 1.0), "mean", ""),
    (8, 3, 1, "duplicates", "cos_sim", (-1.0, 0.5), "mean", "negative-weight"),
    (8, 4, 3, "copies", "dot_score", (..., ...), "sum", "columns-alike"),
    (17, 16, 2, "normal", "cos_sim", (..., ...), "mean", ""),
    (16, 17, 2, "normal", "cos_sim", (..., ...), "sum", "fewer-rows-than-dimensions"),
    (17, 5, 4, "related", "cos_sim", (0.1, 10.0), "mean", ""),
    (33, 8, 1, "unit", "dot_score", (..., ...), ..., ""),
    (33, 48, 1, "unit", "cos_sim", (..., ...), ..., "second-moment-below"),
    (64, 3, 2, "normal", "cos_sim", (..., ...), "sum", ""),
]


def global_orthogonal_regularization() -> list[Case]:
    return [
        Case(
            "GlobalOrthogonalRegularizationLoss",
            rows,
            dim,
            regime,
            options(
                similarity_fct=similarity,
                mean_weight=weights[0],
                second_moment_weight=weights[1],
                aggregation=aggregation,
            ),
            columns=columns,
            purpose=purpose,
            flat=purpose == "one-row",
        )
        for rows, dim, columns, regime, similarity, weights, aggregation, purpose in ORTHOGONAL
    ]


CASES = {"global_orthogonal_regularization": global_orthogonal_regularization()}
