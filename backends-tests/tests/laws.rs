//! What holds for every loss, whatever it computes.

mod law;

use backends_tests::case::Case;
use backends_tests::random::random_case;
use burn::tensor::DType;
use burn_embedding_losses::catalog::{Entry, LossConfig};
use law::{
    Place, budget, check, check_at_reference, check_elsewhere, check_in_f64, close, degenerate,
    derivative, same, symmetry,
};
use serde_json::{Value, json};

/// Every loss with the options that change what it computes; a loss of the catalog without any here
/// has its defaults.
fn table() -> Vec<(&'static str, Value)> {
    let mut table = vec![
        ("BatchAllTripletLoss", json!({"margin": 0.3})),
        ("BatchAllTripletLoss", json!({"distance_metric": "squared_euclidean", "margin": 0.3})),
        ("BatchAllTripletLoss", json!({"distance_metric": "cosine", "margin": 0.3})),
        ("BatchAllTripletLoss", json!({"distance_metric": "manhattan", "margin": 0.3})),
        ("CosineSimilarityLoss", json!({})),
        ("CosineSimilarityLoss", json!({"loss_fct": "L1Loss"})),
        ("CosineSimilarityLoss", json!({"loss_fct": "HuberLoss"})),
        (
            "CosineSimilarityLoss",
            json!({"loss_fct": "BCELoss", "cos_score_transformation": "UnitInterval"}),
        ),
        (
            "CosineSimilarityLoss",
            json!({"loss_fct": "BCEWithLogitsLoss", "cos_score_transformation": "Tanh"}),
        ),
        ("EmbedDistillLoss", json!({"distance_metric": "cosine"})),
        ("EmbedDistillLoss", json!({"distance_metric": "l2"})),
        ("EmbedDistillLoss", json!({"distance_metric": "l2", "projection_dim": 3})),
        ("EmbedDistillLoss", json!({"distance_metric": "mse", "projection_dim": 3})),
        ("GlobalOrthogonalRegularizationLoss", json!({"similarity_fct": "cos_sim"})),
        (
            "GlobalOrthogonalRegularizationLoss",
            json!({"similarity_fct": "dot_score", "mean_weight": 0.5, "aggregation": "sum"}),
        ),
        ("GlobalOrthogonalRegularizationLoss", json!({"second_moment_weight": null})),
        ("MegaBatchMarginLoss", json!({})),
        ("MSELoss", json!({})),
        ("MSELoss", json!({"projection_dim": 3})),
        ("SupConLoss", json!({"similarity": "cos_sim"})),
        ("SupConLoss", json!({"similarity": "dot_score", "temperature": 1.0})),
        ("MultiSimilarityLoss", json!({"similarity": "cos_sim", "beta": 10.0})),
        ("MultiSimilarityLoss", json!({"similarity": "cos_sim", "beta": 10.0, "epsilon": 0.1})),
        ("MultiSimilarityLoss", json!({"similarity": "dot_score"})),
        ("MultiSimilarityLoss", json!({"similarity": "dot_score", "beta": 5.0, "epsilon": 0.1})),
        ("SoftmaxLoss", json!({"label_smoothing": 0.1})),
        ("SoftmaxLoss", json!({"concatenation_sent_multiplication": true})),
    ];
    for metric in ["euclidean", "cosine", "manhattan"] {
        table.push(("TripletLoss", json!({"distance_metric": metric, "triplet_margin": 0.3})));
        for loss in ["BatchHardTripletLoss", "BatchSemiHardTripletLoss"] {
            table.push((loss, json!({"distance_metric": metric, "margin": 0.3})));
            let valid = json!({"distance_metric": metric, "margin": 0.3, "anchors": "Valid"});
            table.push((loss, valid));
        }
        table.push(("BatchHardSoftMarginTripletLoss", json!({"distance_metric": metric})));
        for loss in ["ContrastiveLoss", "OnlineContrastiveLoss"] {
            table.push((loss, json!({"distance_metric": metric, "margin": 1.3})));
        }
    }
    for similarity in ["cos_sim", "dot_score", "Euclidean", "Manhattan"] {
        let tension = "ContrastiveTensionLossInBatchNegatives";
        table.push((tension, json!({"similarity_fct": similarity})));
        let temperatures =
            json!({"similarity_fct": similarity, "temperature": 0.5, "teacher_temperature": 0.25});
        table.push(("DistillKLDivLoss", temperatures));
        table.push(("MarginMSELoss", json!({"similarity_fct": similarity})));
        table.push(("MultipleNegativesRankingLoss", json!({"similarity_fct": similarity})));
        for (mode, directions) in [
            ("joint", json!(["query_to_doc"])),
            ("joint", json!(["query_to_doc", "query_to_query", "doc_to_query", "doc_to_doc"])),
            ("per_direction", json!(["query_to_doc", "doc_to_query"])),
        ] {
            let options = json!({
                "similarity_fct": similarity, "scale": 3, "decoupled": true, "partition_mode": mode,
                "directions": directions,
            });
            table.push(("MultipleNegativesRankingLoss", options));
        }
        for (learn_scale, surplus) in
            [(false, json!({"absolute": 0.1})), (true, json!({"relative": -0.2}))]
        {
            let options = json!({
                "similarity_fct": similarity, "scale": 3, "learn_scale": learn_scale,
                "false_negatives": surplus, "directions": ["query_to_doc", "doc_to_doc"],
            });
            table.push(("MultipleNegativesRankingLoss", options));
        }
        for learn_scale in [false, true] {
            table.push((
                "MultipleNegativesRankingLoss",
                json!({
                    "similarity_fct": similarity, "scale": 3, "learn_scale": learn_scale,
                    "directions": ["query_to_doc", "query_to_query", "doc_to_query", "doc_to_doc"],
                }),
            ));
        }
        table.push((
            "MultipleNegativesRankingLoss",
            json!({
                "similarity_fct": similarity, "partition_mode": "per_direction",
                "directions": ["query_to_doc", "doc_to_query"],
            }),
        ));
    }
    for strategy in ["absolute", "relative"] {
        for (contrast_anchors, contrast_positives) in [(true, false), (false, true), (true, true)] {
            let options = json!({
                "margin_strategy": strategy, "margin": 0.1, "temperature": 0.3,
                "contrast_anchors": contrast_anchors, "contrast_positives": contrast_positives,
            });
            table.push(("GISTEmbedLoss", options));
        }
    }
    for (loss, options) in [
        ("GISTEmbedLoss", json!({"temperature": 0.2})),
        ("MultipleNegativesRankingLoss", json!({"similarity_fct": "dot_score"})),
        ("CoSENTLoss", json!({})),
        ("TripletLoss", json!({"triplet_margin": 0.3})),
        ("MSELoss", json!({})),
        ("BatchAllTripletLoss", json!({"margin": 0.3})),
    ] {
        let weights = json!([0.5, 2.0, 1.0]);
        let options = json!({"loss": {loss: options}, "dims": [1, 3, 0], "weights": weights});
        table.push(("MatryoshkaLoss", options));
    }
    for entry in LossConfig::ENTRIES.into_iter().filter(|entry| entry.takes.takes_tokens()) {
        let limited = json!({"name": "XTRScores", "top_k": 5});
        for similarity in [json!("MaxSim"), json!("MeanMaxSim"), limited] {
            table.push((entry.name, json!({"similarity_fct": similarity})));
        }
    }
    table.extend(of_layers(0.0));
    table.extend(regularised());
    // Without its last part, whose residual holds a constant.
    let ranking = json!({"sparse_encoder.SparseMarginMSELoss": {}});
    table.extend([
        ("sparse_encoder.CSRReconstructionLoss", json!({"beta": 0})),
        ("sparse_encoder.CSRLoss", json!({"beta": 0, "gamma": 0.3})),
        ("sparse_encoder.CSRLoss", json!({"beta": 0, "loss": ranking})),
    ]);
    // Losses with a decoder take no case: see the test `denoising`.
    let mut others = losses(|entry| !entry.needs_decoder());
    let listed: Vec<_> = table.iter().chain(&with_constants()).map(|(loss, _)| *loss).collect();
    others.retain(|loss| !listed.contains(loss));
    table.extend(others.into_iter().map(|loss| (loss, json!({}))));
    table
}

