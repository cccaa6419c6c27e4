use super::*;
use crate::batch::{Reconstruction, TokenEmbeddings};
use crate::error::BatchError;
use crate::reduction::Reduction;
use serde_json::{Value, json};

/// Options without which a loss cannot be configured.
fn required(name: &str) -> Value {
    match name {
        "SoftmaxLoss" => json!({"embedding_dimension": 4, "num_labels": 2}),
        "DenoisingAutoEncoderLoss" => json!({"pad_token_id": 1}),
        "AdaptiveLayerLoss" => json!({"loss": {"TripletLoss": {}}}),
        "MatryoshkaLoss" | "Matryoshka2dLoss" => {
            json!({"loss": {"TripletLoss": {}}, "matryoshka_dims": [4, 2]})
        }
        "sparse_encoder.SpladeLoss" | "sparse_encoder.CachedSpladeLoss" => {
            json!({"loss": "sparse_encoder.SparseTripletLoss", "document_regularizer_weight": 0.1})
        }
        _ => json!({}),
    }
}

fn with(mut options: Value, key: &str, value: Value) -> Value {
    options[key] = value;
    options
}

fn configure(name: &str, options: Value) -> Result<LossConfig, String> {
    LossConfig::from_python(name, options).map_err(|error| error.to_string())
}

/// Every loss, where it has options to choose from with some of them.
fn configurations() -> Vec<LossConfig> {
    let defaults = LossConfig::NAMES.map(|name| configure(name, required(name)).unwrap());
    let mut all = defaults.to_vec();
    for (name, options) in [
        ("CosineSimilarityLoss", json!({"score_error": {"Huber": {"delta": 0.5}}})),
        ("MSELoss", json!({"projection_dim": 4, "embedding_dimension": 4})),
        ("MultipleNegativesRankingLoss", json!({"hardness_mode": "all_negatives"})),
    ] {
        all.push(configure(name, options).unwrap());
    }
    all
}

#[test]
fn nothing_given_is_pythons_default_and_ours() {
    for (name, expected) in [
        ("TripletLoss", LossConfig::Triplet(TripletLossConfig::new())),
        ("ContrastiveLoss", LossConfig::Contrastive(ContrastiveLossConfig::new())),
        (
            "MultipleNegativesRankingLoss",
            LossConfig::MultipleNegativesRanking(MultipleNegativesRankingLossConfig::new()),
        ),
        (
            "OnlineContrastiveLoss",
            LossConfig::OnlineContrastive(OnlineContrastiveLossConfig::new()),
        ),
        ("CosineSimilarityLoss", LossConfig::CosineSimilarity(CosineSimilarityLossConfig::new())),
        ("SoftmaxLoss", LossConfig::Softmax(SoftmaxLossConfig::new(4, 2))),
    ] {
        assert_eq!(configure(name, required(name)).unwrap(), expected);
    }
}

#[test]
fn every_loss_has_its_name_and_an_entry() {
    for name in LossConfig::NAMES {
        let config = configure(name, required(name)).unwrap();
        let takes = config.inner().map_or(config.takes(), |_| BatchKind::Inner);
        assert_eq!((config.name(), config.entry().takes), (name, takes));
    }
}

#[test]
fn every_configuration_comes_back_from_json() {
    for config in configurations() {
        let tagged = serde_json::to_value(&config).unwrap();
        assert_eq!(serde_json::from_value::<LossConfig>(tagged.clone()).unwrap(), config);
        let options = tagged[config.name()].clone();
        assert_eq!(configure(config.name(), options).unwrap(), config);
    }
}

