//! Several data sets.

use super::*;

#[test]
fn several_data_sets_lose_no_row_silently() {
    for (first, second) in (0..12).flat_map(|first| (0..12).map(move |second| (first, second))) {
        let samplers = || -> Vec<Box<dyn BatchSampler>> {
            vec![
                Box::new(ShuffledConfig::new(3).with_drop_last(true).init(first)),
                Box::new(ShuffledConfig::new(2).init(second)),
            ]
        };
        let (of_first, of_second) = (first / 3, second.div_ceil(2));
        let plans =
            [RoundRobin::new(samplers()).epoch(1), Proportional::new(samplers(), 1).epoch(1)];
        for (plan, sizes) in plans.iter().zip([[of_first.min(of_second); 2], [of_first, of_second]])
        {
            for (number, rows, size) in [(0, first, 3), (1, second, 2)] {
                let batches = plan.batches.iter().filter(|batch| batch.0 == number);
                let batches: Vec<_> = batches.map(|batch| batch.1.clone()).collect();
                assert_eq!(batches.len(), sizes[number]);
                let plan = Plan { batches, left_out: plan.left_out[number].clone() };
                assert_complete(&plan, rows, size, &(first, second));
            }
        }
        let turns = plans[0].batches.iter().map(|batch| batch.0);
        assert!(turns.eq((0..2 * of_first.min(of_second)).map(|turn| turn % 2)));
    }
}
