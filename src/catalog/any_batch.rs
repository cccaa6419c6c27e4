use crate::batch::*;

/// A batch of any kind after each layer of the encoder.
pub type AnyLayers = LayeredBatch<AnyBatch>;

/// A batch of any kind, of latents, with what was decoded from them.
pub type AnyCsrBatch = CsrBatch<AnyBatch>;

/// Declares [`AnyBatch`] and its conversions.
macro_rules! batches {
    ($($variant:ident($batch:ident)),* $(,)?) => {
        /// A batch of any kind, made by [`BatchKind::batch`](super::BatchKind::batch) or from the
        /// batch itself.
        ///
        /// It converts back into its kind, so whatever takes one kind of batch takes this as well;
        /// another kind panics.
        #[derive(Debug, Clone)]
        #[allow(clippy::large_enum_variant, reason = "one at a time, for a step")]
        pub enum AnyBatch {
            $(#[doc = concat!("See [`", stringify!($batch), "`].")] $variant($batch),)*
        }

        impl AnyBatch {
            /// The type of the batch.
            fn type_name(&self) -> &'static str {
                match self { $(Self::$variant(_) => stringify!($batch),)* }
            }
        }

        impl Columns for AnyBatch {
            fn map_columns<M: ColumnMapper>(self, mapper: &mut M) -> Self {
                match self {
                    $(Self::$variant(batch) => Self::$variant(batch.map_columns(mapper)),)*
                }
            }
        }

        impl Batch for AnyBatch {}

        $(
            impl From<$batch> for AnyBatch {
                fn from(batch: $batch) -> Self {
                    Self::$variant(batch)
                }
            }

            impl From<AnyBatch> for $batch {
                #[track_caller]
                fn from(batch: AnyBatch) -> Self {
                    match batch {
                        AnyBatch::$variant(batch) => batch,
                        other => panic!(
                            "AnyBatch: `batch` must be a {}, got a {}",
                            stringify!($batch),
                            other.type_name()
                        ),
                    }
                }
            }
        )*
    };
}

batches! {
    Candidate(CandidateBatch),
    CandidateMargin(CandidateMarginBatch),
    ClassLogit(ClassLogitBatch),
    ClassifiedPair(ClassifiedPairBatch),
    Csr(AnyCsrBatch),
    Denoising(DenoisingBatch),
    Distillation(DistillationBatch),
    Embeddings(EmbeddingsBatch),
    Guided(GuidedBatch),
    Labeled(LabeledBatch),
    Layered(AnyLayers),
    List(ListBatch),
    Logit(LogitBatch),
    Margin(MarginBatch),
    Pair(PairBatch),
    Reconstruction(ReconstructionBatch),
    Retrieval(RetrievalBatch),
    TeacherScores(TeacherScoresBatch),
    TokenMargin(TokenMarginBatch),
    TokenRetrieval(TokenRetrievalBatch),
    TokenTeacherScores(TokenTeacherScoresBatch),
    Triplet(TripletBatch),
}
