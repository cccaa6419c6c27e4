//! The tensors of every batch, and what becomes of a batch whose tensors are changed.

use super::super::*;
use super::{classes, message_of, numbers, rows, tokens};
use burn::prelude::*;

/// Names of tensors, and for embeddings their roles.
#[derive(Default)]
struct Names(Vec<(String, Option<Role>)>);

impl ColumnVisitor for Names {
    fn visit<const D: usize>(&mut self, role: Role, name: &str, _: &Tensor<D>) {
        self.0.push((name.into(), Some(role)));
    }

    fn visit_numbers<const D: usize>(&mut self, name: &str, _: &Tensor<D>) {
        self.0.push((name.into(), None));
    }

    fn visit_integers<const D: usize>(&mut self, name: &str, _: &Tensor<D, Int>) {
        self.0.push((name.into(), None));
    }

    fn visit_flags<const D: usize>(&mut self, name: &str, _: &Tensor<D, Bool>) {
        self.0.push((name.into(), None));
    }
}

fn assert_holds(batch: impl Columns, expected: &[(&str, Option<Role>)]) {
    let mut names = Names::default();
    batch.visit_columns(&mut names);
    let names: Vec<_> = names.0.iter().map(|(name, role)| (name.as_str(), *role)).collect();
    assert_eq!(names, expected);
}

fn retrieval() -> RetrievalBatch {
    RetrievalBatch::new(rows(2, 3), rows(2, 3), vec![rows(2, 3)])
        .with_ids(classes(&[1, 2]))
        .with_negative_ids(vec![classes(&[3, 4])])
        .with_negative_mask(rows(2, 1).bool())
        .with_weights(numbers(2))
}

#[test]
fn every_batch_shows_all_its_tensors() {
    use Role::{Anchor, Negative, Other, Positive, Target};
    let x = || rows(2, 3);
    let embeddings = ("embeddings", Some(Other));
    let pair = [("left", Some(Anchor)), ("right", Some(Other))];
    let three =
        [("anchor", Some(Anchor)), ("positive", Some(Positive)), ("negatives", Some(Negative))];
    assert_holds(LabeledBatch::new(x(), classes(&[1, 2])), &[embeddings, ("labels", None)]);
    assert_holds(PairBatch::new(x(), x(), numbers(2)), &[pair[0], pair[1], ("labels", None)]);
    for targets in [ClassTargets::from(classes(&[1, 2])), rows(2, 4).into()] {
        let batch = ClassifiedPairBatch::new(x(), x(), targets);
        assert_holds(batch, &[pair[0], pair[1], ("targets", None)]);
    }
    let triplet = [three[0], three[1], ("negative", Some(Negative))];
    assert_holds(TripletBatch::new(x(), x(), x()), &triplet);
    let margins = MarginBatch::new(x(), x(), vec![x(), x()], rows(2, 2));
    assert_holds(margins, &[three[0], three[1], three[2], three[2], ("margins", None)]);
    let [column, target] = [("columns", Some(Other)), ("targets", Some(Target))];
    let distillation = DistillationBatch::new(vec![x(), x()], rows(2, 5));
    assert_holds(distillation, &[column, column, target, target]);
    let denoising = DenoisingBatch::new(x(), tokens([[1, 2], [3, 4]]));
    assert_holds(denoising, &[embeddings, ("tokens", None)]);
    let rest = ["ids", "negative_ids", "negative_mask", "weights"].map(|name| (name, None));
    assert_holds(retrieval(), &[&three[..], &rest].concat());
    let tuple = (x(), [classes(&[1, 2])], vec![rows(2, 3).bool()], numbers(2));
    let rest = ["labels", "mask", "labels"].map(|name| (name, None));
    assert_holds(tuple, &[&[embeddings][..], &rest].concat());
}

/// The first `0` numbers of all embeddings but the teacher's.
struct Truncate(usize);

impl ColumnMapper for Truncate {
    fn map<const D: usize>(&mut self, role: Role, _: &str, column: Tensor<D>) -> Tensor<D> {
        match role {
            Role::Target => column,
            _ => column.narrow(D - 1, 0, self.0),
        }
    }
}

#[test]
fn embeddings_are_changed_by_their_role() {
    let short = DistillationBatch::new(vec![rows(2, 3)], rows(2, 3)).map_columns(&mut Truncate(1));
    assert_eq!((short.columns()[0].dims(), short.targets()[0].dims()), ([2, 1], [2, 3]));
    let short = retrieval().with_own_rows(1..2).map_columns(&mut Truncate(2));
    assert_eq!((short.negatives()[0].dims(), short.own_rows()), ([2, 2], 1..2));
    let tokens = Tensor::<3>::ones([2, 4, 3], &Device::flex()).map_columns(&mut Truncate(2));
    assert_eq!(tokens.dims(), [2, 4, 2]);
}

#[test]
fn tensors_that_no_longer_fit_together_are_refused() {
    struct Shrink;
    impl ColumnMapper for Shrink {
        fn map<const D: usize>(&mut self, role: Role, _: &str, column: Tensor<D>) -> Tensor<D> {
            if role == Role::Positive { column.narrow(0, 0, 1) } else { column }
        }
    }
    let got = message_of(|| retrieval().map_columns(&mut Shrink));
    assert_eq!(got, "RetrievalBatch: `positive` must have shape [2, 3], got [1, 3]");
}

#[test]
fn a_batch_without_graph_has_no_tracked_tensor() {
    let tracked = || Tensor::<2>::ones([2, 3], &Device::flex().autodiff()).require_grad() * 2.0;
    let batch = TripletBatch::new(tracked(), tracked(), tracked());
    assert!(batch.anchor().is_tracked());
    let batch = batch.without_graph();
    assert!(![batch.anchor(), batch.positive(), batch.negative()].iter().any(|x| x.is_tracked()));
}

#[test]
fn ids_of_different_types_become_alike() {
    let ids = |dtype| Tensor::<1, Int>::from_data([1, 2], (&Device::flex(), dtype));
    let batch = RetrievalBatch::new(rows(2, 3), rows(2, 3), vec![rows(2, 3)])
        .with_ids(ids(burn::tensor::DType::U8))
        .with_negative_ids(vec![ids(burn::tensor::DType::U32)]);
    let known = batch.ids().expect("ids");
    assert_eq!(known.rows().dtype(), known.negatives()[0].dtype());
}
