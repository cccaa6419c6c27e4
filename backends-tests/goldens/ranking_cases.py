"""Losses whose negatives are the other rows of the batch: multiple negatives ranking, contrastive
tension, sigmoid, and mega batch margin."""

import math

import torch

from case import Case, options
from inputs import logarithm

TO_DOC = ["query_to_doc"]
BOTH_WAYS = ["query_to_doc", "doc_to_query"]
WITH_QUERIES = ["query_to_doc", "query_to_query"]
WITH_DOCS = ["query_to_doc", "doc_to_doc"]
THREE = ["doc_to_doc", "doc_to_query", "query_to_doc"]
ALL_DIRECTIONS = ["query_to_doc", "query_to_query", "doc_to_query", "doc_to_doc"]

# rows, dim, columns, regime, similarity, scale, directions, partition, hardness (mode and strength), purpose
RANKING = [
    (8, 7, 2, "related", ..., ..., ..., ..., ..., "defaults"),
    (1, 5, 2, "normal", "cos_sim", 20.0, TO_DOC, "joint", ..., "nothing-to-rank"),
    (1, 5, 2, "normal", "cos_sim", 20.0, BOTH_WAYS, "joint", ..., "floor-of-ln-2"),
    (1, 48, 3, "unit", "cos_sim", 20.0, TO_DOC, "joint", ..., ""),
    (1, 7, 4, "unit", "dot_score", 2.0, ALL_DIRECTIONS, "joint", ..., ""),
    (2, 16, 2, "unit", "dot_score", 10.0, TO_DOC, "joint", ..., ""),
    (2, 3, 3, "normal", "cos_sim", 5.0, ALL_DIRECTIONS, "joint", ..., ""),
    (3, 2, 2, "normal", "dot_score", 1.0, BOTH_WAYS, "per_direction", ..., ""),
    (3, 24, 3, "normal", "cos_sim", 100.0, BOTH_WAYS, "joint", ..., "large-scale"),
    (5, 7, 3, "normal", "dot_score", 1.0, WITH_QUERIES, "joint", ..., ""),
    (5, 1, 2, "normal", "dot_score", 1.0, TO_DOC, ..., ..., ""),
    (5, 40, 2, "unit", "cos_sim", 0.5, WITH_DOCS, "joint", ..., "small-scale"),
    (8, 6, 4, "unit", "cos_sim", 20.0, BOTH_WAYS, "per_direction", ..., ""),
    (8, 6, 4, "normal", "cos_sim", 10.0, ALL_DIRECTIONS, "joint", ..., ""),
    (8, 5, 2, "tight", "cos_sim", 20.0, TO_DOC, "joint", ..., ""),
    (8, 5, 3, "tight", "dot_score", 20.0, ALL_DIRECTIONS, "joint", ..., ""),
    (8, 5, 3, "clusters", "cos_sim", 20.0, BOTH_WAYS, "joint", ..., ""),
    (8, 3, 2, "large", "dot_score", 0.001, TO_DOC, "joint", ..., ""),
    (8, 4, 3, "large", "cos_sim", 20.0, TO_DOC, "joint", ..., ""),
    (5, 2, 2, "large", "dot_score", 1.0, ALL_DIRECTIONS, "joint", ..., "saturated"),
    (8, 4, 3, "small", "cos_sim", 20.0, WITH_QUERIES, "joint", ..., ""),
    (8, 4, 3, "small", "dot_score", 20.0, TO_DOC, "joint", ..., ""),
    (8, 4, 2, "duplicates", "cos_sim", 20.0, TO_DOC, "joint", ..., ""),
    (8, 4, 3, "copies", "cos_sim", 20.0, ALL_DIRECTIONS, "joint", ..., "anchor-is-other"),
    (8, 8, 3, "orthogonal", "cos_sim", 20.0, TO_DOC, "joint", ..., ""),
    (8, 5, 3, "ties", "dot_score", 1.0, BOTH_WAYS, "per_direction", ..., ""),
    (5, 6, 2, "unit", "cos_sim", 20.0, TO_DOC, "joint", ("in_batch_negatives", 9.0), ""),
    (5, 6, 3, "unit", "cos_sim", 20.0, TO_DOC, "joint", ("in_batch_negatives", 9.0), ""),
    (5, 6, 3, "normal", "cos_sim", 20.0, TO_DOC, "joint", ("hard_negatives", 5.0), ""),
    (5, 6, 2, "normal", "cos_sim", 20.0, TO_DOC, "joint", ("hard_negatives", 5.0), "no-hard-negatives"),
    (8, 6, 4, "related", "cos_sim", 10.0, TO_DOC, "joint", ("hard_negatives", 2.5), ""),
    (8, 6, 4, "related", "cos_sim", 10.0, BOTH_WAYS, "per_direction", ("all_negatives", 9.0), ""),
    (8, 6, 3, "unit", "dot_score", 5.0, ALL_DIRECTIONS, "joint", ("all_negatives", 3.0), ""),
    (8, 4, 3, "normal", "dot_score", 0.5, BOTH_WAYS, "joint", ("in_batch_negatives", 1.0), ""),
    (5, 6, 3, "unit", "cos_sim", 20.0, TO_DOC, "joint", ("all_negatives", 0.0), "strength-zero"),
    (5, 6, 3, "unit", "cos_sim", 20.0, TO_DOC, "joint", (None, 4.0), "strength-without-mode"),
    (3, 4, 3, "small", "dot_score", 5.0, TO_DOC, "joint", ("in_batch_negatives", 1.0), ""),
    (5, 4, 4, "related", "cos_sim", 15.0, THREE, "joint", ("all_negatives", 1.5), ""),
    (17, 8, 3, "related", "cos_sim", 20.0, BOTH_WAYS, "per_direction", ..., ""),
    (17, 5, 4, "normal", "dot_score", 0.3, ALL_DIRECTIONS, "joint", ("hard_negatives", 0.7), ""),
    (33, 6, 2, "related", "cos_sim", 20.0, BOTH_WAYS, "joint", ..., ""),
    (33, 4, 3, "unit", "cos_sim", 30.0, WITH_DOCS, "joint", ..., ""),
    (64, 3, 2, "unit", "cos_sim", 20.0, TO_DOC, "joint", ..., ""),
    (64, 2, 3, "normal", "dot_score", 1.0, BOTH_WAYS, "per_direction", ..., ""),
    (64, 4, 2, "related", "cos_sim", 20.0, ALL_DIRECTIONS, "joint", ("in_batch_negatives", 2.0), ""),
]
FLAT_RANKING = {"nothing-to-rank", "floor-of-ln-2"}


