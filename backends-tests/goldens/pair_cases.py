"""Losses that compare row i with row i: AnglE, contrastive, CoSENT, online contrastive, cosine similarity, triplet."""

from case import Case, options
from inputs import classes, cycle, scores

BINARY = classes(2)

# rows, dim, regime, labels, distance, margin, purpose; both contrastive losses run over it
CONTRASTIVE = [
    (8, 7, "related", cycle(1, 0), ..., ..., "defaults"),
    (2, 48, "unit", cycle(0, 1), "cosine", 2.0, ""),
    (3, 2, "normal", cycle(0, 1), "cosine", 1.5, ""),
    (3, 1, "normal", cycle(0, 1), "manhattan", 2.0, ""),
    (5, 7, "normal", cycle(1), "cosine", ..., "only-positives"),
    (5, 7, "normal", cycle(1), "euclidean", 1.0, "only-positives"),
    (8, 4, "normal", cycle(0), "cosine", 1.5, "only-negatives"),
    (5, 3, "normal", cycle(0), "euclidean", 6.0, "only-negatives"),
    (5, 3, "normal", cycle(0), "manhattan", 9.0, "only-negatives"),
    (8, 5, "tight", cycle(1, 0), "euclidean", 0.5, ""),
    (8, 5, "tight", cycle(0, 1), "manhattan", ..., ""),
    (17, 6, "tight", BINARY, "cosine", 0.5, ""),
    (8, 6, "clusters", cycle(1, 1, 0, 0), "euclidean", 0.7, ""),
    (17, 12, "clusters", BINARY, "manhattan", 0.1, ""),
    (8, 4, "large", cycle(1, 0), "cosine", 1.2, ""),
    (8, 4, "large", cycle(1, 0), "euclidean", 60.0, ""),
    (5, 24, "large", cycle(0, 1), "manhattan", 500.0, ""),
    (8, 4, "small", cycle(1, 0), "cosine", 1.2, ""),
    (8, 4, "small", cycle(1, 0), "euclidean", ..., ""),
    (5, 16, "small", cycle(1, 0), "manhattan", 0.2, ""),
    (8, 4, "copies", cycle(1, 0), "cosine", 1.0, "anchor-is-other"),
    (8, 4, "copies", cycle(0, 1), "euclidean", 3.0, "anchor-is-other"),
    (8, 3, "copies", cycle(0, 1), "manhattan", 3.0, "anchor-is-other"),
    (8, 3, "duplicates", BINARY, "euclidean", 2.0, ""),
    (8, 8, "orthogonal", cycle(1, 0, 0), "cosine", 2.0, ""),
    (6, 4, "normal", cycle(1.0, 0.0), "euclidean", 4.0, "float-labels"),
    (8, 5, "normal", cycle(1.0, 0.0, 0.3, 0.75, 1.0, 0.0), "cosine", 1.5, "soft-labels"),
    (5, 5, "normal", cycle(1, 0, 5, -1), "euclidean", 4.0, "labels-outside"),
    (17, 16, "normal", BINARY, "euclidean", 6.0, ""),
    (33, 8, "related", BINARY, "manhattan", 2.0, ""),
    (33, 3, "unit", BINARY, "cosine", 1.0, ""),
    (64, 2, "normal", BINARY, "euclidean", 1.5, ""),
    (64, 3, "unit", BINARY, "cosine", ..., ""),
]


def contrastive() -> list[Case]:
    cases = [
        ("ContrastiveLoss", rows, dim, regime, options(distance_metric=distance, margin=margin, size_average=average))
        + (labels, purpose, False)
        for number, (rows, dim, regime, labels, distance, margin, purpose) in enumerate(CONTRASTIVE)
        for average in [(..., False, True)[number % 3]]
    ]
    cases += [
        ("ContrastiveLoss", 1, 5, "normal", {"distance_metric": "euclidean"}, cycle(1), "one-pair", False),
        ("ContrastiveLoss", 1, 3, "unit", {"margin": 2.5, "size_average": False}, cycle(0), "one-pair", False),
        ("ContrastiveLoss", 1, 3, "unit", {"margin": 2.5}, cycle(0.3), "soft-labels", False),
        ("ContrastiveLoss", 5, 3, "large", {"distance_metric": "euclidean"}, cycle(0), "only-easy-negatives", True),
    ]
    return [two_columns(*case) for case in cases]


