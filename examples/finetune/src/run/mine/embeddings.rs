//! The embeddings of queries and documents, as the model makes them of each.

use burn::tensor::{Device, Tensor};
use burn_embedding_losses::Similarity;
use burn_embedding_losses::numeric::UnitRows;
use burn_embedding_models::{OpenOptions, RoutedTransformer, SentenceTransformer};

use crate::cli::MineArgs;
use crate::error::Error;

/// Texts that become tokens at a time.
const AT_ONCE: usize = 1 << 12;
/// The prompts for documents, of which a model has one or none.
const OF_DOCUMENTS: [&str; 3] = ["document", "passage", "corpus"];

/// Unit rows.
pub struct Embeddings {
    pub queries: Tensor<2>,
    pub documents: Tensor<2>,
    /// The similarity that the model is made for.
    pub similarity: Similarity,
    /// The number of texts of which only the first tokens were embedded.
    pub cut: usize,
}

impl Embeddings {
    pub fn of(
        args: &MineArgs,
        queries: &[String],
        documents: &[String],
        device: &Device,
    ) -> Result<Self, Error> {
        let routed = RoutedTransformer::is_in(&args.model)?;
        let open = |route: &str| {
            let options = OpenOptions::new();
            let options = if routed { options.route(route) } else { options };
            options.open(&args.model, device)
        };
        let model = open("query")?;
        let similarity = similarity(&model);
        let of_query = prompt(&model, args.query_prompt.as_deref(), &["query"]);
        let (queries, cut) = embed(&model, queries, of_query, args)?;
        let model = if routed { open("document")? } else { model };
        let of_document = prompt(&model, args.corpus_prompt.as_deref(), &OF_DOCUMENTS);
        let (documents, more) = embed(&model, documents, of_document, args)?;
        Ok(Self { queries, documents, similarity, cut: cut + more })
    }

    /// The similarities of a query with some documents.
    pub fn scores(&self, query: usize, documents: &[usize]) -> Vec<f64> {
        let count = documents.len();
        let places: Vec<_> = documents.iter().map(|&place| place as i32).collect();
        let places = Tensor::from_data(places.as_slice(), &self.documents.device());
        let documents = self.documents.clone().select(0, places);
        let query = self.queries.clone().narrow(0, query, 1).repeat_dim(0, count);
        self.similarity.paired(query, documents).into_data().iter::<f64>().collect()
    }
}

fn similarity(model: &SentenceTransformer) -> Similarity {
    match model.package.settings.similarity_fn_name.as_deref() {
        Some("euclidean") => Similarity::Euclidean,
        Some("manhattan") => Similarity::Manhattan,
        // Rows have length 1.
        _ => Similarity::Cosine,
    }
}

/// The prompt that was named, or the first usual one that the model has.
fn prompt<'a>(
    model: &SentenceTransformer,
    named: Option<&'a str>,
    usual: &[&'a str],
) -> Option<&'a str> {
    let prompts = &model.package.settings.prompts;
    named.or_else(|| usual.iter().copied().find(|name| prompts.contains_key(*name)))
}

fn embed(
    model: &SentenceTransformer,
    texts: &[String],
    prompt: Option<&str>,
    args: &MineArgs,
) -> Result<(Tensor<2>, usize), Error> {
    let (mut parts, mut cut) = (Vec::new(), 0);
    for texts in texts.chunks(AT_ONCE) {
        let tokens = model.tokenize(texts, prompt)?;
        cut += tokens.cut;
        parts.push(UnitRows::new(model.embed(&tokens, args.batch_size)).rows);
    }
    Ok((Tensor::cat(parts, 0), cut))
}
