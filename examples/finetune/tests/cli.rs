//! The program as a user meets it: what it prints, writes and refuses.

mod common;

use std::fs;

use burn::tensor::Device;
use burn_embedding_losses::catalog::{LossConfig, ModelKind};
use common::{copy, finetune, golden, names, set, spoilt, succeed, text};
use finetune::data::{corpus, task};
use finetune::run::evaluation::{Embedder, Evaluation, Measure};
use tempfile::TempDir;

/// Runs the program on files that it must refuse: one line that holds `message`, exit status 2,
/// and nothing written.
fn refused(files: &[(&str, &str)], args: &[&str], message: &str) {
    let directory = TempDir::new().unwrap();
    for (name, contents) in files {
        fs::write(directory.path().join(name), contents).unwrap();
    }
    let before = names(directory.path());
    let output = finetune(directory.path(), args);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
    assert_eq!(stderr.lines().count(), 1, "{args:?}: {stderr}");
    assert!(stderr.starts_with("error: ") && stderr.contains(message), "{args:?}: {stderr}");
    assert_eq!(names(directory.path()), before, "{args:?} wrote something");
}

const PAIRS: &str = "sun,sunshine,4.5\nrain,snow,2\nsea,lake,3\nroad,egg,0\n";

#[test]
fn models_that_are_no_numbers_are_refused() {
    let directory = TempDir::new().unwrap();
    let model = |name: &str, family: &str| {
        let path = directory.path().join(name);
        spoilt(family, &path);
        path.to_str().unwrap().to_string()
    };
    let (encoder, reranker) = (model("encoder", "bert"), model("reranker", "cross-bert"));
    let guided = ["--loss", "GISTEmbedLoss", "--guide", &encoder];
    refused(&[], &guided, "encoder: it holds NaN or infinity");
    let rows = [("a.csv", "anchor,positive\nthe cat,a dog\nthe river,a tree\n")];
    let train = ["--model", &encoder, "--data", "a.csv", "--eval", "a.csv"];
    refused(&rows, &train, "is no number");
    refused(
        &rows,
        &["score", "--model", &reranker, "a.csv"],
        "its weights are damaged or not finite",
    );
    let lines = [("a.txt", "the cat\na dog\n")];
    let rank = ["rank", "--model", &reranker, "--query", "a cat", "a.txt"];
    refused(&lines, &rank, "its weights are damaged or not finite");
}

#[test]
fn long_values_are_cut() {
    let long = "x".repeat(100_000);
    for args in [["--loss", &long], ["--epochs", &long], ["--lora", &long], [&long, &long]] {
        let output = finetune(TempDir::new().unwrap().path(), &args);
        assert_eq!(output.status.code(), Some(2));
        assert!(output.stderr.len() < 3_000, "{}: {}", &args[0][..6], output.stderr.len());
    }
    let escapes = ["--lora", "r=\u{1b}[2J"];
    let output = finetune(TempDir::new().unwrap().path(), &escapes);
    assert!(!output.stderr.contains(&0x1b), "{}", text(&output.stderr));
}

#[test]
fn files_that_cannot_be_read_are_refused() {
    refused(&[], &["--data", "missing.csv"], "cannot read missing.csv: No such file");
    refused(&[("pairs.dat", PAIRS)], &["--data", "pairs.dat"], "--format");
    refused(&[("empty.csv", "")], &["--data", "empty.csv"], "cannot read empty.csv: it is empty");
    refused(&[("empty.tsv", "")], &["--data", "empty.tsv"], "empty.tsv: it is empty");
    refused(&[("empty.jsonl", "\n\n")], &["--data", "empty.jsonl"], "empty.jsonl: it is empty");
    refused(&[("empty.json", "[]")], &["--data", "empty.json"], "empty.json: it has no rows");
    let message = "a.csv: it names its columns (anchor, positive), but has no rows below";
    refused(&[("a.csv", "anchor,positive\n")], &["--data", "a.csv"], message);
    let pairs = ("pairs.csv", PAIRS);
    let args = ["--data", "pairs.csv", "--eval", "missing.csv", "--loss", "CosineSimilarityLoss"];
    refused(&[pairs], &args, "cannot read missing.csv");
}