def ranking_options(similarity, scale, directions, partition, hardness, **others) -> dict:
    mode, strength = (..., ...) if hardness is ... else hardness
    return options(
        scale=scale,
        similarity_fct=similarity,
        directions=directions,
        partition_mode=partition,
        hardness_mode=mode,
        hardness_strength=strength,
        **others,
    )


def ranking() -> list[Case]:
    cases = []
    for rows, dim, columns, regime, similarity, scale, directions, partition, hardness, purpose in RANKING:
        config = ranking_options(similarity, scale, directions, partition, hardness)
        loss = "MultipleNegativesRankingLoss"
        cases.append(
            Case(loss, rows, dim, regime, config, columns=columns, purpose=purpose, flat=purpose in FLAT_RANKING)
        )
    return cases


# rows, dim, regime, positive margin, negative margin, purpose
MEGA_BATCH = [
    (8, 7, "related", ..., ..., "defaults"),
    (1, 5, "normal", 1.5, 0.3, "single-row"),
    (1, 48, "unit", ..., ..., "single-row"),
    (2, 3, "normal", ..., ..., ""),
    (2, 16, "unit", 0.5, 0.0, ""),
    (3, 2, "unit", 0.8, -0.5, ""),
    (3, 24, "normal", 1.0, 0.1, ""),
    (5, 7, "normal", 0.5, 0.3, ""),
    (5, 40, "related", 0.9, 0.0, ""),
    (5, 1, "normal", 2.0, -2.0, "one-dimension"),
    (8, 2, "unit", ..., ..., ""),
    (8, 6, "related", 0.3, ..., "mostly-easy-positives"),
    (8, 6, "related", ..., 0.9, "mostly-easy-negatives"),
    (8, 5, "tight", 1.5, 0.3, ""),
    (8, 5, "clusters", 1.5, 0.5, ""),
    (8, 4, "large", ..., ..., ""),
    (17, 16, "large", 0.5, 0.1, ""),
    (8, 4, "small", ..., ..., ""),
    (17, 16, "small", 0.5, 0.3, ""),
    (8, 4, "duplicates", ..., ..., "same-document-twice"),
    (8, 4, "copies", ..., ..., "anchor-is-positive"),
    (8, 8, "orthogonal", 0.5, 0.5, ""),
    (8, 5, "ties", 0.25, 0.25, "hinge-at-zero"),
    (17, 3, "normal", 0.8, 0.3, ""),
    (17, 5, "unit", 1.0, -1.0, "always-active"),
    (33, 8, "related", ..., ..., ""),
    (33, 4, "normal", 0.2, 0.7, ""),
    (64, 3, "unit", ..., ..., ""),
    (64, 6, "related", 0.9, 0.5, ""),
    (2, 4, "tight", 0.5, 2.0, "nothing-active"),
]
FLAT_MEGA_BATCH = {"one-dimension", "nothing-active"}