/// The losses of the catalog that fulfil a condition.
fn losses(condition: fn(&Entry) -> bool) -> Vec<&'static str> {
    let entries = LossConfig::ENTRIES.into_iter().filter(condition);
    let names: Vec<_> = entries.map(|entry| entry.name).collect();
    assert!(!names.is_empty(), "the catalog has such losses");
    names
}

/// Whether the loss sees directions only, whatever its options.
fn by_cosine(loss: &str) -> bool {
    matches!(
        loss,
        "AnglELoss"
            | "CircleLoss"
            | "CosineSimilarityLoss"
            | "GISTEmbedLoss"
            | "MegaBatchMarginLoss"
    )
}

/// Losses of layers, whose divergence from the final one has a weight.
fn of_layers(divergence: f64) -> Vec<(&'static str, Value)> {
    let of = |inner| {
        let options = json!({
            "loss": inner, "layer_weighting": "log", "layers_per_step": null,
            "kl_div_weight": divergence, "kl_temperature": 0.7,
        });
        let mut with_dims = options.clone();
        (with_dims["dims"], with_dims["dims_per_step"]) = (json!([2, 0]), json!(null));
        [("AdaptiveLayerLoss", options), ("Matryoshka2dLoss", with_dims)]
    };
    ["CoSENTLoss", "MSELoss", "TripletLoss"].into_iter().flat_map(of).collect()
}

