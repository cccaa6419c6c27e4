use super::*;
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
        let rows = data.pairs.iter();
        let rows: Vec<_> =
            rows.map(|row| (row.place.line, &row.left[..], &row.right[..], row.score)).collect();
        assert_eq!(
            rows,
            [
                (1, "A kettle boils.", "Water gets hot.", Some(0.75)),
                (2, "Two crows argue.", "A tram is late.", Some(0.0)),
                (3, "Snow falls.", "It snows.", Some(1.0)),
            ]
        );
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
    let rows = data.sentences.iter().map(|row| (&row.text[..], &row.class[..]));
    assert_eq!(rows.collect::<Vec<_>>(), [("Where is the sea?", "0"), ("Who sings?", "1")]);
    assert_eq!(
        data.notes,
        ["rows without a class, left out: 2", "columns not used: picture, seen"]
    );
    let data = read(golden!("verdicts"));
    let classes = data.pairs.iter().filter_map(|row| row.class.as_deref());
    assert_eq!(classes.collect::<Vec<_>>(), ["1", "0"]);
}

#[test]
fn lists_are_read() {
    let data = read(golden!("rankings"));
    let rows = data.rankings.iter().map(|row| {
        let texts = [&row.anchor, &row.positive].into_iter().chain(&row.negatives);
        (texts.map(String::as_str).collect::<Vec<_>>(), row.margins.clone())
    });
    let expected = [
        (vec!["who hums", "Bees Bees hum.", "Stones lie.", "Ice melts."], vec![8.0, 8.5]),
        (vec!["who sings", "Birds sing.", "Snow falls."], vec![6.5]),
        (vec!["who sings", "Larks do.", "Snow falls."], vec![6.0]),
    ];
    assert_eq!(rows.collect::<Vec<_>>(), expected);
    let data = read(golden!("teacher"));
    let rows = data.teacher_targets.iter().map(|row| (&row.text[..], &row.embedding[..]));
    let expected = [("A kettle boils.", &[0.5, -1.0, 0.25][..]), ("Snow falls.", &[1.0, 0.0, 2.0])];
    assert_eq!(rows.collect::<Vec<_>>(), expected);
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