def mega_batch_margin() -> list[Case]:
    return [
        Case(
            "MegaBatchMarginLoss",
            rows,
            dim,
            regime,
            options(positive_margin=positive, negative_margin=negative),
            columns=2,
            purpose=purpose,
            flat=purpose in FLAT_MEGA_BATCH,
        )
        for rows, dim, regime, positive, negative, purpose in MEGA_BATCH
    ]


# rows, dim, regime, similarity, scale at the start, its logarithm, purpose
TENSION = [
    (8, 7, "related", ..., ..., 20.0, "defaults"),
    (1, 5, "normal", ..., ..., 20.0, "one-text"),
    (2, 3, "normal", "cos_sim", 5.0, 5.0, ""),
    (2, 48, "unit", "dot_score", 1.0, 1.0, ""),
    (3, 2, "unit", "cos_sim", 20.0, 3.5, "trained-scale"),
    (3, 24, "normal", "cos_sim", 20.0, 150.0, "trained-scale"),
    (5, 7, "normal", "dot_score", 1.0, 0.25, "trained-scale"),
    (5, 1, "normal", "dot_score", 1.0, 1.0, ""),
    (5, 40, "related", "cos_sim", 10.0, 10.0, ""),
    (8, 5, "tight", "cos_sim", ..., 20.0, ""),
    (8, 5, "clusters", "cos_sim", ..., 20.0, ""),
    (8, 5, "clusters", "dot_score", 2.0, 2.0, ""),
    (8, 4, "large", "cos_sim", ..., 20.0, ""),
    (8, 4, "large", "dot_score", 0.1, 0.01, "trained-scale"),
    (8, 4, "small", "cos_sim", ..., 20.0, ""),
    (8, 4, "duplicates", "cos_sim", ..., 20.0, ""),
    (8, 4, "copies", "dot_score", 1.0, 1.0, "same-embedding"),
    (8, 8, "orthogonal", "cos_sim", 3.0, 3.0, ""),
    (17, 16, "normal", "cos_sim", ..., 20.0, ""),
    (33, 8, "related", "cos_sim", ..., 50.0, "trained-scale"),
    (33, 4, "unit", "dot_score", 1.0, 4.0, "trained-scale"),
    (64, 3, "unit", "cos_sim", ..., 20.0, ""),
]


def contrastive_tension_in_batch_negatives() -> list[Case]:
    return [
        Case(
            "ContrastiveTensionLossInBatchNegatives",
            rows,
            dim,
            regime,
            options(similarity_fct=similarity, scale=scale),
            columns=2,
            weights=logarithm("logit_scale", trained),
            purpose=purpose,
            flat=purpose == "one-text",
        )
        for rows, dim, regime, similarity, scale, trained, purpose in TENSION
    ]