/// Losses inside of one that keeps their embeddings sparse, with weights and thresholds of all kinds.
fn regularised() -> Vec<(&'static str, Value)> {
    let queries = json!({"query_regularizer_weight": 0.7, "query_regularizer_threshold": 1});
    let threshold = json!({"document_regularizer_threshold": 2});
    let documents = json!({"use_document_regularizer_only": true});
    let of = |(loss, options, more): (&str, Value, Value)| {
        let mut all = json!({"loss": {loss: options}, "document_regularizer_weight": 0.3});
        let more = more.as_object().expect("options").clone();
        all.as_object_mut().expect("options").extend(more);
        ("sparse_encoder.SpladeLoss", all)
    };
    let ranking = "sparse_encoder.SparseMultipleNegativesRankingLoss";
    let orthogonal = "GlobalOrthogonalRegularizationLoss";
    let rows = [
        (ranking, json!({}), queries),
        ("sparse_encoder.SparseMarginMSELoss", json!({}), threshold),
        (orthogonal, json!({"similarity_fct": "dot_score"}), documents.clone()),
        ("MSELoss", json!({}), documents.clone()),
        ("BatchAllTripletLoss", json!({"margin": 0.3}), documents),
    ];
    rows.into_iter().map(of).collect()
}

/// Options whose gradient is deliberately not the derivative of the value: the penalty, the final layer in a
/// divergence from it, what was decoded without a bias, or the factor that a pair is moved by is a constant.
fn with_constants() -> Vec<(&'static str, Value)> {
    let hardened = ["in_batch_negatives", "hard_negatives", "all_negatives"].map(|mode| {
        let options = json!({"hardness_mode": mode, "hardness_strength": 2.5});
        ("MultipleNegativesRankingLoss", options)
    });
    let reconstructed = [
        ("sparse_encoder.CSRReconstructionLoss", json!({"beta": 0.7})),
        ("sparse_encoder.CSRLoss", json!({})),
    ];
    let moved = [("CircleLoss", json!({})), ("CircleLoss", json!({"m": 0.25, "gamma": 8.0}))];
    hardened.into_iter().chain(of_layers(1.5)).chain(reconstructed).chain(moved).collect()
}

