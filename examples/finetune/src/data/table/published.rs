//! Published data sets as they are distributed, each by a few rows of the same shape; the sentences are invented.

use super::tests::{classes, rankings, read, read_with, refused, scores, words};
use super::*;
use crate::data::read_bytes;

#[test]
fn stsb_of_glue_names_its_columns_but_not_its_scale() {
    let text = "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore\n\
                0\tmain-captions\tclips\t2012test\t0001\tnone\tnone\tA \"red kite.\tA hawk.\t5.000\n\
                1\tmain-captions\tclips\t2012test\t0004\tnone\tnone\tIt rains.\tIt pours.\t3.800\n";
    assert!(refused("train.tsv", text).contains("--score-range 0..5"));
    let hints = Hints { range: Some(ScoreRange::new(0.0, 5.0)), ..Hints::default() };
    let data = read_with("train.tsv", text, hints).unwrap();
    assert_eq!(scores(&data), [1.0, 0.76]);
    assert_eq!(words(&data, data.pairs[0].left), "A \"red kite.");
    let unused = "columns not used: filename, genre, index, old_index, source1, source2, year";
    assert!(data.notes.contains(&unused.to_string()), "{:?}", data.notes);
}

#[test]
fn stsb_of_the_hub_has_scores_up_to_one() {
    let text = r#"{"sentence1":"A kite flies.","sentence2":"A hawk soars.","score":0.64}
{"sentence1":"It rains.","sentence2":"It pours.","score":1.0}"#;
    assert_eq!(scores(&read("train.jsonl", text)), [0.64, 1.0]);
}

#[test]
fn snli_and_multinli_leave_rows_without_a_verdict_out() {
    let row = |verdict: &str, second: &str| {
        format!(
            r#"{{"annotator_labels":["neutral"],"captionID":"1.jpg#4","gold_label":"{verdict}","pairID":"1","sentence1":"A boy runs.","sentence1_parse":"(ROOT run)","sentence2":"{second}"}}"#
        )
    };
    let snli =
        [row("neutral", "It is cold."), row("-", "He walks."), row("entailment", "A boy moves.")];
    let data = read("snli_1.0_train.jsonl", &snli.join("\n"));
    assert_eq!(classes(&data), ["neutral", "entailment"]);
    let row = &data.pairs[1];
    assert_eq!((&words(&data, row.right)[..], row.place.line), ("A boy moves.", 3));
    assert!(data.notes.contains(&"rows without a score or a class, left out: 1".to_string()));
    let multi = snli.join("\n").replace("captionID", "genre").replace("pairID", "promptID");
    assert_eq!(classes(&read("multinli_1.0_train.jsonl", &multi)), ["neutral", "entailment"]);
}

#[test]
fn allnli_comes_as_a_table_as_classes_and_as_triplets() {
    let table = "split\tdataset\tfilename\tsentence1\tsentence2\tlabel\n\
                 train\tMultiNLI\tx\tHe said \"no.\tHe refused.\tentailment\n\
                 train\tSNLI\ty\tA boy runs.\tA boy sleeps.\tcontradiction\n";
    let data = read("AllNLI.tsv", table);
    assert_eq!(classes(&data), ["entailment", "contradiction"]);
    assert_eq!(words(&data, data.pairs[0].left), "He said \"no.");
    let numbered = r#"{"premise":"A boy runs.","hypothesis":"A boy moves.","label":0}
{"premise":"A boy runs.","hypothesis":"He is late.","label":1}
{"premise":"A boy runs.","hypothesis":"He sleeps.","label":2}"#;
    assert_eq!(classes(&read("pair-class.jsonl", numbered)), ["0", "1", "2"]);
    let scored = r#"{"sentence1":"A boy runs.","sentence2":"He is late.","score":0.5}"#;
    assert_eq!(scores(&read("pair-score.jsonl", scored)), [0.5]);
    for triplet in [
        r#"{"anchor":"A boy runs.","positive":"A boy moves.","negative":"He sleeps."}"#,
        r#"["A boy runs.","A boy moves.","He sleeps."]"#,
    ] {
        let data = read("AllNLI.jsonl", triplet);
        assert_eq!(rankings(&data), [["A boy runs.", "A boy moves.", "He sleeps."]]);
    }
}

