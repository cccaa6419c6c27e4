"""Trains tiny models that score text pairs for twenty steps: the losses of sentence-transformers before each.

    HF_HUB_OFFLINE=1 python models/goldens/cross_training.py
"""

import json

import torch
from parts import HERE, rounded
from sentence_transformers import CrossEncoder
from sentence_transformers.cross_encoder import losses

TEXTS = [
    "a cat sleeps", "the cat is asleep", "two dogs run", "dogs are running in a park", "a man eats bread",
    "someone is eating", "the sun shines", "it is a bright day", "rain falls on the roof", "water drips from above",
    "she reads a book", "a woman reads", "the train is late", "we wait for the train", "birds sing in trees",
    "there are birds singing",
]
BATCH, STEPS, RATE = 4, 20, 0.003


def text(index):
    return TEXTS[index % len(TEXTS)]


ROWS = range(12)
PAIRS = [[text(row), text(row + 1 + row % 3), (row * 5 % 7) / 7] for row in ROWS]
CLASSES = [[text(row), text(row + 1), row % 3] for row in ROWS]
LISTS = [[text(row), text(row + 1), text(row + 4), text(row + 7)] for row in ROWS]
MARGINS = [[text(row), text(row + 1), text(row + 4), row % 5 / 2 - 0.5] for row in ROWS]


def columns(rows, count):
    return [[row[column] for row in rows] for column in range(count)]


def of_pairs(rows):
    return columns(rows, 2), torch.tensor([row[2] for row in rows])


def of_lists(rows):
    return [[row[0] for row in rows], [row[1:] for row in rows]], [torch.tensor([1.0, 0.0, 0.0])] * len(rows)


def of_candidates(rows):
    return columns(rows, 4), None


def of_margins(rows):
    return columns(rows, 3), torch.tensor([row[3] for row in rows])


# The loss, its options, the model, the rows, and how a batch is made of them.
CASES = [
    ("BinaryCrossEntropyLoss", {}, "electra", PAIRS, of_pairs),
    ("MSELoss", {}, "albert", PAIRS, of_pairs),
    ("CrossEntropyLoss", {}, "roberta", CLASSES, of_pairs),
    ("MarginMSELoss", {}, "distilbert", MARGINS, of_margins),
    ("MultipleNegativesRankingLoss", {"num_negatives": None}, "electra", LISTS, of_candidates),
    ("LambdaLoss", {}, "electra", LISTS, of_lists),
    ("RankNetLoss", {}, "bert", LISTS, of_lists),
    ("ListNetLoss", {}, "deberta-v3", LISTS, of_lists),
    ("ListMLELoss", {}, "modernbert", LISTS, of_lists),
    ("PListMLELoss", {}, "bert", LISTS, of_lists),
    ("ADRMSELoss", {}, "electra", LISTS, of_lists),
]


def train(name, options, family, rows, batch_of):
    model = CrossEncoder(str(HERE / f"cross-{family}"), device="cpu", model_kwargs={"dtype": torch.float32}).eval()
    loss = getattr(losses, name)(model, **options)
    named = [(name, it) for name, it in model.named_parameters() if it.requires_grad]
    plain = [it for name, it in named if "bias" in name or "norm" in name.lower()]
    decaying = [it for name, it in named if not ("bias" in name or "norm" in name.lower())]
    groups = [{"params": decaying, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=RATE)
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = RATE * (STEPS - step) / STEPS
        start = step * BATCH % len(rows)
        value = loss(*batch_of(rows[start : start + BATCH]))
        yield rounded(value.item())
        optimizer.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()


if __name__ == "__main__":
    found = []
    for case in CASES:
        name, options, family, rows, _ = case
        found.append({"loss": name, "options": options, "family": family, "rows": rows, "losses": list(train(*case))})
    lines = ",\n".join(json.dumps(case) for case in found)
    cases = f'"batch_size": {BATCH},\n"learning_rate": {RATE},\n"cases": [\n{lines}\n]'
    (HERE / "cross_training.json").write_text(f"{{\n{cases}\n}}\n")