#[test]
fn a_file_too_small_to_hold_rows_out_is_refused_before_the_model_is_opened() {
    let args = ["--data", "pairs.csv", "--loss", "CosineSimilarityLoss", "--model", "nowhere"];
    let message = "pairs.csv: it is too small to hold a tenth of its rows out (rows: 4)";
    refused(&[("pairs.csv", PAIRS)], &args, message);
}

#[test]
fn a_json_array_trains_like_a_table() {
    let directory = TempDir::new().unwrap();
    let rows = PAIRS.lines().map(|row| {
        let cells: Vec<_> = row.split(',').collect();
        let [left, right, score] = cells[..] else { panic!("{row}") };
        format!("{{\n\"sentence1\": \"{left}\", \"sentence2\": \"{right}\", \"score\": {score}}}")
    });
    let array = format!("[\n{}\n]\n", rows.collect::<Vec<_>>().join(",\n"));
    fs::write(directory.path().join("pairs.json"), array).unwrap();
    let args = ["--data", "pairs.json", "--eval", "pairs.json", "--loss", "CosineSimilarityLoss"];
    let more = ["--score-range", "0..5", "--epochs", "1", "--no-report"];
    let (stdout, _) = succeed(directory.path(), &[&args[..], &more].concat());
    assert!(stdout.contains("pairs.json: 4 scored pairs"), "{stdout}");
}

#[cfg(feature = "parquet")]
#[test]
fn a_parquet_file_trains_like_a_table() {
    let directory = TempDir::new().unwrap();
    let pairs = include_bytes!("../goldens/parquet/pairs.parquet");
    let table = "sentence1,sentence2,score\nA kettle boils.,Water gets hot.,0.75\n\
                 Two crows argue.,A tram is late.,0\nSnow falls.,It snows.,1\n";
    fs::write(directory.path().join("a.parquet"), pairs).unwrap();
    fs::write(directory.path().join("a.csv"), table).unwrap();
    let train = |file: &str, out: &str| {
        let args = ["--data", file, "--eval", "a.csv", "--loss", "CosineSimilarityLoss"];
        let more = ["--steps", "3", "--out", out, "--no-report"];
        let (stdout, _) = succeed(directory.path(), &[&args[..], &more].concat());
        assert!(stdout.contains(&format!("{file}: 3 scored pairs")), "{stdout}");
        let lines = stdout.lines().filter(|line| !line.contains(file) && !line.contains("saved"));
        lines.filter(|line| !line.contains("a.csv")).map(String::from).collect::<Vec<_>>()
    };
    assert_eq!(train("a.parquet", "b"), train("a.csv", "c"));
}

#[test]
fn several_files_train_as_one() {
    let directory = TempDir::new().unwrap();
    let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
    let rows: Vec<_> = PAIRS.split_inclusive('\n').collect();
    write("whole.csv", PAIRS);
    write("part-2.csv", &rows[2..].concat());
    write("part-1.csv", &rows[..2].concat());
    write("dev.csv", PAIRS);
    let train = |data: &[&str], out: &str| {
        let more = ["--eval", "dev.csv", "--loss", "CosineSimilarityLoss", "--steps", "3"];
        let (stdout, _) = succeed(directory.path(), &[data, &more, &["--out", out]].concat());
        let table = stdout.lines().filter(|line| !line.contains(".csv") && !line.contains("saved"));
        (table.collect::<Vec<_>>().join("\n"), stdout.lines().next().unwrap().to_string())
    };
    let (whole, _) = train(&["--data", "whole.csv"], "a");
    let (parts, says) = train(&["--data", "part-*.csv"], "b");
    assert_eq!(parts, whole);
    assert!(says.ends_with("part-1.csv and 1 more file: 4 scored pairs"), "{says}");
    assert_eq!(train(&["--data", "part-1.csv", "--data", "part-2.csv"], "c").0, whole);
    assert_eq!(train(&["--data", "part-1.csv", "part-2.csv"], "d").0, whole);
    assert_ne!(train(&["--data", "part-1.csv"], "e").0, whole);
    let (stdout, _) = succeed(directory.path(), &["inspect", "part-1.csv", "part-[2].csv"]);
    assert!(stdout.contains("part-1.csv and 1 more file: 4 scored pairs"), "{stdout}");
    assert!(stdout.contains("finetune --data part-1.csv 'part-[2].csv' --loss Co"), "{stdout}");
}

