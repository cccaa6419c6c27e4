//! Every loss trains the encoder on the built-in corpus, and the evaluation
//! on sentences it has not seen gets better.

use std::sync::{Mutex, PoisonError};

use burn::tensor::Device;
use burn_embedding_losses::catalog::{BatchKind, Entry, LossConfig, ModelKind};
use finetune::data::corpus;
use finetune::data::task::{kind_of, takes_two_encoders};
use finetune::error::Error;
use finetune::report::console::Console;
use finetune::run::encoder::Encoder;
use finetune::run::evaluation::{Evaluation, Measure};
use finetune::run::guide::Guide;
use finetune::run::objective::Choice;
use finetune::run::schedule::Schedule;
use finetune::run::session::{Outcome, Session};

/// Burn's random numbers are one stream for the whole process: one session draws at a time.
static RANDOM: Mutex<()> = Mutex::new(());

fn train(loss: &str, options: &str, schedule: Schedule) -> Result<Outcome<Encoder>, Error> {
    let _drawing = RANDOM.lock().unwrap_or_else(PoisonError::into_inner);
    let (training, evaluation) = (corpus::training()?, corpus::evaluation()?);
    let mut session = Session {
        training: &training,
        evaluation: &evaluation,
        schedule,
        device: Device::flex(),
        more_devices: Vec::new(),
        checkpoints: None,
        guide: None,
        resume: false,
        log: None,
    };
    let loss = Choice::new(loss, options)?;
    let (start, _) = session.from_scratch()?;
    if kind_of(&loss.name)? == BatchKind::GuidedRankings {
        // The untrained encoder itself finds equal words.
        let guide = Guide::of(start.routes.tokenizer().clone(), &start.encoder, Device::flex());
        session.guide = Some(guide);
    }
    session.run(start, &loss, &Console::silent())
}

fn schedule(steps: usize, learning_rate: f64) -> Schedule {
    Schedule { epochs: 20, steps: Some(steps), learning_rate, seed: 7, ..Schedule::default() }
}

/// What a loss is for, and so what has to get better.
fn aim(loss: &str) -> Measure {
    match kind_of(loss) {
        Ok(BatchKind::LabeledRows) => Measure::Labels,
        Ok(BatchKind::ScoredPairs | BatchKind::ScoredTuples) => Measure::Spearman,
        Ok(BatchKind::BinaryPairs) => Measure::BinaryPairs,
        Ok(BatchKind::ClassifiedPairs) => Measure::PairClasses,
        Ok(BatchKind::PositivePairs | BatchKind::Rankings | BatchKind::GuidedRankings) => {
            Measure::Retrieval
        }
        Ok(BatchKind::Triplets | BatchKind::ScoredRankings | BatchKind::TeacherScores) => {
            Measure::Triplets
        }
        Ok(BatchKind::TeacherEmbeddings) => Measure::Teacher,
        _ => panic!("{loss} trains on nothing"),
    }
}

/// The least gain that is no chance: training on the negated loss stays below it.
const GAIN: f64 = 0.015;

