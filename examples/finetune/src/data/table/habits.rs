//! Tables as programs and people write them, beside the plain ones.

use std::path::Path;

use super::tests::{rankings, read, read_with, refused, scores, words};
use super::*;
use crate::data::{Format, parse};

#[test]
fn numbers_beside_two_texts_may_be_their_score() {
    for numbers in [["0.5", "0.9"], ["1", "0"], ["3.2", ""]] {
        let [first, second] = numbers;
        let text = format!("sentence1,sentence2,id,alike\na,b,7,{first}\nc,d,8,{second}\n");
        let error = refused("a.csv", &text);
        let message = "a.csv:2: the column `alike` has a number for each pair, which may be its score: say --columns \
                       score=alike, label=alike or unused=alike";
        assert_eq!(error, message);
        let columns = ["unused=alike".parse().unwrap()];
        let hints = Hints { columns: &columns, ..Hints::default() };
        let data = read_with("a.csv", &text, hints).unwrap();
        assert_eq!(
            (data.rankings.len(), &data.notes[..]),
            (2, &["columns not used: alike, id".to_string()][..])
        );
    }
    let error = refused("a.csv", "sentence1,sentence2,How alike\na,b,0.5\n");
    assert!(
        error.ends_with("'score=How alike', 'label=How alike' or 'unused=How alike'"),
        "{error}"
    );
    let years = read("a.csv", "sentence1,sentence2,year,genre\na,b,2012,x\nc,d,2013,0.5\n");
    assert_eq!(years.rankings.len(), 2);
    assert_eq!(scores(&read("a.csv", "sentence1,sentence2,sim\na,b,0.5\n")), [0.5]);
}

#[test]
fn a_list_of_texts_alone_is_no_row() {
    for text in ["[\"a\",\"b\", \"c\"]", "[\n  \"a\",\n  \"b\",\n  \"c\"\n]\n"] {
        let data = read("a.json", text);
        let texts: Vec<_> = data.bare.iter().map(|text| words(&data, *text).to_string()).collect();
        assert_eq!(texts, ["a", "b", "c"], "{text}");
    }
    // In JSON Lines it is one, and so is each of several.
    assert_eq!(rankings(&read("a.jsonl", "[\"a\",\"b\"]\n")), [["a", "b"]]);
    assert_eq!(rankings(&read("a.json", "[\"a\",\"b\"]\n[\"c\",\"d\"]\n")).len(), 2);
}

#[test]
fn cells_that_stand_for_nothing_are_no_texts() {
    let data = read("a.csv", "query,positive,negative_1,negative_2\na,b,c,nan\nd,e,None,f\n");
    assert_eq!(rankings(&data), [vec!["a", "b", "c"], vec!["d", "e", "f"]]);
    for nothing in ["nan", "NaN", "None", "N/A", "null", "NA"] {
        let error = refused("a.csv", &format!("anchor,positive\na,b\nc,{nothing}\n"));
        assert!(error.starts_with("a.csv:3: `positive` has no text"), "{error}");
    }
    // JSON says by itself which of its cells are empty.
    let json = "{\"anchor\":\"a\",\"positive\":\"None\"}\n{\"anchor\":\"a\",\"positive\":null}\n";
    let error = refused("a.jsonl", json);
    assert!(error.starts_with("a.jsonl:2: `positive` has no text"), "{error}");
    let lists = "query,positive,negatives\na,b,nan\nd,e,\"['f']\"\n";
    assert!(refused("a.csv", lists).contains("`negatives` has lists that were written as texts"));
}

#[test]
fn bars_may_separate_values() {
    let data = read("a.csv", "anchor|positive\na, b|c\n\"d|e\"|f\n");
    assert_eq!(rankings(&data), [["a, b", "c"], ["d|e", "f"]]);
}

#[test]
fn lines_may_end_with_a_carriage_return_alone() {
    let text = "anchor,positive\ra b,c d\re,\"f,g\"\r";
    assert_eq!(rankings(&read("a.csv", text)), [["a b", "c d"], ["e", "f,g"]]);
    let error = refused("a.csv", &format!("{text}h\r"));
    assert!(error.starts_with("a.csv:4: expected 2 columns"), "{error}");
    let json = text.replace(['a', 'e'], "x");
    assert!(refused("a.jsonl", &json).starts_with("a.jsonl:1: not JSON"));
    let lines =
        parse(Path::new("a.txt"), b"first\rsecond\r", Format::Lines, Hints::default()).unwrap();
    assert_eq!(lines.bare.len(), 2);
}

