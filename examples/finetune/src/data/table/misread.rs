//! Files of which a row, a column or a number could be taken for something else.

use super::tests::{classes, rankings, read, read_with, refused, scores, words};
use super::*;
use burn_embedding_losses::catalog::BatchKind;

use crate::data::task;

/// The targets that SoftmaxLoss learns.
fn class_targets(data: &Dataset) -> Vec<usize> {
    let examples = task::examples("SoftmaxLoss", BatchKind::ClassifiedPairs, data).unwrap();
    examples.iter().filter_map(|row| row.target.class()).collect()
}

#[test]
fn stsb_as_distributed_has_sources_in_some_rows() {
    let row = "main-news\theadlines\t2013\t12\t4.0\tA \"kite\tA hawk";
    let text = format!("{row}\n{row}\tnone\tthere\n");
    let data = read("sts-train.csv", &text);
    assert_eq!((scores(&data), &*words(&data, data.pairs[1].right)), (vec![0.8, 0.8], "A hawk"));
    let short = refused("sts-train.csv", &format!("{row}\na\tb\n"));
    assert!(short.contains("sts-train.csv:2: expected 7 columns"), "{short}");
}

#[test]
fn an_unknown_header_is_no_row() {
    for (name, text) in [
        ("a.csv", "prompt,completion\nwhat is it,it is this\n"),
        ("a.csv", "en,de\na kite,ein Drachen\n"),
        ("a.csv", "review,sentiment\nA good film,positive\n"),
        ("a.tsv", "#anchor\tpositive\na kite\ta hawk\n"),
        ("a.csv", "First text,Second text,How alike\na b,c d,0.5\n"),
        ("a.csv", "topic,stars\nA good film,4\n"),
    ] {
        let error = refused(name, text);
        let line = format!("{name}:1: the first row names no known columns");
        assert!(error.starts_with(&line) && error.contains("--columns"), "{error}");
    }
    let numbers = refused("a.tsv", "A good film\t1\nA bad film\t0\n");
    assert!(numbers.contains("such as text,label"), "{numbers}");
    let json = refused("a.csv", "{\"anchor\": \"a\", \"positive\": \"b\"}\n");
    assert!(json.contains("--format jsonl"), "{json}");
    // Words alone may be pairs.
    assert_eq!(rankings(&read("a.csv", "big,large\nsmall,little\n")).len(), 2);
    let data = read("a.csv", "Sentence 1,Sentence 2,Similarity Score\nA b,c d,0.5\n");
    assert_eq!(scores(&data), [0.5]);
}

#[test]
fn a_header_names_each_column_once() {
    let error = refused("a.csv", "anchor,positive,negative,negative\na,b,c,d\n");
    assert!(error.contains("a.csv:1: the header has two columns `negative`"), "{error}");
}

#[test]
fn a_byte_order_mark_and_the_ends_of_lines_are_no_part_of_the_data() {
    for (name, text) in [
        ("a.csv", "anchor,positive\na b,c d\ne,\"f,g\"\n"),
        ("a.tsv", "anchor\tpositive\na b\tc d\ne\tf,g\n"),
        ("a.csv", "a b,c d\ne,\"f,g\"\n"),
        ("a.jsonl", "[\"a b\",\"c d\"]\n[\"e\",\"f,g\"]\n"),
        (
            "a.jsonl",
            "{\"anchor\":\"a b\",\"positive\":\"c d\"}\n{\"anchor\":\"e\",\"positive\":\"f,g\"}\n",
        ),
        ("a.json", "[\n[\"a b\",\"c d\"],\n[\"e\",\"f,g\"]\n]\n"),
    ] {
        let expected = [["a b", "c d"], ["e", "f,g"]];
        for text in [text.to_string(), text.replace('\n', "\r\n")] {
            assert_eq!(rankings(&read(name, &text)), expected, "{text:?}");
            assert_eq!(rankings(&read(name, &format!("\u{feff}{text}"))), expected, "{text:?}");
        }
    }
}