def online_contrastive() -> list[Case]:
    cases = [
        ("OnlineContrastiveLoss", rows, dim, regime, options(distance_metric=distance, margin=margin), labels, purpose)
        + (purpose == "all-distances-equal",)
        for rows, dim, regime, labels, distance, margin, purpose in CONTRASTIVE
        if regime != "orthogonal"
    ]
    cases += [
        ("OnlineContrastiveLoss", 1, 5, "normal", {"distance_metric": "euclidean"}, cycle(1), "one-pair", True),
        ("OnlineContrastiveLoss", 1, 3, "unit", {}, cycle(0), "one-pair", True),
        ("OnlineContrastiveLoss", 8, 8, "orthogonal", {"margin": 2.0}, cycle(1, 0, 0), "all-distances-equal", True),
        ("OnlineContrastiveLoss", 5, 4, "normal", {}, cycle(0.3, 0.75), "only-soft-labels", True),
    ]
    return [two_columns(*case) for case in cases]


def two_columns(loss, rows, dim, regime, config, labels, purpose, flat) -> Case:
    return Case(loss, rows, dim, regime, config, columns=2, labels=labels, purpose=purpose, flat=flat)


# rows, dim, regime, compared by, transformation, labels, purpose
SIMILARITY = [
    (8, 7, "related", ..., ..., scores(0, 1), "defaults"),
    (1, 5, "normal", ..., ..., scores(0, 1), ""),
    (1, 48, "unit", "L1Loss", "Tanh", scores(0, 1), ""),
    (2, 3, "normal", "HuberLoss", "Identity", scores(-5, 5), "labels-far-out"),
    (2, 16, "unit", "BCEWithLogitsLoss", ..., scores(0, 1), ""),
    (3, 2, "unit", "BCELoss", "Sigmoid", scores(0, 1), ""),
    (3, 1, "normal", "MSELoss", "Identity", scores(0, 1), "one-dimension"),
    (3, 24, "normal", "MSELoss", "Sigmoid", scores(0, 1), ""),
    (5, 7, "normal", "MSELoss", "Tanh", scores(-1, 1), ""),
    (5, 40, "related", "MSELoss", "ReLU", scores(0, 1), ""),
    (5, 6, "large", "L1Loss", "Identity", scores(-1, 1), ""),
    (8, 6, "large", "BCEWithLogitsLoss", "Identity", scores(0, 1), ""),
    (8, 4, "small", "MSELoss", ..., scores(-1, 1), ""),
    (8, 4, "small", "HuberLoss", "Tanh", scores(-3, 3), ""),
    (8, 5, "tight", "MSELoss", "Identity", scores(0, 1), ""),
    (8, 5, "tight", "BCELoss", "Sigmoid", scores(0, 1), ""),
    (8, 5, "clusters", "L1Loss", "Sigmoid", scores(0, 1), ""),
    (8, 4, "copies", "MSELoss", "Identity", scores(0, 1), "anchor-is-other"),
    (8, 4, "copies", "L1Loss", "Identity", scores(-1, 1), "anchor-is-other"),
    (8, 4, "duplicates", "HuberLoss", ..., scores(-1, 1), ""),
    (8, 8, "orthogonal", "MSELoss", "Identity", scores(-1, 1), ""),
    (8, 8, "orthogonal", "MSELoss", "Sigmoid", scores(0, 1), ""),
    (8, 8, "orthogonal", "MSELoss", "ReLU", scores(0, 1), "relu-at-zero"),
    (17, 16, "unit", "L1Loss", "ReLU", scores(0, 1), ""),
    (17, 5, "normal", "BCEWithLogitsLoss", "Tanh", scores(0, 1), ""),
    (17, 12, "normal", ..., "Sigmoid", scores(0, 1), ""),
    (17, 6, "normal", "HuberLoss", "ReLU", scores(0, 3), ""),
    (33, 8, "normal", "BCELoss", "Sigmoid", cycle(0.0, 1.0), "labels-zero-and-one"),
    (33, 3, "unit", "MSELoss", "Tanh", scores(-1, 1), ""),
    (33, 4, "normal", "HuberLoss", "Sigmoid", cycle(0, 1), "integer-labels"),
    (64, 2, "normal", "MSELoss", "Identity", scores(-1, 1), ""),
    (64, 4, "related", "BCEWithLogitsLoss", "ReLU", scores(0, 1), ""),
]
FLAT_SIMILARITY = {"one-dimension", "relu-at-zero"}


