//! What a run does on the way: its log, its evaluations, its order.

mod common;

use std::fs;
use std::path::Path;

use common::{copy, finetune, golden, names, numbers, set, steps, succeed, text};
use serde_json::Value;
use tempfile::TempDir;

#[test]
fn each_step_leaves_a_line() {
    let directory = TempDir::new().unwrap();
    let args = ["--steps", "20", "--warm-up", "0.5", "--learning-rate", "0.01", "--log", "log"];
    succeed(directory.path(), &args);
    let steps = steps(&directory.path().join("log"));
    assert_eq!(numbers(&steps, "step"), (1..=20).map(f64::from).collect::<Vec<_>>());
    let rates = numbers(&steps, "learning_rate");
    assert!((rates[0] - 0.001).abs() < 1e-12 && rates[9] == 0.01, "{rates:?}");
    assert!(rates[9..].is_sorted_by(|a, b| a > b) && rates[19] > 0.0, "{rates:?}");
    let losses = numbers(&steps, "loss");
    assert!(losses[15..].iter().sum::<f64>() < losses[..5].iter().sum::<f64>(), "{losses:?}");
    for name in ["gradient_norm", "texts", "seconds"] {
        assert!(numbers(&steps, name).iter().all(|value| *value > 0.0), "{name}");
    }
}