fn cases(table: Vec<(&str, Value)>, batch: usize, dim: usize, seed: u64) -> Vec<Case> {
    let case = |(loss, mut options): (&str, Value)| {
        // The dimensions that a wrapper leaves out.
        for dims in options.get_mut("dims").and_then(Value::as_array_mut).into_iter().flatten() {
            *dims = dims.as_u64().map_or(1, |out| dim.saturating_sub(out as usize).max(1)).into();
        }
        random_case(loss, options, batch, dim, 3, seed)
    };
    table.into_iter().map(|row| case(row).expect("options that exist")).collect()
}

fn everything() -> Vec<(&'static str, Value)> {
    table().into_iter().chain(with_constants()).collect()
}

#[test]
fn gradients_are_the_derivatives_of_values() {
    for seed in 0..3 {
        check_in_f64(cases(table(), 9, 5, seed), derivative::agrees_with_differences);
    }
}

#[test]
fn permuting_the_rows_permutes_the_gradients() {
    check(cases(everything(), 10, 4, 1), symmetry::permutes);
}

#[test]
fn unreduced_terms_sum_to_the_sum() {
    check(cases(everything(), 8, 4, 2), symmetry::terms_sum_to_the_sum);
}

#[test]
fn the_memory_budget_changes_no_number() {
    let in_batch = losses(Entry::is_in_batch);
    let table: Vec<_> =
        everything().into_iter().filter(|(loss, _)| in_batch.contains(loss)).collect();
    // Enough rows for several blocks of kernels, which take more anchors at a time. Elsewhere each block is many small
    // programs for a device.
    check_at_reference(cases(table.clone(), 33, 4, 9), budget::changes_nothing);
    check_elsewhere(cases(table, 7, 4, 9), budget::changes_nothing);
}

/// On Flex, `f32` has kernels where `f64` takes the plain way; the batch is large enough to be shared
/// between cores.
#[test]
fn single_precision_agrees_with_double() {
    // Manhattan distances are sums in the type of the rows, which near a margin decide otherwise.
    let chooses = |loss: &str| matches!(loss, "BatchAllTripletLoss" | "BatchSemiHardTripletLoss");
    let mut table = everything();
    table.retain(|(loss, options)| !chooses(loss) || options["distance_metric"] != "manhattan");
    // A guide's cosines near its limit decide otherwise as well, and so do scores near that of the positive.
    table.retain(|(_, options)| options.get("false_negatives").is_none());
    table.retain(|(loss, options)| {
        *loss != "GISTEmbedLoss" && !options["loss"].to_string().contains("GISTEmbedLoss")
    });
    check_at_reference(cases(table, 210, 201, 12), |place, case| {
        same(&place.run_in(case, DType::F32), &place.run_in(case, DType::F64), 2e-6)
    });
}

/// Batch-triplet losses, summed, of 210 rows in 30 classes: each three rows, of three classes, are
/// `apart` in parts of a row.
fn close_rows(apart: f64, memory_budget: Option<usize>) -> Vec<Case> {
    let mut table = everything();
    table.retain(|(loss, options)| {
        loss.starts_with("Batch") && options["distance_metric"] != "manhattan"
    });
    let close = |(loss, mut options): (&str, Value)| {
        options["reduction"] = json!("Sum");
        options["memory_budget"] = json!(memory_budget);
        let mut case = random_case(loss, options, 210, 64, 30, 12).expect("options that exist");
        for triple in case.columns[0].data.chunks_mut(3 * 64) {
            let (first, others) = triple.split_at_mut(64);
            for (nth, other) in others.chunks_mut(64).enumerate() {
                let nearer = |(x, &first): (&mut f64, &f64)| {
                    *x = f64::from((first + apart * (nth + 1) as f64 * *x) as f32);
                };
                other.iter_mut().zip(&*first).for_each(nearer);
            }
        }
        case
    };
    table.into_iter().map(close).collect()
}