/// The options of a loss and the number of steps that show its gain.
///
/// The options are Python's defaults where these suit an encoder that starts untrained. Its texts
/// have a norm of about 2, too small for a Euclidean margin of 5, and those with nothing in common
/// a cosine distance of about 1, which a margin of 0.5 would not widen.
fn setting(loss: &str) -> (&'static str, Schedule) {
    match loss {
        "BatchAllTripletLoss" | "BatchSemiHardTripletLoss" => {
            (r#"{"distance_metric": "cosine", "margin": 0.3}"#, schedule(80, 0.001))
        }
        // With its default, a few pairs decide each step of an encoder whose cosines are all alike.
        "CircleLoss" => (r#"{"gamma": 16.0}"#, schedule(80, 0.001)),
        "ContrastiveLoss" | "OnlineContrastiveLoss" => (r#"{"margin": 1.0}"#, schedule(60, 0.001)),
        // Its default, the cosine, leaves the lengths of embeddings as they are.
        "EmbedDistillLoss" => (r#"{"distance_metric": "l2"}"#, schedule(60, 0.004)),
        "AdaptiveLayerLoss" => (r#"{"loss": "MultipleNegativesRankingLoss"}"#, schedule(40, 0.001)),
        "GISTEmbedLoss" => (r#"{"temperature": 0.05}"#, schedule(40, 0.001)),
        "Matryoshka2dLoss" => (
            r#"{"loss": "MultipleNegativesRankingLoss", "matryoshka_dims": [128, 16]}"#,
            schedule(60, 0.001),
        ),
        "MatryoshkaLoss" => (
            r#"{"loss": "MultipleNegativesRankingLoss", "matryoshka_dims": [128, 32]}"#,
            schedule(40, 0.001),
        ),
        "MultiSimilarityLoss" => ("{}", schedule(80, 0.001)),
        "MSELoss" => ("{}", schedule(60, 0.004)),
        // With its defaults, the few pairs that belong together weigh little at first.
        "SigLipLoss" => (r#"{"scale": 10.0, "bias": -5.0}"#, schedule(80, 0.002)),
        _ => ("{}", schedule(40, 0.001)),
    }
}

/// Whether the loss trains a sentence encoder without a model to make a decoder of.
fn trainable(entry: &Entry) -> bool {
    !entry.needs_decoder() && entry.model == ModelKind::SentenceEncoder
}

#[test]
fn every_loss_makes_the_evaluation_better() {
    let mut failed = Vec::new();
    // What takes any texts only spreads them.
    let teaches = |entry: &Entry| {
        trainable(entry) && entry.takes != BatchKind::AnyTexts && !takes_two_encoders(entry.takes)
    };
    for entry in LossConfig::ENTRIES.into_iter().filter(teaches) {
        let loss = entry.name;
        let (options, schedule) = setting(loss);
        let outcome = train(loss, options, schedule).unwrap();
        let measure = aim(&Choice::new(loss, options).unwrap().name);
        let [before, after] = [&outcome.before, &outcome.after]
            .map(|evaluation| evaluation.get(measure).map(|score| score.value).unwrap());
        println!("{loss}: {} {before:.4} -> {after:.4}", measure.title());
        if after < before + GAIN {
            failed.push(format!("{loss}: {before} -> {after}"));
        }
    }
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn a_wrapper_is_named_or_follows_from_its_options() {
    let options = |json: &str| Choice::new("TripletLoss", json).unwrap();
    let inside = options(r#"{"matryoshka_dims": [64, 8], "triplet_margin": 1.5}"#);
    assert_eq!(inside.title(), "MatryoshkaLoss(TripletLoss)");
    let named = r#"{"loss": {"TripletLoss": {"triplet_margin": 1.5}}, "matryoshka_dims": [64, 8]}"#;
    let by_name = Choice::new("MatryoshkaLoss", named).unwrap();
    assert_eq!((&by_name.name, &by_name.options), (&inside.name, &inside.options));
    assert_eq!(by_name.wrapper, inside.wrapper);
    assert_eq!(options(r#"{"triplet_margin": 1.5}"#).title(), "TripletLoss");
    let layers = options(r#"{"n_layers_per_step": 2}"#);
    assert_eq!(layers.title(), "AdaptiveLayerLoss(TripletLoss)");
    let both = options(r#"{"n_layers_per_step": 2, "matryoshka_dims": [64]}"#);
    assert_eq!(both.title(), "Matryoshka2dLoss(TripletLoss)");
}

#[test]
fn short_embeddings_are_measured_and_get_better() {
    let options = r#"{"matryoshka_dims": [64, 8], "n_dims_per_step": 1}"#;
    let outcome = train("MultipleNegativesRankingLoss", options, schedule(60, 0.002)).unwrap();
    let of = |evaluation: &Evaluation| -> Vec<(usize, f64)> {
        evaluation.by_dim().map(|(dim, score)| (dim, score.value)).collect()
    };
    let (before, after) = (of(&outcome.before), of(&outcome.after));
    assert_eq!((before.len(), before[0].0, before[1].0), (2, 64, 8));
    let (_, whole) = outcome.before.main().unwrap();
    assert!(before[0].1 <= 1.0 && before[1].1 < whole.value, "{before:?}, {whole:?}");
    assert!(after[1].1 > before[1].1 + GAIN, "{before:?}, {after:?}");
    let again = train("MultipleNegativesRankingLoss", options, schedule(60, 0.002)).unwrap();
    assert_eq!(of(&again.after), after, "the dimensions are drawn with the seed");
}

#[test]
fn a_loss_that_stops_being_a_number_stops_the_training() {
    let error = train("MSELoss", "{}", schedule(10, 1e30)).unwrap_err();
    assert!(matches!(error, Error::Diverged { step: 2.., .. }), "{error}");
}

#[test]
fn the_classifier_must_have_a_place_for_every_class() {
    let error = train("SoftmaxLoss", r#"{"num_labels": 2}"#, schedule(10, 0.001)).unwrap_err();
    assert!(error.to_string().contains("`num_labels` is 2"), "{error}");
}
