"""What the small files of a model make of a text: `settings.json`.

Run it after `generate.py`.
"""

import json
import shutil
import tempfile
from pathlib import Path

from parts import HERE, write_json
from sentence_transformers import SentenceTransformer

TEXT = "The Cat's  small river sits in Bayern, in the é river; Ü 42 on  "
TOKENIZER, CONFIG, OPTIONS = "tokenizer.json", "config.json", "tokenizer_config.json"
SETTINGS = "sentence_bert_config.json"
BERT = {"tokenizer_class": "BertTokenizer"}


def added(content, **options):
    """A token that is added to a vocabulary."""
    usual = {"lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}
    return {"content": content} | usual | options


LETTERS = "theasmlrivnCé,"
HERBERT = {
    "type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None,
    "end_of_word_suffix": "</w>", "fuse_unk": False, "byte_fallback": False,
    "vocab": {token: id for id, token in enumerate(
        ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *sorted(LETTERS), *(f"{letter}</w>" for letter in sorted(LETTERS)),
         "th", "the</w>", "in</w>", "ri", "riv"])},
    "merges": ["t h", "th e</w>", "i n</w>", "r i", "ri v"],
}
PLAIN = {"cls_token": None, "sep_token": None, "unk_token": None, "pad_token": None, "mask_token": None}
WORDS = {"/normalizer": None, "/pre_tokenizer": {"type": "Whitespace"}}
UNMARKED = WORDS | {"/post_processor": None}

# Vocabularies without tokens for tasks, and a text of such tokens.
TASKS = "the [MASK]<mask> <s>cat</s> [CLS] [SEP] [UNK] <unk> [PAD] <pad> <|endoftext|> <|padding|> <bos> <eos> on"
FEW = {
    "/added_tokens": [], "/post_processor": None,
    "/model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
               "max_input_chars_per_word": 100, "vocab": {"the": 0, "cat": 1, "on": 2, "[UNK]": 3}},
}
LETTERED = {
    "/added_tokens": [], "/post_processor": None,
    "/model": HERBERT | {"unk_token": None, "end_of_word_suffix": None, "merges": [],
                         "vocab": {token: id for id, token in enumerate([*"theacsmkudpobn<>[]/|ĠCLSEPUNKAMD▁_", "<unk>"])}},
}
PIECES = {
    "/added_tokens": [], "/post_processor": None,
    "/model": {"type": "Unigram", "unk_id": 0, "byte_fallback": False,
               "vocab": [["<unk>", 0.0], ["▁", -2.0], ["the", -3.0], *([letter, -4.0] for letter in "cat<>[]/sMASK")]},
}

