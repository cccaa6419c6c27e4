"""What sentence-transformers embeds with the tiny models beside this file, by each way of pooling.

    pip install sentence-transformers==6.2.0 torch==2.9.0
    python models/goldens/pooling.py
"""

import json
import shutil
import tempfile
from pathlib import Path

from sentence_transformers import SentenceTransformer

HERE = Path(__file__).parent
TEXTS = ["The cat sits on the mat.", "A", "a small red dog sleeps under the old tree"]
MODES = ["cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken", ["lasttoken", "cls"]]


PROMPT = "a quick cat, "


def embeddings(mode, prompt=None, family="bert", side=None):
    with tempfile.TemporaryDirectory() as directory:
        shutil.copytree(HERE / family, directory, dirs_exist_ok=True)
        if side is not None:
            path = Path(directory) / "tokenizer_config.json"
            path.write_text(json.dumps(json.loads(path.read_text()) | {"padding_side": side}))
        modules = json.loads((Path(directory) / "modules.json").read_text())
        (Path(directory) / "modules.json").write_text(json.dumps(modules[:2]))
        config = {"word_embedding_dimension": 16, "pooling_mode": mode, "include_prompt": prompt is None}
        (Path(directory) / "1_Pooling" / "config.json").write_text(json.dumps(config))
        rows = SentenceTransformer(directory, device="cpu").encode(TEXTS, prompt=prompt)
        return [[float(f"{value:.7g}") for value in row] for row in rows.tolist()]


cases = [{"mode": mode, "embeddings": embeddings(mode)} for mode in MODES]
cases += [{"mode": mode, "prompt": PROMPT, "embeddings": embeddings(mode, PROMPT)} for mode in MODES]
cases += [
    {"mode": mode, "family": family, "side": "left", "embeddings": embeddings(mode, family=family, side="left")}
    for family in ("qwen3", "deberta-v3")
    for mode in MODES
]
lines = ",\n".join(json.dumps(case) for case in cases)
(HERE / "pooling.json").write_text(f'{{"texts": {json.dumps(TEXTS)}, "cases": [\n{lines}\n]}}\n')