def cosine_similarity() -> list[Case]:
    return [
        Case(
            "CosineSimilarityLoss",
            rows,
            dim,
            regime,
            options(loss_fct=loss_fct, cos_score_transformation=transformation),
            columns=2,
            labels=labels,
            purpose=purpose,
            flat=purpose in FLAT_SIMILARITY,
        )
        for rows, dim, regime, loss_fct, transformation, labels, purpose in SIMILARITY
    ]


# rows, dim, regime, distance, margin, purpose
TRIPLET = [
    (8, 7, "related", ..., ..., "defaults"),
    (1, 5, "normal", "euclidean", 5.0, ""),
    (1, 48, "unit", "cosine", 2.5, ""),
    (2, 2, "normal", "manhattan", 5.0, ""),
    (2, 16, "unit", "euclidean", 1.0, ""),
    (3, 1, "normal", "euclidean", 4.0, ""),
    (3, 24, "normal", "cosine", ..., ""),
    (3, 3, "normal", "manhattan", ..., ""),
    (5, 7, "normal", "cosine", 0.2, ""),
    (5, 40, "normal", "euclidean", 1.0, ""),
    (8, 2, "unit", "manhattan", 0.5, ""),
    (8, 5, "tight", "euclidean", 0.5, ""),
    (8, 5, "tight", "euclidean", 0.0, "margin-zero"),
    (8, 5, "tight", "cosine", 0.1, ""),
    (17, 6, "tight", "manhattan", 0.001, ""),
    (8, 6, "clusters", "euclidean", 2.0, ""),
    (8, 6, "clusters", "cosine", 2.5, ""),
    (8, 4, "large", "euclidean", ..., ""),
    (5, 24, "large", "manhattan", 10.0, ""),
    (8, 4, "large", "cosine", 0.5, ""),
    (8, 4, "small", "euclidean", 0.01, ""),
    (8, 4, "small", "cosine", 0.5, ""),
    (8, 4, "copies", "euclidean", ..., "anchor-is-other"),
    (8, 4, "copies", "manhattan", ..., "anchor-is-other"),
    (8, 4, "copies", "cosine", 2.5, "anchor-is-other"),
    (8, 4, "duplicates", "euclidean", 1.0, ""),
    (8, 8, "orthogonal", "euclidean", 0.5, "all-distances-equal"),
    (8, 5, "ties", "manhattan", 2.0, "hinge-at-zero"),
    (17, 16, "unit", "cosine", 0.1, ""),
    (17, 5, "normal", "euclidean", 0.0, "margin-zero"),
    (33, 3, "normal", "manhattan", 1.0, ""),
    (33, 8, "related", "cosine", 0.3, ""),
    (64, 2, "normal", "euclidean", 0.5, ""),
    (64, 3, "unit", "cosine", 0.0, "margin-zero"),
    (1, 3, "copies", "euclidean", 0.1, "easy-triplet"),
]


