"""Hard negatives that sentence-transformers mines with the tiny models: mining.json.

    pip install sentence-transformers==6.2.0 torch==2.9.0 datasets
    python mining.py
"""

import json
from pathlib import Path

from datasets import Dataset
from sentence_transformers import CrossEncoder, SentenceTransformer
from sentence_transformers.util import mine_hard_negatives

HERE = Path(__file__).parent
# Of words that the tiny tokenizer knows. A query has two answers, and an answer belongs to two queries.
PAIRS = [
    ("the red dog", "a red dog runs"),
    ("a quick cat", "the cat runs and runs"),
    ("the old tree", "a tree sits on the river"),
    ("the small mat", "the mat is under the cat"),
    ("a river runs", "the quick river of the old tree"),
    ("the dog sleeps", "the dog sleeps under the tree"),
    ("a cat sits", "the small cat sits on a mat"),
    ("dog and cat", "a dog and a cat and a mat"),
    ("under the mat", "the old red mat"),
    ("on the river", "the river"),
    ("a small tree", "small and old, the tree sleeps"),
    ("the quick red cat", "red and quick runs the cat"),
    ("a quick cat", "a cat sleeps"),
    ("sleeps and sleeps", "a cat sleeps"),
]
CORPUS = [
    "a dog on the mat", "the tree runs", "old river, old tree", "cat of the river", "the red tree and the dog",
    "quick and small", "a mat on a mat on a mat",
]

# Options of the program, those of Python, whether there is a corpus, and whether there is a reranker.
CASES = [
    ([], {}, False, False),
    (["--num-negatives", "2", "--range-min", "1"], {"num_negatives": 2, "range_min": 1}, True, False),
    (["--max-score", "0.99"], {"max_score": 0.99}, True, False),
    (["--min-score", "0.97"], {"min_score": 0.97}, True, False),
    (["--absolute-margin", "0.002"], {"absolute_margin": 0.002}, True, False),
    (["--relative-margin", "0.01"], {"relative_margin": 0.01}, True, False),
    (["--range-max", "5"], {"range_max": 5}, False, False),
    (["--absolute-margin", "0"], {"absolute_margin": 0.0}, True, True),
    (["--max-score", "1.2", "--range-min", "1"], {"max_score": 1.2, "range_min": 1}, False, True),
]
FORMATS = ["triplet", "n-tuple", "labeled-pair", "labeled-list"]


def plain(row):
    """The values of a row in order, so that only they are compared."""
    return list(row.values())


def main():
    model = SentenceTransformer(str(HERE / "bert"), device="cpu")
    reranker = CrossEncoder(str(HERE / "cross-bert"), device="cpu")
    data = Dataset.from_dict({"query": [pair[0] for pair in PAIRS], "answer": [pair[1] for pair in PAIRS]})
    cases = []
    for number, (options, arguments, corpus, rerank) in enumerate(CASES):
        for shape in FORMATS if number < 2 else FORMATS[number % 4 :][:1]:
            for scores in [False, True]:
                rows = mine_hard_negatives(
                    data,
                    model,
                    corpus=CORPUS if corpus else None,
                    cross_encoder=reranker if rerank else None,
                    output_format=shape,
                    output_scores=scores,
                    verbose=False,
                    **arguments,
                )
                flags = ["--output-format", shape] + (["--output-scores"] if scores else [])
                cases.append(
                    {"options": options + flags, "corpus": corpus, "rerank": rerank, "rows": [plain(row) for row in rows]}
                )
    head = json.dumps({"pairs": PAIRS, "corpus": CORPUS})[:-1]
    lines = ",\n".join(json.dumps(case) for case in cases)
    (HERE / "mining.json").write_text(f'{head}, "cases": [\n{lines}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
