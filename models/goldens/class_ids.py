"""What classes of transformers make of a vocabulary, whatever else is in tokenizer.json: `class_ids.json`.

Run it after `generate.py`.
"""

import json
import shutil
import tempfile
from pathlib import Path

from parts import HERE, write_json
from sentence_transformers import SentenceTransformer

TEXT = "The  cat's ``mat''\tsits, in the é river ’ Ü ﬁ on  "
# A model, and what its tokenizer_config.json says; without a class the model's family decides.
CASES = [
    ("albert", {"tokenizer_class": None}),
    ("albert", {"tokenizer_class": "AlbertTokenizer"}),
    ("albert", {"tokenizer_class": "AlbertTokenizerFast", "do_lower_case": False}),
    ("albert", {"tokenizer_class": "AlbertTokenizer", "keep_accents": True}),
    ("albert", {"tokenizer_class": "AlbertTokenizer", "add_prefix_space": False}),
    ("albert", {"tokenizer_class": "TokenizersBackend", "do_lower_case": False}),
    ("roberta", {"tokenizer_class": None}),
    ("roberta", {"tokenizer_class": None, "add_prefix_space": True}),
    ("roberta", {"tokenizer_class": "RobertaTokenizerFast", "add_prefix_space": True, "cls_token": "</s>"}),
    ("roberta", {"tokenizer_class": "TokenizersBackend", "add_prefix_space": True}),
    ("camembert", {"tokenizer_class": None}),
    ("camembert", {"tokenizer_class": "CamembertTokenizer"}),
    ("camembert", {"tokenizer_class": "CamembertTokenizerFast", "add_prefix_space": False}),
    ("camembert", {"tokenizer_class": "PreTrainedTokenizerFast", "do_lower_case": True}),
    ("xlm-roberta", {"tokenizer_class": None}),
    ("xlm-roberta", {"tokenizer_class": "XLMRobertaTokenizer"}),
    ("xlm-roberta", {"tokenizer_class": "XLMRobertaTokenizerFast", "add_prefix_space": False}),
    ("deberta-v3", {"tokenizer_class": None}),
    ("deberta-v3", {"tokenizer_class": "DebertaV2Tokenizer"}),
    ("deberta-v3", {"tokenizer_class": "DebertaV2TokenizerFast", "do_lower_case": True}),
    ("deberta-v3", {"tokenizer_class": "DebertaV2Tokenizer", "split_by_punct": True}),
    ("deberta-v3", {"tokenizer_class": "DebertaV2Tokenizer", "add_prefix_space": False}),
    ("deberta-v3", {"tokenizer_class": "TokenizersBackend", "do_lower_case": True}),
    ("t5", {"tokenizer_class": None}),
    ("t5", {"tokenizer_class": "T5TokenizerFast", "add_prefix_space": False}),
    ("mt5", {"tokenizer_class": None}),
    ("umt5", {"tokenizer_class": None}),
    ("umt5", {"tokenizer_class": "T5Tokenizer"}),
]


def ids(family, fields, without_template):
    """The ids of the text in a model whose files are changed."""
    with tempfile.TemporaryDirectory() as directory:
        directory = Path(directory) / family
        shutil.copytree(HERE / family, directory)
        change(directory / "tokenizer_config.json", fields)
        if without_template:
            change(directory / "tokenizer.json", {"post_processor": None})
        model = SentenceTransformer(str(directory), device="cpu")
        return model.tokenize([TEXT])["input_ids"][0].tolist()


def change(file, fields):
    content = json.loads(file.read_text()) | fields
    write_json(file, {name: value for name, value in content.items() if name not in fields or value is not None})


if __name__ == "__main__":
    rows = [
        {"family": family, "fields": fields, "without_template": bare, "ids": ids(family, fields, bare)}
        for family, fields in CASES
        for bare in (False, True)
    ]
    lines = ",\n".join(json.dumps(row) for row in rows)
    (HERE / "class_ids.json").write_text(f"[\n{lines}\n]\n")