def triplet() -> list[Case]:
    return [
        Case(
            "TripletLoss",
            rows,
            dim,
            regime,
            options(distance_metric=distance, triplet_margin=margin),
            columns=3,
            purpose=purpose,
            flat=purpose == "easy-triplet",
        )
        for rows, dim, regime, distance, margin, purpose in TRIPLET
    ]


# rows, dim, regime, labels, similarity, scale, purpose
COSENT = [
    (8, 7, "related", scores(0.0, 1.0), ..., ..., "defaults"),
    (2, 48, "unit", cycle(0, 1), "cos_sim", 5.0, ""),
    (2, 5, "normal", cycle(1, 0), "cos_sim", 1.0, ""),
    (3, 1, "normal", cycle(0, 1, 2), "dot_score", 1.0, ""),
    (5, 7, "normal", cycle(0.2, 0.9, 0.2), "cos_sim", 20.0, "ties"),
    (5, 7, "normal", cycle(3), "cos_sim", 20.0, "equal-labels"),
    (1, 4, "normal", cycle(1), "cos_sim", ..., "one-pair"),
    (8, 5, "tight", scores(0.0, 1.0), "cos_sim", ..., ""),
    (8, 5, "tight", scores(0.0, 1.0), "euclidean_sim", 4.0, ""),
    (8, 6, "clusters", cycle(0, 1, 1, 0), "cos_sim", 3.0, ""),
    (8, 4, "large", cycle(2, 0, 1), "manhattan_sim", 0.01, ""),
    (8, 4, "small", scores(0.0, 1.0), "cos_sim", ..., ""),
    (8, 3, "duplicates", cycle(0, 1, 2), "cos_sim", 2.0, ""),
    (17, 16, "normal", scores(0.0, 5.0), "dot_score", 0.5, ""),
    (17, 6, "normal", scores(0.0, 1.0), "manhattan_sim", 1.0, ""),
    (33, 8, "related", cycle(-1, 0, 1), "euclidean_sim", 2.0, "negative-labels"),
    (64, 3, "unit", scores(0.0, 1.0), "cos_sim", ..., ""),
    (4, 9, "normal", cycle(0.9, 0.1), "cos_sim", 10.0, "two-scores"),
    (5, 24, "large", scores(0.0, 1.0), "cos_sim", 8.0, ""),
    (5, 16, "small", cycle(0, 1), "manhattan_sim", 30.0, ""),
    (8, 4, "copies", cycle(0, 1, 2), "dot_score", 1.0, "anchor-is-other"),
    (17, 12, "clusters", scores(-1.0, 1.0), "dot_score", 1.0, ""),
    (33, 5, "unit", cycle(0, 1, 2, 3, 4), "cos_sim", ..., "classes"),
    (64, 2, "normal", scores(0.0, 1.0), "euclidean_sim", 1.0, ""),
]


def cosent() -> list[Case]:
    return [
        two_columns(
            "CoSENTLoss",
            rows,
            dim,
            regime,
            options(similarity_fct=similarity, scale=scale),
            labels,
            purpose,
            purpose in ("equal-labels", "one-pair"),
        )
        for rows, dim, regime, labels, similarity, scale, purpose in COSENT
    ]


