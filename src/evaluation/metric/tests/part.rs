use super::*;

fn value(value: f32) -> Tensor<1> {
    Tensor::from_floats([value], &Device::flex())
}

#[test]
fn batches_count_by_their_rows_and_those_without_the_part_are_left_out() {
    let mut metric = LossPartMetric::new("Penalty");
    let batches = [
        LossParts::new(3).with("Loss", value(9.0)).with("Penalty", value(1.0)),
        LossParts::new(5).with("Loss", value(9.0)),
        LossParts::new(1).with("Penalty", value(5.0)),
    ];
    let shown: Vec<_> = batches
        .iter()
        .map(|batch| {
            let entry = metric.update(batch, &after(1, 3)).unwrap();
            assert_eq!(entry.is_not_available(), Numeric::value(&metric).is_none());
            (!entry.is_not_available()).then(|| metric.running_value().unwrap().current())
        })
        .collect();
    assert_eq!(shown, [Some(1.0), None, Some(2.0)]);
    let entry = metric.compute().unwrap();
    assert_eq!(entry.serialized, NumericEntry::Final(2.0).serialize());
    metric.clear();
    assert!(metric.compute().unwrap().is_not_available());
}

#[test]
fn several_values_are_one_mean_and_nan_is_not_hidden() {
    let mut metric = LossPartMetric::new("Found").higher_is_better();
    let found = Tensor::<1>::from_floats([1.0, 0.0, 0.0, 1.0], &Device::flex());
    metric.update(&LossParts::new(4).with("Found", found), &after(1, 2)).unwrap();
    assert_eq!(metric.final_value().current(), 0.5);
    metric.update(&LossParts::new(4).with("Found", value(f32::NAN)), &after(2, 2)).unwrap();
    assert!(metric.compute().unwrap().serialized.starts_with("NaN"));
}
