"""Losses that compare all rows of a batch by their labels, of pytorch-metric-learning."""

from case import Case, options
from inputs import all_distinct, arbitrary_integers, classes, in_turn, neighbours, some_alone

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


CASES = {"sup_con": sup_con()}