#[test]
fn other_shapes_of_passages_are_read_or_said_to_be_written_otherwise() {
    let dpr = "{\"question\":\"q\",\"answers\":[\"x\"],\"positive_ctxs\":[{\"title\":\"t\",\"text\":\"p\"}],\
               \"negative_ctxs\":[],\"hard_negative_ctxs\":[{\"title\":\"\",\"text\":\"n\"}]}\n";
    let data = read("a.json", dpr);
    assert_eq!(rankings(&data), [["q", "t p", "n"]]);
    let squad = "{\"question\":\"q\",\"context\":\"c\",\"answers\":{\"text\":[\"x\"],\"answer_start\":[3]}}\n";
    let marco = "{\"query\":\"q\",\"passages\":{\"passage_text\":[\"x\"],\"is_selected\":[1]}}\n";
    for text in [squad, marco] {
        let error = refused("a.jsonl", text);
        assert!(error.contains("is an object: write its texts as a list"), "{error}");
    }
    let pretty = "{\n \"anchor\": \"a\",\n \"positive\": \"b\"\n}\n";
    let error = refused("a.jsonl", pretty);
    assert!(error.starts_with("a.jsonl:1: not JSON: the row does not end in its line"), "{error}");
    let tabs = refused("a.txt", "a b\tc d\n");
    assert!(tabs.contains("for values between tabs, say --format tsv"), "{tabs}");
}

#[test]
fn spaces_around_a_text_belong_to_it() {
    let texts = [" a cat", "a dog\u{a0} "];
    let json = serde_json::json!({"anchor": texts[0], "positive": texts[1]}).to_string();
    assert_eq!(rankings(&read("a.jsonl", &json)), [texts]);
    assert_eq!(rankings(&read("a.csv", "anchor,positive\n a cat,\"a dog\u{a0} \"\n")), [texts]);
    let lines = parse(Path::new("a.txt"), b" a \n \nb\n", Format::Lines, Hints::default()).unwrap();
    let found: Vec<_> = lines.bare.iter().map(|text| words(&lines, *text)).collect();
    assert_eq!(found, [" a ", "b"]);
    assert!(refused("a.csv", "anchor,positive\na,\" \"\n").contains("`positive` is empty"));
}

#[test]
fn what_is_read_by_its_place_is_said() {
    let values = read("a.jsonl", "[\"a b\",\"x\"]\n[\"c d\",\"y\"]\n");
    assert_eq!(values.notes, ["without names, its columns are read as anchor, positive"]);
    let array = read("a.json", "[[\"a b\",\"x\"],[\"c d\",\"y\"]]");
    assert_eq!(array.notes, values.notes);
    let numbered = read("a.txt", "5 people died\n3 men walk\n");
    assert_eq!(numbered.notes, ["each line is read as a class and a text, as in TREC"]);
}

#[test]
fn what_programs_write_wrongly_is_refused() {
    for (name, text, message) in [
        ("a.csv", "text,label\na b,x\ntext,label\nc d,y\n", "a.csv:3: the header again"),
        (
            "a.csv",
            "sentence1,sentence2,score\n\"a, \\\"b\\\" c\",x,0.1\n",
            "a.csv:2: a quote within a quoted value has a backslash before it",
        ),
        (
            "a.tsv",
            "sentence1\tsentence2\tlabel\nb'a b'\tb\"c's\"\t0\n",
            "a.tsv:2: the column `sentence1` has bytes that Python wrote as texts",
        ),
        (
            "a.jsonl",
            "{\"sentence1\":\"a\",\"sentence2\":\"b\",\"score\":NaN}\n",
            "a.jsonl:1: not JSON: NaN and Infinity are no numbers of JSON: write null",
        ),
        ("a.jsonl", "{\"text\":\"a\"},\n", "a.jsonl:1: not JSON: rows of JSON Lines have no comma"),
        (
            "a.jsonl",
            "{\"text\":\"a\"}{\"text\":\"b\"}\n",
            "a.jsonl:1: not JSON: two rows are in one line",
        ),
        (
            "a.jsonl",
            "text,label\na,b\n",
            "a.jsonl:1: not JSON: the line is no row of JSON: for values",
        ),
        (
            "a.jsonl",
            "{\"text\":{\"0\":\"a b\"},\"label\":{\"0\":\"x\"}}\n",
            "a.jsonl:1: `text` must be a text, found {\"0\":\"a b\"}; write an object for each row, as pandas",
        ),
        (
            "a.jsonl",
            "{\"columns\":[\"text\"],\"index\":[0],\"data\":[[\"a\"]]}\n",
            "a.jsonl:1: its rows are within `data`; write an object for each row",
        ),
        (
            "a.csv",
            "sentence1,sentence2,score\na,b,\"0,8\"\n",
            "a.csv:2: `score` must be a number, found \"0,8\"; write digits with a decimal point alone",
        ),
        (
            "a.csv",
            "sentence1,sentence2,label\na,b,1.0\nc,d,2.0\n",
            "a.csv:3: score 2 is outside -1..1, and nothing says which scale the file has: name it, such as \
             --score-range 0..5; if these are classes, write them without decimals",
        ),
        ("a.csv", "query,document,relevance\na,b,0\nc,d,2\n", "a.csv:3: score 2 is outside -1..1"),
    ] {
        let found = refused(name, text);
        assert!(found.starts_with(message), "{found}");
    }
}

#[test]
fn marks_that_nobody_sees_are_no_part_of_a_name() {
    let data = read("a.csv", "\u{200b}Sentence\u{a0}1,Sentence\u{a0}2,Score\na,b,0.5\n");
    assert_eq!(scores(&data), [0.5]);
}
