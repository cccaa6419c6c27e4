"""Makes LoRA adapters for the tiny models, and the embeddings with them.

    HF_HUB_OFFLINE=1 python models/goldens/lora.py

Needs `peft` 0.21.2. Run it after `generate.py`: it reads the models that are there.
"""

import json
import shutil

import torch
from parts import HERE, TEXTS, write_json
from peft import LoraConfig, PeftModel, TaskType, get_peft_model
from sentence_transformers import SentenceTransformer

KIND = TaskType.FEATURE_EXTRACTION
# The adapter, its model, its options.
CASES = [
    ("lora-options", "bert", dict(
        r=2, lora_alpha=4, use_rslora=True, bias="all", modules_to_save=["LayerNorm"],
        target_modules=["word_embeddings", "query", "dense"],
        rank_pattern={"query": 3, "output.dense": 1},
        alpha_pattern={r"layer\.1\..*\.query": 5, "word_embeddings": 3, "intermediate.dense": 1},
    )),
    ("lora-qwen3", "qwen3", dict(r=2, lora_alpha=6, target_modules="all-linear")),
]


def randomise(model, seed):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for _, parameter in model.named_parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.3)
    return model.eval()


def name_base(directory, base):
    """The base by a path that does not depend on the machine; Python takes it from where it runs."""
    file = directory / "adapter_config.json"
    fields = json.loads(file.read_text())
    # A set in Python, in another order each time.
    fields["target_modules"] = sorted(fields["target_modules"])
    write_json(file, fields | {"base_model_name_or_path": f"../{base}"})
    for other in ("README.md", ".gitattributes"):
        (directory / other).unlink(missing_ok=True)


def expect(directory, model):
    write_json(directory / "expected.json", model.encode(TEXTS).tolist())


def by_peft(name, base, options, seed):
    """An adapter alone, as peft saves it; the embeddings are those after `merge_and_unload`."""
    directory = HERE / name
    shutil.rmtree(directory, ignore_errors=True)
    # peft draws A.
    torch.manual_seed(seed)
    model = SentenceTransformer(str(HERE / base), device="cpu")
    adapted = get_peft_model(model[0].auto_model, LoraConfig(task_type=KIND, **options))
    randomise(adapted, seed).save_pretrained(directory)
    model = SentenceTransformer(str(HERE / base), device="cpu")
    PeftModel.from_pretrained(model[0].auto_model, directory).merge_and_unload()
    expect(directory, model.eval())
    name_base(directory, base)


def in_sentence_transformer(name, base, seed):
    """An adapter beside modules.json, in the place of the transformer's weights and configuration, as
    sentence-transformers saves a model after `add_adapter` (which needs a later release of peft)."""
    by_peft(name, base, dict(r=2, lora_alpha=4, target_modules=["query", "value"]), seed)
    of_base = {"config.json", "model.safetensors", "expected.json"}
    ignore = lambda place, files: of_base & set(files) if place == str(HERE / base) else []
    shutil.copytree(HERE / base, HERE / name, dirs_exist_ok=True, ignore=ignore)


if __name__ == "__main__":
    for seed, (name, base, options) in enumerate(CASES, 71):
        by_peft(name, base, options, seed)
    in_sentence_transformer("lora", "bert", 70)
