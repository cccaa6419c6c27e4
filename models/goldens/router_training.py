"""Trains the tiny model with routes for three steps: the losses of sentence-transformers, queries and documents each on
their route, with a learning rate for each.

    HF_HUB_OFFLINE=1 python models/goldens/router_training.py
"""

import json

import torch
from parts import HERE, rounded
from sentence_transformers import SentenceTransformer, losses

ROWS = [
    ["a cat sleeps", "the cat is asleep"],
    ["two dogs run", "dogs are running in a park"],
    ["a man eats bread", "someone is eating"],
    ["the sun shines", "it is a bright day"],
    ["rain falls on the roof", "water drips from above"],
    ["she reads a book", "a woman reads"],
    ["the train is late", "we wait for the train"],
    ["birds sing in trees", "there are birds singing"],
    ["a boy plays ball", "the child plays"],
    ["the soup is hot", "hot food on the table"],
    ["he writes a letter", "a man is writing"],
    ["snow covers the hill", "the hill is white"],
]
RATES = {"query": 0.05, "document": 0.01}
BATCH = 4


def groups(model):
    """The parameters with their learning rate and weight decay."""
    for name, parameter in model.named_parameters():
        _, _, route, *_ = name.split(".")  # 0.sub_modules.query.…
        rate = RATES[route]
        decays = "bias" not in name and "LayerNorm" not in name
        yield {"params": [parameter], "lr": rate, "weight_decay": 0.01 if decays else 0.0}


def train():
    model = SentenceTransformer(str(HERE / "router"), device="cpu").eval()
    loss = losses.MultipleNegativesRankingLoss(model)
    optimizer = torch.optim.AdamW(list(groups(model)))
    batches = [ROWS[start : start + BATCH] for start in range(0, len(ROWS), BATCH)]
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / len(batches))
    for batch in batches:
        queries, documents = zip(*batch)
        features = [model.preprocess(list(queries), task="query"), model.preprocess(list(documents), task="document")]
        value = loss(features, None)
        yield rounded(value.item())
        optimizer.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()


if __name__ == "__main__":
    fields = {"rows": ROWS, "rates": RATES, "batch_size": BATCH, "losses": list(train())}
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in fields.items())
    (HERE / "router_training.json").write_text(f"{{\n{lines}\n}}\n")
