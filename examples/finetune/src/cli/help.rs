//! What `--help` says after the options.

use crate::data::task;

pub(super) fn after_long_help() -> String {
    let (losses, aliases) = (task::losses().join("\n  "), task::aliases().join("\n  "));
    let reranking = task::reranking_losses().join("\n  ");
    format!(
        "\
Losses:
  {losses}

Losses of a CrossEncoder as --model, which scores pairs of texts:
  {reranking}

Python's names that stand for one of these losses, with some options fixed or (Cached...) with texts
embedded in mini-batches, of 32 unless --mini-batch-size says otherwise:
  {aliases}

Data (--data, --eval):
  csv    commas, semicolons, tabs or bars; columns by     without a header: as STS-B, pairs,
  tsv    the names in their header                        or triplets
  jsonl  one object per line, or a list of texts;         also packed with gzip
         or one array of these (.json);
         .parquet, if built with --features parquet
  trec   a class 0..5, a space, a question                as TREC; a .txt file that begins with
                                                          names of columns is a table
  lines  one text per line                                for DenoisingAutoEncoderLoss, which
                                                          also takes the texts of the others
Several files, by name or pattern, must have the same columns. They are read in the order of the
options, those of a pattern sorted by name. Scores and labels mean the same in all.

Columns of csv, tsv and jsonl (--columns gives others these names):
  sentence1, sentence2 [, score or label]                 also premise, hypothesis; question1,
                                                          question2; sentence_A, sentence_B (SICK)
  anchor, positive [, negative..., label]                 also query, pos, neg; question, answer;
                                                          label: the margin for MarginMSELoss
  query, passage, label                                   as sentence1, sentence2; also document,
                                                          answer, response
  query, docs, labels                                     lists of as many documents and labels
  text [, label or embedding]                             a class, or a teacher's embedding
Rows whose class is -1, - or empty are left out and counted.

Evaluation, by cosine: Spearman's rank correlation with the scores of pairs; the average precision
of telling pairs that belong together (a score of at least 4 of 5, entailment, 1) from others (at
most 1 of 5, contradiction, 0); the share of triplets whose anchor is closer to the positive; the
share of labelled texts whose nearest other text has their label. A CrossEncoder is evaluated by its
scores, and by the order of a query's documents (MAP, MRR, nDCG), or by its classes. Numbers go to
stdout, progress to stderr. A run that fails says why, ends with status 2 and writes nothing.

Examples:
  finetune
  finetune --loss TripletLoss --loss-config '{{\"triplet_margin\": 1.0}}' --out triplets
  finetune --data train.csv --eval dev.csv --loss CosineSimilarityLoss --epochs 4
  finetune --model all-MiniLM-L6-v2 --data train.csv --loss CosineSimilarityLoss
  finetune --model all-MiniLM-L6-v2 --data train.csv --lora r=16,alpha=32
  finetune --model all-MiniLM-L6-v2 --loss-config '{{\"matryoshka_dims\": [384, 128, 64]}}'
  finetune --model all-MiniLM-L6-v2 --guide all-mpnet-base-v2 --loss GISTEmbedLoss
  finetune --static 256 --model all-MiniLM-L6-v2 --data pairs.csv --batch-size 2048
  finetune --model all-MiniLM-L6-v2 --data 'shards/*.jsonl.gz' --eval dev.jsonl
  finetune --model all-MiniLM-L6-v2 --data lines.txt --eval dev.csv --loss DenoisingAutoEncoderLoss
  finetune inspect train.csv
  finetune encode --model all-MiniLM-L6-v2 sentences.txt --out embeddings.npy
  finetune mine --model all-MiniLM-L6-v2 pairs.jsonl --relative-margin 0.05 --out triplets.jsonl
  finetune rank --model ms-marco-MiniLM-L6-v2 --query 'Where do pandas live?' documents.txt
  finetune --model ms-marco-MiniLM-L6-v2 --data triplets.jsonl --loss BinaryCrossEntropyLoss
  finetune score --model ms-marco-MiniLM-L6-v2 triplets.jsonl --out scored.jsonl
  finetune --model all-MiniLM-L6-v2 --data scored.jsonl --loss MarginMSELoss"
    )
}
