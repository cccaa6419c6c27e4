"""Makes tiny models with random weights, and what sentence-transformers embeds with them.

    pip install sentence-transformers==6.2.0 torch==2.9.0
    python models/goldens/generate.py [FUNCTION...]

Each directory beside this file is a complete model; `expected.json` in it holds the embeddings of
`texts.json`. The models differ in everything that the crate must tell apart: architecture, tokenizer,
type of the weights, names in the file, pooling, normalisation, prompts, age of the configuration.
"""

import sys

import torch
from encoders import MAKERS
from modules import MODULES
from parts import HERE, SHAPE, TEXTS, byte_level, convert, expect, saved, unigram, word_piece, write_json, write_network
from rotary import ROTARY
from transformers import (
    BertConfig,
    BertModel,
    MPNetConfig,
    MPNetModel,
    RobertaConfig,
    RobertaModel,
    XLMRobertaConfig,
    XLMRobertaModel,
)


def bert():
    """Configuration files as releases before 3.0 wrote them; the mean, scaled to length one."""
    directory = HERE / "bert"
    special = ["[CLS]", "[PAD]", "[SEP]", "[UNK]"]
    tokenizer = word_piece(special)
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=40, pad_token_id=1, **SHAPE
    )
    write_network(directory, BertModel(config), tokenizer, special, 1)
    modules = ["Transformer", "Pooling", "Normalize"]
    rows = [
        {"idx": i, "name": str(i), "path": f"{i}_{name}" if i else "", "type": f"sentence_transformers.models.{name}"}
        for i, name in enumerate(modules)
    ]
    write_json(directory / "modules.json", rows)
    write_json(directory / "sentence_bert_config.json", {"max_seq_length": 24, "do_lower_case": False})
    flags = {f"pooling_mode_{mode}": mode == "mean_tokens" for mode in ("cls_token", "mean_tokens", "max_tokens")}
    write_json(directory / "1_Pooling" / "config.json", {"word_embedding_dimension": 16, **flags})
    expect(directory)


def roberta():
    """Names with a prefix, as saved with a head; the first token; a default prompt."""
    directory = HERE / "roberta"
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    tokenizer = byte_level(special)
    config = RobertaConfig(
        vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=42, type_vocab_size=1,
        hidden_act="gelu_new", pad_token_id=1, **SHAPE,
    )
    write_network(directory, RobertaModel(config), tokenizer, special, 2, model_max_length=30)
    prompts = {"query": "the cat: ", "document": ""}
    saved(directory, "cls", prompts=prompts, default_prompt_name="query")
    convert(directory, prefix="roberta.")
    expect(directory)


def xlm_roberta():
    """Weights in half precision; two poolings joined; lower-cased by the transformer's settings."""
    directory = HERE / "xlm-roberta"
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    tokenizer = unigram(special)
    config = XLMRobertaConfig(
        vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=20, type_vocab_size=1, pad_token_id=1, **SHAPE
    )
    write_network(directory, XLMRobertaModel(config, add_pooling_layer=False), tokenizer, special, 3)
    saved(directory, ("max", "mean_sqrt_len_tokens"), max_seq_length=18)
    settings = directory / "sentence_bert_config.json"
    write_json(settings, {"max_seq_length": 18, "do_lower_case": True})
    convert(directory, dtype=torch.float16)
    expect(directory)


def mpnet():
    """Distances of tokens up to the shared buckets; weights in bfloat16; ReLU."""
    directory = HERE / "mpnet"
    special = ["<s>", "<pad>", "</s>", "[UNK]"]
    tokenizer = word_piece(special)
    config = MPNetConfig(
        vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=48, hidden_act="relu", pad_token_id=1, **SHAPE
    )
    write_network(directory, MPNetModel(config), tokenizer, special, 4)
    saved(directory, "mean", normalize=True, max_seq_length=40)
    convert(directory, dtype=torch.bfloat16)
    expect(directory)


if __name__ == "__main__":
    write_json(HERE / "texts.json", TEXTS)
    makers = [bert, roberta, xlm_roberta, mpnet, *MAKERS, *ROTARY, *MODULES]
    for make in makers:
        if make.__name__ in (sys.argv[1:] or [maker.__name__ for maker in makers]):
            make()
