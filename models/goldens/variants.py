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

DENSE = "2_Dense/config.json"

# A family, and fields of its configuration, or of another file; None takes one away.
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
    ("bert", {"pad_token_id": -1}),
    ("mpnet", {"pad_token_id": -1}),
    *(("dense", {"activation_function": f"torch.nn.modules.activation.{name}"}, DENSE)
      for name in ["LeakyReLU", "ReLU6", "Hardswish", "ELU", "Softplus", "Mish"]),
]


def embeddings(family: str, fields: dict, name: str) -> list:
    with TemporaryDirectory() as directory:
        directory = Path(directory) / "model"
        shutil.copytree(HERE / family, directory)
        file = directory / name
        config = json.loads(file.read_text()) | fields
        file.write_text(json.dumps({name: value for name, value in config.items() if value is not None}))
        model = SentenceTransformer(str(directory), device="cpu")
        return model.float().encode(TEXTS).tolist()


def main() -> None:
    cases = [(family, fields, *(file or ["config.json"])) for family, fields, *file in CASES]
    cases = [{"family": family, "fields": fields, "file": file, "expected": embeddings(family, fields, file)}
             for family, fields, file in cases]
    (HERE / "variants.json").write_text(json.dumps({"texts": TEXTS, "cases": cases}) + "\n")


main()
