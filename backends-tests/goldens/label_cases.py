"""Losses that compare all rows of a batch by their labels, of pytorch-metric-learning."""

from case import Case, options
from inputs import all_distinct, arbitrary_integers, classes, in_turn, neighbours, one_class, some_alone

# rows, dim, regime, labels, temperature, similarity, purpose
SUPERVISED = [
    (8, 7, "unit", classes(3), ..., ..., "defaults"),
    (3, 5, "normal", neighbours, ..., ..., "one-pair"),
    (4, 48, "unit", in_turn(2), 0.05, ..., ""),
    (5, 3, "normal", in_turn(2), 1.0, ..., ""),
    (6, 2, "unit", neighbours, 0.2, ..., ""),
    (6, 24, "normal", in_turn(3), 0.1, ..., ""),
    (8, 7, "normal", some_alone, ..., ..., "some-alone"),
    (6, 4, "normal", all_distinct, ..., ..., "all-alone"),
    (8, 4, "normal", arbitrary_integers, 0.5, ..., "arbitrary-labels"),
    (8, 40, "unit", classes(2), 0.07, ..., ""),
    (8, 5, "tight", in_turn(2), ..., ..., ""),
    (8, 5, "clusters", in_turn(2), ..., ..., ""),
    (8, 5, "clusters", neighbours, 0.5, ..., "labels-against-clusters"),
    (8, 4, "large", in_turn(3), ..., ..., ""),
    (8, 4, "small", in_turn(3), ..., ..., ""),
    (8, 4, "duplicates", in_turn(2), 0.3, ..., ""),
    (8, 8, "orthogonal", neighbours, ..., ..., ""),
    (8, 4, "normal", in_turn(2), 1.0, "dot_score", ""),
    (8, 4, "small", neighbours, 0.01, "dot_score", ""),
    (17, 12, "unit", classes(4), 0.5, "dot_score", ""),
    (17, 6, "normal", classes(5), 0.1, ..., ""),
    (33, 8, "unit", classes(6), 0.05, ..., ""),
    (64, 3, "normal", classes(8), 0.2, ..., ""),
    (64, 16, "unit", in_turn(16), ..., ..., ""),
]


def sup_con() -> list[Case]:
    return [
        Case(
            "SupConLoss",
            rows,
            dim,
            regime,
            options(temperature=temperature, similarity=similarity),
            labels=labels,
            purpose=purpose,
            flat=purpose == "all-alone",
        )
        for rows, dim, regime, labels, temperature, similarity, purpose in SUPERVISED
    ]


# rows, dim, regime, labels, alpha, beta, base, epsilon, similarity, purpose
MULTI_SIMILARITY = [
    (8, 7, "unit", classes(3), ..., ..., ..., ..., ..., "defaults"),
    (8, 7, "unit", classes(3), ..., ..., ..., 0.1, ..., "mined"),
    (3, 5, "normal", neighbours, ..., ..., ..., ..., ..., "one-pair"),
    (4, 48, "unit", in_turn(2), 1.0, 20.0, ..., ..., ..., ""),
    (5, 3, "normal", in_turn(2), 5.0, 5.0, 0.0, ..., ..., ""),
    (5, 3, "normal", in_turn(2), 5.0, 5.0, 0.0, 0.0, ..., "mined"),
    (6, 24, "normal", in_turn(3), ..., ..., -0.2, ..., ..., ""),
    (8, 7, "normal", some_alone, ..., 10.0, ..., ..., ..., "some-alone"),
    (8, 7, "normal", some_alone, ..., 10.0, ..., 0.2, ..., "some-alone-mined"),
    (6, 4, "normal", all_distinct, ..., 10.0, 0.2, ..., ..., "all-alone"),
    (6, 4, "normal", all_distinct, ..., 10.0, 0.2, 0.1, ..., "all-alone-mined"),
    (6, 4, "normal", one_class, ..., ..., ..., ..., ..., "one-class"),
    (6, 4, "normal", one_class, ..., ..., ..., 0.1, ..., "one-class-mined"),
    (8, 4, "normal", arbitrary_integers, ..., 10.0, ..., ..., ..., "arbitrary-labels"),
    (8, 5, "tight", in_turn(2), ..., ..., ..., ..., ..., ""),
    (8, 5, "tight", in_turn(2), ..., ..., 0.9, 0.1, ..., "mined"),
    (8, 5, "clusters", in_turn(2), ..., ..., ..., ..., ..., ""),
    (8, 5, "clusters", in_turn(2), ..., ..., ..., -2.0, ..., "nothing-mined"),
    (8, 5, "clusters", neighbours, ..., ..., ..., 0.1, ..., "labels-against-clusters"),
    (8, 4, "large", in_turn(3), ..., ..., ..., ..., ..., ""),
    (8, 4, "small", in_turn(3), ..., ..., ..., 0.3, ..., ""),
    (8, 4, "duplicates", in_turn(2), ..., 10.0, ..., 0.1, ..., ""),
    (8, 8, "orthogonal", neighbours, ..., ..., ..., ..., ..., ""),
    (8, 4, "normal", in_turn(2), 0.5, 3.0, ..., ..., "dot_score", ""),
    (8, 4, "normal", in_turn(2), 0.5, 3.0, 0.0, 0.5, "dot_score", "mined"),
    (8, 4, "small", neighbours, 40.0, 90.0, 0.0, 0.00001, "dot_score", ""),
    (17, 12, "unit", classes(4), ..., ..., ..., 0.1, "dot_score", ""),
    (33, 8, "unit", classes(6), ..., ..., ..., 0.05, ..., ""),
    (64, 3, "normal", classes(8), 4.0, 12.0, 0.7, ..., ..., ""),
    (64, 16, "unit", in_turn(16), ..., ..., ..., 0.1, ..., ""),
]


