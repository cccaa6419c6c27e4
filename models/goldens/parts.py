"""What the tiny models are made of: texts, tokenizers, random weights, files."""

import base64
import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

HERE = Path(__file__).parent
WORDS = "the a cat dog sits sleeps runs on under mat tree river old red quick small and of in".split()
PIECES = ["##" + piece for piece in "s ed ing er ly x".split()] + list("abcdelmnorst.,!?")
# SentencePiece's table for eight replacements, made by `sentencepiece` from the option
# normalization_rule_tsv: À A, Ü u, ü u, ï i, ñ nn, ’ ', 雨 "the cat", f with an acute accent f.
CHARSMAP = (
    "AAQAAACcAQBmPAMAzAACAIEdAAAEAACAgA0AAAIAAIATAACABgAAgAgAAICAYAIAmR0AAAAAAICbrAIAqAUAAAsAAIARAAAAEAAAABMA"
    "AAASAAAAFQAAABQAAAAXAAAAFgAAABkAAACceQAAGwAAABoAAAAdAAAAHAAAAB8AAAAeAAAAIQAAACAAAAAjAAAAIgAAACUAAAAkAAAA"
    "JwAAACYAAAApAAAAKAAAAK+JAAAqAAAALQAAACwAAAAvAAAALgAAADEAAAAwAAAAMwAAADIAAACx9QAANAAAADcAAAA2AAAAOQAAALz5"
    "AAA7AAAAOgAAAD0AAAA8AAAAPwAAAD4AAABBAAAAQAAAAEMAAABCAAAARQAAAEQAAABHAAAARgAAAEkAAABIAAAASwAAAEoAAABNAAAA"
    "TAAAAE8AAABOAAAAUQAAAFAAAABTAAAAUgAAAFUAAABUAAAAVwAAAFYAAABZAAAAWAAAAFsAAABaAAAAXQAAAFwAAABfAAAAXgAAAGEA"
    "AABgAAAAYwAAAGIAAABlAAAAZAAAAGcAAABmAAAAaQAAAGgAAABrAAAAagAAAG0AAABsAAAAbwAAAG4AAABxAAAAcAAAAHMAAAByAAAA"
    "dQAAAHQAAAB3AAAAdgAAAHkAAAB4AAAAewAAAHoAAAB9AAAAfAAAAH8AAAB+AAAAgQAAAIAAAACDAAAAggAAAIUAAADiPAAAhwAAAIYA"
    "AACJAAAAiAAAAIsAAACKAAAAjQAAAIwAAADpYAAAjgAAAJEAAACQAAAAkwAAAJIAAACVAAAAlAAAAJcAAACWAAAAmQAAAJgAAACbAAAA"
    "mgAAAJ0AAACcAAAAnwAAAJ4AAAChAAAAoAAAAKMAAACiAAAAw4QAAKQAAACnAAAApgAAAKkAAACoAAAAqwAAAKoAAACtAAAArAAAAK8A"
    "AACuAAAAsQAAALAAAACzAAAAsgAAALUAAAC0AAAAtwAAALYAAAC5AAAAuAAAALsAAAC6AAAAvQAAALwAAAC/AAAAvgAAAMEAAADAAAAA"
    "wwAAAMIAAADFAAAAxAAAAMcAAADGAAAAyQAAAMgAAADLAAAAygAAAM0AAADMAAAAzwAAAM4AAADRAAAA0AAAANMAAADSAAAA1QAAANQA"
    "AADXAAAA1gAAANkAAADYAAAA2wAAANoAAADdAAAA3AAAAN8AAADeAAAA4QAAAOAAAADjAAAA4gAAAOUAAADkAAAA5wAAAOYAAADpAAAA"
    "6AAAAOsAAADqAAAA7QAAAOwAAADvAAAA7gAAAPEAAADwAAAA8wAAAPIAAAD1AAAA9AAAAPcAAAD2AAAA+QAAAPgAAAD7AAAA+gAAAP0A"
    "AAD8AAAA/wAAAP4AAAAnAEEAZgBpAG5uAHRoZSBjYXQAdQA="
)
TEXTS = [
    "The cat sits on the mat.",
    "the dog runs!",
    "A",
    "",
    "A small red dog sleeps under the old tree, and a quick cat runs on the mat of the river.",
    "Cats and dogs",
    "Ünïcödé ñ 雨 text",
    "the " * 40 + "river",
    "[PAD] <pad> the cat <s> [SEP]",
    "  in  the   river ",
]
SHAPE = dict(
    hidden_size=16, num_hidden_layers=2, num_attention_heads=4, intermediate_size=24, layer_norm_eps=1e-5
)