#[test]
fn single_precision_agrees_with_double_among_close_rows() {
    for (apart, memory_budget) in [(1.0, None), (1e-3, None), (1e-5, None), (1e-5, Some(40_000))] {
        check_at_reference(close_rows(apart, memory_budget), |place, case| {
            let (narrow, wide) = (place.run_in(case, DType::F32), place.run_in(case, DType::F64));
            close("loss", narrow.0, wide.0, 1e-6)?;
            let (narrow, wide) = (narrow.1.concat(), wide.1.concat());
            let apart = narrow.iter().zip(&wide).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
            let length = wide.iter().map(|b| b * b).sum::<f64>().sqrt();
            close("gradient, relative to its length", 1.0 + apart / length, 1.0, 5e-6)
        });
    }
}

#[test]
fn cosine_losses_do_not_see_lengths() {
    let by_angle = |(loss, options): &(&str, Value)| {
        let cosine = |key: &str, names: &[&str]| options[key].as_str().map(|v| names.contains(&v));
        cosine("distance_metric", &["cosine"])
            .or(cosine("similarity_fct", &["cos_sim"]))
            .or(cosine("similarity", &["cos_sim"]))
            .unwrap_or(by_cosine(loss))
    };
    let table: Vec<_> = everything().into_iter().filter(by_angle).collect();
    assert!(table.len() > 10, "the filter finds the cosine losses");
    check(cases(table, 8, 4, 3), symmetry::ignores_lengths);
}

#[test]
fn no_input_gives_nan_and_none_that_fits_gives_infinity() {
    for seed in 0..2 {
        check(cases(everything(), 7, 3, seed), degenerate::stays_finite);
    }
    check(cases(everything(), 1, 3, 5), degenerate::stays_finite);
    check(cases(everything(), 2, 1, 6), degenerate::stays_finite);
}

#[test]
fn a_zero_row_gets_no_gradient_from_a_cosine() {
    let table = everything().into_iter().filter(|(loss, options)| {
        let text = options.to_string();
        text.contains("\"cosine\"") || text.contains("cos_sim") || by_cosine(loss)
    });
    check(cases(table.collect(), 8, 4, 4), degenerate::zero_row_gets_no_gradient);
}

/// Cases of every loss that counts all anchors or only valid ones.
fn with_anchors(anchors: &str, batch: usize, dim: usize, classes: usize, seed: u64) -> Vec<Case> {
    let case = |loss| random_case(loss, json!({"anchors": anchors}), batch, dim, classes, seed);
    let losses = losses(|entry| entry.has_option("anchors")).into_iter();
    losses.map(|loss| case(loss).expect("options that exist")).collect()
}

#[test]
fn a_batch_of_one_class_is_nothing_to_valid_anchors() {
    check(with_anchors("Valid", 6, 3, 1, 0), |place, case| {
        let (value, gradients) = place.run(case);
        let nothing = value == 0.0 && gradients.concat().iter().all(|&g| g == 0.0);
        nothing.then_some(()).ok_or_else(|| format!("{value}, gradients {gradients:?}"))
    });
}

#[test]
fn all_anchors_and_valid_anchors_agree_where_all_are_valid() {
    check(with_anchors("All", 9, 4, 3, 7), |place, case| {
        let mut valid = case.clone();
        valid.config["anchors"] = json!("Valid");
        same(&place.run(case), &place.run(&valid), place.rounding(case))
    });
}

#[test]
fn every_backend_agrees_with_flex() {
    check(cases(everything(), 9, 6, 8), |place, case| {
        same(&place.run(case), &Place::reference().run(case), place.rounding(case).max(1e-11))
    });
}
