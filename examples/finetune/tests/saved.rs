//! Models that are trained and saved as directories of sentence-transformers.

mod common;

use std::fs;
use std::path::Path;

use burn::tensor::Device;
use burn_embedding_models::SentenceTransformer;
use common::{finetune, golden, names, text, texts};
use finetune::data::task::losses;
use tempfile::TempDir;

fn open(directory: &Path) -> SentenceTransformer {
    SentenceTransformer::open(directory, &Device::flex()).unwrap()
}

/// The embeddings of the texts, all values one after the other.
fn encode(directory: &Path) -> Vec<f32> {
    open(directory).encode(&texts()).unwrap().into_data().iter().collect()
}

#[test]
fn a_model_is_trained_saved_and_replaced_only_by_force() {
    let directory = TempDir::new().unwrap();
    let model = golden("mpnet");
    let args = |seed: &'static str| {
        let model = model.to_str().unwrap();
        let training = ["--loss", "TripletLoss", "--steps", "3", "--learning-rate", "0.01"];
        [&["--model", model, "--out", "tuned", "--seed", seed], &training[..]].concat()
    };
    let run = |args: &[&str]| finetune(directory.path(), args);
    let first = run(&args("1"));
    assert!(first.status.success(), "{}", text(&first.stderr));
    let tuned = directory.path().join("tuned");
    let files = [
        "1_Pooling",
        "2_Normalize",
        "README.md",
        "config.json",
        "config_sentence_transformers.json",
        "model.safetensors",
        "modules.json",
        "report",
        "sentence_bert_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "training.json",
    ];
    assert_eq!(names(&tuned), files);
    let card = fs::read_to_string(tuned.join("README.md")).unwrap();
    assert!(card.contains("finetuned from `mpnet`"), "{card}");
    assert!(card.contains("| accuracy of triplets | "), "{card}");
    let trained = encode(&tuned);
    assert_ne!(trained, encode(&model));

    let second = run(&args("2"));
    assert_eq!(second.status.code(), Some(2));
    assert!(text(&second.stderr).contains("--force"), "{}", text(&second.stderr));
    assert_eq!(encode(&tuned), trained);
    let third = run(&[&args("2")[..], &["--force"]].concat());
    assert!(third.status.success(), "{}", text(&third.stderr));
    assert_ne!(encode(&tuned), trained);
    assert_eq!(names(directory.path()), ["tuned"], "nothing else is left behind");
}

#[test]
fn any_loss_trains_a_model() {
    let directory = TempDir::new().unwrap();
    let model = golden("bert");
    for loss in losses() {
        let args = ["--model", model.to_str().unwrap(), "--loss", loss, "--steps", "2", "--force"];
        // What a loss needs besides: another one inside, or another model.
        let more: &[&str] = match loss {
            "AdaptiveLayerLoss" => &["--loss-config", r#"{"loss": "CoSENTLoss"}"#],
            "MatryoshkaLoss" | "Matryoshka2dLoss" => {
                &["--loss-config", r#"{"loss": "CoSENTLoss", "matryoshka_dims": [8]}"#]
            }
            "GISTEmbedLoss" => &["--guide", model.to_str().unwrap()],
            _ => &[],
        };
        let output = finetune(directory.path(), &[&args[..], more].concat());
        assert!(output.status.success(), "{loss}: {}", text(&output.stderr));
        let trained = encode(&directory.path().join("finetuned-encoder"));
        assert!(trained.iter().all(|value| value.is_finite()), "{loss}");
        assert_ne!(trained, encode(&model), "{loss}");
    }
}

#[test]
fn a_transformer_alone_becomes_a_sentence_encoder() {
    let directory = TempDir::new().unwrap();
    let plain = directory.path().join("plain");
    open(&golden("roberta")).save(&plain).unwrap();
    for name in names(&plain) {
        if name == "modules.json" || name.contains("sentence") {
            fs::remove_file(plain.join(name)).unwrap();
        } else if name == "1_Pooling" {
            fs::remove_dir_all(plain.join(name)).unwrap();
        }
    }
    fs::write(directory.path().join("texts.txt"), texts().join("\n")).unwrap();
    let run = |args: &[&str]| {
        let output = finetune(directory.path(), args);
        assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
        text(&output.stdout)
    };
    let encode = ["encode", "texts.txt", "--model"];
    for pooling in ["mean", "cls", "max", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"] {
        let saved = ["--model", "plain", "--pooling", pooling, "--steps", "1", "--force"];
        run(&[&saved[..], &["--learning-rate", "1e-30", "--out", "saved"]].concat());
        let before = run(&[&encode[..], &["plain", "--pooling", pooling]].concat());
        assert_eq!(run(&[&encode[..], &["saved"]].concat()), before, "{pooling}");
    }
    for (args, message) in [
        (vec!["plain"], "a transformer alone needs --pooling mean"),
        (vec!["saved", "--pooling", "mean"], "has a pooling of its own"),
        (vec!["plain", "--pooling", "middle"], "supported are cls, max, mean"),
    ] {
        let output = finetune(directory.path(), &[&encode[..], &args].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(text(&output.stderr).contains(message), "{args:?}: {}", text(&output.stderr));
    }
}