# rows, dim, regime, similarity, scale and bias to start with, the trained ones, purpose
SIGMOID = [
    (8, 7, "related", ..., ..., ..., (10.0, -10.0), "defaults"),
    (1, 5, "normal", ..., ..., ..., (10.0, -10.0), "one-pair"),
    (2, 3, "normal", "cos_sim", 5.0, -5.0, (5.0, -5.0), ""),
    (2, 48, "unit", "dot_score", 1.0, 0.0, (1.0, 0.0), "no-bias"),
    (3, 2, "unit", "cos_sim", 20.0, -10.0, (3.5, -1.5), "trained"),
    (3, 24, "normal", "cos_sim", 20.0, -10.0, (150.0, -17.0), "trained"),
    (5, 7, "normal", "dot_score", 1.0, 0.5, (0.25, 2.0), "trained"),
    (5, 1, "normal", "dot_score", 1.0, -1.0, (1.0, -1.0), ""),
    (5, 40, "related", "cos_sim", 10.0, -5.0, (10.0, -5.0), ""),
    (8, 5, "tight", "cos_sim", ..., ..., (10.0, -10.0), ""),
    (8, 5, "clusters", "cos_sim", ..., ..., (10.0, -10.0), ""),
    (8, 5, "clusters", "dot_score", 2.0, -1.0, (2.0, -1.0), ""),
    (8, 4, "large", "cos_sim", ..., ..., (10.0, -10.0), ""),
    (8, 4, "large", "dot_score", 0.1, -3.0, (0.01, -2.0), "trained"),
    (8, 4, "large", "dot_score", 1.0, 0.0, (1.0, 0.0), "saturated"),
    (8, 4, "small", "cos_sim", ..., ..., (10.0, -10.0), ""),
    (8, 4, "duplicates", "cos_sim", ..., ..., (10.0, -10.0), ""),
    (8, 4, "copies", "dot_score", 1.0, -1.0, (1.0, -1.0), "anchor-is-positive"),
    (8, 8, "orthogonal", "cos_sim", 3.0, -1.0, (3.0, -1.0), ""),
    (17, 16, "normal", "cos_sim", ..., ..., (10.0, -10.0), ""),
    (33, 8, "related", "cos_sim", ..., ..., (50.0, -20.0), "trained"),
    (33, 4, "unit", "dot_score", 1.0, -2.0, (4.0, -3.0), "trained"),
    (64, 3, "unit", "cos_sim", ..., ..., (10.0, -10.0), ""),
    (64, 16, "related", "cos_sim", 5.0, -3.0, (7.5, -4.5), "trained"),
]


def sig_lip() -> list[Case]:
    return [
        Case(
            "SigLipLoss",
            rows,
            dim,
            regime,
            options(similarity=similarity, scale=scale, bias=bias),
            columns=2,
            weights=lambda random, trained=trained: {
                "logit_scale": torch.tensor(math.log(trained[0])),
                "logit_bias": torch.tensor(trained[1]),
            },
            purpose=purpose,
        )
        for rows, dim, regime, similarity, scale, bias, trained, purpose in SIGMOID
    ]


# loss, rows, dim, columns, regime, options; by the names that Python has for ranking losses beside the first
SYMMETRIC, CACHED, CACHED_SYMMETRIC = (
    "MultipleNegativesSymmetricRankingLoss",
    "CachedMultipleNegativesRankingLoss",
    "CachedMultipleNegativesSymmetricRankingLoss",
)
OTHER_NAMES = [
    (SYMMETRIC, 8, 7, 2, "related", {}),
    (SYMMETRIC, 5, 6, 3, "unit", {"scale": 5.0}),
    (SYMMETRIC, 5, 4, 4, "normal", {"scale": 0.5, "similarity_fct": "dot_score"}),
    (SYMMETRIC, 2, 3, 2, "normal", {"scale": 50.0}),
    (CACHED, 8, 7, 2, "related", {}),
    (CACHED, 5, 6, 3, "unit", {"mini_batch_size": 2, "directions": ALL_DIRECTIONS}),
    (CACHED, 5, 4, 3, "normal", {"mini_batch_size": 1, "scale": 0.5, "similarity_fct": "dot_score"}),
    (CACHED, 7, 6, 3, "related", {"mini_batch_size": 3, "hardness_mode": "all_negatives", "hardness_strength": 3.0}),
    (CACHED_SYMMETRIC, 8, 7, 2, "related", {}),
    (CACHED_SYMMETRIC, 5, 6, 3, "unit", {"mini_batch_size": 2, "scale": 5.0}),
    (CACHED_SYMMETRIC, 5, 4, 2, "normal", {"mini_batch_size": 1, "scale": 0.5, "similarity_fct": "dot_score"}),
]


