"""The four triplet losses that mine one labelled column, over one table."""

from case import Case, options
from inputs import all_distinct, arbitrary_integers, classes, in_turn, neighbours, one_class, some_alone

ALL, HARD, SOFT, SEMI = (
    "BatchAllTripletLoss",
    "BatchHardTripletLoss",
    "BatchHardSoftMarginTripletLoss",
    "BatchSemiHardTripletLoss",
)

# Batches without a valid triplet: the losses for which the gradient is then zero.
WITHOUT_TRIPLETS = {
    "single-row": {ALL, HARD, SOFT, SEMI},
    "one-class": {ALL, HARD, SOFT},
    "all-distinct": {ALL, SEMI},
}

ABOUT_THE_MARGIN = {"margin-zero", "hinge-at-zero"}

# rows, dim, regime, labels, distance, margin (... is the default), purpose
TABLE = [
    (8, 7, "unit", neighbours, ..., ..., "defaults"),
    (1, 5, "normal", one_class, "euclidean", 1.0, "single-row"),
    (1, 48, "unit", one_class, "cosine", 0.5, "single-row"),
    (2, 3, "normal", one_class, "euclidean", 1.0, "one-class"),
    (2, 16, "unit", all_distinct, "cosine", 2.5, "all-distinct"),
    (2, 7, "normal", all_distinct, "euclidean", 20.0, "all-distinct"),
    (3, 2, "normal", neighbours, "squared_euclidean", 20.0, ""),
    (3, 24, "unit", neighbours, "cosine", 0.6, ""),
    (5, 1, "normal", in_turn(2), "euclidean", 0.4, ""),
    (5, 40, "normal", in_turn(2), "euclidean", 1.0, ""),
    (5, 3, "tight", in_turn(2), "squared_euclidean", 0.5, ""),
    (5, 4, "normal", arbitrary_integers, "cosine", 1.0, "arbitrary-labels"),
    (8, 2, "unit", in_turn(2), "cosine", 0.1, ""),
    (8, 7, "tight", in_turn(3), "euclidean", 1.0, ""),
    (8, 5, "clusters", neighbours, "euclidean", 0.5, "classes-across-clusters"),
    (8, 5, "clusters", in_turn(2), "cosine", 2.0, "classes-are-clusters"),
    (8, 6, "normal", one_class, "euclidean", ..., "one-class"),
    (8, 6, "normal", one_class, "cosine", 0.5, "one-class"),
    (8, 6, "unit", all_distinct, "euclidean", ..., "all-distinct"),
    (8, 4, "large", in_turn(3), "euclidean", ..., ""),
    (8, 4, "small", in_turn(3), "cosine", 0.3, ""),
    (8, 5, "small", in_turn(2), "squared_euclidean", 0.2, ""),
    (8, 6, "normal", in_turn(2), "squared_euclidean", ..., ""),
    (8, 4, "duplicates", neighbours, "euclidean", 0.5, "within-a-class"),
    (8, 4, "duplicates", in_turn(2), "euclidean", 0.5, "across-classes"),
    (8, 4, "duplicates", in_turn(2), "cosine", 0.5, "across-classes"),
    (5, 3, "duplicates", in_turn(2), "squared_euclidean", 0.0, "across-classes"),
    (8, 8, "orthogonal", neighbours, "euclidean", 0.5, "all-distances-equal"),
    (8, 5, "ties", in_turn(2), "squared_euclidean", 2.0, "ties-decided-by-index"),
    (8, 5, "ties", neighbours, "squared_euclidean", 2.0, "hinge-at-zero"),
    (17, 5, "normal", some_alone, "euclidean", 0.7, "some-without-positive"),
    (17, 16, "unit", classes(4), "cosine", 0.2, ""),
    (17, 3, "large", classes(3), "squared_euclidean", 100.0, ""),
    (17, 8, "normal", in_turn(5), "cosine", 0.3, ""),
    (33, 8, "clusters", classes(5), "euclidean", 0.2, ""),
    (33, 6, "normal", classes(7), "cosine", 0.25, ""),
    (33, 3, "unit", classes(5), "cosine", 0.0, "margin-zero"),
    (33, 4, "normal", classes(5), "euclidean", 0.0, "margin-zero"),
    (64, 2, "normal", classes(8), "squared_euclidean", 0.5, ""),
    (64, 4, "unit", classes(8), "euclidean", 0.2, ""),
    (64, 6, "tight", classes(8), "euclidean", 1.0, ""),
]


def mined(loss: str) -> list[Case]:
    return [
        Case(
            loss,
            rows,
            dim,
            regime,
            options(distance_metric=distance, margin=... if loss == SOFT else margin),
            labels=labels,
            purpose=purpose,
            flat=loss in WITHOUT_TRIPLETS.get(purpose, ()),
        )
        for rows, dim, regime, labels, distance, margin, purpose in TABLE
        if not (loss == SOFT and purpose in ABOUT_THE_MARGIN)
    ]


CASES = {
    "batch_all_triplet": mined(ALL),
    "batch_hard_triplet": mined(HARD),
    "batch_hard_soft_margin_triplet": mined(SOFT),
    "batch_semi_hard_triplet": mined(SEMI),
}
