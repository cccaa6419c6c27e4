"""Trains LoRA adapters of the tiny models for three steps: what `peft` and PyTorch make of them.

    HF_HUB_OFFLINE=1 python models/goldens/lora_training.py

Needs `peft` 0.21.2. Each file in `lora-training` holds the embeddings with adapters of given values, the
gradients of these, and the losses before three steps of AdamW and after them.
"""

import json

import torch
from parts import HERE, TEXTS, rounded
from peft import LoraConfig, TaskType, get_peft_model
from sentence_transformers import SentenceTransformer

# PyTorch keeps the vector of the padding token as it is.
USED = [text for text in TEXTS if "[PAD]" not in text]
# The model, and its targets: none are those that peft chooses.
CASES = [
    ("bert", None),
    ("deberta-v2", None),
    ("t5", None),
    ("qwen2", None),
    ("qwen3", ["q_proj", "o_proj", "down_proj"]),
    ("modernbert", "all-linear"),
    ("albert", ["embedding_hidden_mapping_in", "query", "ffn"]),
]
R, ALPHA = 2, 3


def adapted(family, targets):
    model = SentenceTransformer(str(HERE / family), device="cpu", model_kwargs={"dtype": torch.float32}).eval()
    config = LoraConfig(task_type=TaskType.FEATURE_EXTRACTION, r=R, lora_alpha=ALPHA, target_modules=targets)
    network = get_peft_model(model[0].auto_model, config).eval()
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            row, column = torch.meshgrid(*(torch.arange(size) for size in parameter.shape), indexing="ij")
            layer = len(short(name).rpartition(".")[0])
            parameter.data = ((5 * row + 3 * column + layer) % 11 - 5) / 20
    return model, network


def short(name):
    """The name of a matrix: that of its layer, then `lora_A` or `lora_B`."""
    return name.removeprefix("base_model.model.").replace(".default.weight", "")


def embed(model):
    return model(model.tokenize(USED))["sentence_embedding"]


def loss(embeddings):
    row, column = torch.meshgrid(*(torch.arange(size) for size in embeddings.shape), indexing="ij")
    return (embeddings * (((7 * row + 3 * column) % 11 - 5) / 5)).square().sum()


def train(family, targets):
    model, network = adapted(family, targets)
    embeddings = embed(model)
    trained = [(name, it) for name, it in network.named_parameters() if it.requires_grad]
    optimizer = torch.optim.AdamW([it for _, it in trained], lr=0.01, weight_decay=0.01)
    gradients, losses = {}, []
    for step in range(4):
        value = loss(embed(model))
        losses.append(rounded(value.item()))
        optimizer.zero_grad()
        value.backward()
        if step == 0:
            # A pooler takes no part.
            found = {short(name): it.grad for name, it in trained if it.grad is not None}
            gradients = {name: [rounded(value) for value in it.flatten().tolist()] for name, it in found.items()}
        optimizer.step()
    rows = [[rounded(value) for value in row] for row in embeddings.tolist()]
    fields = {"r": R, "alpha": ALPHA, "targets": [targets] if isinstance(targets, str) else targets or []}
    fields |= {"embeddings": rows, "gradients": gradients, "losses": losses}
    file = HERE / "lora-training" / f"{family}.json"
    file.parent.mkdir(exist_ok=True)
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in fields.items())
    file.write_text(f"{{\n{lines}\n}}\n")


if __name__ == "__main__":
    for family, targets in CASES:
        train(family, targets)