def other_names() -> list[Case]:
    return [
        Case(loss, rows, dim, regime, config, columns=columns)
        for loss, rows, dim, columns, regime, config in OTHER_NAMES
    ]


# rows, dim, columns, regime, guide (regime and dimension), temperature, margin (strategy and value), anchors and positives
# contrasted, purpose
GUIDED = [
    (8, 7, 2, "related", ("related", 9), ..., ..., ..., "defaults"),
    (8, 7, 3, "related", ("related", 9), ..., ..., ..., "a-hard-negative"),
    (1, 5, 2, "normal", ("unit", 3), 0.1, ..., ..., "nothing-to-rank"),
    (1, 5, 3, "normal", ("related", 4), 0.5, ("absolute", -2.0), (False, False), "one-negative"),
    (2, 3, 2, "normal", ("related", 5), 0.1, ("absolute", 0.1), ..., ""),
    (3, 24, 3, "unit", ("related", 2), 0.05, ("relative", 0.05), ..., ""),
    (5, 6, 2, "normal", ("unit", 6), 0.2, ("absolute", -0.3), (False, False), "more-similar-than-the-positive"),
    (5, 6, 3, "unit", ("related", 8), 0.1, ("relative", 0.5), (False, True), ""),
    (5, 6, 3, "unit", ("related", 8), 0.1, ("relative", 0.5), (True, False), ""),
    (5, 6, 3, "unit", ("unit", 3), 0.3, ("relative", 0.5), (True, True), "negative-similarities"),
    (5, 1, 2, "normal", ("related", 3), 0.5, ..., (True, False), "one-dimension"),
    (8, 40, 2, "unit", ("related", 16), 0.02, ("absolute", 0.2), ..., ""),
    (8, 5, 2, "tight", ("related", 4), 0.05, ..., ..., ""),
    (8, 5, 3, "clusters", ("related", 4), 0.1, ("absolute", 0.05), ..., ""),
    (8, 4, 3, "large", ("normal", 7), 0.05, ..., (False, False), ""),
    (8, 4, 3, "small", ("large", 7), 0.05, ("relative", 0.1), ..., ""),
    (8, 4, 2, "duplicates", ("related", 5), 0.1, ..., ..., ""),
    (8, 4, 3, "copies", ("related", 5), 0.1, ("absolute", 0.3), ..., "anchor-is-other"),
    (8, 8, 3, "orthogonal", ("related", 5), 0.2, ..., ..., ""),
    (8, 6, 2, "normal", ("related", 1), 0.2, ("absolute", 0.5), ..., "guide-of-one-dimension"),
    (17, 8, 3, "related", ("related", 12), 0.05, ("absolute", 0.1), (False, True), ""),
    (17, 5, 2, "normal", ("unit", 4), 0.5, ("relative", -0.5), (False, False), "negative-share"),
    (33, 6, 2, "related", ("related", 12), 0.03, ("relative", 0.05), ..., ""),
    (33, 4, 3, "unit", ("related", 3), 0.1, ("absolute", 0.2), (True, False), ""),
    (64, 3, 2, "unit", ("related", 8), 0.05, ..., ..., ""),
]


def gist_embed() -> list[Case]:
    cases = []
    for rows, dim, columns, regime, guide, temperature, margin, contrast, purpose in GUIDED:
        strategy, margin = (..., ...) if margin is ... else margin
        anchors, positives = (..., ...) if contrast is ... else contrast
        config = options(
            temperature=temperature,
            margin_strategy=strategy,
            margin=margin,
            contrast_anchors=anchors,
            contrast_positives=positives,
        )
        flat = purpose in ("nothing-to-rank", "one-dimension")
        cases.append(
            Case("GISTEmbedLoss", rows, dim, regime, config, columns, guide=guide, purpose=purpose, flat=flat)
        )
    return cases


CASES = {
    "aliases": other_names(),
    "contrastive_tension_in_batch_negatives": contrastive_tension_in_batch_negatives(),
    "gist_embed": gist_embed(),
    "multiple_negatives_ranking": ranking(),
    "mega_batch_margin": mega_batch_margin(),
    "sig_lip": sig_lip(),
}
