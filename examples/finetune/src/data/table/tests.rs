use std::path::Path;

use super::*;
use crate::data::{Format, Ranking, Text, parse};

pub(super) fn read_with(name: &str, text: &str, hints: Hints) -> Result<Dataset, Error> {
    let path = Path::new(name);
    parse(path, text.as_bytes(), Format::of(path).unwrap(), hints)
}

pub(super) fn read(name: &str, text: &str) -> Dataset {
    read_with(name, text, Hints::default()).unwrap()
}

pub(super) fn refused(name: &str, text: &str) -> String {
    read_with(name, text, Hints::default()).unwrap_err().to_string()
}

pub(super) fn scores(data: &Dataset) -> Vec<f32> {
    data.pairs.iter().filter_map(|pair| pair.score).collect()
}

pub(super) fn classes(data: &Dataset) -> Vec<&str> {
    data.pairs.iter().filter_map(|pair| pair.class.as_deref()).collect()
}

/// Anchor, positive and negatives of each ranking.
pub(super) fn rankings(data: &Dataset) -> Vec<Vec<String>> {
    let texts = |row: &Ranking| {
        let all = [row.anchor, row.positive].into_iter().chain(row.negatives.iter().copied());
        all.map(|text| data.text(text).unwrap().into_owned()).collect()
    };
    data.rankings.iter().map(texts).collect()
}

/// A teacher's embeddings, row by row.
pub(super) fn embeddings(data: &Dataset) -> Vec<Vec<f32>> {
    let rows = data.teacher_targets.iter();
    rows.map(|row| data.texts.vector(row.embedding).unwrap()).collect()
}

/// What a text reads.
pub(super) fn words(data: &Dataset, text: Text) -> String {
    data.text(text).unwrap().into_owned()
}

#[test]
fn scores_within_the_unit_interval_are_taken_as_they_are() {
    for (name, text) in [
        ("a.csv", "sentence1,sentence2,score\na,b,0.0\nc,d,1.0\n"),
        ("a.csv", "sentence1,sentence2,label\na,b,0.0\nc,d,1.0\n"),
        ("a.csv", "a,b,0.0\nc,d,1.0\n"),
        ("a.tsv", "score\tsentence2\tsentence1\n0\tb\ta\n1\td\tc\n"),
        (
            "a.jsonl",
            "{\"sentence1\":\"a\",\"sentence2\":\"b\",\"score\":0}\n{\"sentence1\":\"c\",\"sentence2\":\"d\",\"score\":1}",
        ),
    ] {
        let data = read(name, text);
        assert_eq!(scores(&data), [0.0, 1.0], "{text}");
        assert_eq!(words(&data, data.pairs[0].left), "a", "{text}");
        assert!(data.notes.contains(&"scores are on the scale 0..1".to_string()), "{text}");
    }
    let signed = read("a.csv", "sentence1,sentence2,score\na,b,-1\nc,d,0.5\n");
    assert_eq!(scores(&signed), [-1.0, 0.5]);
    assert_eq!(signed.notes, ["scores are on the scale -1..1"]);
}

#[test]
fn a_file_without_a_header_has_the_scale_of_stsb() {
    let training = read("train.csv", "a,b,5\nc,d,2.5\n");
    assert_eq!(scores(&training), [1.0, 0.5]);
    // A development file that happens to hold small scores only has the scale of its training file.
    let hints = Hints { training: Some(&training), ..Hints::default() };
    assert_eq!(scores(&read_with("dev.csv", "a,b,1\n", hints).unwrap()), [0.2]);
    let official = "main-news\tMSRpar\t2012\t0001\t4.000\tA \"b\" c\td\tsource\n";
    let official = read("sts-train.csv", official);
    assert_eq!(scores(&official), [0.8]);
    assert_eq!(words(&official, official.pairs[0].left), "A \"b\" c");
    assert!(
        official.notes.contains(&"columns not used: column 8, file, genre, number, year".into())
    );
}