def randomise(model, seed):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator) * 0.4
            norm = "norm" in name.lower() and name.endswith("weight")
            parameter.copy_(1 + 0.5 * noise if norm else noise)
    return model.eval()


def word_piece(special):
    tokens = dict.fromkeys(special + WORDS + PIECES)
    vocabulary = {token: index for index, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token=special[3]))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer


def byte_level(special):
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = [("t", "h"), ("th", "e"), ("Ġ", "the"), ("a", "t"), ("c", "at")]
    tokens = special + alphabet + ["".join(pair) for pair in merges]
    vocabulary = {token: index for index, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocabulary, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def unigram(special):
    pieces = ["▁" + word for word in WORDS] + ["▁"] + [piece.removeprefix("##") for piece in PIECES]
    pieces = list(dict.fromkeys(pieces))
    scored = [(token, 0.0) for token in special] + [
        (piece, -2.0 - 0.1 * index) for index, piece in enumerate(pieces)
    ]
    tokenizer = Tokenizer(models.Unigram(scored, unk_id=3))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Precompiled(base64.b64decode(CHARSMAP)), normalizers.Replace("  ", " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    return tokenizer


def write_network(directory, model, tokenizer, special, seed, template=None, names=None, **options):
    """The directory of the transformer: configuration, weights, tokenizer."""
    shutil.rmtree(directory, ignore_errors=True)
    ids = {token: index for index, token in enumerate(special)}
    cls, sep = special[0], special[2]
    tokenizer.post_processor = template or processors.TemplateProcessing(
        single=f"{cls} $A {sep}",
        pair=f"{cls} $A {sep} $B {sep}",
        special_tokens=[(cls, ids[cls]), (sep, ids[sep])],
    )
    randomise(model, seed).save_pretrained(directory)
    names = names or dict(zip(("cls_token", "pad_token", "sep_token", "unk_token"), special))
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names, **options).save_pretrained(directory)


def convert(directory, dtype=None, prefix=""):
    """Gives the weights another type, or their names a prefix and company."""
    file = directory / "model.safetensors"
    weights = {prefix + name: tensor.to(dtype or tensor.dtype) for name, tensor in load_file(file).items()}
    if prefix:
        weights[prefix + "embeddings.position_ids"] = torch.arange(48).unsqueeze(0)
        weights["lm_head.bias"] = torch.zeros(3)
    save_file(weights, file, metadata={"format": "pt"})


def rounded(value):
    return float(f"{value:.8g}")


def expect(directory, **options):
    model = SentenceTransformer(str(directory), device="cpu", model_kwargs={"dtype": torch.float32})
    write_rows(directory / "expected.json", model.encode(TEXTS, **options))


def write_rows(file, rows):
    rows = [[rounded(value) for value in row] for row in rows.tolist()]
    lines = ",\n".join(json.dumps(row) for row in rows)
    file.write_text(f"[\n{lines}\n]\n")


def write_json(file, value):
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(value, indent=2) + "\n")


def saved(directory, pooling, normalize=False, max_seq_length=None, **options):
    """Adds what the current release of sentence-transformers writes around a transformer."""
    modules = [Transformer(str(directory), max_seq_length=max_seq_length), Pooling(16, pooling)]
    modules += [Normalize()] if normalize else []
    model = SentenceTransformer(modules=modules, device="cpu", **options)
    model.save(str(directory), create_model_card=False)