def multi_similarity() -> list[Case]:
    return [
        Case(
            "MultiSimilarityLoss",
            rows,
            dim,
            regime,
            options(alpha=alpha, beta=beta, base=base, epsilon=epsilon, similarity=similarity),
            labels=labels,
            purpose=purpose,
            flat=purpose in ("all-alone-mined", "one-class-mined", "nothing-mined"),
        )
        for rows, dim, regime, labels, alpha, beta, base, epsilon, similarity, purpose in MULTI_SIMILARITY
    ]


# rows, dim, regime, labels, m, gamma, purpose
CIRCLE = [
    (8, 7, "unit", classes(3), ..., ..., "defaults"),
    (3, 5, "normal", neighbours, ..., ..., "one-pair"),
    (4, 48, "unit", in_turn(2), 0.25, 16.0, ""),
    (5, 3, "normal", in_turn(2), 0.0, 1.0, ""),
    (6, 2, "unit", neighbours, 0.25, 64.0, ""),
    (6, 24, "normal", in_turn(3), -0.1, 10.0, "negative-margin"),
    (6, 24, "normal", in_turn(3), 1.2, 10.0, "every-pair-moves"),
    (8, 7, "normal", some_alone, ..., ..., "some-alone"),
    (6, 4, "normal", all_distinct, ..., ..., "all-alone"),
    (6, 4, "normal", one_class, ..., ..., "one-class"),
    (8, 4, "normal", arbitrary_integers, ..., 20.0, "arbitrary-labels"),
    (8, 40, "unit", classes(2), 0.25, 128.0, ""),
    (8, 5, "tight", in_turn(2), ..., ..., ""),
    (8, 5, "clusters", in_turn(2), ..., ..., ""),
    (8, 5, "clusters", neighbours, 0.3, 4.0, "labels-against-clusters"),
    (8, 4, "large", in_turn(3), ..., ..., ""),
    (8, 4, "small", in_turn(3), ..., ..., ""),
    (8, 4, "duplicates", in_turn(2), 0.1, 12.0, ""),
    (8, 8, "orthogonal", neighbours, ..., ..., ""),
    (8, 3, "normal", neighbours, 0.0, 30.0, "some-negatives-rest"),
    (17, 12, "unit", classes(4), ..., 40.0, ""),
    (17, 6, "normal", classes(5), 0.2, 2.0, ""),
    (33, 8, "unit", classes(6), ..., ..., ""),
    (64, 3, "normal", classes(8), 0.25, 32.0, ""),
    (64, 16, "unit", in_turn(16), ..., ..., ""),
]


def circle() -> list[Case]:
    return [
        Case(
            "CircleLoss",
            rows,
            dim,
            regime,
            options(m=m, gamma=gamma),
            labels=labels,
            purpose=purpose,
            flat=purpose in ("all-alone", "one-class"),
        )
        for rows, dim, regime, labels, m, gamma, purpose in CIRCLE
    ]


CASES = {"circle": circle(), "multi_similarity": multi_similarity(), "sup_con": sup_con()}