#[test]
fn files_that_do_not_belong_together_are_refused() {
    let scored = ("a.csv", "sentence1,sentence2,score\nx,y,1\n");
    let labelled = ("b.csv", "sentence1,sentence2,label\nx,y,1\n");
    let message = "cannot read b.csv: its columns are not those of a.csv: it lacks `score` and has";
    refused(&[scored, labelled], &["--data", "?.csv"], message);
    refused(&[scored, labelled], &["--data", "a.csv", "--data", "b.csv"], message);
    refused(&[scored], &["--data", "*.jsonl"], "cannot read *.jsonl: no file matches this pattern");
    let args = ["--data", "a.csv", "--eval", "?.json"];
    refused(&[scored], &args, "cannot read ?.json: no file matches this pattern");
    refused(&[scored], &["--data", "a.csv", "*.csv"], "cannot read a.csv: it is named twice");
    refused(&[scored], &["--data", "."], "it is a directory: name a file in it, or several by a");
}

#[test]
fn broken_rows_are_refused_with_file_and_line() {
    refused(&[("a.csv", "x,y,1\nx,y\n")], &["--data", "a.csv"], "a.csv:2: expected 3 columns");
    refused(&[("a.csv", "x,y,9\n")], &["--data", "a.csv"], "a.csv:1: score 9 is outside -1..1");
    let header = "sentence_A\tsentence_B\trelatedness_score\n";
    let tsv = format!("{header}x\ty\t0\n");
    refused(&[("a.tsv", &tsv)], &["--data", "a.tsv"], "a.tsv:2: score 0 is outside 1..5");
    refused(&[("a.txt", "1 x\n7 y\n")], &["--data", "a.txt"], "a.txt:2: class 7 is outside 0..5");
    refused(&[("a.jsonl", "{}\n{")], &["--data", "a.jsonl"], "a.jsonl:2: not JSON");
    let good = ("good.csv", PAIRS);
    let args = ["--data", "good.csv", "--eval", "a.txt", "--loss", "CosineSimilarityLoss"];
    refused(&[good, ("a.txt", "what\n")], &args, "a.txt:1: expected a class number");
}

#[test]
fn labels_out_of_range_are_refused_with_file_and_line() {
    let rows = "{\"sentence1\":\"a\",\"sentence2\":\"b\",\"label\":1}\n\
                {\"sentence1\":\"c\",\"sentence2\":\"d\",\"label\":3}\n";
    let args = ["--data", "a.jsonl", "--eval", "a.jsonl", "--loss", "ContrastiveLoss"];
    refused(&[("a.jsonl", rows)], &args, "a.jsonl:2: label 3 is out of range");
}

#[test]
fn the_scale_and_unused_columns_are_said() {
    let directory = TempDir::new().unwrap();
    let rows: String = (0..12).map(|i| format!("{i},a{i},b{i},{}\n", i % 2 * 2 - 1)).collect();
    fs::write(directory.path().join("a.csv"), format!("id,sentence1,sentence2,score\n{rows}"))
        .unwrap();
    let args =
        ["--data", "a.csv", "--eval", "a.csv", "--loss", "CosineSimilarityLoss", "--steps", "2"];
    let range = ["--score-range", "-1..1", "--log", "log"];
    let (_, stderr) = succeed(directory.path(), &[&args[..], &range].concat());
    assert!(stderr.contains("a.csv: scores are on the scale -1..1"), "{stderr}");
    assert!(stderr.contains("a.csv: columns not used: id"), "{stderr}");
}

