"""Losses around other losses: of the first dimensions, and of earlier layers."""

from case import Case, options
from inputs import classes, cycle, in_turn, neighbours, normal_scores, scores

MNRL = ("MultipleNegativesRankingLoss", {}, 2, None)
BOTH_WAYS = {"directions": ["query_to_doc", "doc_to_query"], "partition_mode": "per_direction"}
SYMMETRIC = ("MultipleNegativesRankingLoss", {**BOTH_WAYS, "scale": 10.0}, 2, None)
DOTS = ("MultipleNegativesRankingLoss", {"similarity_fct": "dot_score", "scale": 5.0}, 4, None)
COSENT = ("CoSENTLoss", {}, 2, scores(0.0, 1.0))
SCORED = ("CosineSimilarityLoss", {}, 2, scores(-1.0, 1.0))
TRIPLET = ("TripletLoss", {"triplet_margin": 0.7}, 3, None)
BY_ANGLE = ("TripletLoss", {"distance_metric": "cosine", "triplet_margin": 0.5}, 3, None)
MARGINS = ("MarginMSELoss", {}, 4, normal_scores(2))
CONTRASTIVE = ("ContrastiveLoss", {"margin": 1.2}, 2, cycle(1, 0, 0))
ALL = ("BatchAllTripletLoss", {"margin": 0.4}, 1, in_turn(3))
HARD = ("BatchHardTripletLoss", {"distance_metric": "cosine", "margin": 0.4}, 1, neighbours)
SOFT = ("BatchHardSoftMarginTripletLoss", {}, 1, classes(3))
TEACHER = "a teacher as wide as the embeddings"

# rows, dim, regime, loss inside (name, options, columns, labels), dims, weights, dims per step, purpose
WRAPPED = [
    (8, 7, "related", MNRL, [7, 4, 2], ..., ..., "defaults"),
    (5, 6, "normal", MNRL, [2, 6, 4], [2.0, 0.5, 1.0], -1, "any-order"),
    (3, 24, "unit", MNRL, [12], ..., ..., "without-the-full-width"),
    (1, 5, "normal", DOTS, [5, 3], None, 0, ""),
    (17, 8, "large", DOTS, [8, 2, 1], ..., ..., ""),
    (5, 6, "small", SYMMETRIC, [6, 3], [1.0, -0.5], ..., "negative-weight"),
    (8, 5, "copies", SYMMETRIC, [5, 4, 3, 2], ..., 9, ""),
    (5, 6, "unit", MNRL, [3, 3, 6], [1.0, 0.25, 1.0], ..., "the-same-twice"),
    (8, 6, "normal", COSENT, [6, 3, 2], ..., ..., ""),
    (17, 5, "related", COSENT, [4, 2], [0.3, 3.0], ..., ""),
    (8, 16, "normal", SCORED, [16, 8, 4], ..., ..., ""),
    (5, 4, "tight", SCORED, [4, 2], ..., ..., ""),
    (8, 6, "normal", TRIPLET, [6, 4, 2], ..., ..., ""),
    (5, 8, "large", TRIPLET, [8, 5], [0.5, 1.5], ..., ""),
    (8, 6, "unit", BY_ANGLE, [6, 3, 1], ..., ..., ""),
    (8, 5, "normal", MARGINS, [5, 3, 1], ..., ..., ""),
    (8, 6, "normal", CONTRASTIVE, [6, 4, 2], ..., ..., ""),
    (8, 8, "unit", ("MSELoss", {}, 1, TEACHER), [8, 4, 2], ..., ..., "teacher"),
    (5, 6, "large", ("MSELoss", {}, 2, TEACHER), [3, 6], [4.0, 0.25], ..., "teacher"),
    (9, 6, "normal", ALL, [6, 4, 2], ..., ..., ""),
    (12, 8, "unit", ALL, [8, 3], [1.0, 2.0], ..., ""),
    (8, 6, "normal", HARD, [6, 4, 3], ..., ..., ""),
    (9, 5, "unit", SOFT, [5, 3], ..., ..., ""),
    (33, 4, "unit", MNRL, [4, 3, 2], ..., ..., ""),
]


