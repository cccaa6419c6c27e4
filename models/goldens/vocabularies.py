"""What transformers makes of a vocabulary without tokenizer.json: token ids of a text.

    pip install sentence-transformers==6.2.0 torch==2.9.0
    python models/goldens/vocabularies.py
"""

import json
import shutil
import tempfile
from pathlib import Path

from transformers import AutoTokenizer

HERE = Path(__file__).parent
TEXTS = ["The Cat, Älter [SEP] 北京 a-way", " the cat runs </s> atat", ""]


def word_pieces(directory, file):
    vocabulary = file["model"]["vocab"]
    tokens = sorted(vocabulary, key=vocabulary.get)
    (directory / "vocab.txt").write_text("".join(token + "\n" for token in tokens))


def byte_pairs(directory, file):
    (directory / "vocab.json").write_text(json.dumps(file["model"]["vocab"]))
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in file["model"]["merges"]]
    (directory / "merges.txt").write_text("#version: 0.2\n" + "".join(pair + "\n" for pair in merges))


def case(family, write, config):
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        shutil.copytree(HERE / family, directory, dirs_exist_ok=True)
        write(directory, json.loads((directory / "tokenizer.json").read_text()))
        (directory / "tokenizer.json").unlink()
        (directory / "tokenizer_config.json").write_text(json.dumps(config))
        ids = AutoTokenizer.from_pretrained(directory)(TEXTS)["input_ids"]
    return {"family": family, "config": config, "ids": ids}


BERT = {"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "unk_token": "[UNK]"}
FLAGS = dict.fromkeys(["special", "lstrip", "rstrip", "single_word", "normalized"], False)
ADDED = {"44": {"content": "atat", **FLAGS}}
CASES = [
    ("bert", word_pieces, {}),
    ("bert", word_pieces, {**BERT, "tokenizer_class": "BertTokenizer", "do_lower_case": False}),
    ("bert", word_pieces, {**BERT, "tokenizer_class": "BertTokenizer", "added_tokens_decoder": ADDED}),
    ("distilbert", word_pieces, {**BERT, "do_lower_case": True}),
    ("electra", word_pieces, BERT),
    ("mpnet", word_pieces, {}),
    ("roberta", byte_pairs, {}),
    ("roberta", byte_pairs, {"tokenizer_class": "RobertaTokenizer", "add_prefix_space": True}),
    ("qwen3", byte_pairs, {"tokenizer_class": "Qwen2Tokenizer"}),
]
cases = [case(*row) for row in CASES]
lines = ",\n".join(json.dumps(row) for row in cases)
(HERE / "vocabularies.json").write_text(f'{{"texts": {json.dumps(TEXTS)}, "cases": [\n{lines}\n]}}\n')