#[test]
fn a_scale_that_nothing_tells_must_be_named() {
    let text = "sentence1,sentence2,score\na,b,0.5\nc,d,4.5\n";
    let error = refused("a.csv", text);
    assert!(error.starts_with("a.csv:3: score 4.5 is outside -1..1"), "{error}");
    assert!(error.contains("--score-range 0..5"), "{error}");
    let hints = Hints { range: Some(ScoreRange::new(0.0, 5.0)), ..Hints::default() };
    assert_eq!(scores(&read_with("a.csv", text, hints).unwrap()), [0.1, 0.9]);
    let sick = "sentence_A\tsentence_B\trelatedness_score\tentailment_judgment\na\tb\t4\tNEUTRAL\n";
    let sick = read("sick.tsv", sick);
    assert_eq!((scores(&sick), classes(&sick)), (vec![0.75], vec!["NEUTRAL"]));
}

#[test]
fn negatives_are_found_under_any_name() {
    for negatives in [
        r#""negatives":["c","d"]"#,
        r#""neg":["c","d"]"#,
        r#""hard_negative":["c","d"]"#,
        r#""negative1":"c","negative2":"d""#,
        r#""negative_0":"c","negative_1":"d""#,
        r#""negative_1":null,"negative_2":"c","negative_3":"d""#,
        r#""negative_10":"d","negative_9":"c""#,
        r#""negative_passages":[{"docid":"7","text":"c"},{"docid":"8","text":"d"}]"#,
        r#""hard-negatives":["c","d"]"#,
    ] {
        let data = read("a.jsonl", &format!("{{\"query\":\"a\",\"positive\":\"b\",{negatives}}}"));
        assert_eq!(rankings(&data), [["a", "b", "c", "d"]], "{negatives}");
        assert!(data.notes.is_empty(), "{:?}", data.notes);
    }
}

