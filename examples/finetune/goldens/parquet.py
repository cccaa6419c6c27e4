"""Parquet files as pyarrow writes them: `python goldens/parquet.py`, with pyarrow 26, rewrites goldens/parquet/."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

OUT = Path(__file__).parent / "parquet"


def write(name, columns, types=None, **options):
    table = pa.table(columns)
    for column, type in (types or {}).items():
        place = table.schema.get_field_index(column)
        table = table.set_column(place, column, table[column].cast(type))
    pq.write_table(table, OUT / f"{name}.parquet", **options)


pairs = {
    "sentence1": ["A kettle boils.", "Two crows argue.", "Snow falls."],
    "sentence2": ["Water gets hot.", "A tram is late.", "It snows."],
    "score": [0.75, 0.0, 1.0],
}
# As the Hub has it: Snappy, dictionaries.
write("pairs", pairs)
write("pairs-gzip", pairs, compression="gzip")
# Zstandard, pages of the second version, groups of two rows, no dictionary.
write(
    "pairs-zstd", pairs, {"score": pa.float32()}, compression="zstd", data_page_version="2.0",
    use_dictionary=False, row_group_size=2,
)
write(
    "classes",
    {
        "text": ["Where is the sea?", "Who sings?", "Why?", "When?"],
        "label": [0, 1, None, -1],
        "seen": [True, False, None, True],
        "picture": [b"\xff\x00", None, b"\xfe", b"\xfd"],
    },
    {"label": pa.int32()},
)
write("verdicts", {"question1": ["a?", "b?"], "question2": ["c?", "d?"], "is_duplicate": [True, False]})
write(
    "rankings",
    {
        "query": ["who hums", "who sings"],
        "positive_passages": [
            [{"docid": "1", "title": "Bees", "text": "Bees hum."}],
            [{"docid": "2", "title": "", "text": "Birds sing."}, {"docid": "3", "title": "", "text": "Larks do."}],
        ],
        "negatives": [["Stones lie.", "Ice melts."], ["Snow falls."]],
        "pos_scores": [[9.0], [8.5, 8.0]],
        "neg_scores": [[1.0, 0.5], [2.0]],
    },
)
write(
    "teacher",
    {"text": ["A kettle boils.", "Snow falls."], "embedding": [[0.5, -1.0, 0.25], [1.0, 0.0, 2.0]]},
    {"embedding": pa.list_(pa.float32())},
)
write("empty", {"text": pa.array([], pa.string())})
# A few bytes that would fill memory: nulls, long texts that are stored once, and a list of those.
write("nothing", {"text": pa.nulls(5_000_000, pa.string())}, compression="zstd", row_group_size=5_000_000,
      max_rows_per_page=5_000_000, write_batch_size=5_000_000)
long = "a long text " * 1000
write("repeated", {"text": pa.array([long] * 20_000)}, compression="zstd", write_statistics=False)
write("list", {"query": ["q"], "pos": [[long] * 100_000]}, compression="zstd", write_statistics=False)
# As `datasets` writes classes: numbers, and their names in the metadata.
features = {
    "premise": {"dtype": "string", "_type": "Value"},
    "hypothesis": {"dtype": "string", "_type": "Value"},
    "label": {"names": ["entailment", "neutral", "contradiction"], "_type": "ClassLabel"},
}
named = pa.table(
    {"premise": ["It rains.", "It snows.", "It hails."], "hypothesis": ["It is wet.", "It is dark.", "?"], "label": [0, 2, -1]}
)
named = named.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
pq.write_table(named, OUT / "named-classes.parquet")