#[test]
fn a_file_is_shown_with_the_losses_that_it_fits() {
    let directory = TempDir::new().unwrap();
    let text = "id,premise,hypothesis,label\n1,a,b,0\n2,c,d,1\n3,e,f,1\n4,g,h,-1\n";
    fs::write(directory.path().join("a.csv"), text).unwrap();
    let (stdout, _) = succeed(directory.path(), &["inspect", "a.csv"]);
    for line in [
        "a.csv: 3 classified pairs",
        "columns not used: id",
        "rows without a score or a class, left out: 1",
        "classes of pairs: 0 (1), 1 (2)",
        "       3 examples  finetune --data a.csv --loss ContrastiveLoss",
        "       3 examples  finetune --data a.csv --loss CosineSimilarityLoss",
    ] {
        assert!(stdout.lines().any(|it| it == line), "{line}: {stdout}");
    }
    assert!(!stdout.contains("TripletLoss"), "{stdout}");
    refused(
        &[("a.csv", "x,y,z\n")],
        &["inspect", "a.csv"],
        "a.csv:1: the first row names no known",
    );
}

#[test]
fn a_file_is_shown_with_the_options_that_read_it() {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("a.txt"), "title,the body,s\na,b,4\nc,d,1\n").unwrap();
    let options = ["--format", "csv", "--score-range", "0..5"];
    let columns = ["--columns", "sentence1=title,sentence2=the body,score=s"];
    let args = [&["inspect", "a.txt"][..], &options, &columns].concat();
    let (stdout, _) = succeed(directory.path(), &args);
    let command = "finetune --data a.txt --format csv --score-range 0..5 --columns 'sentence1=title,sentence2=the \
                   body,score=s' --loss CoSENTLoss";
    assert!(stdout.contains(command), "{stdout}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_result_that_cannot_be_written_is_an_error() {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("a.csv"), PAIRS).unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_finetune"));
    command.current_dir(directory.path()).args(["inspect", "a.csv"]);
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let output = command.stdout(full).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("cannot write standard output: No space left"), "{stderr}");
}

#[test]
fn what_labels_mean_does_not_depend_on_the_file() {
    let directory = TempDir::new().unwrap();
    let rows = |classes: usize| -> String {
        let row = |i: usize| format!("premise {i},hypothesis {i},{}\n", i % classes);
        let rows: String = (0..12).map(row).collect();
        format!("premise,hypothesis,label\n{rows}")
    };
    fs::write(directory.path().join("train.csv"), rows(3)).unwrap();
    fs::write(directory.path().join("dev.csv"), rows(2)).unwrap();
    let args =
        ["--data", "train.csv", "--eval", "dev.csv", "--loss", "SoftmaxLoss", "--steps", "2"];
    let (stdout, _) = succeed(directory.path(), &args);
    // 0 and 1 of three classes are not "different" and "same".
    assert!(stdout.contains("accuracy of pair classes"), "{stdout}");
    assert!(!stdout.contains("average precision of pairs"), "{stdout}");

    // Nor where the one row of the third class is not among those that are held out.
    let first = "premise,hypothesis,label\na,b,2\n";
    let more: String = (0..40).map(|i| format!("premise {i},hypothesis {i},{}\n", i % 2)).collect();
    fs::write(directory.path().join("all.csv"), format!("{first}{more}")).unwrap();
    let args = ["--data", "all.csv", "--loss", "SoftmaxLoss", "--steps", "2", "--out", "other"];
    let (stdout, _) = succeed(directory.path(), &args);
    assert!(stdout.contains("accuracy of pair classes"), "{stdout}");
    assert!(!stdout.contains("average precision of pairs"), "{stdout}");
}