#[test]
fn texts_that_belong_together_come_under_many_names_and_shapes() {
    for (name, text) in [
        ("a.jsonl", r#"{"question":"a","answer":"b"}"#),
        ("a.jsonl", r#"{"query":"a","pos":["b"]}"#),
        ("a.jsonl", r#"{"query":"a","positive_passages":[{"docid":"1","title":"","text":"b"}]}"#),
        ("a.jsonl", r#"{"source":"a","target":"b"}"#),
        ("a.jsonl", r#"{"sentence1":"a","sentence2":"b"}"#),
        ("a.jsonl", r#"{"set":["a","b"]}"#),
        ("a.jsonl", r#"["a","b"]"#),
        ("a.csv", "answer;question\nb;a\n"),
        ("a.csv", "Anchor,Positive\n\"a\",b\n"),
        ("a.tsv", "a\tb\n"),
    ] {
        assert_eq!(rankings(&read(name, text)), [["a", "b"]], "{text}");
    }
    assert_eq!(rankings(&read("a.jsonl", r#"["a","b","c"]"#)), [["a", "b", "c"]]);
    let several = read("a.jsonl", r#"{"query":"a","pos":["b","c"],"neg":["d"]}"#);
    assert_eq!(rankings(&several), [["a", "b", "d"], ["a", "c", "d"]]);
    let triples = read("a.tsv", "what is it\tit is this\tit is that\n");
    assert_eq!(rankings(&triples), [["what is it", "it is this", "it is that"]]);
    let read = "without a header, its columns are read as anchor, positive, negative";
    assert_eq!(triples.notes, [read]);
}

#[test]
fn labels_say_whether_an_answer_belongs_to_its_question() {
    for columns in ["query,passage,label", "question,answer,label", "query,document,score"] {
        let data = read("a.csv", &format!("{columns}\nq,a,1\nq,b,0\n"));
        assert_eq!((data.pairs.len(), data.rankings.len()), (2, 0), "{columns}");
        assert!(data.notes.iter().all(|note| !note.contains("not used")), "{:?}", data.notes);
    }
    // Votes and topics say nothing of the kind.
    for column in ["label\nq,a,7", "label\nq,a,history", "score\nq,a,25", "label\nq,a,1"] {
        let data = read("a.csv", &format!("question,answer,{column}\n"));
        assert_eq!(rankings(&data), [["q", "a"]], "{column}");
        assert!(data.notes[0].contains("not used"), "{column}");
        let scale = data.notes.iter().any(|note| note.contains("--score-range"));
        assert_eq!(scale, column.starts_with("score"), "{:?}", data.notes);
    }
    // What is called positive is so, whatever its label.
    let data = read("a.csv", "anchor,positive,label\nq,a,0\n");
    assert_eq!(
        (rankings(&data), &data.notes[..]),
        (vec![vec!["q".into(), "a".into()]], &["columns not used: label".to_string()][..])
    );
}

#[test]
fn passages_have_their_titles_before_their_texts() {
    let row = r#"{"query":"a","positive_passages":[{"docid":"1","title":" T ","text":"b"}],
        "negative_passages":[{"docid":"2","title":null,"text":"c"},{"docid":"3","title":"","text":"d"}]}"#;
    let data = read("a.jsonl", &row.replace('\n', " "));
    assert_eq!(rankings(&data), [["a", "T b", "c", "d"]]);
    assert_eq!(data.notes, ["passages are read with their titles before their texts"]);
}

#[test]
fn a_separator_that_cannot_be_told_is_named() {
    for (name, text, message) in [
        (
            "a.csv",
            "sentence1;sentence2;score\nx;y;1\nx;y;z;1\n",
            "a.csv:3: expected 3 columns as in the first row, found 4; columns are taken to be separated by \
             semicolons: put values that contain a semicolon into double quotes",
        ),
        (
            "a.csv",
            "sentence1\tsentence2\nx\ty\tz\n",
            "a.csv:2: expected 2 columns as in the first row, found 3; columns are taken to be separated by tabs: \
             replace tabs in values by spaces",
        ),
        (
            "a.tsv",
            "sentence1,sentence2\nx, y,z\n",
            "a.tsv:2: expected 2 columns as in the first row, found 3; columns are taken to be separated by commas: \
             put values that contain a comma into double quotes",
        ),
        (
            "a.csv",
            "\"sentence1;sentence2\"\n\"x;y\"\n",
            "a.csv:1: the first row is one column that contains a semicolon: if that separates the columns, take",
        ),
        (
            "a.csv",
            "sentence1^sentence2\nx^y\n",
            "a.csv:1: the first row is one column that contains a caret: separate columns by commas, semicolons,",
        ),
        (
            "a.csv",
            "sentence1|sentence2\nx|y\nx|y|z\n",
            "a.csv:3: expected 2 columns as in the first row, found 3; columns are taken to be separated by vertical \
             bars: put values that contain one into double quotes",
        ),
        (
            "a.csv",
            "sep=;\nsentence1;sentence2\nx;y\n",
            "a.csv:1: this line is for spreadsheets alone: take",
        ),
        (
            "a.csv",
            "sentence1,sentence2\n\nx, \"y\"\n",
            "a.csv:3: a space is before the quote of value 2, so that the quotes are part of it: take the space",
        ),
        (
            "a.csv",
            "phrase\nx\n",
            "a.csv:1: the first row is one column that is not called text: name it",
        ),
    ] {
        let found = refused(name, text);
        assert!(found.starts_with(message), "{found}");
    }
}

#[test]
fn a_teachers_scores_become_margins() {
    let row = r#"{"query":"a","pos":["b","c"],"neg":["d"],"pos_scores":[5,3],"neg_scores":[1.5]}"#;
    let margins: Vec<_> =
        read("a.jsonl", row).rankings.into_iter().flat_map(|row| row.margins).collect();
    assert_eq!(margins, [3.5, 1.5]);
    let row = |label| format!(r#"{{"anchor":"a","positive":"b","negative":"c","label":{label}}}"#);
    assert_eq!(read("a.jsonl", &row("[1,0.25]")).rankings[0].margins, [0.75]);
    assert_eq!(read("a.jsonl", &row("0.5")).rankings[0].margins, [0.5]);
    let error = refused("a.jsonl", &row("[1,2,3]"));
    assert_eq!(error, "a.jsonl:1: `label` has 3 numbers for 1 negatives");
    // A label of a pair says nothing about a ranking.
    let data = read("a.jsonl", r#"{"question":"a","answer":"b","label":1}"#);
    assert!(data.rankings[0].margins.is_empty());
    assert_eq!(data.notes, ["columns not used: label"]);
}

#[test]
fn classes_that_are_none_are_left_out_and_counted() {
    let data = read("a.csv", "premise,hypothesis,label\na,b,0\nc,d,-1\ne,f,2\ng,h,\n");
    assert_eq!(classes(&data), ["0", "2"]);
    assert_eq!(data.notes, ["rows without a score or a class, left out: 2"]);
    let snli = "{\"premise\":\"a\",\"hypothesis\":\"b\",\"gold_label\":\"-\"}\n\
                {\"premise\":\"a\",\"hypothesis\":\"b\",\"gold_label\":\"neutral\"}";
    assert_eq!(classes(&read("a.jsonl", snli)), ["neutral"]);
    let texts = read("a.jsonl", "{\"text\":\"a\",\"label\":-1}\n{\"text\":\"b\",\"label\":3}");
    assert_eq!(texts.sentences.len(), 1);
    assert_eq!(texts.notes, ["rows without a class, left out: 1"]);
    let verdicts = "{\"question1\":\"a\",\"question2\":\"b\",\"is_duplicate\":true}\n\
                    {\"question1\":\"c\",\"question2\":\"d\",\"is_duplicate\":\"False\"}";
    assert_eq!(classes(&read("a.jsonl", verdicts)), ["1", "0"]);
}

#[test]
fn ones_and_zeros_are_similarities_too() {
    let data = read("a.csv", "sentence1,sentence2,label\na,b,1\nc,d,0\n");
    let similarities: Vec<_> = data.similarities().map(|(_, score)| score).collect();
    assert_eq!((classes(&data), similarities), (vec!["1", "0"], vec![1.0, 0.0]));
    let three = read("a.csv", "sentence1,sentence2,label\na,b,1\nc,d,0\ne,f,2\n");
    assert_eq!(three.similarities().count(), 0);
}

#[test]
fn texts_take_classes_embeddings_or_nothing() {
    assert_eq!(read("a.jsonl", r#"{"text":"a","label":"weather"}"#).sentences[0].class, "weather");
    for column in ["label", "embedding"] {
        let data = read("a.jsonl", &format!(r#"{{"text":"a","{column}":[0.5,-1]}}"#));
        assert_eq!(embeddings(&data), [[0.5, -1.0]]);
    }
    let bare = read("a.jsonl", r#"{"text":"a"}"#);
    assert_eq!(bare.bare.iter().map(|text| words(&bare, *text)).collect::<Vec<_>>(), ["a"]);
    let error = refused(
        "a.jsonl",
        "{\"text\":\"a\",\"label\":[1.5,2]}\n{\"text\":\"b\",\"label\":[0.1]}\n",
    );
    assert!(
        error.starts_with("a.jsonl:2: the embedding has 1 numbers, the first row 2"),
        "{error}"
    );
}

#[test]
fn parallel_texts_share_a_teachers_embedding() {
    for [first, second] in [["source", "target"], ["english", "non_english"], ["text1", "text2"]] {
        for column in ["label", "embedding"] {
            let row = format!(r#"{{"{first}":"a","{second}":"b","{column}":[0.5,-1]}}"#);
            let data = read("a.jsonl", &row);
            let texts = data.teacher_targets.iter().map(|target| words(&data, target.text));
            assert!(texts.eq(["a", "b"]), "{row}");
            assert_eq!(embeddings(&data), [[0.5, -1.0]; 2], "{row}");
            assert!(data.notes.is_empty() && data.rankings.is_empty());
        }
    }
    let row = r#"{"sentence1":"a","sentence2":"b","score":0.5,"embedding":[0.5,-1]}"#;
    let data = read("a.jsonl", row);
    assert_eq!(data.pairs[0].score, Some(0.5));
    assert!(data.notes.contains(&"columns not used: embedding".into()), "{:?}", data.notes);
}

#[test]
fn columns_go_by_names_of_the_users_choice() {
    let columns: Vec<Renamed> =
        ["anchor=title", "positive=body"].map(|it| it.parse().unwrap()).into();
    let hints = Hints { columns: &columns, ..Hints::default() };
    let data = read_with("a.csv", "id,title,body\n7,a,b\n", hints).unwrap();
    assert_eq!(rankings(&data), [["a", "b"]]);
    assert_eq!(data.notes, ["columns not used: id"]);
    let error = read_with("a.csv", "sentence1,sentence2\na,b\n", hints).unwrap_err().to_string();
    assert!(error.contains("--columns names `title`"), "{error}");
    assert!("question".parse::<Renamed>().is_err() && "middle=a".parse::<Renamed>().is_err());
}

#[test]
fn broken_rows_name_their_line() {
    for (name, text, message) in [
        ("a.csv", "a,b,1\na,b,5.5\n", "a.csv:2: score 5.5 is outside -1..1"),
        ("a.csv", "a,b,1\n\n ,b,1\n", "a.csv:3: `sentence1` is empty"),
        ("a.csv", "a,b,1\r\n\r\na,b,6\r\n", "a.csv:3: score 6"),
        (
            "a.csv",
            "a,b,1\na,b,1,extra\n",
            "a.csv:2: expected 3 columns as in the first row, found 4",
        ),
        ("a.csv", "\"two\nlines\",b,1\nonly,two\n", "a.csv:3: expected 3 columns"),
        ("a.csv", "id,foo,bar\n1,x,2\n", "a.csv:1: the first row names no known columns"),
        (
            "a.tsv",
            "sentence_A\tsentence_B\trelatedness_score\na\tb\t6\n",
            "a.tsv:2: score 6 is outside 1..5",
        ),
        (
            "a.csv",
            "sentence1,sentence2,score\na,b,x\n",
            "a.csv:2: `score` must be a number, found \"x\"",
        ),
        (
            "a.csv",
            "sentence1,sentence2,score\na,b,4.48\na,b,\u{200b}4.49\n",
            "a.csv:3: `score` must be a number, found \"\u{200b}4.49\", with the invisible character \
             U+200B; remove it",
        ),
        (
            "a.jsonl",
            "{\"anchor\":\"a\",\"positive\":\"b\",\"negative\":\"c\",\"label\":1e39}",
            "a.jsonl:1: `label` is 1e+39, and must be between -3.4028235e38 and 3.4028235e38",
        ),
        (
            "a.jsonl",
            "{\"anchor\":\"a\",\"positive\":\"b\",\"negative\":\"c\",\"label\":[3e38,-3e38]}",
            "a.jsonl:1: the margin between 3e38 and -3e38 is not finite",
        ),
        ("a.jsonl", "{\"text\":\"a\",\"embedding\":[1,1e39]}", "a.jsonl:1: `embedding` is 1e+39"),
        ("a.jsonl", "{\"sentence1\":\"a\",", "a.jsonl:1: not JSON"),
        ("a.jsonl", "[1]", "a.jsonl:1: expected an object, a text or a list of texts"),
        ("a.jsonl", r#"{"premise":"a"}"#, "a.jsonl:1: expected the columns sentence1, sentence2;"),
        (
            "a.jsonl",
            "{\"sentence1\":\"a\",\"sentence2\":\"b\"}\n{\"sentence1\":\"a\"}",
            "a.jsonl:2: the column `sentence2` is missing",
        ),
        (
            "a.jsonl",
            r#"{"sentence1":"a","sentence2":3,"score":1}"#,
            "a.jsonl:1: `sentence2` must be a text",
        ),
    ] {
        let error = refused(name, text);
        assert!(error.starts_with(message), "{error}");
    }
}

#[test]
fn json_arrays_are_read_like_json_lines() {
    let lines = "{\"anchor\":\"a\",\"positive\":\"b\"}\n{\"anchor\":\"c\",\"positive\":\"d\"}\n";
    let plain = read("a.jsonl", lines);
    for text in [
        r#"[{"anchor":"a","positive":"b"},{"anchor":"c","positive":"d"}]"#,
        "\n [\n  {\n \"anchor\": \"a\",\n \"positive\": \"b\"\n },\n {\"positive\": \"d\",\n\"anchor\": \"c\"}\n]\n",
        "[[\"a\", \"b\"],\n[\"c\",\n\"d\"]]",
        "[\"a\", \"b\"]\n[\"c\", \"d\"]\n",
        lines,
    ] {
        assert_eq!(rankings(&read("a.json", text)), rankings(&plain), "{text}");
    }
    // Brackets, commas and quotes in texts end no row.
    let odd = ["]},{[\\\"", "\\\\\", \\", "é]"];
    let rows: Vec<_> = odd.iter().map(|text| [text, "b"]).collect();
    let data = read("a.json", &serde_json::to_string_pretty(&rows).unwrap());
    assert!(rankings(&data).iter().map(|row| &row[0]).eq(odd));
    // A row has the line that it begins in.
    let pretty =
        read("a.json", "[\n{\n\"anchor\": \"a\",\n\"positive\": \"b\"},\n\n[\"c\", \"d\"]\n]");
    assert_eq!([0, 1].map(|row| pretty.rankings[row].place.line), [2, 6]);
}

#[test]
fn broken_json_arrays_name_the_line() {
    for (text, message) in [
        ("[]", "cannot read a.json: it has no rows"),
        ("[[\"a\", \"b\"],\n\n  [\"c\", d]]", "a.json:3: not JSON (column 9): expected value"),
        (
            "[{\"anchor\": \"a\",\n \"positive\" \"b\"}]",
            "a.json:2: not JSON (column 13): expected `:`",
        ),
        ("[[\"a\", \"b\"]\n[\"c\", \"d\"]]", "a.json:2: not JSON: expected a comma"),
        ("[[\"a\", \"b\"]\n", "a.json:1: not JSON: the array has no end"),
        ("[[\"a\", \"b\"],\n", "a.json:1: not JSON: the array has no end"),
        (
            "[[\"a\", \"b\"]]\n\nx",
            "a.json:3: not JSON: expected nothing after the array, found `x`",
        ),
        (
            "[[\"a\", \"b\"],\n3]",
            "a.json:2: expected an object, a text or a list of texts, found 3",
        ),
        ("[[\"a\", \"b\"],\n,[\"c\", \"d\"]]", "a.json:2: not JSON: expected a row, found `,`"),
        ("[[\"a\", \"b\"],\n]", "a.json:2: not JSON: expected a row, found `]`"),
        ("[\n]\n\n}", "a.json:4: not JSON: expected nothing after the array, found `}`"),
        ("[[\"a\", \"b\"],\n }]", "a.json:2: not JSON (column 2): expected value"),
        ("[[\"a\",\n \"b", "a.json:2: not JSON (column 3): EOF while parsing a string"),
    ] {
        let found = refused("a.json", text);
        assert!(found.starts_with(message), "{text}: {found}");
    }
}

#[test]
fn rows_that_would_fill_memory_are_refused() {
    let texts = |text: &str| vec![text.to_string(); 8000];
    let row = serde_json::json!({"query": "a", "pos": texts("b"), "neg": texts("c")});
    let message = refused("a.jsonl", &row.to_string());
    let expected =
        "a.jsonl:1: each of its 8000 positives would be an example with all 8000 negatives";
    assert!(message.starts_with(expected), "{message}");
    let set = [vec!["a".repeat(100_000)], texts("b")].concat();
    let message = refused("a.jsonl", &serde_json::json!({"set": set}).to_string());
    assert!(message.starts_with("a.jsonl:1: each of its 8000 positives"), "{message}");
    let row = serde_json::json!({"query": "a", "pos": texts("b")[..500], "neg": texts("c")[..500]});
    assert_eq!(read("a.jsonl", &row.to_string()).rankings.len(), 500);
}

#[test]
fn any_number_of_columns_is_read_at_once() {
    let many = 200_000;
    let start = std::time::Instant::now();
    let data = read("a.jsonl", &serde_json::json!(vec!["a"; many]).to_string());
    assert_eq!(data.rankings[0].negatives.len(), many - 2);
    let names: Vec<_> = (0..many).map(|column| format!("column{column}")).collect();
    let cells = vec!["a"; many + 1].join(",");
    let data = read("a.csv", &format!("text,{}\n{cells}\n", names.join(",")));
    assert_eq!(data.bare.len(), 1);
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn a_row_with_many_scored_positives_is_read_once() {
    let many = 100_000;
    let (texts, scores) = (vec!["b"; many], vec![0.5; many]);
    let row = serde_json::json!(
        {"query": "a", "pos": texts, "neg": ["c"], "pos_scores": scores, "neg_scores": [0.25]}
    );
    let start = std::time::Instant::now();
    let data = read("a.jsonl", &row.to_string());
    assert!(data.rankings.len() == many && data.rankings[many - 1].margins == [0.25]);
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}
