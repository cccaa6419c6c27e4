"""Answers of the library that were noted down independently: the calling path must reproduce them first."""

import torch

from reference import Problem, evaluate

LABELLED = [[0.9, 1.7, 0.4], [0.6, 0.8, -1.1], [-0.7, 0.3, 1.6], [0.2, -1.3, 0.75], [1.4, 0.35, 0.1]]
A = [[1.1, 1.9, 0.3], [0.5, 1.2, 1.7], [0.4, 1.0, 1.3]]
B = [[0.8, 1.5, 0.7], [0.9, 0.6, 1.4], [0.3, 1.6, 0.9]]
C = [[0.7, 1.1, 0.95], [0.55, 1.8, 0.2], [1.0, 0.45, 1.25]]
CLASSES = [0, 0, 1, 1, 2]
TEACHER_SCORES = [[0.5, 1.0], [1.0, 0.0], [2.0, -1.0]]
COSINE, EUCLIDEAN, MANHATTAN = ({"distance_metric": name} for name in ("cosine", "euclidean", "manhattan"))
ALL_DIRECTIONS = ["query_to_doc", "query_to_query", "doc_to_query", "doc_to_doc"]
SOFTMAX_WEIGHTS = {
    "classifier.weight": [[(9 * i + j) / 10 - 0.8 for j in range(9)] for i in range(2)],
    "classifier.bias": [0.1, -0.1],
}

# loss, config, columns, labels, params, then value and gradient norm of each column
KNOWN = [
    ("BatchAllTripletLoss", {}, [LABELLED], CLASSES, None, 4.355775, [1.016092]),
    ("BatchAllTripletLoss", {**COSINE, "margin": 0.5}, [LABELLED], CLASSES, None, 0.378089, [0.739155]),
    ("BatchHardTripletLoss", {"margin": 0.5}, [LABELLED], CLASSES, None, 0.406345, [0.846591]),
    ("BatchHardTripletLoss", COSINE, [LABELLED], CLASSES, None, 4.881548, [0.566623]),
    ("BatchHardSoftMarginTripletLoss", {}, [LABELLED], CLASSES, None, 0.607797, [0.429861]),
    ("BatchSemiHardTripletLoss", {}, [LABELLED], CLASSES, None, 4.436162, [1.297027]),
    ("BatchSemiHardTripletLoss", {"margin": 0.5}, [LABELLED], CLASSES, None, 0.115853, [0.825056]),
    ("ContrastiveLoss", {}, [A, B], [1, 0, 1], None, 0.033155, [0.024517, 0.029245]),
    ("ContrastiveLoss", {**EUCLIDEAN, "margin": 3.0}, [A, B], [1, 0, 1], None, 0.977308, [0.807179] * 2),
    ("ContrastiveLoss", {**MANHATTAN, "margin": 3.0}, [A, B], [1, 0, 1], None, 0.885, [1.330414] * 2),
    ("OnlineContrastiveLoss", {"margin": 3.0}, [A, B], [1, 0, 1], None, 8.635917, [0.955209, 1.155093]),
    ("AnglELoss", {}, [A, B], [1.0, 0.3, 0.6], None, 6.551248, [9.285404, 9.736296]),
    ("AnglELoss", {}, [A, B, C], None, None, 6.743772, [10.741034, 7.163792, 6.421568]),
    ("CosineSimilarityLoss", {}, [A, B], [1.0, 0.3, 0.6], None, 0.170077, [0.084992, 0.094890]),
    ("CoSENTLoss", {}, [A, B], [1.0, 0.3, 0.6], None, 1.211641, [2.454338, 2.745885]),
    ("MarginMSELoss", {}, [A, B, C], [0.5, 1.0, -1.0], None, 0.713292, [1.341068, 1.681996, 1.681996]),
    ("MarginMSELoss", {}, [A, B, C], TEACHER_SCORES, None, 2.803292, [2.446950, 3.496690, 3.496690]),
    ("DistillKLDivLoss", {}, [A, B, C], [[2.0, 1], [0, 1], [1, 1]], None, 0.129640, [0.244815, 0.303653, 0.303653]),
    (
        "DistillKLDivLoss",
        {"temperature": 2.0},
        [A, B, C], [[2.0, 1], [0, 1], [1, 1]], None, 0.137364, [0.256630, 0.318658, 0.318658],
    ),
    ("EmbedDistillLoss", {"distance_metric": "l2"}, [A, B], C, None, 1.190577, [0.288675, 0.288675]),
    ("EmbedDistillLoss", COSINE, [A, B], C, None, 0.222774, [0.081652, 0.103993]),
    ("GlobalOrthogonalRegularizationLoss", {}, [A, B], None, None, 1.038381, [0.415099, 0.484779]),
    ("MSELoss", {}, [A, B], C, None, 0.537222, [0.235702, 0.252640]),
    ("MegaBatchMarginLoss", {}, [A, B], None, None, 0.606084, [0.120872, 0.107721]),
    ("MultipleNegativesRankingLoss", {}, [A, B, C], None, None, 1.279109, [1.791551, 1.410799, 0.991392]),
    (
        "MultipleNegativesRankingLoss",
        {"directions": ["query_to_doc", "doc_to_query"], "partition_mode": "per_direction"},
        [A, B, C], None, None, 0.918961, [1.675619, 1.061577, 0.495696],
    ),
    (
        "MultipleNegativesRankingLoss",
        {"directions": ALL_DIRECTIONS},
        [A, B, C], None, None, 2.341381, [1.839976, 1.796871, 0.488330],
    ),
    (
        "MultipleNegativesRankingLoss",
        {"hardness_mode": "all_negatives", "hardness_strength": 9.0},
        [A, B, C], None, None, 9.399787, [2.336690, 1.889391, 1.651652],
    ),
    ("TripletLoss", {}, [A, B, C], None, None, 4.537294, [0.752383, 0.577350, 0.577350]),
    ("TripletLoss", COSINE, [A, B, C], None, None, 4.873819, [0.212485, 0.106437, 0.187225]),
    ("SoftmaxLoss", {"num_labels": 2}, [A, B], [0, 1, 1], SOFTMAX_WEIGHTS, 2.155360, [0.847207, 0.599066]),
]


def check() -> None:
    for loss, config, columns, labels, params, value, norms in KNOWN:
        problem = Problem(
            loss,
            config,
            [torch.tensor(column) for column in columns],
            None if labels is None else torch.tensor(labels),
            params and {name: torch.tensor(weight) for name, weight in params.items()},
        )
        for dtype in (torch.float32, torch.float64):
            answer = evaluate(problem, dtype)
            found = torch.tensor([answer.loss, *(gradient.norm().item() for gradient in answer.gradients)])
            gap = (found - torch.tensor([value, *norms])).abs().max().item()
            if gap > 1e-5:
                raise SystemExit(f"{loss} {config} in {dtype}: {found.tolist()} instead of {[value, *norms]}")
