use super::*;

fn read(text: &str) -> Result<Dataset, Error> {
    parse(Path::new("rows.jsonl"), text, ScoreRange::new(0.0, 1.0))
}

#[test]
fn pairs_take_scores_or_classes() {
    let data = read(r#"{"sentence1":"a","sentence2":"b","score":0.25}"#).unwrap();
    assert_eq!((data.pairs[0].score, &data.pairs[0].class), (Some(0.25), &None));
    let data = read(r#"{"sentence1":"a","sentence2":"b","label":1}"#).unwrap();
    assert_eq!(data.pairs[0].class.as_deref(), Some("1"));
    let data = read(r#"{"sentence1":"a","sentence2":"b","label":"neutral","score":1}"#).unwrap();
    assert_eq!(data.pairs[0].score, Some(1.0));
    assert_eq!(data.pairs[0].class.as_deref(), Some("neutral"));
}

#[test]
fn one_decimal_label_makes_all_labels_scores() {
    let text = "{\"sentence1\":\"a\",\"sentence2\":\"b\",\"label\":1}\n\
                {\"sentence1\":\"c\",\"sentence2\":\"d\",\"label\":0.5}\n";
    let data = read(text).unwrap();
    let scores: Vec<_> = data.pairs.iter().map(|pair| pair.score).collect();
    assert_eq!(scores, [Some(1.0), Some(0.5)]);
}

#[test]
fn rankings_take_any_number_of_negatives() {
    let text = "{\"anchor\":\"a\",\"positive\":\"b\"}\n\
                {\"anchor\":\"a\",\"positive\":\"b\",\"negative\":\"c\",\"label\":0.5}\n\
                {\"anchor\":\"a\",\"positive\":\"b\",\"negative_1\":\"c\",\"negative_2\":\"d\"}\n";
    let data = read(text).unwrap();
    let counts: Vec<_> = data.rankings.iter().map(|row| row.negatives.len()).collect();
    assert_eq!(counts, [0, 1, 2]);
    assert_eq!(data.rankings[1].margins, [0.5]);
}

#[test]
fn texts_take_classes_or_embeddings() {
    let data = read(r#"{"text":"a","label":"weather"}"#).unwrap();
    assert_eq!(data.sentences[0].class, "weather");
    let data = read(r#"{"text":"a","label":[0.5,-1]}"#).unwrap();
    assert_eq!(data.teacher_targets[0].embedding, [0.5, -1.0]);
    assert_eq!(
        read(r#"{"text":"a","embedding":[0.5,-1]}"#).unwrap().teacher_targets,
        data.teacher_targets
    );
}

#[test]
fn broken_rows_name_their_line() {
    let good = r#"{"sentence1":"a","sentence2":"b","score":1}"#;
    for (row, message) in [
        (r#"{"sentence1":"a","#, "rows.jsonl:2: not a JSON object"),
        (r#"[1]"#, "rows.jsonl:2: not a JSON object"),
        (r#"{"sentence1":"a","score":1}"#, "rows.jsonl:2: the column `sentence2` is missing"),
        (r#"{"sentence1":"a","sentence2":" ","score":1}"#, "rows.jsonl:2: `sentence2` is empty"),
        (
            r#"{"sentence1":"a","sentence2":3,"score":1}"#,
            "rows.jsonl:2: `sentence2` must be a text",
        ),
        (
            r#"{"sentence1":"a","sentence2":"b","score":1.5}"#,
            "rows.jsonl:2: score 1.5 is outside 0..1",
        ),
        (
            r#"{"sentence1":"a","sentence2":"b","score":"x"}"#,
            "rows.jsonl:2: `score` must be a number",
        ),
        (
            r#"{"sentence1":"a","sentence2":"b"}"#,
            "rows.jsonl:2: the column `score` or `label` is missing",
        ),
    ] {
        let error = read(&format!("{good}\n{row}\n")).unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}");
    }
}

#[test]
fn unknown_columns_and_uneven_embeddings_are_refused() {
    let error = read(r#"{"premise":"a"}"#).unwrap_err().to_string();
    assert!(error.starts_with("rows.jsonl:1: expected the columns"), "{error}");
    let text = "{\"text\":\"a\",\"label\":[1,2]}\n{\"text\":\"b\",\"label\":[1]}\n";
    let error = read(text).unwrap_err().to_string();
    assert_eq!(error, "rows.jsonl:2: the embedding has 1 numbers, the first row 2");
}

#[test]
fn margins_must_match_the_negatives() {
    let text = r#"{"anchor":"a","positive":"b","negative":"c","label":[1,2,3]}"#;
    let error = read(text).unwrap_err().to_string();
    assert_eq!(error, "rows.jsonl:1: `label` has 3 numbers for 1 negatives");
    let text = r#"{"anchor":"a","positive":"b","negative":"c","label":[1,0.25]}"#;
    assert_eq!(read(text).unwrap().rankings[0].margins, [0.75], "scores become a margin");
}
