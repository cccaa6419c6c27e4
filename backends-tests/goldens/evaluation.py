"""Writes the evaluation fixtures: what the evaluators of sentence-transformers answer to given embeddings."""

import json
import logging
import math
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace

sys.dont_write_bytecode = True

import numpy
import torch
from sentence_transformers.sentence_transformer import evaluation

import fixture

FIXTURES = Path(__file__).parent.parent / "fixtures-evaluation"
SIMILARITIES = ["cosine", "dot", "euclidean", "manhattan"]
ATTEMPTS = 200
# Similarities of different rows differ by more, so that no order hangs on a rounding.
GAP = 1e-4
REGIMES = {
    "normal": lambda rng, n, dim: rng.standard_normal((n, dim)),
    "duplicates": lambda rng, n, dim: rng.standard_normal((max(1, n // 4), dim))[rng.integers(0, max(1, n // 4), n)],
    "zero-rows": lambda rng, n, dim: rng.standard_normal((n, dim)) * (rng.random((n, 1)) < 0.6),
    "grid": lambda rng, n, dim: rng.integers(-1, 2, (n, dim)).astype(float),
    "equal": lambda rng, n, dim: numpy.repeat(rng.standard_normal((1, dim)), n, 0),
    "zero": lambda rng, n, dim: numpy.zeros((n, dim)),
}


class Given:
    """A model that looks up the embedding of a text, in float64."""

    similarity_fn_name = "cosine"
    model_card_data = SimpleNamespace(set_evaluation_metrics=lambda *_, **__: None)

    def __init__(self, **sides):
        self.rows = {f"{side}{i:04}": row for side, rows in sides.items() for i, row in enumerate(rows)}

    def encode(self, texts, convert_to_tensor=False, convert_to_numpy=True, **_):
        rows = numpy.array([self.rows[text] for text in texts]).reshape(len(texts), -1)
        return rows if convert_to_numpy and not convert_to_tensor else torch.from_numpy(rows)

    encode_query = encode_document = encode


def texts(side: str, n: int) -> list[str]:
    return [f"{side}{i:04}" for i in range(n)]


def rows(regime: str, rng, n: int, dim: int):
    return REGIMES[regime](rng, n, dim).astype(numpy.float32).astype(numpy.float64)


def apart(values) -> bool:
    """Whether values are equal or clearly different."""
    gaps = numpy.diff(numpy.sort(numpy.asarray(values, dtype=float)))
    return bool(numpy.all((gaps == 0) | (gaps > GAP)))


def paired(name: str, left, right):
    function = evaluation.binary_classification.SimilarityFunction.to_similarity_pairwise_fn(name)
    return function(left, right).numpy()


def pairwise(name: str, left, right):
    function = evaluation.binary_classification.SimilarityFunction.to_similarity_fn(name)
    return rounded(function)(torch.from_numpy(left), torch.from_numpy(right)).numpy()


def rounded(function):
    """In float32 equal rows are equally similar: the last digit of a product hangs on where a row stands."""
    return lambda left, right: function(left, right).float()


def plain(value):
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and math.isnan(value) else value


def embedding_similarity(rng, regime, n, dim, kind):
    left, right = rows(regime, rng, n, dim), rows(regime, rng, n, dim)
    scores = {"real": rng.random(n), "tied": rng.integers(0, 3, n) / 2, "constant": numpy.full(n, 0.1)}[kind].tolist()
    if not all(apart(paired(name, left, right)) for name in SIMILARITIES):
        return None
    evaluator = evaluation.EmbeddingSimilarityEvaluator(
        texts("l", n), texts("r", n), scores, similarity_fn_names=SIMILARITIES, precision=None
    )
    answer = evaluator(Given(l=left, r=right))
    expected = {name: {key: answer[f"{key}_{name}"] for key in ("pearson", "spearman")} for name in SIMILARITIES}
    return {"left": left.tolist(), "right": right.tolist(), "scores": scores, "expected": expected}


def triplet(rng, regime, n, dim, margin):
    sides = [rows(regime, rng, n, dim) for _ in range(3)]
    anchor, positive, negative = sides
    for name in SIMILARITIES:
        gaps = paired(name, anchor, positive) - paired(name, anchor, negative) - margin
        if not numpy.all((gaps == 0) | (abs(gaps) > GAP)):
            return None
    evaluator = evaluation.TripletEvaluator(
        texts("a", n), texts("p", n), texts("n", n), similarity_fn_names=SIMILARITIES, margin=margin
    )
    answer = evaluator(Given(a=anchor, p=positive, n=negative))
    expected = {name: answer[f"{name}_accuracy"] for name in SIMILARITIES}
    return {"columns": [side.tolist() for side in sides], "margin": margin, "expected": expected}


def binary_classification(rng, regime, n, dim, kind):
    left, right = rows(regime, rng, n, dim), rows(regime, rng, n, dim)
    labels = {"mixed": rng.integers(0, 2, n), "negative": numpy.zeros(n, int), "positive": numpy.ones(n, int)}[kind]
    if not all(apart(paired(name, left, right)) for name in SIMILARITIES):
        return None
    evaluator = evaluation.BinaryClassificationEvaluator(
        texts("l", n), texts("r", n), labels.tolist(), similarity_fn_names=SIMILARITIES
    )
    expected = evaluator.compute_metrics(Given(l=left, r=right))
    return {"left": left.tolist(), "right": right.tolist(), "labels": labels.tolist(), "expected": expected}


def information_retrieval(rng, regime, n, dim, documents, similarity):
    queries, corpus = rows(regime, rng, n, dim), rows(regime, rng, documents, dim)
    relevant = [rng.choice(documents, rng.integers(0, min(4, documents) + 1), replace=False).tolist() for _ in range(n)]
    if not any(relevant) or not all(apart(line) for line in pairwise(similarity, queries, corpus)):
        return None
    ks = [1, 2, 3, 5, 10]
    model = Given(q=queries, d=corpus)
    function = evaluation.binary_classification.SimilarityFunction.to_similarity_fn(similarity)
    asked, found = texts("q", n), texts("d", documents)
    evaluator = evaluation.InformationRetrievalEvaluator(
        dict(zip(asked, asked)),
        dict(zip(found, found)),
        {query: {found[i] for i in answers} for query, answers in zip(asked, relevant)},
        corpus_chunk_size=7,
        mrr_at_k=ks, ndcg_at_k=ks, accuracy_at_k=ks, precision_recall_at_k=ks, map_at_k=ks,
        score_functions={similarity: rounded(function)},
    )
    answer = evaluator.compute_all_metrics(model)[similarity]
    return {
        "similarity": similarity, "queries": queries.tolist(), "corpus": corpus.tolist(), "relevant": relevant,
        "ks": ks, "expected": answer, "counted": sum(bool(answers) for answers in relevant),
    }


def reranking(rng, regime, n, dim, at_k):
    samples, given, sides = [], [], {}
    for query in range(n):
        positives, negatives = int(rng.integers(0, 4)), int(rng.integers(0, 6))
        sides[f"q{query}-"] = rows(regime, rng, 1, dim)
        sides[f"d{query}-"] = rows(regime, rng, positives + negatives, dim)
        names = texts(f"d{query}-", positives + negatives)
        samples.append({"query": f"q{query}-0000", "positive": names[:positives], "negative": names[positives:]})
        similarities = pairwise("cosine", sides[f"q{query}-"], sides[f"d{query}-"])[0].tolist() if names else []
        if not apart(similarities):
            return None
        given.append({"similarities": similarities, "relevant": [i < positives for i in range(len(names))]})
    evaluator = evaluation.RerankingEvaluator(samples, at_k=at_k, similarity_fct=rounded(evaluation.reranking.cos_sim))
    if not evaluator.samples:
        return None
    expected = evaluator.compute_metrics(Given(**sides))
    return {"queries": given, "k": at_k, "expected": expected, "counted": len(evaluator.samples)}


def translation(rng, regime, n, dim):
    source = rows(regime, rng, n, dim)
    target = (source + 0.7 * rng.standard_normal((n, dim))).astype(numpy.float32).astype(numpy.float64)
    similarities = pairwise("cosine", source, target)
    if not all(apart(line) for line in [*similarities, *similarities.T]):
        return None
    model = Given(s=source, t=target)
    evaluator = evaluation.TranslationEvaluator(texts("s", n), texts("t", n))
    evaluator.embed_inputs = lambda model, texts, **_: list(torch.from_numpy(model.encode(texts)))
    answer = evaluator(model)
    expected = {key: answer[key] for key in ("src2trg_accuracy", "trg2src_accuracy")}
    squared = evaluation.MSEEvaluator(texts("s", n), texts("t", n), teacher_model=model)(model)["negative_mse"]
    return {"source": source.tolist(), "target": target.tolist(), "expected": {**expected, "negative_mse": squared}}


def label_accuracy(rng, regime, n, classes):
    logits = rows(regime, rng, n, classes)
    labels = rng.integers(0, classes, n)
    batches = [({"rows": torch.from_numpy(logits)},), torch.from_numpy(labels)]
    loader = type("Loader", (list,), {})([([], batches[1])])
    model = SimpleNamespace(
        eval=lambda: None, smart_batching_collate=None, device="cpu", model_card_data=Given.model_card_data
    )
    head = lambda features, labels: (None, torch.from_numpy(logits))
    answer = evaluation.LabelAccuracyEvaluator(loader, softmax_model=head)(model)
    return {"logits": logits.tolist(), "labels": labels.tolist(), "expected": answer["accuracy"]}


CASES = {
    embedding_similarity: [
        (regime, n, dim, kind)
        for regime, n, dim in [("normal", 24, 8), ("normal", 2, 3), ("duplicates", 24, 6), ("zero-rows", 12, 4),
                               ("grid", 16, 1), ("equal", 6, 3), ("zero", 5, 3)]
        for kind in ("real", "tied", "constant")
    ],
    triplet: [
        (regime, n, dim, margin)
        for regime, n, dim in [("normal", 30, 6), ("normal", 1, 3), ("duplicates", 16, 4), ("zero-rows", 16, 4),
                               ("equal", 5, 3), ("zero", 4, 2)]
        for margin in (0.0, 0.5, -0.25)
    ],
    binary_classification: [
        (regime, n, dim, kind)
        for regime, n, dim in [("normal", 30, 8), ("normal", 1, 3), ("duplicates", 24, 6), ("zero-rows", 16, 4),
                               ("grid", 16, 1), ("equal", 6, 3), ("zero", 5, 3)]
        for kind in ("mixed", "negative", "positive")
    ],
    information_retrieval: [
        (regime, n, dim, documents, similarity)
        for regime, n, dim, documents in [("normal", 12, 8, 30), ("normal", 5, 3, 4), ("normal", 3, 2, 1),
                                          ("duplicates", 8, 5, 30), ("zero-rows", 8, 5, 20), ("grid", 6, 1, 16),
                                          ("equal", 4, 3, 12), ("zero", 4, 3, 12)]
        for similarity in SIMILARITIES
    ],
    reranking: [(regime, 8, 5, at_k) for regime in ("normal", "duplicates", "zero") for at_k in (1, 3, 10)],
    translation: [("normal", 20, 3), ("normal", 12, 2), ("zero-rows", 9, 3), ("normal", 1, 2)],
    label_accuracy: [("normal", 20, 3), ("grid", 20, 4), ("zero", 6, 3), ("normal", 1, 2)],
}


def settle(function, arguments, seed: int) -> dict:
    for attempt in range(ATTEMPTS):
        case = function(numpy.random.default_rng([seed, attempt]), *arguments)
        if case is not None:
            return case
    raise SystemExit(f"{function.__name__}{arguments}: no draw of {ATTEMPTS} is fit for a fixture")


def main() -> None:
    fixture.require_reference()
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    FIXTURES.mkdir(exist_ok=True)
    for function, cases in CASES.items():
        lines = []
        for seed, arguments in enumerate(cases):
            name = "-".join(str(argument) for argument in (f"{seed:02}", *arguments))
            lines.append(fixture.compact({"id": name, **plain(settle(function, arguments, seed))}))
        text = fixture.file_text(lines)
        (FIXTURES / f"{function.__name__}.json").write_text(text)
        print(f"{function.__name__}: {len(lines)} cases, {len(text) / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