#[test]
fn a_configuration_file_may_leave_out_what_has_a_default() {
    use burn::config::Config;
    let config = MultipleNegativesRankingLossConfig::load_binary(br#"{"scale": 10}"#).unwrap();
    assert_eq!(config, MultipleNegativesRankingLossConfig::new().with_scale(10.0));
    let misspelt = TripletLossConfig::load_binary(br#"{"marign": 1}"#).unwrap_err().to_string();
    assert!(misspelt.contains("unknown field `marign`"), "{misspelt}");
    let missing = SoftmaxLossConfig::load_binary(br#"{"num_labels": 3}"#).unwrap_err().to_string();
    assert!(missing.contains("missing field `embedding_dimension`"), "{missing}");
    assert!(TripletLossConfig::load_binary(br#"{"margin": null}"#).is_err());
}

#[test]
fn both_names_of_an_option_are_one() {
    for name in ["margin", "triplet_margin"] {
        let config = configure("TripletLoss", json!({name: 0.5})).unwrap();
        assert_eq!(config, LossConfig::Triplet(TripletLossConfig::new().with_margin(0.5)));
    }
    let twice = configure("TripletLoss", json!({"margin": 1, "triplet_margin": 2})).unwrap_err();
    assert!(twice.contains("duplicate field `margin`"), "{twice}");
}

#[test]
fn every_loss_takes_its_options_and_no_others() {
    for name in LossConfig::NAMES {
        let config = configure(name, required(name)).unwrap();
        let options = serde_json::to_value(&config).unwrap()[name].clone();
        let mut names: Vec<_> = options.as_object().unwrap().keys().map(String::as_str).collect();
        let mut listed = config.entry().options.to_vec();
        names.sort_unstable();
        listed.sort_unstable();
        assert_eq!(names, listed, "{name}");

        let wrong = configure(name, with(required(name), "bogus", json!(1))).unwrap_err();
        assert!(wrong.starts_with(&format!("{name}: unknown field `bogus`")), "{wrong}");
        assert!(config.entry().options.iter().all(|option| wrong.contains(option)), "{wrong}");
    }
}

#[test]
fn every_loss_with_terms_takes_a_reduction() {
    for Entry { name, .. } in LossConfig::ENTRIES.into_iter().filter(|entry| !entry.one_number) {
        let reduced =
            |reduction| configure(name, with(required(name), "reduction", json!(reduction)));
        let (mean, sum) = (reduced("mean").unwrap(), reduced("Sum").unwrap());
        assert_ne!(mean, sum, "{name}");
        assert!(reduced("Median").unwrap_err().contains("unknown variant `Median`"), "{name}");
    }
}

#[test]
fn size_average_is_a_reduction_unless_one_is_given() {
    for (options, reduction) in [
        (json!({"size_average": true}), Reduction::Mean),
        (json!({"size_average": false}), Reduction::Sum),
        (json!({"size_average": true, "reduction": "Sum"}), Reduction::Sum),
    ] {
        let config = ContrastiveLossConfig::new().with_reduction(reduction);
        assert_eq!(configure("ContrastiveLoss", options).unwrap(), LossConfig::Contrastive(config));
    }
}

#[test]
fn a_loss_inside_is_named_with_its_options_or_without() {
    let triplet = LossConfig::Triplet(TripletLossConfig::new());
    let around = |dims_per_step| {
        let wrapper = MatryoshkaLossConfig::new(vec![2, 4]).with_dims_per_step(dims_per_step);
        LossConfig::Matryoshka(Around::new(triplet.clone(), wrapper))
    };
    for (loss, dims_per_step, expected) in [
        (json!("TripletLoss"), -1, around(None)),
        (json!({"TripletLoss": {}}), 0, around(None)),
        (json!({"TripletLoss": {"triplet_margin": 5}}), 1, around(Some(1))),
    ] {
        let options =
            json!({"loss": loss, "matryoshka_dims": [2, 4], "n_dims_per_step": dims_per_step});
        assert_eq!(configure("MatryoshkaLoss", options).unwrap(), expected);
    }
}

#[test]
fn what_only_says_how_python_computes_is_ignored() {
    for (name, options) in [
        ("MultipleNegativesRankingLoss", json!({"gather_across_devices": true})),
        ("MultipleNegativesRankingLoss", json!({"gather_across_devices": false})),
        ("MegaBatchMarginLoss", json!({"mini_batch_size": 50, "show_progress_bar": true})),
        ("MSELoss", json!({"embedding_dimension": 4})),
    ] {
        assert_eq!(configure(name, options).unwrap(), configure(name, json!({})).unwrap());
    }
    let tied = json!({"pad_token_id": 1, "tie_encoder_decoder": false});
    let plain = configure("DenoisingAutoEncoderLoss", required("DenoisingAutoEncoderLoss"));
    assert_eq!(configure("DenoisingAutoEncoderLoss", tied), plain);
}

#[test]
fn wrong_options_are_named() {
    for (name, options, expected) in [
        ("TripleLoss", json!({}), "unknown loss `TripleLoss`; known are AdaptiveLayerLoss,"),
        ("TripletLoss", json!({"triplet_margin": "x"}), "TripletLoss: invalid type: string"),
        ("MultipleNegativesRankingLoss", json!({"scale": 0}), "`scale` must be positive"),
        (
            "MultipleNegativesRankingLoss",
            json!({"gather_across_devices": "yes"}),
            "invalid type: string \"yes\", expected a boolean",
        ),
        (
            "SoftmaxLoss",
            json!({"num_labels": 3, "embedding_dimension": 0}),
            "`embedding_dimension` must be at least 1",
        ),
        (
            "SoftmaxLoss",
            json!({"num_labels": 16_777_216, "embedding_dimension": 16}),
            "SoftmaxLoss: `num_labels` must be at most 5592405 with 48 inputs, got 16777216",
        ),
        (
            "SoftmaxLoss",
            json!({"num_labels": 2, "embedding_dimension": usize::MAX}),
            "SoftmaxLoss: `embedding_dimension` must be at most 268435456 with 1 inputs, got",
        ),
        (
            "MSELoss",
            json!({"projection_dim": 1 << 28, "embedding_dimension": 1 << 28}),
            "MseLoss: `target_dimension` must be at most 1 with 268435456 inputs, got 268435456",
        ),
        ("SoftmaxLoss", json!({"num_labels": 3}), "missing field `embedding_dimension`"),
        ("MSELoss", json!({"projection_dim": 3}), "`embedding_dimension` must be at least 1"),
        ("CosineSimilarityLoss", json!({"loss_fct": "NLLLoss"}), "got NLLLoss"),
        ("MatryoshkaLoss", json!({"loss": "TripletLoss"}), "MatryoshkaLoss: missing field `dims`"),
        ("MatryoshkaLoss", json!({"matryoshka_dims": [2]}), "MatryoshkaLoss: missing field `loss`"),
        (
            "MatryoshkaLoss",
            json!({"loss": {"TripletLoss": {"marign": 1}}, "matryoshka_dims": [2]}),
            "MatryoshkaLoss: TripletLoss: unknown field `marign`",
        ),
        (
            "MatryoshkaLoss",
            json!({"loss": {"CoSENTLoss": {}, "TripletLoss": {}}, "matryoshka_dims": [2]}),
            "MatryoshkaLoss: `loss` must be one loss, got CoSENTLoss and TripletLoss",
        ),
        (
            "MatryoshkaLoss",
            json!({"loss": {"DenoisingAutoEncoderLoss": {"pad_token_id": 1}}, "matryoshka_dims": [2]}),
            "`loss` must be built from its configuration alone, got DenoisingAutoEncoderLoss",
        ),
        (
            "MatryoshkaLoss",
            json!({"loss": {"SoftmaxLoss": required("SoftmaxLoss")}, "matryoshka_dims": [4, 2]}),
            "MatryoshkaLoss: `dims` must be 4, which the layer of SoftmaxLoss takes, got 2",
        ),
    ] {
        let message = configure(name, options).unwrap_err();
        assert!(message.contains(expected), "{message}");
    }
}

/// Options of SpladeLoss: the loss inside, and more.
fn splade(loss: Value, more: Value) -> Value {
    let mut options = json!({"loss": loss, "document_regularizer_weight": 0.5});
    let Value::Object(more) = more else { unreachable!("options are an object") };
    options.as_object_mut().unwrap().extend(more);
    options
}

#[test]
fn the_threshold_of_a_regularizer_that_is_given_rules() {
    let inside = || json!("sparse_encoder.SparseTripletLoss");
    let flops = |threshold| json!({"sparse_encoder.FlopsLoss": {"threshold": threshold}});
    let thresholds = json!({"document_regularizer_threshold": 5, "query_regularizer_threshold": 7});
    let mut given = thresholds.clone();
    given["document_regularizer"] = flops(json!(3));
    given["query_regularizer"] = flops(json!(null));
    let expected =
        json!({"document_regularizer_threshold": 3, "query_regularizer_threshold": null});
    for name in ["sparse_encoder.SpladeLoss", "sparse_encoder.CachedSpladeLoss"] {
        let configured = |more: &Value| configure(name, splade(inside(), more.clone())).unwrap();
        assert_eq!(configured(&given), configured(&expected));
        assert_ne!(configured(&given), configured(&thresholds));
    }
}

#[test]
fn splade_takes_losses_of_queries_and_documents() {
    let layers = json!({"AdaptiveLayerLoss": {"loss": "CoSENTLoss"}});
    let itself = json!({"sparse_encoder.SpladeLoss": splade(json!("CoSENTLoss"), json!({}))});
    let rule = "`loss` must take one embedding for each text, got";
    for (loss, expected) in [
        (layers, format!("{rule} AdaptiveLayerLoss")),
        (itself, "`loss` must not be regularised itself, got sparse_encoder.SpladeLoss".into()),
        (
            json!("cross_encoder.LambdaLoss"),
            "`loss` must take embeddings, not logits, got cross_encoder.LambdaLoss".into(),
        ),
        (
            json!("BatchAllTripletLoss"),
            "`loss` must take queries and documents unless `use_document_regularizer_only` is set, \
             got BatchAllTripletLoss"
                .into(),
        ),
    ] {
        let error = configure("sparse_encoder.SpladeLoss", splade(loss, json!({}))).unwrap_err();
        assert_eq!(error, format!("SpladeLoss: {expected}"));
    }
    let documents = json!({"use_document_regularizer_only": true});
    configure("sparse_encoder.SpladeLoss", splade(json!("BatchAllTripletLoss"), documents))
        .unwrap();
    let other = splade(json!("CoSENTLoss"), json!({"document_regularizer": "CoSENTLoss"}));
    let error = configure("sparse_encoder.SpladeLoss", other).unwrap_err();
    assert!(error.contains("must be sparse_encoder.FlopsLoss, got CoSENTLoss"), "{error}");
}

#[test]
fn no_wrapper_goes_around_a_loss_of_logits() {
    for name in ["MatryoshkaLoss", "AdaptiveLayerLoss", "Matryoshka2dLoss"] {
        let options = json!({"loss": "cross_encoder.CrossEntropyLoss", "matryoshka_dims": [1]});
        let options = match name {
            "AdaptiveLayerLoss" => json!({"loss": "cross_encoder.CrossEntropyLoss"}),
            _ => options,
        };
        let error = configure(name, options).unwrap_err();
        let rule = "`loss` must take embeddings, not logits, got cross_encoder.CrossEntropyLoss";
        assert_eq!(error, format!("{name}: {rule}"));
    }
}

#[test]
fn qualified_torch_names_are_understood() {
    let options = json!({"loss_fct": "torch.nn.modules.loss.HuberLoss"});
    let huber = ScoreError::Huber { delta: 1.0 };
    let config = CosineSimilarityLossConfig::new().with_score_error(huber);
    assert_eq!(
        configure("CosineSimilarityLoss", options).unwrap(),
        LossConfig::CosineSimilarity(config)
    );
}

/// Columns that fit a kind of batch, and targets for their rows.
fn batch_parts(kind: BatchKind, rows: usize) -> (Vec<Tensor<2>>, Targets) {
    let device = Device::flex();
    let column = || {
        let values = Tensor::<1, Int>::arange(0..4 * rows as i64, &device).float();
        let values = values.sin().reshape([rows, 4]);
        match kind {
            BatchKind::Logits => values.narrow(1, 0, 1),
            _ => values,
        }
    };
    let numbers = Tensor::<1, Int>::arange(0..rows as i64, &device).remainder_scalar(2);
    let targets = match kind {
        BatchKind::LabeledRows | BatchKind::ClassifiedPairs | BatchKind::ClassLogits => {
            Targets::Classes(numbers)
        }
        BatchKind::Lists => Targets::Lists { labels: column(), lengths: vec![3; rows] },
        BatchKind::BinaryPairs
        | BatchKind::Logits
        | BatchKind::ScoredPairs
        | BatchKind::ScoredTuples
        | BatchKind::TwoEncoderPairs
        | BatchKind::ScoredRankings
        | BatchKind::ScoredTokenRankings => Targets::Numbers(numbers.float()),
        BatchKind::PositivePairs
        | BatchKind::Rankings
        | BatchKind::TwoEncoderTexts
        | BatchKind::Triplets
        | BatchKind::Candidates
        | BatchKind::TokenRankings
        | BatchKind::AnyTexts
        | BatchKind::Reconstructions => Targets::None,
        BatchKind::TeacherScores | BatchKind::TokenTeacherScores => {
            Targets::Matrix(column().narrow(1, 0, 2))
        }
        BatchKind::TeacherEmbeddings | BatchKind::ScoredCandidates => Targets::Matrix(column()),
        BatchKind::GuidedRankings => Targets::Guide(vec![column(); 2]),
        BatchKind::DamagedTexts => Targets::Tokens(numbers.reshape([rows, 1]).repeat_dim(1, 3)),
        BatchKind::Inner => unreachable!("a wrapper takes what the loss inside takes"),
    };
    (vec![column(); *kind.columns().start()], targets)
}

/// What an auto-encoder decoded for a column of four rows.
fn reconstruction() -> Reconstruction {
    let rows = |x: f32| Tensor::<2>::full([4, 3], x, &Device::flex());
    Reconstruction {
        sentence_embedding_backbone: rows(1.0),
        decoded_embedding_k: rows(2.0),
        decoded_embedding_4k: rows(3.0),
        decoded_embedding_aux: Some(rows(4.0)),
        decoded_embedding_k_pre_bias: rows(5.0),
    }
}

#[test]
fn reconstructions_have_the_rows_of_the_latents_and_one_shape() {
    let device = Device::flex();
    let both = vec![reconstruction(); 2];
    let latents = |rows| vec![Tensor::<2>::ones([rows, 8], &device); 2];
    let csr = configure("sparse_encoder.CSRLoss", json!({})).unwrap().init(&device);
    let alone = configure("sparse_encoder.CSRReconstructionLoss", json!({})).unwrap().init(&device);
    assert!(csr.reconstructed(latents(4), Targets::None, both.clone()).is_ok());
    assert!(alone.reconstructed(Vec::new(), Targets::None, both.clone()).is_ok());
    let mut narrow = both.clone();
    narrow[1].decoded_embedding_aux = Some(Tensor::ones([4, 2], &device));
    for (loss, columns, reconstructions, expected) in [
        (&csr, latents(5), both.clone(), "`reconstructions` must have 5 rows, got 4"),
        (&csr, Vec::new(), both.clone(), "`columns` must be at least 2, got 0"),
        (&csr, latents(4), Vec::new(), "`reconstructions` must hold at least one column, got none"),
        (
            &csr,
            latents(4),
            narrow,
            "`reconstructions[1].decoded_embedding_aux` must be f32 [4, 3], got f32 [4, 2]",
        ),
        (&alone, latents(4), both, "`columns` must be reconstructions, got 2"),
    ] {
        let error = loss.reconstructed(columns, Targets::None, reconstructions).unwrap_err();
        assert_eq!(error.to_string(), format!("{}: {expected}", loss.name()));
    }
}

#[test]
fn no_wrapper_takes_reconstructions() {
    for inside in ["sparse_encoder.CSRLoss", "sparse_encoder.CSRReconstructionLoss"] {
        for (name, options) in [
            ("MatryoshkaLoss", json!({"loss": inside, "dims": [2]})),
            (
                "AdaptiveLayerLoss",
                json!({"loss": {"MatryoshkaLoss": {"loss": inside, "dims": [2]}}}),
            ),
            ("sparse_encoder.SpladeLoss", splade(json!(inside), json!({}))),
            ("sparse_encoder.CSRLoss", json!({"loss": inside})),
        ] {
            let error = configure(name, options).unwrap_err();
            let expected =
                format!("`loss` must take no reconstructions of an auto-encoder, got {inside}");
            assert!(error.contains(&expected), "{error}");
        }
    }
}

#[test]
fn the_loss_of_latents_is_a_ranking_unless_it_is_given() {
    let of = |loss: Value| configure("sparse_encoder.CSRLoss", json!({"loss": loss})).unwrap();
    let ranking = of(json!("sparse_encoder.SparseMultipleNegativesRankingLoss"));
    assert_eq!(configure("sparse_encoder.CSRLoss", json!({})).unwrap(), ranking);
    assert_eq!(of(json!(null)), ranking);
    assert_ne!(of(json!("MultipleNegativesRankingLoss")), ranking);
}

/// The batch of a kind; rows are two tokens each, if it takes tokens.
fn batch_of(
    kind: BatchKind,
    name: &str,
    columns: Vec<Tensor<2>>,
    targets: Targets,
) -> Result<AnyBatch, BatchError> {
    if !kind.takes_tokens() {
        return kind.batch(name, columns, targets);
    }
    let tokens = |rows: Tensor<2>| {
        let [n, width] = rows.dims();
        TokenEmbeddings::unmasked(rows.reshape([n, 2, width / 2]))
    };
    kind.token_batch(name, columns.into_iter().map(tokens).collect(), targets)
}

#[test]
fn tokens_and_whole_embeddings_are_told_apart() {
    let rows = || Tensor::<2>::ones([2, 4], &Device::flex());
    let error = BatchKind::TokenRankings.batch("L", vec![rows(), rows()], Targets::None);
    assert_eq!(
        error.unwrap_err().to_string(),
        "L: `columns` must be token embeddings (`token_batch`), got one embedding for each text (`batch`)"
    );
    let tokens = || TokenEmbeddings::unmasked(rows().unsqueeze());
    let error = BatchKind::Rankings.token_batch("L", vec![tokens(), tokens()], Targets::None);
    assert!(error.unwrap_err().to_string().ends_with("got token embeddings (`token_batch`)"));
    let narrow = TokenEmbeddings::unmasked(Tensor::ones([1, 5, 3], &Device::flex()));
    let error = BatchKind::TokenRankings.token_batch("L", vec![tokens(), narrow], Targets::None);
    assert_eq!(
        error.unwrap_err().to_string(),
        "L: `columns[1]` must be f32 [1, tokens, 4], got f32 [1, tokens, 3]"
    );
}

#[test]
fn every_loss_takes_the_batch_of_its_kind_and_names_what_does_not_fit() {
    for config in configurations() {
        let (name, kind) = (config.name(), config.takes());
        let (columns, targets) = batch_parts(kind, 4);
        let batch = |columns, targets| batch_of(kind, name, columns, targets);
        let refused = |columns, targets| {
            let error = batch(columns, targets).expect_err(name).to_string();
            assert!(error.starts_with(&format!("{name}: `")), "{error}");
            error
        };
        assert!(refused(Vec::new(), targets.clone()).contains("`columns` must be "));
        let (_, wrong_rows) = batch_parts(kind, 5);
        if !matches!(wrong_rows, Targets::None) {
            assert!(
                refused(columns.clone(), wrong_rows).contains("`targets` must have 4 rows, got")
            );
        }
        let device = Device::flex();
        let cube = Targets::EachColumn(Tensor::zeros([4, 9, 2], &device));
        let field = if kind == BatchKind::Reconstructions { "columns" } else { "targets" };
        assert!(refused(columns.clone(), cube).contains(&format!("`{field}` must be ")));
        let mut ragged = columns.clone();
        ragged.push(Tensor::zeros([3, 4], &device));
        refused(ragged, targets.clone());

        if config.entry().needs_decoder() {
            batch(columns, targets).expect(name);
            continue;
        }
        let loss = config.init(&device);
        assert_eq!((loss.name(), loss.takes()), (name, kind));
        let batch = match (loss.takes_layers(), loss.takes_reconstructions()) {
            (true, _) => loss.layered(vec![columns; 3], targets),
            (_, true) => loss.reconstructed(columns, targets, vec![reconstruction(); 2]),
            _ => batch(columns, targets),
        };
        let batch = batch.expect(name);
        assert_eq!(loss.forward(batch.clone()).dims(), [1]);
        assert_eq!(loss.forward_no_reduction(batch.clone()).is_none(), loss.entry().one_number);
        assert!(loss.diagnose(batch).is_some(), "{name}");
    }
}

#[test]
#[should_panic(expected = "AnyBatch: `batch` must be a PairBatch, got a TripletBatch")]
fn another_kind_of_batch_is_refused() {
    let (columns, targets) = batch_parts(BatchKind::Triplets, 2);
    let batch = BatchKind::Triplets.batch("TripletLoss", columns, targets).unwrap();
    ContrastiveLossConfig::new().init().forward(batch);
}

#[test]
#[should_panic(expected = "DenoisingAutoEncoderLoss: `decoder` must be given")]
fn a_loss_around_a_decoder_is_not_built_without_one() {
    let name = "DenoisingAutoEncoderLoss";
    configure(name, required(name)).unwrap().init(&Device::flex());
}

#[test]
fn margins_and_ids_are_for_the_negatives_there_are() {
    let device = Device::flex();
    let columns = |count| vec![Tensor::<2>::ones([2, 3], &device); count];
    let margins = |k| Targets::Matrix(Tensor::ones([2, k], &device));
    let margin = |count, k| BatchKind::ScoredRankings.batch("L", columns(count), margins(k));
    assert!([(3, 1), (3, 2), (5, 3), (5, 4)].into_iter().all(|(c, k)| margin(c, k).is_ok()));
    let error = margin(5, 2).unwrap_err().to_string();
    assert_eq!(error, "L: `targets` must be 3 margins or 4 scores per row, got 2");

    let ids = || Tensor::<1, Int>::arange(0..2, &device);
    let ranking = |count, negatives: usize| {
        let ids = Targets::Ids { rows: ids(), negatives: vec![ids(); negatives] };
        BatchKind::Rankings.batch("L", columns(count), ids)
    };
    assert!([(2, 0), (4, 0), (4, 2)].into_iter().all(|(c, k)| ranking(c, k).is_ok()));
    let error = ranking(4, 1).unwrap_err().to_string();
    assert_eq!(
        error,
        "L: `targets` must have ids for none or all of 2 columns of negatives, got 1"
    );
}

#[test]
fn only_listed_weights_are_trained() {
    use burn::module::{ModuleVisitor, Param};

    #[derive(Default)]
    struct Fields {
        path: Vec<String>,
        found: Vec<String>,
    }

    impl ModuleVisitor for Fields {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.path.push(name.into());
        }

        fn exit_module(&mut self, _: &str, _: &str) {
            self.path.pop();
        }

        fn visit_float<const D: usize>(&mut self, _: &Param<Tensor<D>>) {
            // The variant of the loss, then its field.
            self.found.push(self.path[1].clone());
        }
    }

    for config in configurations().iter().filter(|config| !config.entry().needs_decoder()) {
        let mut fields = Fields::default();
        config.init(&Device::flex()).visit(&mut fields);
        let weights = config.entry().weights;
        let listed = |field: &String| weights.contains(&field.as_str());
        assert!(fields.found.iter().all(listed), "{}: {:?}", config.name(), fields.found);
    }
}

#[test]
fn pythons_other_names_are_ranking_losses() {
    let ranking = |options| configure("MultipleNegativesRankingLoss", options).unwrap();
    let both = json!(["query_to_doc", "doc_to_query"]);
    let mut symmetric =
        json!({"scale": 5.0, "directions": both, "partition_mode": "per_direction"});
    for (name, options, same) in [
        ("MultipleNegativesSymmetricRankingLoss", json!({"scale": 5}), symmetric.clone()),
        (
            "CachedMultipleNegativesSymmetricRankingLoss",
            json!({"scale": 5, "mini_batch_size": 4, "show_progress_bar": true}),
            symmetric.take(),
        ),
        (
            "CachedMultipleNegativesRankingLoss",
            json!({"hardness_mode": "all_negatives", "mini_batch_num_tokens": 100}),
            json!({"hardness_mode": "all_negatives"}),
        ),
    ] {
        assert_eq!(configure(name, options).unwrap(), ranking(same), "{name}");
    }
}

#[test]
fn pythons_other_names_take_their_options_and_no_others() {
    for Alias { name, loss, mini_batch_size, options } in LossConfig::ALIASES {
        assert_eq!(Entry::of(name).unwrap().name, loss);
        let given = |option: &str| match option {
            "similarity" => json!("Dot"),
            "reduction" => json!("Sum"),
            "memory_budget" => json!(1024),
            _ => json!(3),
        };
        for option in options.iter().filter(|option| SYMMETRIC.contains(option)) {
            let changed = configure(name, json!({*option: given(option)})).unwrap();
            assert_ne!(changed, configure(name, json!({})).unwrap(), "{name}: {option}");
        }
        let size = |size| configure(name, with(required(name), "mini_batch_size", json!(size)));
        assert_eq!(size(8).is_ok(), mini_batch_size.is_some(), "{name}");
        assert!(size(0).is_err());
        let wrong = configure(name, with(required(name), "bogus", json!(1))).unwrap_err();
        assert!(wrong.starts_with(&format!("{name}: unknown field `bogus`")), "{wrong}");
        assert!(options.iter().all(|option| wrong.contains(option)), "{wrong}");
    }
    let fixed = configure("MultipleNegativesSymmetricRankingLoss", json!({"directions": []}));
    assert!(fixed.unwrap_err().contains("unknown field `directions`"));
}

const SYMMETRIC: [&str; 4] = ["scale", "similarity", "memory_budget", "reduction"];