#[test]
fn a_quote_must_end() {
    let error = refused("a.csv", "anchor,positive\na,b\nc,\"d\ne,f\n");
    assert!(error.starts_with("a.csv:3: a quote begins here that never ends"), "{error}");
}

#[test]
fn a_column_that_the_user_names_goes_before_one_of_that_name() {
    let with = |text: &str, columns: &[&str]| {
        let columns: Vec<Renamed> = columns.iter().map(|it| it.parse().unwrap()).collect();
        read_with("a.csv", text, Hints { columns: &columns, ..Hints::default() })
    };
    let titles = with("anchor,title,positive\na,t,b\n", &["anchor=title"]).unwrap();
    assert_eq!(rankings(&titles), [["t", "b"]]);
    let pairs = "sentence1,sentence2,x,y,score,z\na,b,c,d,0,1\n";
    let others = "sentence1,sentence2,x,y\na,b,c,d\n";
    assert_eq!(rankings(&with(others, &["anchor=x", "positive=y"]).unwrap()), [["c", "d"]]);
    assert_eq!(scores(&with(pairs, &["score=z"]).unwrap()), [1.0]);
    let body = with("anchor,positive,body\na,b,c\n", &["text=body"]).unwrap();
    assert_eq!((body.bare.len(), &*words(&body, body.bare[0])), (1, "c"));
    let lists = "{\"query\":\"a\",\"found\":[\"b\",\"c\"],\"labels\":[1,0]}\n";
    let columns = ["docs=found".parse().unwrap()];
    let hints = Hints { columns: &columns, ..Hints::default() };
    assert_eq!(read_with("a.jsonl", lists, hints).unwrap().lists.len(), 1);
    // Without a header, the first row is shown, not names that the file does not have.
    let error = with("a b,c d\n", &["anchor=x"]).unwrap_err().to_string();
    assert!(error.contains("the first row has a b, c d"), "{error}");
}

#[test]
fn labels_of_answers_leave_no_wrong_one_among_the_right() {
    for labels in
        [["1", "-1"], ["1", ""], ["relevant", "irrelevant"], ["Entailment", "contradiction"]]
    {
        let [right, wrong] = labels;
        let data = read("a.csv", &format!("query,passage,label\nq,a,{right}\nq,b,{wrong}\n"));
        assert!(data.rankings.is_empty(), "{labels:?}");
        let verdicts: Vec<_> = data.verdicts().map(|(_, verdict)| verdict).collect();
        assert_eq!(verdicts.iter().filter(|verdict| **verdict).count(), 1, "{labels:?}");
    }
    let error = refused("a.csv", "query,passage,score\nq,a,0.9\nq,b,O.5\n");
    assert!(error.starts_with("a.csv:3: `score` must be a number"), "{error}");
    let training = read("a.csv", "query,passage,label\nq,a,1\nq,b,0\n");
    let hints = Hints { training: Some(&training), ..Hints::default() };
    let right = read_with("b.csv", "query,passage,label\nq,a,1\n", hints).unwrap();
    assert_eq!((right.pairs.len(), right.rankings.len()), (1, 0));
}

#[test]
fn classes_that_are_numbers_are_the_models_own() {
    let text = "sentence1,sentence2,label\na,b,1\nc,d,2\n";
    assert_eq!(class_targets(&read("a.csv", text)), [1, 2]);
    let text = "sentence1,sentence2,label\na,b,entailment\nc,d,contradiction\n";
    assert_eq!(class_targets(&read("a.csv", text)), [1, 0]);
}

#[test]
fn classes_are_the_same_however_a_program_writes_them() {
    let text = "text,label\na,1\nb,1.0\nc,nan\nd,None\ne,N/A\nf,-1.0\ng,null\n";
    let data = read("a.csv", text);
    let found: Vec<_> = data.sentences.iter().map(|row| &*row.class).collect();
    assert_eq!(
        (found, &data.notes[..]),
        (vec!["1", "1"], &["rows without a class, left out: 5".to_string()][..])
    );
    let json = read("a.jsonl", "{\"text\":\"a\",\"label\":1.0}\n{\"text\":\"b\",\"label\":2}\n");
    assert_eq!(json.sentence_classes(), ["1", "2"]);
    let names = read("a.csv", "sentence1,sentence2,label\na,b,entailment\nc,d,nan\n");
    assert_eq!(classes(&names), ["entailment"]);
}

