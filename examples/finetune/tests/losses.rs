//! Every one of the thirteen losses trains the encoder on the built-in corpus, and the evaluation
//! on sentences it has not seen gets better.

use std::sync::{Mutex, PoisonError};

use burn::tensor::Device;
use burn_embedding_losses::sentence_transformers::LossConfig;
use finetune::console::Console;
use finetune::corpus;
use finetune::error::Error;
use finetune::evaluate::Measure;
use finetune::objective::parse_options;
use finetune::session::{Outcome, Session};
use finetune::task::Need;
use finetune::train::Schedule;

/// Burn's random numbers are one stream for the whole process: one session draws at a time.
static RANDOM: Mutex<()> = Mutex::new(());

fn train(loss: &str, options: &str, schedule: Schedule) -> Result<Outcome, Error> {
    let _drawing = RANDOM.lock().unwrap_or_else(PoisonError::into_inner);
    let (training, evaluation) = (corpus::training()?, corpus::evaluation()?);
    let session = Session {
        training: &training,
        evaluation: &evaluation,
        loss,
        options: parse_options(options)?,
        schedule,
        device: Device::flex(),
    };
    session.run(&Console::silent())
}

fn schedule(learning_rate: f64) -> Schedule {
    Schedule {
        epochs: 10,
        steps: Some(40),
        batch_size: 32,
        learning_rate,
        word_dropout: 0.2,
        seed: 7,
    }
}

/// What a loss is for, and so what has to get better.
fn aim(loss: &str) -> Measure {
    match Need::of(loss) {
        Some(Need::LabelledTexts) => Measure::Labels,
        Some(Need::ScoredPairs) => Measure::Spearman,
        Some(Need::BinaryPairs) => Measure::BinaryPairs,
        Some(Need::ClassifiedPairs) => Measure::PairClasses,
        Some(Need::PositivePairs | Need::Rankings) => Measure::Retrieval,
        Some(Need::Triplets | Need::MarginTriplets) => Measure::Triplets,
        Some(Need::Lessons) => Measure::Teacher,
        None => panic!("{loss} trains on nothing"),
    }
}

/// Python's defaults, but where they suit only an encoder that has been trained before: texts that
/// have nothing in common start at a cosine distance of about 1 here, and a margin of 0.5 would
/// not push them apart.
fn options(loss: &str) -> &'static str {
    match Need::of(loss) {
        Some(Need::BinaryPairs) => r#"{"margin": 1.0}"#,
        _ => "{}",
    }
}

#[test]
fn every_loss_makes_the_evaluation_better() {
    let mut worse = Vec::new();
    for loss in LossConfig::NAMES {
        let outcome = train(loss, options(loss), schedule(0.001)).unwrap();
        let measure = aim(loss);
        let [before, after] = [&outcome.before, &outcome.after]
            .map(|evaluation| evaluation.get(measure).map(|score| score.value).unwrap());
        println!("{loss}: {} {before:.4} -> {after:.4}", measure.title());
        if after <= before {
            worse.push(format!("{loss}: {before} -> {after}"));
        }
    }
    assert!(worse.is_empty(), "{worse:?}");
}

#[test]
fn a_loss_that_stops_being_a_number_stops_the_training() {
    let error = train("MSELoss", "{}", schedule(1e30)).unwrap_err();
    assert!(
        matches!(error, Error::Diverged { step: 2.., .. }),
        "{error}"
    );
}

#[test]
fn the_classifier_must_have_a_place_for_every_class() {
    let error = train("SoftmaxLoss", r#"{"num_labels": 2}"#, schedule(0.001)).unwrap_err();
    assert!(error.to_string().contains("`num_labels` is 2"), "{error}");
}