#[test]
fn a_cached_loss_is_the_loss_inside_by_mini_batches() {
    let directory = TempDir::new().unwrap();
    let run = |args: &[&str]| {
        let log = ["--steps", "4", "--force", "--log", "log"];
        succeed(directory.path(), &[args, &log].concat());
        let steps = steps(&directory.path().join("log"));
        ["loss", "gradient_norm"].map(|name| numbers(&steps, name))
    };
    let both =
        r#"{"directions": ["query_to_doc", "doc_to_query"], "partition_mode": "per_direction"}"#;
    let ranking = |options| ["--loss-config", options, "--mini-batch-size", "9"];
    let sized = ["--loss-config", r#"{"mini_batch_size": 9}"#];
    for (name, options) in [
        ("CachedMultipleNegativesRankingLoss", "{}"),
        ("CachedMultipleNegativesSymmetricRankingLoss", both),
    ] {
        let cached = run(&[&["--loss", name][..], &sized].concat());
        assert_eq!(cached, run(&ranking(options)), "{name}");
    }
}

#[test]
fn gradients_of_several_batches_are_those_of_one() {
    let directory = TempDir::new().unwrap();
    let model = golden("bert");
    // Of this loss, the mean over two halves is the mean over the whole.
    let run = |batch: &str, accumulation: &str| {
        let args = ["--model", model.to_str().unwrap(), "--loss", "CosineSimilarityLoss"];
        let order = ["--no-shuffle", "--steps", "8", "--dropout", "0", "--force", "--log", "log"];
        let sizes = ["--batch-size", batch, "--gradient-accumulation", accumulation];
        succeed(directory.path(), &[&args[..], &order, &sizes].concat());
        let steps = steps(&directory.path().join("log"));
        (numbers(&steps, "loss"), numbers(&steps, "gradient_norm"))
    };
    let (whole, parts) = (run("16", "1"), run("4", "4"));
    assert_eq!(whole.0.len(), 8);
    for (whole, parts) in [(&whole.0, &parts.0), (&whole.1, &parts.1)] {
        for (whole, parts) in whole.iter().zip(parts) {
            assert!((whole - parts).abs() < 1e-5 * whole.abs().max(1.0), "{whole} {parts}");
        }
    }
}

#[test]
fn neither_mini_batches_nor_workers_nor_devices_change_a_step() {
    let directory = TempDir::new().unwrap();
    let lines: String = (0..9).map(|i| format!("a cat sat on mat {i}\n")).collect();
    fs::write(directory.path().join("lines.txt"), lines).unwrap();
    let model = golden("bert");
    let run = |loss: &[&str], parts: &[&str]| {
        let args = ["--model", model.to_str().unwrap(), "--batch-size", "6", "--steps", "5"];
        let more = ["--no-shuffle", "--dropout", "0", "--force", "--log", "log", "--loss"];
        succeed(directory.path(), &[&args[..], &more, loss, parts].concat());
        let steps = steps(&directory.path().join("log"));
        (numbers(&steps, "loss"), numbers(&steps, "gradient_norm"))
    };
    for loss in [
        &["MultipleNegativesRankingLoss"][..],
        &["MegaBatchMarginLoss"],
        &["SoftmaxLoss"],
        &["BatchHardTripletLoss", "--gradient-accumulation", "2"],
    ] {
        let whole = run(loss, &["--workers", "1"]);
        let mini_batches = ["1", "5", "100"].map(|size| vec!["--mini-batch-size", size]);
        let workers = ["2", "3", "100"].map(|count| vec!["--workers", count]);
        let both = [("1", "5"), ("3", "4"), ("2", "100")];
        let both = both.map(|(count, size)| vec!["--workers", count, "--mini-batch-size", size]);
        let flex = ["--device", "flex,flex"];
        let mut devices = vec![flex.to_vec(), [&flex[..], &["--mini-batch-size", "2"]].concat()];
        // A distance that another backend rounds otherwise may make another row the hardest.
        if cfg!(feature = "tch") && loss[0] != "BatchHardTripletLoss" {
            devices.push(vec!["--device", "flex,libtorch"]);
        }
        for option in mini_batches.iter().chain(&workers).chain(&both).chain(&devices) {
            let parts = run(loss, option);
            for (whole, parts) in [(&whole.0, &parts.0), (&whole.1, &parts.1)] {
                assert_eq!(whole.len(), parts.len());
                for (whole, parts) in whole.iter().zip(parts) {
                    let near = (whole - parts).abs() < 2e-5 * whole.abs().max(1.0);
                    assert!(near, "{loss:?} {option:?}: {whole} {parts}");
                }
            }
        }
    }
    // The decoder's gradients of the tied layers join those of the encoder.
    let lines = ["DenoisingAutoEncoderLoss", "--data", "lines.txt"];
    let alone = run(&lines, &["--workers", "1"]).1;
    assert!(alone.iter().all(|norm| norm.is_finite() && *norm > 0.0));
    for more in [&["--workers", "2"][..], &["--workers", "2", "--mini-batch-size", "2"]] {
        for (alone, together) in alone.iter().zip(&run(&lines, more).1) {
            assert!((alone - together).abs() < 2e-5 * alone, "{more:?}: {alone} {together}");
        }
    }
}

#[test]
fn dropout_depends_neither_on_the_number_of_workers_nor_on_mini_batches() {
    let directory = TempDir::new().unwrap();
    let model = golden("bert");
    let run = |workers: &[&str]| {
        let args = ["--model", model.to_str().unwrap(), "--loss", "MultipleNegativesRankingLoss"];
        let order = ["--steps", "5", "--dropout", "0.3", "--force", "--log", "log"];
        let more = ["--batch-size", "8", "--workers"];
        succeed(directory.path(), &[&args[..], &order, &more, workers].concat());
        numbers(&steps(&directory.path().join("log")), "loss")
    };
    let two = run(&["2"]);
    assert_eq!(two, run(&["2"]));
    for others in [&["3"][..], &["2", "--mini-batch-size", "3"]] {
        for (two, other) in two.iter().zip(run(others)) {
            assert!((two - other).abs() < 1e-5 * two.max(1.0), "{others:?}: {two} {other}");
        }
    }
}

#[test]
fn the_best_on_the_way_is_kept() {
    // With far too high a rate no step is better than none.
    assert_eq!(best_step("0.3"), 0);
    assert!(best_step("0.003") > 0);
}

/// The step that a run with this learning rate keeps: the best of those at which it evaluates, and of the
/// beginning.
fn best_step(rate: &str) -> usize {
    let directory = TempDir::new().unwrap();
    let args = ["--loss", "CosineSimilarityLoss", "--steps", "40", "--learning-rate", rate];
    let (_, notes) = succeed(directory.path(), &[&args[..], &["--eval-steps", "8"]].concat());
    let on_the_way = notes
        .lines()
        .filter_map(|line| line.split_once("Spearman of scored pairs ")?.1.get(..6)?.parse().ok());
    let on_the_way: Vec<f64> = on_the_way.collect();
    assert_eq!(on_the_way.len(), 5, "{notes}");
    let summary = fs::read(directory.path().join("finetuned-encoder/training.json")).unwrap();
    let summary: Value = serde_json::from_slice(&summary).unwrap();
    let measured = |when: &str| summary[when]["Spearman of scored pairs"].as_f64().unwrap();
    let scores = [&[measured("before")][..], &on_the_way].concat();
    let best = scores.iter().copied().fold(f64::MIN, f64::max);
    let after = measured("after");
    assert!((after - best).abs() < 1e-4, "{after} {scores:?}");
    let kept = summary["kept_step"].as_u64().unwrap() as usize;
    assert!((scores[kept / 8] - best).abs() < 1e-4, "{kept} {scores:?}");
    kept
}

#[test]
fn the_denoising_loss_trains_on_lines() {
    let directory = TempDir::new().unwrap();
    let lines: String = (0..40).map(|i| format!("a cat sat on mat {i} of the house\n\n")).collect();
    fs::write(directory.path().join("lines.txt"), lines).unwrap();
    for family in ["bert", "roberta"] {
        for options in ["{}", r#"{"tie_encoder_decoder": false}"#] {
            let model = golden(family);
            let args = ["--model", model.to_str().unwrap(), "--data", "lines.txt"];
            let loss = ["--loss", "DenoisingAutoEncoderLoss", "--loss-config", options];
            let more = ["--epochs", "20", "--learning-rate", "0.003"];
            let out = ["--log", "log", "--batch-size", "8", "--force"];
            let all = [&args[..], &loss, &more, &out].concat();
            let (out, _) = succeed(directory.path(), &all);
            assert!(out.contains("40 texts") && out.contains("100 steps"), "{out}");
            assert!(out.contains("Spearman of scored pairs"), "on the built-in sentences: {out}");
            let losses = numbers(&steps(&directory.path().join("log")), "loss");
            let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
            let (first, last) = (mean(&losses[..5]), mean(&losses[95..]));
            assert!(last < 0.8 * first, "{family} {options}: {first} -> {last}");
        }
    }
}

#[test]
fn the_denoising_loss_pads_with_the_tokenizers_token() {
    let directory = TempDir::new().unwrap();
    let lines: String = (0..12).map(|i| format!("{}\n", "the cat ".repeat(1 + i % 5))).collect();
    fs::write(directory.path().join("lines.txt"), lines).unwrap();
    let losses = |padding: u32| {
        let model = directory.path().join("model");
        copy(&golden("bert"), &model);
        set(&model, ("config.json", &[("/pad_token_id", padding.into())]));
        let args =
            ["--model", "model", "--data", "lines.txt", "--loss", "DenoisingAutoEncoderLoss"];
        let more = ["--steps", "4", "--batch-size", "6", "--log", "log", "--force"];
        succeed(directory.path(), &[&args[..], &more].concat());
        numbers(&steps(&directory.path().join("log")), "loss")
    };
    // 0 is the id of the tokenizer's first token, which every text has.
    assert_eq!(losses(0), losses(1));
}

#[test]
fn what_the_denoising_loss_cannot_do_is_refused() {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("lines.txt"), "a cat\na dog\n").unwrap();
    let before = names(directory.path());
    let [mpnet, t5, wide] = ["mpnet", "t5", "xlm-roberta"].map(golden);
    let model = |path: &'_ Path| ["--model".to_string(), path.display().to_string()];
    let [mpnet, t5, wide] = [mpnet, t5, wide].map(|path| model(&path));
    let [mpnet, t5, wide] = [&mpnet, &t5, &wide].map(|args| args.each_ref().map(String::as_str));
    let loss = ["--loss", "DenoisingAutoEncoderLoss"];
    for (args, message) in [
        (&[][..], "needs --model with BERT or RoBERTa"),
        (&t5, "needs --model with BERT or RoBERTa"),
        (&mpnet, "no decoder for MPNet"),
        (&wide, "needs embeddings of 16 numbers, as many as the decoder's; the model's pooling"),
        (&["--loss-config", r#"{"decoder": "x"}"#], "unknown field `decoder`"),
        (&["--data", "lines.txt", "--eval", "lines.txt", "--eval-format", "lines"], "--eval"),
        (&["--data", "lines.txt", "--format", "trec"], "lines.txt:1: expected a class number"),
    ] {
        let output = finetune(directory.path(), &[&loss[..], args].concat());
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
        assert!(stderr.contains(message), "{args:?}: {stderr}");
    }
    assert_eq!(names(directory.path()), before);
}

/// A safetensors file of zeros: the classifier of a SoftmaxLoss with four classes.
fn classifier(columns: usize) -> Vec<u8> {
    let (weight, end) = (16 * columns, 16 * columns + 16);
    let header = format!(
        r#"{{"classifier.weight":{{"dtype":"F32","shape":[4,{columns}],"data_offsets":[0,{weight}]}},"classifier.bias":{{"dtype":"F32","shape":[4],"data_offsets":[{weight},{end}]}}}}"#
    );
    let length = (header.len() as u64).to_le_bytes();
    [&length[..], header.as_bytes(), &vec![0; end]].concat()
}

#[test]
fn a_loss_starts_with_the_parameters_it_is_given() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("classifier");
    let loss = ["--loss", "SoftmaxLoss", "--loss-config", r#"{"num_labels": 4}"#, "--steps", "1"];
    let args = [&loss[..], &["--loss-weights", "classifier", "--log", "log"]].concat();
    let right = classifier(3 * 128);
    fs::write(&file, &right).unwrap();
    succeed(directory.path(), &args);
    // All classes are equally likely.
    let losses = numbers(&steps(&directory.path().join("log")), "loss");
    assert!((losses[0] - 4f64.ln()).abs() < 1e-6, "{losses:?}");

    let refused = |bytes: &[u8], message: &str| {
        fs::write(&file, bytes).unwrap();
        let output = finetune(directory.path(), &[&args[..], &["--force"]].concat());
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(message) && stderr.lines().count() == 1, "{message}: {stderr}");
    };
    let shape = "`classifier.weight` is [4, 192], expected [4, 384]";
    refused(&classifier(3 * 64), &format!("classifier: it does not fit the loss: {shape}"));
    let name = b"classifier.bias";
    let place = right.windows(name.len()).position(|bytes| bytes == name).unwrap();
    let mut other = right.clone();
    other[place..place + name.len()].copy_from_slice(b"classifier.base");
    refused(&other, "it does not fit the loss: `classifier.bias` [4] is missing");
    let mut spoilt = right.clone();
    let end = spoilt.len();
    spoilt[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    refused(&spoilt, "cannot read classifier: it holds NaN or infinity");
    for length in [0, 4, 20, right.len() / 2, right.len() - 1] {
        refused(&right[..length], "cannot read classifier: ");
    }
    let losses = ["--loss", "TripletLoss", "--loss-weights", "classifier"];
    let output = finetune(directory.path(), &[&losses[..], &["--force"]].concat());
    assert!(text(&output.stderr).contains("has no parameters"), "{}", text(&output.stderr));
}

#[test]
fn steps_begin_at_once_whatever_the_number_of_epochs() {
    let directory = TempDir::new().unwrap();
    let (out, _) = succeed(directory.path(), &["--epochs", "1000000", "--steps", "2"]);
    assert!(out.contains(", 2 steps;"), "{out}");
    let output = finetune(directory.path(), &["--epochs", "1000000000000", "--steps", "2"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("expected at most 1000000"));
}