#[test]
fn data_that_does_not_fit_the_loss_says_what_would() {
    let args = ["--data", "a.csv", "--eval", "a.csv", "--loss", "TripletLoss"];
    refused(&[("a.csv", PAIRS)], &args, "TripletLoss needs triplets (anchor, positive, negative)");
    refused(
        &[("a.csv", PAIRS)],
        &args,
        "It fits AnglELoss, CoSENTLoss, ContrastiveLoss, CosineSimilarityLoss, DenoisingAutoEncoderLoss, ",
    );
    let args = ["--data", "a.txt", "--loss", "MSELoss"];
    refused(&[("a.txt", "1 x\n1 y\n2 z\n2 w\n")], &args, "MSELoss needs texts with a teacher's");
}

#[test]
fn labels_and_scores_that_are_all_the_same_are_told_before_the_model_is_opened() {
    let rows = |column: &str, value: &str| {
        let rows: String = (0..3).map(|row| format!("a{row},b{row},{value}\n")).collect();
        format!("sentence1,sentence2,{column}\n{rows}")
    };
    for (loss, table, message) in [
        ("ContrastiveLoss", rows("label", "1"), "a.csv has 3 classified pairs, all of class 1."),
        ("SoftmaxLoss", rows("label", "neutral"), "3 classified pairs, all of class neutral."),
        ("CoSENTLoss", rows("score", "0.5"), "a.csv has 3 scored pairs, all with one score."),
        (
            "BatchAllTripletLoss",
            "text,label\na,x\nb,x\n".into(),
            "2 labelled texts, all of class x.",
        ),
    ] {
        let args = ["--data", "a.csv", "--eval", "a.csv", "--loss", loss, "--model", "nowhere"];
        refused(&[("a.csv", &table)], &args, message);
    }
}

