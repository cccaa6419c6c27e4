"""Writes the first inputs of each target to corpus/, and the words of JSON files to words.dict.

The inputs are the tiny models of the tests, and invented tables.
"""

import gzip
import json
import pathlib
import re
import struct

here = pathlib.Path(__file__).parent
goldens = here.parent / "models" / "goldens"
END = b"\0"

# As `NETWORKS` in src/lib.rs.
NETWORKS = (
    "bert roberta xlm-roberta albert deberta-v3 t5 modernbert qwen2 qwen3 llama gemma static".split()
)
# As `SMALL_BERT` in src/lib.rs: sizes of the tiny BERT of the tests, and of an even smaller one.
SMALLER = {44: 3, 40: 4, 24: 3, 16: 2, 2: 1}

# As `NAMES` in fuzz_targets/tables.rs.
CSV, TSV, TXT, LINES, JSON, CSV_GZ, JSON_GZ = range(7)
TABLES = [
    (CSV, "sentence1,sentence2,score\na b,\"c, d\",0.5\ne,f,1\n"),
    (CSV, "\ufeffpremise;hypothesis;label\r\na;b;entailment\r\na;c;contradiction\r\nd;e;-\r\n"),
    (CSV, "a cat,a dog\na bird,a fish\n"),
    (CSV, "query,positive,negative,hard_negative_2,score\na,b,c,d,3\n"),
    (CSV, "text,label\na,0\nb,1\nc,1\nd,0\n"),
    (TSV, "main\tMSR\t2012\t0001\t2.5\tA man runs.\tA man \"walks.\nx\ty\tz\t1\t5.0\tb\tc\n"),
    (TSV, "question1\tquestion2\tis_duplicate\na\tb\t1\na\tc\t0\n"),
    (TXT, "4 Which river is longest ?\nDESC:manner How did it end ?\n"),
    (LINES, '{"anchor":"a","positive":"b","negatives":["c","d"],"label":[1.5,2]}\n'),
    (LINES, '{"query":"a","pos":["b","c"],"neg":["d"],"pos_scores":[0.5,1],"neg_scores":[0.1]}\n'),
    (LINES, '["a","b","c"]\n["d","e","f"]\n'),
    (LINES, '{"set":["a","b","c"]}\n{"set":["d","e"]}\n'),
    (LINES, '{"query":{"text":"a"},"positive_passages":[{"text":"b","docid":"1"}],"negative_passages":[]}\n'),
    (LINES, '{"text":"a","label":[0.5,-1]}\n{"text":"b","label":[1,2e3]}\n'),
    (LINES, '{"sentence1":"a","sentence2":"b","label":true}\n{"sentence1":"a","sentence2":"c","label":0}\n'),
    (LINES, '{"english":"a","german":"b","embedding":[1,2]}\n{"source":"a","target":"b","embedding":[1]}\n'),
    (JSON, '[{"sentence_A":"a","sentence_B":"b","relatedness_score":4.5},\n null]'),
    (JSON, '[\n{"text":"a\\u00fc\\ud83d\\ude00"}, {"text":"b"}]\n'),
    (JSON, '{"sentence":"a","idx":0,"label":-1}\n'),
]


def write(target, name, contents):
    path = here / "corpus" / target / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(contents)


def compact(path):
    """The JSON of a file, without the spaces that a fuzzer would lose its time with."""
    contents = json.loads(path.read_text())
    return json.dumps(contents, ensure_ascii=False, separators=(",", ":")).encode()


def tables():
    for number, (kind, text) in enumerate(TABLES):
        write("tables", str(number), bytes([kind]) + text.encode())
        if kind in (CSV, JSON):
            kind = CSV_GZ if kind == CSV else JSON_GZ
            packed = gzip.compress(text.encode(), mtime=0)
            write("tables", f"{number}.gz", bytes([kind]) + packed)


def tokenizers():
    text = "The cat sits. ü雨".encode()
    for model in goldens.glob("*/tokenizer.json"):
        options = model.parent / "tokenizer_config.json"
        files = [compact(model), compact(options) if options.exists() else b"{}", text]
        family = model.parent.name
        number = NETWORKS.index(family) if family in NETWORKS else 0
        write("tokenizer", family, bytes([number]) + END.join(files))


def configs():
    for model in goldens.glob("*/config.json"):
        write("config", model.parent.name, compact(model))


def modules():
    # As `MODELS` in fuzz_targets/modules.rs.
    models = {
        "bert": "modules.json sentence_bert_config.json 1_Pooling/config.json config_sentence_transformers.json",
        "dense": "modules.json 1_Pooling/config.json 2_Dense/config.json 4_LayerNorm/config.json "
        "5_Dropout/config.json 7_Normalize/config.json",
        "layers": "modules.json 1_WeightedLayerPooling/config.json 2_Pooling/config.json",
        "static": "modules.json 1_Dense/config.json config_sentence_transformers.json",
    }
    for number, (model, names) in enumerate(models.items()):
        paths = [goldens / model / name for name in names.split()]
        files = [compact(path) if path.exists() else b"{}" for path in paths]
        write("modules", model, bytes([number]) + END.join(files))


def tables_of_vectors():
    for model in ["static", "model2vec"]:
        write("table", model, (goldens / model / "model.safetensors").read_bytes())


def safetensors():
    file = (goldens / "bert" / "model.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", file[:8])
    full = json.loads(file[8 : 8 + length])
    for dtype, size in [("F32", 4), ("F16", 2), ("BF16", 2), ("F64", 8)]:
        header, end = {"__metadata__": {"format": "pt"}}, 0
        for name, tensor in full.items():
            if name == "__metadata__" or "layer.1." in name:
                continue
            start, values = end, 1
            shape = [SMALLER[count] for count in tensor["shape"]]
            for count in shape:
                values *= count
            end += values * size
            header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}
        text = json.dumps(header, separators=(",", ":")).encode()
        write("safetensors", dtype, struct.pack("<Q", len(text)) + text + bytes(end))


def pickles():
    for name in ["pytorch_model.bin", "legacy.bin"]:
        write("pickle", name, (goldens / "files" / name).read_bytes())


def parquet():
    for path in (here.parent / "examples/finetune/goldens/parquet").glob("*.parquet"):
        write("parquet", path.stem, path.read_bytes())


def words():
    """Names of fields, and short texts, in the small files of all models and in the tables."""
    found = set("[] {} null true 1e308 -1 18446744073709551615 4294967296".split())

    def collect(value):
        if isinstance(value, dict):
            for name, inner in value.items():
                found.add(f'"{name}"')
                collect(inner)
        elif isinstance(value, list):
            for inner in value:
                collect(inner)
        elif isinstance(value, str) and 2 < len(value) < 60:
            found.add(f'"{value}"')

    for path in goldens.glob("*/**/*.json"):
        if path.name not in ("expected.json", "gradients.json"):
            contents = json.loads(path.read_text())
            if path.name == "tokenizer.json":
                contents["model"]["vocab"] = contents["model"]["merges"] = []
            collect(contents)
    for _, text in TABLES:
        found.update(re.findall(r"\w{4,}", text))
    escaped = (re.sub(r'[^ !#-\[\]-~]', lambda it: hexes(it.group()), word) for word in sorted(found))
    (here / "words.dict").write_text("".join(f'"{word}"\n' for word in escaped))


def hexes(letter):
    return "".join(f"\\x{byte:02X}" for byte in letter.encode())


tiny_models = tokenizers, configs, modules, tables_of_vectors, safetensors, pickles
for seeds in (words, tables, parquet, *tiny_models):
    seeds()