#[test]
fn quora_has_verdicts_and_ms_marco_triples() {
    let quora = "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n\
                 0\t1\t2\tWhy do cats purr?\tDo cats bark?\t0\n1\t3\t4\tWhat is moss?\tWhat's moss?\t1\n";
    let quora = read("quora_duplicate_questions.tsv", quora);
    assert_eq!(classes(&quora), ["0", "1"]);
    assert_eq!(words(&quora, quora.pairs[1].left), "What is moss?");
    // Python reads it with quotes: a question that begins with one, or has a line break in it.
    let quoted = "id\tquestion1\tquestion2\tis_duplicate\n\
                  0\t\"\"\"Moss\"\" in a word?\"\t\"What is\n moss?\"\t1\n1\tWho \"hums\"?\tBees?\t0\n";
    let quoted = read("quora_duplicate_questions.tsv", quoted);
    let texts = |row: usize| {
        let row = &quoted.pairs[row];
        (words(&quoted, row.left), words(&quoted, row.right), row.place.line)
    };
    assert_eq!(texts(0), ("\"Moss\" in a word?".into(), "What is\n moss?".into(), 2));
    assert_eq!(texts(1), ("Who \"hums\"?".into(), "Bees?".into(), 4));
    let marco = "what is moss\tMoss is a plant.\tMosses grow on \"stone.\nwho hums\tBees hum.\tStones lie.\n";
    let marco = read("triples.train.small.tsv", marco);
    let expected = [
        ["what is moss", "Moss is a plant.", "Mosses grow on \"stone."],
        ["who hums", "Bees hum.", "Stones lie."],
    ];
    assert_eq!(rankings(&marco), expected);
}

#[test]
fn sick_is_a_table_whatever_its_extension() {
    let text = "pair_ID\tsentence_A\tsentence_B\trelatedness_score\tentailment_judgment\n\
                1\tA fox jumps.\tA fox leaps.\t5.0\tENTAILMENT\n4\tA fox jumps.\tNo fox jumps.\t3.4\tCONTRADICTION\n";
    for name in ["SICK_train.txt", "SICK.txt", "SICK.tsv"] {
        let data = read_bytes(name, text.as_bytes()).unwrap();
        assert_eq!(
            (scores(&data), classes(&data)),
            (vec![1.0, 0.6], vec!["ENTAILMENT", "CONTRADICTION"])
        );
        let notes = ["scores are on the scale 1..5", "columns not used: pair_ID"];
        assert_eq!(data.notes, notes, "{name}");
    }
    // All columns of the whole file.
    let header = "pair_ID\tsentence_A\tsentence_B\tentailment_label\trelatedness_score\tentailment_AB\tSemEval_set\n";
    let whole =
        format!("{header}1\tA fox jumps.\tA fox leaps.\tENTAILMENT\t4\tA_entails_B\tTRAIN\n");
    let data = read_bytes("SICK.txt", whole.as_bytes()).unwrap();
    assert_eq!((scores(&data), classes(&data)), (vec![0.75], vec!["ENTAILMENT"]));
    assert!(
        refused("SICK.tsv", &whole.replace("\t4\t", "\t5.5\t"))
            .starts_with("SICK.tsv:2: score 5.5")
    );
}

#[test]
fn trec_has_coarse_and_fine_classes() {
    let lines = "ENTY:animal What purrs ?\nNUM:date When does it snow ?\n";
    let data = read_bytes("train.txt", lines.as_bytes()).unwrap();
    let classes =
        |data: &Dataset| data.sentences.iter().map(|row| row.class.clone()).collect::<Vec<_>>();
    assert_eq!(classes(&data), ["ENTY:animal", "NUM:date"]);
    let table = r#"{"text":"What purrs ?","coarse_label":1,"fine_label":2}"#;
    let data = read("train.jsonl", table);
    assert_eq!(
        (classes(&data), &data.notes[0][..]),
        (vec!["1".into()], "columns not used: fine_label")
    );
}

#[test]
fn the_embedding_training_data_have_pairs_triplets_sets_and_lists() {
    let pairs = "[\"what is moss\", \"Moss is a plant.\"]\n[\"who hums\", \"Bees hum.\"]\n";
    let expected = [["what is moss", "Moss is a plant."], ["who hums", "Bees hum."]];
    assert_eq!(rankings(&read("gooaq_pairs.jsonl", pairs)), expected);
    let set = r#"{"set": ["What is moss?", "What's moss?", "Moss, what is it?"]}"#;
    let expected = [["What is moss?", "What's moss?"], ["What is moss?", "Moss, what is it?"]];
    assert_eq!(rankings(&read("quora_duplicates.jsonl", set)), expected);
    let lists =
        r#"{"query": "who hums", "pos": ["Bees hum."], "neg": ["Stones lie.", "Ice melts."]}"#;
    let expected = [["who hums", "Bees hum.", "Stones lie.", "Ice melts."]];
    assert_eq!(rankings(&read("msmarco-triplets.jsonl", lists)), expected);
}