#[test]
fn scores_are_numbers_however_they_are_spelled() {
    let data = read("a.csv", "sentence1,sentence2,score\na,b,True\nc,d,False\ne,f,None\n");
    assert_eq!(scores(&data), [1.0, 0.0]);
    let cosine = read("a.csv", "sentence1,sentence2,score\na,b,1.0000001\nc,d,0.5\n");
    assert_eq!(scores(&cosine), [1.0, 0.5]);
    let sick = read("a.csv", "sentence1,sentence2,Relatedness Score\na,b,1\nc,d,5\n");
    assert_eq!(scores(&sick), [0.0, 1.0]);
}

#[test]
fn a_scale_holds_for_training_and_evaluation() {
    let training = |text: &str| read("a.csv", text);
    let with = |training: &Dataset, text: &str| {
        read_with("b.csv", text, Hints { training: Some(training), ..Hints::default() })
    };
    let small = training("a b,c d,0.5\n");
    let error = with(&small, "a b,c d,0.5\ne f,g h,4\n").unwrap_err().to_string();
    assert!(error.contains("b.csv:2") && error.contains("taken to be 0..1"), "{error}");
    let decimal = training("sentence1,sentence2,label\na,b,0.5\n");
    let whole = with(&decimal, "sentence1,sentence2,label\na,b,1\nc,d,0\n").unwrap();
    assert_eq!(scores(&whole), [1.0, 0.0]);
    let hints = Hints { range: Some(ScoreRange::new(0.0, 5.0)), ..Hints::default() };
    let whole = read_with("a.csv", "sentence1,sentence2,label\na,b,1\n", hints).unwrap();
    assert!(whole.notes.iter().any(|note| note.contains("--score-range")), "{:?}", whole.notes);
}

#[test]
fn texts_that_do_not_belong_are_used_or_refused() {
    let triplet = "{\"sentence1\":\"a\",\"sentence2\":\"b\",\"negative\":\"c\"}\n";
    assert_eq!(rankings(&read("a.jsonl", triplet)), [["a", "b", "c"]]);
    let triplet = "{\"text\":\"a\",\"positive\":\"b\",\"negative_text\":\"c\"}\n";
    assert_eq!(rankings(&read("a.jsonl", triplet)), [["a", "b", "c"]]);
    let error = refused("a.csv", "anchor,positive,positive_2\na,b,c\n");
    assert!(error.contains("the column `positive_2` is not read beside `anchor`"), "{error}");
    let error = refused("a.csv", "text,negative\na,b\n");
    assert!(error.contains("the column `negative` is not read beside `text`"), "{error}");
    let qnli = read("a.csv", "question,sentence,label\na,b,entailment\na,c,contradiction\n");
    assert_eq!((qnli.pairs.len(), qnli.sentences.len()), (2, 0));
    // What a row is about may be numbered, and is not the text that a label belongs to.
    let about = read("a.csv", "source,text,label\nnews,a,1\n");
    assert_eq!(about.sentences.len(), 1);
}

#[test]
fn topics_of_triplets_are_no_margins() {
    for topic in ["\"topic\":\"sports\"", "\"class\":3", "\"label\":\"entailment\""] {
        let text = format!("{{\"anchor\":\"a\",\"positive\":\"b\",\"negative\":\"c\",{topic}}}\n");
        let data = read("a.jsonl", &text);
        assert!(data.rankings[0].margins.is_empty(), "{topic}");
        assert!(data.notes[0].starts_with("columns not used"), "{:?}", data.notes);
    }
}