# A model, and what changes in its files, by pointers; null takes a field away. A text of its own, for some.
CASES = [
    # Classes of word pieces build everything but the vocabulary.
    ("bert", {OPTIONS: BERT, TOKENIZER: {"/normalizer": None}}),
    ("bert", {OPTIONS: BERT, TOKENIZER: {"/normalizer": {"type": "Lowercase"}}}),
    ("bert", {OPTIONS: BERT | {"do_lower_case": False}, TOKENIZER: {"/normalizer": {"type": "Lowercase"}}}),
    ("bert", {OPTIONS: BERT, TOKENIZER: {"/pre_tokenizer": {"type": "WhitespaceSplit"}}}),
    ("bert", {OPTIONS: BERT, TOKENIZER: {"/post_processor": None}}),
    ("bert", {OPTIONS: BERT, TOKENIZER: {"/model/max_input_chars_per_word": 3}}),
    ("bert", {OPTIONS: BERT | {"cls_token": "the"}}),
    ("bert", {OPTIONS: BERT | {"unk_token": "the"}}),
    ("bert", {OPTIONS: BERT | {"strip_accents": False}}),
    ("bert", {OPTIONS: {"tokenizer_class": "MobileBertTokenizerFast", "do_lower_case": False}}),
    ("bert", {OPTIONS: {"tokenizer_class": "SqueezeBertTokenizer", "do_lower_case": False}}),
    ("distilbert", {OPTIONS: {"tokenizer_class": "DistilBertTokenizer"}, TOKENIZER: {"/post_processor": None}}),
    ("electra", {OPTIONS: {"tokenizer_class": "ElectraTokenizerFast"}, TOKENIZER: {"/normalizer": None}}),
    ("mpnet", {OPTIONS: {"tokenizer_class": "MPNetTokenizer"}, TOKENIZER: {"/post_processor": None}}),
    ("mpnet", {OPTIONS: {"tokenizer_class": None}, TOKENIZER: {"/normalizer": None}}),
    # So do classes of byte pairs.
    ("roberta", {OPTIONS: {"tokenizer_class": "GPT2Tokenizer", "add_prefix_space": True}}),
    ("roberta", {TOKENIZER: {"/pre_tokenizer": {"type": "Sequence", "pretokenizers": [
        {"type": "Split", "pattern": {"Regex": r"\pL+|i|\p{Lu}"}, "behavior": "Removed", "invert": False},
        {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False},
    ]}}}),
    ("roberta", {OPTIONS: {"tokenizer_class": "CodeGenTokenizerFast"}, TOKENIZER: {"/post_processor": None}}),
    ("roberta", {OPTIONS: {"tokenizer_class": "BartTokenizer"}, TOKENIZER: {"/post_processor": None}}),
    ("roberta", {OPTIONS: {"tokenizer_class": "LongformerTokenizerFast", "add_prefix_space": True}}),
    ("qwen3", {OPTIONS: {"tokenizer_class": "GPT2Tokenizer"}, TOKENIZER: {"/pre_tokenizer": {"type": "Digits", "individual_digits": True}}}),
    ("roberta", {OPTIONS: {"tokenizer_class": "GPTNeoXTokenizer"}, TOKENIZER: UNMARKED}),
    ("roberta", {OPTIONS: {"tokenizer_class": "GPTNeoXTokenizerFast", "add_prefix_space": True}}),
    ("roberta", {OPTIONS: {"tokenizer_class": "GPTNeoXTokenizer", "add_eos_token": True, "add_bos_token": True}}),
    ("qwen3", {OPTIONS: {"tokenizer_class": "GPTNeoXTokenizer"}}),
    ("bert", {OPTIONS: PLAIN | {"tokenizer_class": "HerbertTokenizer"}, TOKENIZER: UNMARKED | {"/model": HERBERT}}),
    ("bert", {OPTIONS: PLAIN | {"tokenizer_class": "HerbertTokenizerFast", "sep_token": "in</w>", "do_lower_case": True},
              TOKENIZER: {"/model": HERBERT}}),
    # And of pieces.
    ("camembert", {OPTIONS: {"tokenizer_class": "BarthezTokenizer"}}),
    ("camembert", {OPTIONS: {"tokenizer_class": "BarthezTokenizerFast", "add_prefix_space": False}, TOKENIZER: UNMARKED}),
    ("camembert", {OPTIONS: {"tokenizer_class": "BigBirdTokenizer"}}),
    ("albert", {OPTIONS: {"tokenizer_class": "BigBirdTokenizerFast", "add_prefix_space": False}, TOKENIZER: UNMARKED}),
    # These are BERT's by another name.
    ("bert", {OPTIONS: {"tokenizer_class": "LxmertTokenizer"}, TOKENIZER: UNMARKED}),
    ("bert", {OPTIONS: {"tokenizer_class": "LayoutLMTokenizerFast"}, TOKENIZER: UNMARKED}),
    # These keep the steps of the file.
    ("bert", {OPTIONS: {"tokenizer_class": "ConvBertTokenizer"}, TOKENIZER: WORDS}),
    ("bert", {OPTIONS: {"tokenizer_class": "DPRQuestionEncoderTokenizerFast"}, TOKENIZER: WORDS}),
    ("albert", {OPTIONS: {"tokenizer_class": "FNetTokenizer"}, TOKENIZER: WORDS}),
    # config.json names the class where no file of the tokenizer does.
    ("bert", {OPTIONS: {"tokenizer_class": None, "do_lower_case": False}, CONFIG: BERT}),
    ("bert", {OPTIONS: {"tokenizer_class": None, "do_lower_case": False},
              CONFIG: {"tokenizer_class": "PreTrainedTokenizerFast"}}),
    # Old names, and fields that go before those of other files.
    ("bert", {SETTINGS: {"max_seq_length": None}, OPTIONS: {"model_max_length": None, "max_len": 8}}),
    ("bert", {SETTINGS: {"max_seq_length": None}, OPTIONS: {"model_max_length": 6, "max_len": 8}}),
    ("bert", {SETTINGS: {"max_seq_length": None, "tokenizer_args": {"model_max_length": 8}}}),
    ("bert", {SETTINGS: {"max_seq_length": 8, "processor_kwargs": {"truncation_side": "left"}}}),
    ("distilbert", {SETTINGS: {"max_seq_length": None, "do_lower_case": None},
                    "sentence_distilbert_config.json": {"max_seq_length": 8}}),
    ("albert", {SETTINGS: {"max_seq_length": None, "do_lower_case": None},
                "sentence_albert_config.json": {"max_seq_length": 8}}),
    ("mpnet", {SETTINGS: {"max_seq_length": None, "do_lower_case": None},
               "sentence_mpnet_config.json": {"max_seq_length": 8}}),
    # Tokens that only tokenizer_config.json names.
    ("bert", {OPTIONS: {"additional_special_tokens": ["river", "s"]}}),
    ("bert", {OPTIONS: {"extra_special_tokens": ["in"]}}),
    ("bert", {OPTIONS: {"extra_special_tokens": {"x_token": "river"}}}),
    ("bert", {OPTIONS: {"x_token": "river"}}),
    ("bert", {SETTINGS: {"max_seq_length": 7, "tokenizer_args": {"model_max_length": 5}}}),
    ("mpnet", {SETTINGS: {"max_seq_length": 5, "processor_kwargs": {"model_max_length": 7}}}),
    ("bert", {OPTIONS: {"added_tokens_decoder": {"9": added("river")}}}),
    ("bert", {OPTIONS: {"added_tokens_decoder": {"9": added("a", special=False, single_word=True)}}}),
    ("bert", {OPTIONS: {"model_specific_special_tokens": {"image_token": "river"}}}),
    ("bert", {OPTIONS: {"model_specific_special_tokens": {"image_token": "river"}, "x_token": "in"}}),
    # Tokens that no vocabulary has get the next ids.
    ("bert", {OPTIONS: {"mask_token": "Bayern"}, TOKENIZER: FEW}),
    ("bert", {OPTIONS: BERT | {"mask_token": "Bayern", "x_token": "42", "extra_special_tokens": ["Ü", "sits"]}, TOKENIZER: FEW}),
    ("bert", {OPTIONS: {"added_tokens_decoder": {"90": added("Bayern"), "80": added("42")}, "mask_token": "Ü"}, TOKENIZER: FEW}),
    ("bert", {OPTIONS: {"additional_special_tokens": ["42"]}, "added_tokens.json": {"Bayern": 90, "42": 80, "s": 91}, TOKENIZER: FEW}),
    ("bert", {OPTIONS: BERT, TOKENIZER: FEW}, TASKS),
    ("bert", {OPTIONS: PLAIN | {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "the"}, TOKENIZER: FEW}, TASKS),
    ("mpnet", {OPTIONS: PLAIN | {"tokenizer_class": "MPNetTokenizer"}, TOKENIZER: FEW}, TASKS),
    ("roberta", {OPTIONS: PLAIN | {"tokenizer_class": "RobertaTokenizer"}, TOKENIZER: LETTERED}, TASKS),
    ("roberta", {OPTIONS: PLAIN | {"tokenizer_class": "GPT2Tokenizer", "pad_token": "<pad>"}, TOKENIZER: LETTERED}, TASKS),
    ("roberta", {OPTIONS: PLAIN | {"tokenizer_class": "GPTNeoXTokenizer"}, TOKENIZER: LETTERED}, TASKS),
    ("qwen3", {OPTIONS: PLAIN | {"tokenizer_class": "Qwen2Tokenizer"}, TOKENIZER: LETTERED}, TASKS),
    ("llama", {OPTIONS: PLAIN | {"tokenizer_class": "LlamaTokenizer", "pad_token": "<pad>"}, TOKENIZER: LETTERED}, TASKS),
    ("gemma", {OPTIONS: PLAIN | {"tokenizer_class": "GemmaTokenizer"}, TOKENIZER: LETTERED}, TASKS),
    ("bert", {OPTIONS: PLAIN | {"tokenizer_class": "HerbertTokenizer"}, TOKENIZER: LETTERED}, TASKS),
    ("albert", {OPTIONS: PLAIN | {"tokenizer_class": "BigBirdTokenizer"}, TOKENIZER: PIECES}, TASKS),
    ("albert", {OPTIONS: PLAIN | {"tokenizer_class": "DebertaV2Tokenizer"}, TOKENIZER: PIECES}, TASKS),
    ("camembert", {OPTIONS: PLAIN | {"tokenizer_class": "BarthezTokenizer"}, TOKENIZER: PIECES}, TASKS),
    ("camembert", {OPTIONS: PLAIN | {"tokenizer_class": "CamembertTokenizer"}, TOKENIZER: PIECES}, TASKS),
    ("xlm-roberta", {OPTIONS: PLAIN | {"tokenizer_class": "XLMRobertaTokenizer"}, TOKENIZER: PIECES}, TASKS),
    ("t5", {OPTIONS: PLAIN | {"tokenizer_class": "T5Tokenizer"}, TOKENIZER: PIECES}, TASKS),
]


def ids(family, files, text):
    """The ids of the text in a model whose files are changed."""
    with tempfile.TemporaryDirectory() as directory:
        directory = Path(directory) / family
        shutil.copytree(HERE / family, directory)
        for file, fields in files.items():
            change(directory / file, fields)
        model = SentenceTransformer(str(directory), device="cpu")
        return model.tokenize([text])["input_ids"][0].tolist()


def change(file, fields):
    content = json.loads(file.read_text()) if file.exists() else {}
    for pointer, value in fields.items():
        *parents, name = pointer.strip("/").split("/")
        place = content
        for parent in parents:
            place = place[parent]
        place[name] = value
        if value is None and file.name != TOKENIZER:
            del place[name]
    write_json(file, content)


if __name__ == "__main__":
    cases = [(family, files, *text) if text else (family, files, TEXT) for family, files, *text in CASES]
    rows = [{"family": family, "files": files, "text": text, "ids": ids(family, files, text)}
            for family, files, text in cases]
    lines = ",\n".join(json.dumps(row) for row in rows)
    (HERE / "settings.json").write_text(f"[\n{lines}\n]\n")
