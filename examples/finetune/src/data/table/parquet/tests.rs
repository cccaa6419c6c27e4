use super::*;
use crate::data::table::tests::{embeddings, rankings, words};
use crate::data::{Dataset, read_bytes};

macro_rules! golden {
    ($name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/goldens/parquet/", $name, ".parquet"))
    };
}

const ALL: [&[u8]; 7] = [
    golden!("pairs"),
    golden!("pairs-gzip"),
    golden!("pairs-zstd"),
    golden!("classes"),
    golden!("verdicts"),
    golden!("rankings"),
    golden!("teacher"),
];

fn read(bytes: &[u8]) -> Dataset {
    read_bytes("a.parquet", bytes).unwrap()
}

fn refused(bytes: &[u8]) -> String {
    read_bytes("a.parquet", bytes).unwrap_err().to_string()
}

#[test]
fn texts_and_numbers_are_read_however_they_are_packed() {
    for bytes in [&golden!("pairs")[..], golden!("pairs-zstd")] {
        let data = read(bytes);
        let rows = data.pairs.iter().map(|row| {
            let texts = [row.left, row.right].map(|text| words(&data, text));
            (row.place.line, texts, row.score)
        });
        let expected = [
            (1, ["A kettle boils.", "Water gets hot."], Some(0.75)),
            (2, ["Two crows argue.", "A tram is late."], Some(0.0)),
            (3, ["Snow falls.", "It snows."], Some(1.0)),
        ];
        let expected = expected.map(|(line, texts, score)| (line, texts.map(String::from), score));
        assert_eq!(rows.collect::<Vec<_>>(), expected);
        assert_eq!(data.notes, ["scores are on the scale 0..1"]);
    }
    let message = refused(golden!("pairs-gzip"));
    assert!(
        message.starts_with("cannot read a.parquet: its columns are packed with GZIP; only"),
        "{message}"
    );
}

#[test]
fn classes_and_verdicts_are_read() {
    let data = read(golden!("classes"));
    let rows = data.sentences.iter().map(|row| [words(&data, row.text), row.class.clone()]);
    assert_eq!(rows.collect::<Vec<_>>(), [["Where is the sea?", "0"], ["Who sings?", "1"]]);
    assert_eq!(
        data.notes,
        ["rows without a class, left out: 2", "columns not used: picture, seen"]
    );
    let data = read(golden!("verdicts"));
    let classes = data.pairs.iter().filter_map(|row| row.class.as_deref());
    assert_eq!(classes.collect::<Vec<_>>(), ["1", "0"]);
}

#[test]
fn the_names_of_classes_are_shown() {
    let data = read(golden!("named-classes"));
    let classes = data.pairs.iter().map(|row| row.class.as_deref());
    assert_eq!(classes.collect::<Vec<_>>(), [Some("0"), Some("2")]);
    assert!(
        data.notes.contains(
            &"classes of label: 0 is entailment, 1 is neutral, 2 is contradiction".into()
        ),
        "{:?}",
        data.notes
    );
}

#[test]
fn files_whose_classes_have_other_names_are_not_read_together() {
    let table = |names: &[&str]| {
        let contents = Contents::of_bytes(Path::new("a.parquet"), golden!("named-classes"));
        let names = names.iter().map(|name| name.to_string()).collect();
        let class_names = [("label".to_string(), names)].into();
        Table { class_names, ..parse(contents).unwrap() }
    };
    let files = [Path::new("a.parquet"), Path::new("b.parquet")];
    let (mut first, other) = (table(&["no", "yes"]), table(&["yes", "no"]));
    let message = first.append(other.clone(), files).unwrap_err().to_string();
    let reason = "b.parquet: the classes of its `label` have other names than those of a.parquet";
    assert!(message.contains(reason), "{message}");
    let mut same = other.clone();
    same.append(other, files).unwrap();
    assert_eq!(same.count, 6);
}

#[test]
fn lists_are_read() {
    let data = read(golden!("rankings"));
    let expected = [
        vec!["who hums", "Bees Bees hum.", "Stones lie.", "Ice melts."],
        vec!["who sings", "Birds sing.", "Snow falls."],
        vec!["who sings", "Larks do.", "Snow falls."],
    ];
    assert_eq!(rankings(&data), expected);
    let margins: Vec<_> = data.rankings.iter().map(|row| &row.margins[..]).collect();
    assert_eq!(margins, [&[8.0, 8.5][..], &[6.5], &[6.0]]);
    let data = read(golden!("teacher"));
    let rows = &data.teacher_targets;
    let texts: Vec<_> = rows.iter().map(|row| words(&data, row.text)).collect();
    assert_eq!(texts, ["A kettle boils.", "Snow falls."]);
    assert_eq!(embeddings(&data), [[0.5, -1.0, 0.25], [1.0, 0.0, 2.0]]);
}

#[test]
fn errors_name_the_file() {
    assert_eq!(refused(golden!("empty")), "cannot read a.parquet: it has no rows");
    let whole = golden!("pairs");
    for cut in [4, 5, 12, whole.len() / 2, whole.len() - 1] {
        let message = refused(&whole[..cut]);
        assert!(
            message.starts_with("cannot read a.parquet: damaged or cut short, as Parquet"),
            "{message}"
        );
    }
}

#[test]
fn files_that_would_fill_memory_are_refused() {
    // Five million rows of nothing; a long text 20,000 times; a long text for each element of a list.
    for bytes in [&golden!("nothing")[..], golden!("repeated"), golden!("list")] {
        let message = refused(bytes);
        assert_eq!(message, format!("cannot read a.parquet: {TOO_LARGE}"));
    }
}

#[test]
fn no_damage_makes_a_file_panic_or_take_much_memory() {
    for whole in ALL {
        for place in 4..whole.len() {
            for value in [0, 0x7f, 0xff, whole[place] ^ 1] {
                let mut bytes = whole.to_vec();
                bytes[place] = value;
                // Many changes go unnoticed.
                let _ = read_bytes("a.parquet", &bytes);
            }
        }
    }
}
