"""Tiny models of the other encoders, each with embeddings and with gradients."""

import json
from tempfile import TemporaryDirectory

import torch
from parts import HERE, SHAPE, TEXTS, convert, expect, rounded, saved, unigram, word_piece, write_json, write_network
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer
from tokenizers import processors
from transformers import (
    AlbertConfig,
    AlbertModel,
    CamembertConfig,
    CamembertModel,
    DebertaV2Config,
    DebertaV2Model,
    DistilBertConfig,
    DistilBertModel,
    ElectraConfig,
    ElectraModel,
    MT5Config,
    MT5EncoderModel,
    T5Config,
    T5EncoderModel,
    UMT5Config,
    UMT5EncoderModel,
)

BERT = ["[CLS]", "[PAD]", "[SEP]", "[UNK]"]
ROBERTA = ["<s>", "<pad>", "</s>", "<unk>"]


def differentiate(directory, example):
    """Writes `gradients.json`: the norm of each parameter's gradient, and all of the gradient of one."""
    model = SentenceTransformer(str(directory), device="cpu", model_kwargs={"dtype": torch.float32}).eval()
    # PyTorch keeps the vector of the padding token as it is.
    texts = [text for text in TEXTS if "[PAD]" not in text]
    embeddings = model(model.tokenize(texts))["sentence_embedding"]
    row, column = torch.meshgrid(*(torch.arange(size) for size in embeddings.shape), indexing="ij")
    weights = ((7 * row + 3 * column) % 11 - 5) / 5
    (embeddings * weights).square().sum().backward()
    found = gradients(model[0].model)
    norms = {name: rounded(gradient.norm().item()) for name, gradient in found.items()}
    values = [rounded(value) for value in found[example].flatten().tolist()]
    write_json(directory / "gradients.json", {"norms": norms, "example": {"name": example, "values": values}})


def gradients(network):
    """The gradient of each parameter, under its name in a file, where one matrix may hold several."""
    for parameter in network.parameters():
        parameter.data = parameter.grad if parameter.grad is not None else torch.zeros_like(parameter)
    with TemporaryDirectory() as directory:
        network.save_pretrained(directory)
        found = load_file(f"{directory}/model.safetensors")
    return {name: gradient for name, gradient in found.items() if gradient.any()}


def finish(directory, example):
    expect(directory)
    differentiate(directory, example)


def distilbert():
    """Names and fields of its own; no token types."""
    directory = HERE / "distilbert"
    tokenizer = word_piece(BERT)
    config = DistilBertConfig(
        vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=40, sinusoidal_pos_embds=True,
        dim=16, n_layers=2, n_heads=4, hidden_dim=24, pad_token_id=1,
    )
    write_network(directory, DistilBertModel(config), tokenizer, BERT, 5)
    saved(directory, "mean")
    finish(directory, "transformer.layer.0.ffn.lin1.bias")


def camembert():
    """RoBERTa under another name."""
    directory = HERE / "camembert"
    tokenizer = unigram(ROBERTA)
    config = CamembertConfig(
        vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=32, type_vocab_size=1, pad_token_id=1,
        hidden_act="quick_gelu", **SHAPE,
    )
    write_network(directory, CamembertModel(config, add_pooling_layer=False), tokenizer, ROBERTA, 6)
    saved(directory, "cls", max_seq_length=28)
    finish(directory, "encoder.layer.0.attention.self.query.bias")


def electra():
    """Embeddings smaller than the hidden states."""
    directory = HERE / "electra"
    tokenizer = word_piece(BERT)
    config = ElectraConfig(
        vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=40, embedding_size=8, pad_token_id=1,
        hidden_act="silu", **SHAPE,
    )
    write_network(directory, ElectraModel(config), tokenizer, BERT, 7)
    saved(directory, "mean", normalize=True)
    finish(directory, "embeddings_project.bias")