#[test]
fn options_that_are_none_are_refused() {
    refused(&[], &["--loss", "TripleLoss"], "unknown loss `TripleLoss`; known are AdaptiveLayer");
    let tension = ["--loss", "ContrastiveTensionLoss"];
    refused(&[], &tension, "needs embeddings by two encoders, of which this program trains one");
    let splade = r#"{"loss": "CoSENTLoss", "document_regularizer_weight": 0.1}"#;
    for loss in ["sparse_encoder.SpladeLoss", "sparse_encoder.CachedSpladeLoss"] {
        let message =
            format!("--loss: {loss} needs a sparse encoder, with a dimension for each word;");
        refused(&[], &["--loss", loss, "--loss-config", splade], &message);
    }
    refused(
        &[],
        &["--loss", "cross_encoder.LambdaLoss"],
        "needs a model that scores pairs of texts: name a CrossEncoder with --model, or say --task rerank",
    );
    for entry in LossConfig::ENTRIES {
        if entry.model == ModelKind::MultiVectorEncoder {
            let message = "needs a multi-vector encoder, with an embedding for each token";
            refused(&[], &["--loss", entry.name], message);
        }
    }
    refused(&[], &["--loss-config", "{margin: 1}"], "--loss-config: expected a JSON object");
    refused(&[], &["--loss-config", "[1]"], "--loss-config: expected a JSON object");
    refused(&[], &["--loss-config", "{\"margin\": 1}"], "unknown field `margin`");
    refused(&[], &["--loss-config", "{\"scale\": -1}"], "`scale` must be positive");
    refused(&[], &["--loss-config", "{\"scale\": \"x\"}"], "invalid type");
    for (options, message) in [
        (
            r#"{"matryoshka_dims": [1000]}"#,
            "`dims` must be at most 128, the dimension of the encoder, got 1000",
        ),
        (r#"{"matryoshka_dims": [0]}"#, "`dims` must be at least 1 each, got 0"),
        (r#"{"matryoshka_dims": []}"#, "`dims` must hold at least one dimension, got none"),
        (r#"{"matryoshka_weights": [1]}"#, "MatryoshkaLoss: missing field `dims`"),
        (
            r#"{"matryoshka_dims": [8], "matryoshka_weights": [1, 2]}"#,
            "`weights` must be 1, one for each",
        ),
        (
            r#"{"matryoshka_dims": [8], "bogus": 1}"#,
            "MultipleNegativesRankingLoss: unknown field `bogus`",
        ),
        (r#"{"matryoshka_dims": [8], "loss": "NoLoss"}"#, "unknown loss `NoLoss`"),
        (r#"{"matryoshka_dims": [8], "loss": "MatryoshkaLoss"}"#, "`loss` must be no wrapper"),
    ] {
        refused(&[], &["--loss-config", options], message);
    }
    refused(
        &[],
        &["--loss", "GISTEmbedLoss"],
        "--guide: GISTEmbedLoss needs a model of sentence-transformers",
    );
    refused(&[], &["--guide", "nowhere"], "--guide: MultipleNegativesRankingLoss has no guide");
    refused(&[], &["--loss", "GISTEmbedLoss", "--guide", "nowhere"], "nowhere");
    let layers = r#"{"n_layers_per_step": 1}"#;
    let args = ["--static", "8", "--loss-config", layers];
    refused(
        &[],
        &args,
        "AdaptiveLayerLoss(MultipleNegativesRankingLoss) needs the layers of a transformer",
    );
    refused(&[], &["--loss", "MatryoshkaLoss"], "MatryoshkaLoss needs a `loss` inside, such as");
    refused(&[], &["--device", "cuda:0"], "--features cuda");
    refused(&[], &["--device", "abacus"], "`abacus` is no device");
    refused(&[], &["--device", "flex,"], "`` is no device");
    let several = ["--device", "flex,flex"];
    let refused_with =
        |more: &[&str], message| refused(&[], &[&several[..], more].concat(), message);
    refused_with(&["--workers", "2"], "--workers: several devices have one worker each");
}

#[test]
fn a_cached_loss_has_one_size_of_mini_batches() {
    let refused = |args: &[&str], message| {
        let loss = ["--loss", "CachedMultipleNegativesRankingLoss"];
        refused(&[], &[&loss[..], args].concat(), message);
    };
    let given = ["--loss-config", "{\"mini_batch_size\": 4}"];
    refused(
        &[&given[..], &["--mini-batch-size", "4"]].concat(),
        "`mini_batch_size` is in --loss-config",
    );
    for wrong in ["0", "-1", "null", "1.5"] {
        let config = format!("{{\"mini_batch_size\": {wrong}}}");
        refused(&["--loss-config", &config], "`mini_batch_size` must be a whole number above zero");
    }
}

#[test]
fn numbers_that_are_none_end_with_status_2() {
    for args in [
        ["--epochs", "0"],
        ["--batch-size", "1"],
        ["--learning-rate", "nan"],
        ["--workers", "4294967296"],
        ["--static", "4294967296"],
        ["--word-dropout", "1"],
        ["--dropout", "0.1"],
        ["--warm-up", "1.5"],
        ["--weight-decay", "-1"],
        ["--max-gradient-norm", "0"],
        ["--gradient-accumulation", "0"],
        ["--deletion-ratio", "nan"],
        ["--eval-steps", "0"],
        ["--checkpoint-steps", "0"],
        ["--score-range", "5"],
        ["--columns", "title"],
        ["--seed", "-1"],
        ["--colour", "red"],
    ] {
        let directory = TempDir::new().unwrap();
        let output = finetune(directory.path(), &args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let stderr = text(&output.stderr);
        assert!(stderr.starts_with("error: ") && !stderr.contains("panicked"), "{stderr}");
    }
}

#[test]
fn outputs_that_cannot_be_written_are_refused() {
    let file = ("file", "mine");
    refused(&[file], &["--out", "file"], "cannot write file: it exists and is not a directory");
    refused(&[file], &["--out", "file/model"], "cannot write file/model");
    refused(&[file], &["--out", ".", "--force"], "cannot write .");
    refused(&[], &["--log", "none/log"], "cannot write none/log");
}

#[test]
fn a_diverging_run_writes_nothing() {
    let directory = TempDir::new().unwrap();
    let args = ["--loss", "MSELoss", "--learning-rate", "1e30", "--steps", "5"];
    let output = finetune(directory.path(), &args);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("--learning-rate"), "{}", text(&output.stderr));
    assert!(names(directory.path()).is_empty());
}

#[test]
fn an_encoder_is_saved_kept_and_replaced_only_by_force() {
    let directory = TempDir::new().unwrap();
    let first = finetune(directory.path(), &["--steps", "3"]);
    assert!(first.status.success(), "{}", text(&first.stderr));
    let model = directory.path().join("finetuned-encoder");
    let files = ["config.json", "model.bpk", "report", "tokenizer.json", "training.json"];
    assert_eq!(names(&model), files);
    assert_eq!(names(directory.path()), ["finetuned-encoder"], "nothing else is left behind");

    let saved = fs::read(model.join("model.bpk")).unwrap();
    let second = finetune(directory.path(), &["--steps", "3"]);
    assert_eq!(second.status.code(), Some(2));
    assert!(text(&second.stderr).contains("--force"));
    assert_eq!(fs::read(model.join("model.bpk")).unwrap(), saved);

    let third = finetune(directory.path(), &["--steps", "3", "--seed", "5", "--force"]);
    assert!(third.status.success(), "{}", text(&third.stderr));
    assert_ne!(fs::read(model.join("model.bpk")).unwrap(), saved);
    assert_eq!(names(directory.path()), ["finetuned-encoder"], "nothing else is left behind");
}

#[test]
fn equal_runs_give_equal_files() {
    let directory = TempDir::new().unwrap();
    for out in ["one", "other"] {
        let run = finetune(directory.path(), &["--steps", "3", "--no-report", "--out", out]);
        assert!(run.status.success(), "{}", text(&run.stderr));
    }
    for name in names(&directory.path().join("one")) {
        let [one, other] =
            ["one", "other"].map(|it| fs::read(directory.path().join(it).join(&name)));
        assert!(one.unwrap() == other.unwrap(), "{name}");
    }
}

#[test]
fn a_page_of_pictures_lies_beside_the_encoder_unless_it_is_not_wanted() {
    let directory = TempDir::new().unwrap();
    let args = ["--steps", "6", "--eval-steps", "2", "--out", "with"];
    assert!(finetune(directory.path(), &args).status.success());
    let page = fs::read_to_string(directory.path().join("with/report/index.html")).unwrap();
    // The loss, the evaluations, and similarities and maps before and after.
    assert_eq!(page.matches("<svg ").count(), 6);
    for shown in ["Loss of the training batches", "Evaluation over the steps", "Spearman of scored"]
    {
        assert!(page.contains(shown), "{shown}");
    }
    let marks = page.matches("<circle ").count();
    // Three evaluations and the one before, of eight measures; 144 labelled texts on each map.
    assert_eq!(marks, 4 * 8 + 2 * 144);

    let args = ["--steps", "3", "--no-report", "--out", "without"];
    assert!(finetune(directory.path(), &args).status.success());
    assert!(!directory.path().join("without/report").exists());
}

#[test]
fn the_saved_encoder_is_the_one_that_was_evaluated() {
    let directory = TempDir::new().unwrap();
    assert!(finetune(directory.path(), &["--steps", "3", "--out", "model"]).status.success());
    let model = directory.path().join("model");
    let (encoder, tokenizer) = finetune::run::save::load(&model, &Device::flex()).unwrap();
    let routes = tokenizer.into();
    let embedder = Embedder::new(&routes, &encoder, &[Device::flex()]);
    let evaluation = corpus::evaluation().unwrap();
    let again = Evaluation::of(&embedder, &evaluation, &[]).unwrap();

    let summary = fs::read(model.join("training.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_slice(&summary).unwrap();
    for measure in [Measure::Spearman, Measure::Triplets, Measure::Labels] {
        let saved = summary["after"][measure.title()].as_f64().unwrap();
        assert!((again.get(measure).unwrap().value - saved).abs() < 1e-9, "{measure:?}");
    }
}

#[test]
fn the_same_seed_gives_the_same_numbers() {
    let directory = TempDir::new().unwrap();
    let run = |seed: &str, out: &str| {
        let args = ["--steps", "8", "--seed", seed, "--out", out];
        let output = finetune(directory.path(), &args);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let path = directory.path().join(out).join("training.json");
        let summary: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        (summary["before"].clone(), summary["after"].clone())
    };
    let first = run("1", "first");
    assert_eq!(first, run("1", "second"));
    assert_ne!(first, run("2", "third"));
}

#[test]
fn held_out_rows_and_other_formats_evaluate() {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("pairs.csv"), PAIRS.repeat(10)).unwrap();
    let questions = "1 who is it\n1 who was it\n2 where is it\n2 where was it\n";
    fs::write(directory.path().join("questions.txt"), questions).unwrap();
    let loss = ["--loss", "CosineSimilarityLoss", "--epochs", "1", "--data", "pairs.csv"];
    for (eval, measure) in [
        (vec!["--out", "a"], "Spearman of scored pairs"),
        (vec!["--out", "b", "--eval", "questions.txt"], "accuracy of labels"),
    ] {
        let output = finetune(directory.path(), &[&loss[..], &eval].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert!(text(&output.stdout).contains(measure), "{}", text(&output.stdout));
    }
}

#[test]
fn a_dashboard_needs_its_feature_and_a_terminal() {
    let reason = match cfg!(feature = "dashboard") {
        true => "--dashboard: stdout is no terminal",
        false => {
            "--dashboard: this build has none; add `--features dashboard` to the cargo command"
        }
    };
    refused(&[], &["--dashboard", "--steps", "1"], reason);
    let directory = TempDir::new().unwrap();
    fs::create_dir(directory.path().join("finetuned-encoder")).unwrap();
    let output = finetune(directory.path(), &["--dashboard", "--log", "log.jsonl"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
    assert_eq!(names(directory.path()), ["finetuned-encoder"]);
}

#[test]
fn help_names_every_option_and_loss() {
    let directory = TempDir::new().unwrap();
    let help = text(&finetune(directory.path(), &["--help"]).stdout);
    for word in [
        "--dashboard",
        "--data",
        "--eval",
        "--format",
        "--loss-config",
        "--epochs",
        "--batch-size",
        "--learning-rate",
        "--seed",
        "--device",
        "--eval-steps",
        "--gradient-accumulation",
        "--log",
        "--out",
        "--resume",
        "--force",
        "STS-B",
        "SICK",
        "TREC",
    ] {
        assert!(help.contains(word), "{word}");
    }
    for loss in task::losses().into_iter().chain(task::aliases()) {
        assert!(help.contains(loss), "{loss}");
    }
}

#[test]
fn no_file_steers_the_terminal() {
    let directory = TempDir::new().unwrap();
    let model = golden("bert");
    let model = model.to_str().unwrap();
    fs::write(directory.path().join("e.txt"), "9\x1b[2J\x1b]0;owned\x07 t\n").unwrap();
    let long = format!("sentence1,sentence2,score\na,b,{}\nc,d,1\n", "x".repeat(100_000));
    fs::write(directory.path().join("long.csv"), long).unwrap();
    let changed = directory.path().join("model");
    copy(&golden("bert"), &changed);
    let fields = [("/hidden_act", serde_json::json!("x\nerror: forged\x1b[2J"))];
    set(&changed, ("config.json", &fields));
    for args in [
        vec!["--data", "e.txt", "--loss", "BatchAllTripletLoss"],
        vec!["--data", "long.csv", "--loss", "CosineSimilarityLoss"],
        vec!["--model", "model"],
        vec!["--model", model, "--data", "no\x1b[2J\n.csv"],
    ] {
        let output = finetune(directory.path(), &args);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {error}");
        let message = error.strip_suffix('\n').unwrap();
        assert!(!message.chars().any(char::is_control), "{message:?}");
        assert!(message.starts_with("error: ") && message.len() < 1000, "{message}");
    }
    let shown = finetune(directory.path(), &["inspect", "e.txt"]);
    let printed = [shown.stdout, shown.stderr].concat();
    assert!(!printed.contains(&0x1b), "{}", text(&printed));
}
