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
