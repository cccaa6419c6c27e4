"""What transformers makes of a vocabulary without tokenizer.json: token ids of a text.

    pip install sentence-transformers==6.2.0 torch==2.9.0 sentencepiece protobuf
    python models/goldens/vocabularies.py
"""

import base64
import json
import shutil
import struct
import tempfile
from pathlib import Path

from settings import HERBERT
from transformers import AutoTokenizer

HERE = Path(__file__).parent
TEXTS = [
    "The Cat, Älter [SEP] 北京 a-way",
    " the cat runs </s> atat",
    "ﬁ ½ … e\u0301  two  spaces\ttab\nline \u200b",
    "a <mask> b [MASK] <extra_id_0> <s>NOTUSED, the``cat''!",
    "the atat <pad>[CLS]",
    "",
]


def word_pieces(directory, file):
    vocabulary = file["model"]["vocab"]
    tokens = sorted(vocabulary, key=vocabulary.get)
    (directory / "vocab.txt").write_text("".join(token + "\n" for token in tokens))


def fewer_word_pieces(directory, file):
    vocabulary = file["model"]["vocab"]
    tokens = [token for token in sorted(vocabulary, key=vocabulary.get) if token not in ("[CLS]", "[PAD]")]
    (directory / "vocab.txt").write_text("".join(token + "\n" for token in tokens))


def byte_pairs(directory, file):
    (directory / "vocab.json").write_text(json.dumps(file["model"]["vocab"]))
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in file["model"]["merges"]]
    (directory / "merges.txt").write_text("#version: 0.2\n" + "".join(pair + "\n" for pair in merges))


def herbert(directory, file):
    byte_pairs(directory, {"model": HERBERT})


herbert.files = ["vocab.json", "merges.txt"]


def field(number, value):
    """A field of a message of Protocol Buffers: a number below 128, a float, or bytes of fewer than 16,384."""
    if isinstance(value, int):
        return bytes([number << 3, value])
    if isinstance(value, float):
        return bytes([number << 3 | 5]) + struct.pack("<f", value)
    length = [len(value)] if len(value) < 128 else [len(value) & 127 | 128, len(value) >> 7]
    return bytes([number << 3 | 2, *length]) + value


def pieces(name, special):
    """Writes a SentencePiece model: special pieces, and those of the tiny model; a comma is found as a whole."""

    def write(directory, file):
        unknown, control, whole = 2, 3, 4
        kinds = {token: unknown if "unk" in token.lower() else control for token in special} | {",": whole}
        scored = [(token, 0.0) for token in special] + file["model"]["vocab"][4:]
        model = b"".join(
            field(1, field(1, text.encode()) + field(2, float(score)) + field(3, kinds.get(text, 1)))
            for text, score in scored
        )
        table = next(it for it in file["normalizer"]["normalizers"] if it["type"] == "Precompiled")
        table = base64.b64decode(table["precompiled_charsmap"])
        model += field(2, field(3, 1)) + field(3, field(1, b"own") + field(2, table))
        (directory / name).write_bytes(model)

    write.files = [name]
    return write


def case(family, write, config, tokens=None, added=None):
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        shutil.copytree(HERE / family, directory, dirs_exist_ok=True)
        write(directory, json.loads((directory / "tokenizer.json").read_text()))
        (directory / "tokenizer.json").unlink()
        row = {"family": family, "config": config}
        files = {"tokenizer_config.json": config, "special_tokens_map.json": tokens, "added_tokens.json": added}
        for file, contents in files.items():
            if contents is not None:
                (directory / file).write_text(json.dumps(contents))
        names = [it for it in [*getattr(write, "files", []), "vocab.txt"] if (directory / it).exists()]
        own = {it: base64.b64encode((directory / it).read_bytes()).decode() for it in names}
        for file, contents in files.items():
            if contents is not None and file != "tokenizer_config.json":
                own[file] = base64.b64encode(json.dumps(contents).encode()).decode()
        ids = AutoTokenizer.from_pretrained(directory)(TEXTS)["input_ids"]
    return {**row, "files": own, "ids": ids}


BERT = {"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "unk_token": "[UNK]"}
FLAGS = dict.fromkeys(["special", "lstrip", "rstrip", "single_word", "normalized"], False)
ADDED = {"44": {"content": "atat", **FLAGS}}
XLM_ROBERTA = pieces("sentencepiece.bpe.model", ["<unk>", "<s>", "</s>"])
CAMEMBERT = pieces("sentencepiece.bpe.model", ["<unk>", "<s>", "</s>"])
T5 = pieces("spiece.model", ["<pad>", "</s>", "<unk>"])
ALBERT = pieces("spiece.model", ["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"])
DEBERTA = pieces("spm.model", ["[PAD]", "[CLS]", "[SEP]", "[UNK]"])
CASES = [
    ("bert", word_pieces, {}),
    ("bert", word_pieces, {**BERT, "tokenizer_class": "BertTokenizer", "do_lower_case": False}),
    ("bert", word_pieces, {**BERT, "tokenizer_class": "BertTokenizer", "added_tokens_decoder": ADDED}),
    ("bert", word_pieces, {}, {"cls_token": "the", "sep_token": {"content": "cat", **FLAGS}}),
    ("bert", word_pieces, {"added_tokens_decoder": ADDED}, {"cls_token": "the"}),
    ("bert", word_pieces, {"cls_token": "cat"}, {"cls_token": "the", "additional_special_tokens": ["runs"]}),
    ("bert", word_pieces, {}, {"mask_token": "atat"}, {"atat": 44}),
    ("bert", fewer_word_pieces, {}),
    ("distilbert", word_pieces, {**BERT, "do_lower_case": True}),
    ("electra", word_pieces, BERT),
    ("mpnet", word_pieces, {}),
    ("roberta", byte_pairs, {}),
    ("roberta", byte_pairs, {"tokenizer_class": "RobertaTokenizer", "add_prefix_space": True}),
    ("roberta", byte_pairs, {}, {"bos_token": "<unk>", "cls_token": "<unk>", "mask_token": "atat"}),
    ("qwen3", byte_pairs, {"tokenizer_class": "Qwen2Tokenizer"}),
    ("bert", herbert, {"tokenizer_class": "HerbertTokenizerFast"}),
    ("bert", herbert, {"tokenizer_class": "HerbertTokenizer", "mask_token": "in</w>"}),
    ("xlm-roberta", XLM_ROBERTA, {}),
    ("xlm-roberta", XLM_ROBERTA, {"tokenizer_class": "XLMRobertaTokenizer", "add_prefix_space": False}),
    ("xlm-roberta", XLM_ROBERTA, {}, {"mask_token": {"content": "<mask>", **FLAGS, "lstrip": True}}),
    ("camembert", CAMEMBERT, {}),
    ("camembert", CAMEMBERT, {"tokenizer_class": "CamembertTokenizer", "additional_special_tokens": ["atat"]}),
    ("t5", T5, {}),
    ("t5", T5, {"tokenizer_class": "T5TokenizerFast", "extra_ids": 2}),
    ("albert", ALBERT, {}),
    ("albert", ALBERT, {"tokenizer_class": "AlbertTokenizer", "do_lower_case": False, "keep_accents": True}),
    ("deberta-v2", DEBERTA, {}),
    ("deberta-v3", DEBERTA, {"tokenizer_class": "DebertaV2Tokenizer", "split_by_punct": True}),
]
cases = [case(*row) for row in CASES]
lines = ",\n".join(json.dumps(row) for row in cases)
(HERE / "vocabularies.json").write_text(f'{{"texts": {json.dumps(TEXTS)}, "cases": [\n{lines}\n]}}\n')