def albert():
    """Three runs over two groups of two layers; embeddings smaller than the hidden states."""
    directory = HERE / "albert"
    tokenizer = unigram(BERT)
    config = AlbertConfig(
        vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=40, embedding_size=8, pad_token_id=1,
        num_hidden_groups=2, inner_group_num=2, **SHAPE | {"num_hidden_layers": 3},
    )
    write_network(directory, AlbertModel(config), tokenizer, BERT, 8)
    saved(directory, "mean")
    convert(directory, dtype=torch.float16)
    finish(directory, "encoder.embedding_hidden_mapping_in.bias")


def deberta():
    """As version 3: no positions, distances in buckets; texts longer than `max_position_embeddings`."""
    directory = HERE / "deberta-v3"
    tokenizer = unigram(BERT)
    config = DebertaV2Config(
        vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=24, relative_attention=True,
        position_buckets=8, norm_rel_ebd="layer_norm", share_att_key=True, position_biased_input=False,
        pos_att_type="p2c|c2p", pad_token_id=1, **SHAPE,
    )
    write_network(directory, DebertaV2Model(config), tokenizer, BERT, 9)
    saved(directory, "mean")
    write_json(directory / "sentence_bert_config.json", {"max_seq_length": 36})
    file = directory / "config.json"
    write_json(file, json.loads(file.read_text()) | {"pos_att_type": "p2c|c2p"})
    finish(directory, "encoder.LayerNorm.weight")


def deberta_convolution():
    """As version 2 was for its largest model: a convolution; also positions and projections of their own."""
    directory = HERE / "deberta-v2"
    tokenizer = unigram(BERT)
    config = DebertaV2Config(
        vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=40, relative_attention=True,
        max_relative_positions=6, pos_att_type=["c2p", "p2c"], type_vocab_size=2, embedding_size=8,
        conv_kernel_size=3, conv_act="gelu", pad_token_id=1, **SHAPE,
    )
    write_network(directory, DebertaV2Model(config), tokenizer, BERT, 10)
    saved(directory, "cls")
    convert(directory, dtype=torch.float16)
    finish(directory, "encoder.conv.conv.weight")


def t5_like(name, model, config, seed, **fields):
    """The directory of an encoder whose texts end with a token and begin with none."""
    directory = HERE / name
    special = ["<pad>", "</s>", "<s>", "<unk>"]
    tokenizer = unigram(special)
    template = processors.TemplateProcessing(single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)])
    network = model(config(
        vocab_size=tokenizer.get_vocab_size(), d_model=16, d_kv=6, d_ff=20, num_layers=2, num_heads=3, **fields,
    ))
    names = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    write_network(directory, network, tokenizer, special, seed, template=template, names=names, model_max_length=40)
    return directory


def t5():
    """A file that also has a part of a decoder."""
    directory = t5_like("t5", T5EncoderModel, T5Config, 11)
    saved(directory, "mean", normalize=True)
    file = directory / "model.safetensors"
    company = {"decoder.final_layer_norm.weight": torch.ones(16), "lm_head.weight": torch.ones(2, 16)}
    save_file(load_file(file) | company, file, metadata={"format": "pt"})
    finish(directory, "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight")


def mt5():
    """A gate in the feed-forward part; biases that are shared by more distances; bfloat16."""
    fields = {"relative_attention_num_buckets": 12, "relative_attention_max_distance": 20}
    directory = t5_like("mt5", MT5EncoderModel, MT5Config, 12, **fields)
    saved(directory, "mean")
    convert(directory, dtype=torch.bfloat16)
    finish(directory, "encoder.final_layer_norm.weight")


def umt5():
    """Biases of its own in each layer."""
    directory = t5_like("umt5", UMT5EncoderModel, UMT5Config, 13, feed_forward_proj="gated-silu")
    saved(directory, "max")
    finish(directory, "encoder.block.1.layer.0.SelfAttention.relative_attention_bias.weight")


MAKERS = [distilbert, camembert, electra, albert, deberta, deberta_convolution, t5, mt5, umt5]