#[test]
fn lists_that_became_texts_are_refused() {
    for lists in ["\"['c', 'd']\"", "\"[\"\"c\"\"]\"", "[]"] {
        let text = format!("query,positive,negatives\na,b,{lists}\nd,e,\"['f']\"\n");
        let error = refused("a.csv", &text);
        let message = "a.csv:2: the column `negatives` has lists that were written as texts";
        assert!(error.starts_with(message), "{error}");
    }
    assert!(
        refused("a.csv", "text,label\na b,\"[0, 3]\"\nc d,[1]\n").contains("`label` has lists")
    );
    // One text may be a list in a programming language.
    let code = "query,positive\nhow,\"['a', 'b']\"\nwhy,print\nwhat,[see below]\n";
    assert_eq!(rankings(&read("a.csv", code))[0], ["how", "['a', 'b']"]);
}

#[test]
fn a_target_is_a_class_unless_it_is_a_translation() {
    let data = read("a.csv", "id,text,target\n1,a fire near b,1\n2,c d,0\n");
    assert_eq!(data.sentence_classes(), ["0", "1"]);
    assert_eq!(rankings(&read("a.csv", "source,target\na,b\n")), [["a", "b"]]);
}

#[test]
fn labels_count_beside_anchors_and_positives_too() {
    let data = read("a.csv", "anchor,positive,label\na,b,1\nc,d,0\n");
    assert_eq!((classes(&data), data.rankings.len()), (vec!["1", "0"], 0));
    let right = read("a.csv", "anchor,positive,label\na,b,1\nc,d,1\n");
    assert_eq!(right.rankings.len(), 2);
    let lists = read("a.jsonl", "{\"query\":\"a\",\"pos\":[\"b\",\"c\"],\"score\":0.5}\n");
    assert_eq!(rankings(&lists), [["a", "b"], ["a", "c"]]);
}

#[test]
fn of_several_possible_positives_none_is_guessed() {
    for text in [
        "{\"query\":\"a\",\"passage\":\"b\",\"answer\":\"yes\"}\n",
        "{\"question\":\"a\",\"context\":\"b\",\"answer\":\"c\"}\n",
        "{\"text\":\"a\",\"source\":\"web\",\"document\":\"d1\"}\n",
    ] {
        let error = refused("a.jsonl", text);
        assert!(error.contains("is not read beside") && error.contains("--columns"), "{error}");
    }
    let columns = ["anchor=question", "positive=context"].map(|it| it.parse().unwrap());
    let hints = Hints { columns: &columns, ..Hints::default() };
    let text = "{\"question\":\"a\",\"context\":\"b\",\"answer\":\"c\"}\n";
    assert_eq!(rankings(&read_with("a.jsonl", text, hints).unwrap()), [["a", "b"]]);
}

#[test]
fn several_classes_are_no_embedding() {
    for (labels, message) in [
        (
            "[\"x\", \"y\"]",
            "a.jsonl:2: `labels` is a list, which would be a teacher's embedding, but \"x\"",
        ),
        ("[0.5, 3]", "a.jsonl:3: `labels` is a list of whole numbers"),
        (
            "[0, 3]",
            "a.jsonl:2: `labels` is a list of whole numbers, which is no teacher's embedding",
        ),
    ] {
        let first = format!("{{\"text\":\"a\",\"labels\":{labels}}}\n");
        let error = refused("a.jsonl", &format!("\n{first}{{\"text\":\"b\",\"labels\":[1]}}\n"));
        assert!(error.starts_with(message) && error.contains("a row for each"), "{error}");
    }
}

#[test]
fn every_column_that_is_not_read_is_named() {
    for (text, unused) in [
        ("text,score\na,0.5\n", "score"),
        ("anchor,positive,pos_scores,neg_scores\na,b,1,0\n", "neg_scores, pos_scores"),
        ("anchor,positive,negative,label,score\na,b,c,1.5,2\n", "score"),
    ] {
        let notes = read("a.csv", text).notes;
        assert_eq!(notes, [format!("columns not used: {unused}")], "{text}");
    }
}