# rows, dim, columns, regime, labels, scale, purpose
ANGLE = [
    (8, 6, 2, "related", scores(0.0, 1.0), ..., "defaults"),
    (2, 48, 2, "unit", cycle(0, 1), 5.0, ""),
    (2, 5, 2, "normal", cycle(1, 0), 1.0, "odd-dimension"),
    (3, 1, 2, "normal", cycle(0, 1, 2), 1.0, "one-dimension"),
    (5, 7, 2, "normal", cycle(0.25, 0.75, 0.25), 20.0, "equal-labels"),
    (5, 6, 2, "normal", cycle(3), 20.0, "one-label"),
    (1, 4, 2, "normal", cycle(1), ..., "one-pair"),
    (8, 4, 2, "tight", scores(0.0, 1.0), ..., ""),
    (8, 6, 2, "clusters", cycle(0, 1, 1, 0), 3.0, ""),
    (8, 4, 2, "large", cycle(2, 0, 1), ..., ""),
    (8, 4, 2, "small", scores(0.0, 1.0), ..., ""),
    (8, 3, 2, "duplicates", cycle(0, 1, 2), 2.0, ""),
    (8, 4, 2, "copies", cycle(0, 1, 2), 4.0, "anchor-is-other"),
    (17, 16, 2, "normal", scores(0.0, 5.0), 10.0, ""),
    (33, 8, 2, "related", cycle(-1, 0, 1), ..., "negative-labels"),
    (64, 3, 2, "unit", scores(0.0, 1.0), ..., ""),
    (1, 6, 3, "normal", None, 2.0, "one-triplet"),
    (3, 7, 3, "normal", None, ..., "no-labels"),
    (8, 8, 3, "related", None, ..., "no-labels"),
    (5, 6, 4, "unit", None, 5.0, "no-labels"),
    (8, 4, 3, "related", cycle(1, 0), ..., "labels"),
    (5, 6, 4, "normal", cycle(1.0, 0.75, 0.5), ..., "labels"),
    (8, 5, 3, "tight", cycle(1.0, 0.25), ..., "labels"),
    (17, 6, 5, "clusters", cycle(0.0, 0.5, 1.0), 2.0, "labels"),
    (33, 4, 3, "duplicates", None, 10.0, "no-labels"),
    (4, 6, 3, "normal", cycle(0.5), ..., "one-label"),
]
FLAT_ANGLE = {"one-dimension", "one-label", "one-pair"}


def angle() -> list[Case]:
    return [
        Case(
            "AnglELoss",
            rows,
            dim,
            regime,
            options(scale=scale),
            columns=columns,
            labels=labels,
            purpose=purpose,
            flat=purpose in FLAT_ANGLE,
        )
        for rows, dim, columns, regime, labels, scale, purpose in ANGLE
    ]


# rows, dim, regime, labels, purpose
TENSION = [
    (8, 7, "related", cycle(1, 0, 0, 0, 0, 0, 0, 0), "one-of-eight"),
    (1, 5, "normal", cycle(1), "one-pair"),
    (1, 48, "unit", cycle(0), "one-pair"),
    (2, 3, "normal", cycle(0, 1), ""),
    (2, 16, "unit", cycle(1.0, 0.0), "float-labels"),
    (3, 2, "normal", cycle(0, 1), ""),
    (3, 24, "normal", cycle(1), "only-positives"),
    (5, 7, "normal", cycle(0), "only-negatives"),
    (5, 1, "normal", cycle(1, 0), ""),
    (5, 40, "related", cycle(1, 0), ""),
    (8, 5, "tight", cycle(1, 0), ""),
    (8, 5, "clusters", cycle(0, 1, 1), ""),
    (8, 2, "large", cycle(1, 0), "certain"),
    (5, 6, "large", cycle(0), "certain"),
    (8, 4, "small", cycle(1, 0), ""),
    (8, 4, "copies", cycle(1, 0, 0), "anchor-is-other"),
    (8, 4, "duplicates", cycle(0, 1), ""),
    (8, 8, "orthogonal", cycle(1, 0), ""),
    (5, 6, "normal", cycle(0.25, 0.75), "soft-labels"),
    (17, 12, "normal", BINARY, ""),
    (33, 8, "related", BINARY, ""),
    (64, 3, "unit", BINARY, ""),
]


def contrastive_tension() -> list[Case]:
    return [
        two_columns("ContrastiveTensionLoss", rows, dim, regime, {}, labels, purpose, False)
        for rows, dim, regime, labels, purpose in TENSION
    ]


CASES = {
    "contrastive_tension": contrastive_tension(),
    "angle": angle(),
    "cosent": cosent(),
    "contrastive": contrastive(),
    "online_contrastive": online_contrastive(),
    "cosine_similarity": cosine_similarity(),
    "triplet": triplet(),
}