def matryoshka() -> list[Case]:
    cases = []
    for rows, dim, regime, (inner, config, columns, labels), dims, weights, per_step, purpose in WRAPPED:
        settings = {"inner": {"loss": inner, "config": config}, "matryoshka_dims": dims}
        settings |= options(matryoshka_weights=weights, n_dims_per_step=per_step)
        labels = normal_scores(dim) if labels is TEACHER else labels
        cases.append(Case("MatryoshkaLoss", rows, dim, regime, settings, columns, labels, purpose=purpose))
    return cases


# rows, dim, layers, regime, loss inside, options, purpose
LAYERED = [
    (8, 7, 3, "related", MNRL, {}, "defaults"),
    (5, 6, 4, "normal", MNRL, {"n_layers_per_step": -1}, "all-layers"),
    (5, 6, 5, "normal", MNRL, {"n_layers_per_step": 2}, "two-layers"),
    (3, 4, 2, "unit", MNRL, {"n_layers_per_step": 7}, "one-earlier-layer"),
    (1, 5, 3, "normal", DOTS, {"kl_temperature": 1.0}, ""),
    (17, 5, 3, "unit", DOTS, {"layer_weighting": "log", "n_layers_per_step": 0}, ""),
    (5, 6, 4, "unit", SYMMETRIC, {"layer_weighting": "linear", "n_layers_per_step": -1}, ""),
    (8, 6, 3, "normal", COSENT, {"kl_div_weight": 0.25, "kl_temperature": 2.0}, ""),
    (8, 6, 3, "normal", COSENT, {"kl_temperature": 0.0}, "without-divergence"),
    (8, 6, 3, "small", SCORED, {"last_layer_weight": 0.5, "prior_layers_weight": 2.0}, ""),
    (5, 4, 3, "unit", SCORED, {"kl_div_weight": 0.0}, ""),
    (8, 6, 4, "normal", TRIPLET, {"n_layers_per_step": 3, "layer_weighting": "log"}, ""),
    (8, 6, 3, "unit", BY_ANGLE, {"n_layers_per_step": 2, "layer_weighting": "linear"}, ""),
    (8, 5, 3, "normal", MARGINS, {"kl_temperature": 0.7}, ""),
    (8, 5, 3, "normal", CONTRASTIVE, {"kl_div_weight": -0.5}, "negative-weight"),
    (8, 6, 3, "unit", ("MSELoss", {}, 1, TEACHER), {"n_layers_per_step": -1}, "teacher"),
    (9, 6, 3, "normal", ALL, {"layer_weighting": "log"}, ""),
    (8, 6, 4, "normal", HARD, {"n_layers_per_step": 2}, ""),
    (9, 5, 3, "unit", SOFT, {"n_layers_per_step": -1}, ""),
    (5, 6, 3, "tight", SCORED, {"n_layers_per_step": -1}, ""),
    (8, 8, 3, "large", MNRL, {"kl_temperature": 30.0}, ""),
    (33, 4, 3, "unit", MNRL, {"n_layers_per_step": -1}, ""),
]


def around(loss: str, rows, dim, layers, regime, inside, settings, purpose) -> Case:
    inner, config, columns, labels = inside
    settings = {"inner": {"loss": inner, "config": config}, **settings}
    labels = normal_scores(dim) if labels is TEACHER else labels
    return Case(loss, rows, dim, regime, settings, columns, labels, layers=layers, purpose=purpose)


def adaptive_layer() -> list[Case]:
    return [around("AdaptiveLayerLoss", *row) for row in LAYERED]


def matryoshka_2d() -> list[Case]:
    """All dimensions or one: `sampled_dims` says which."""
    cases = []
    for number, (rows, dim, layers, regime, inside, settings, purpose) in enumerate(LAYERED):
        dims = [dim, max(dim // 2, 1), max(dim // 3, 1)]
        settings = {"matryoshka_dims": sorted(set(dims)), **settings}
        settings |= [{}, {"n_dims_per_step": -1}, {"n_dims_per_step": 2}][number % 3]
        cases.append(around("Matryoshka2dLoss", rows, dim, layers, regime, inside, settings, purpose))
    return cases


CASES = {"adaptive_layer": adaptive_layer(), "matryoshka": matryoshka(), "matryoshka_2d": matryoshka_2d()}
