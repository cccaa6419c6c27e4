"""Embeddings of the tiny models with other fields in `config.json`: what the fields mean to sentence-transformers.

    HF_HUB_OFFLINE=1 python models/goldens/variants.py
"""

import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from sentence_transformers import SentenceTransformer

HERE = Path(__file__).parent
TEXTS = ["The cat sat on the mat", "a small river", "dogs run in the park and the cat sees them all day long"]

# A family, and fields of its configuration; None takes one away.
CASES = [
    ("t5", {"feed_forward_proj": "relu", "dense_act_fn": "gelu_10"}),
    ("t5", {"feed_forward_proj": "gelu", "dense_act_fn": "relu", "is_gated_act": False}),
    ("t5", {"feed_forward_proj": "gelu", "dense_act_fn": None}),
    ("umt5", {"feed_forward_proj": "gated-gelu", "dense_act_fn": "silu"}),
    ("umt5", {"feed_forward_proj": None, "dense_act_fn": "relu", "is_gated_act": True}),
    ("umt5", {"feed_forward_proj": "gated-gelu", "dense_act_fn": None, "is_gated_act": None}),
    ("mistral", {"layer_types": ["full_attention", "sliding_attention"], "sliding_window": 3}),
    ("mistral", {"layer_types": ["sliding_attention", "full_attention"], "sliding_window": 2}),
    ("mistral", {"layer_types": ["full_attention", "full_attention"], "sliding_window": 2}),
    ("modernbert", {"local_attention": 3, "sliding_window": 9}),
    ("modernbert", {"local_attention": 12, "sliding_window": 1}),
    ("modernbert", {"local_attention": None, "sliding_window": 2}),
]


def embeddings(family: str, fields: dict) -> list:
    with TemporaryDirectory() as directory:
        directory = Path(directory) / "model"
        shutil.copytree(HERE / family, directory)
        file = directory / "config.json"
        config = json.loads(file.read_text()) | fields
        file.write_text(json.dumps({name: value for name, value in config.items() if value is not None}))
        model = SentenceTransformer(str(directory), device="cpu")
        return model.float().encode(TEXTS).tolist()


def main() -> None:
    cases = [{"family": family, "fields": fields, "expected": embeddings(family, fields)} for family, fields in CASES]
    (HERE / "variants.json").write_text(json.dumps({"texts": TEXTS, "cases": cases}) + "\n")


main()
