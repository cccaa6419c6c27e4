//! Rows of cells as pairs, rankings, labelled texts and texts with a teacher's embedding.

use serde_json::Value;

use super::columns::{Columns, Texts, is_label, plain};
use super::labels::Labels;
use super::repeated::Repeated;
use super::{Hints, Row, Table, cell};
use crate::data::derive::belongs;
use crate::data::texts::Collector;
use crate::data::{Dataset, List, Pair, Ranking, Sentence, TeacherTarget};
use crate::error::Error;
use crate::shell;

/// What to do about a list of classes, which is taken for a teacher's embedding.
const ONE_CLASS: &str =
    "if these are classes, write a row for each, as a loss takes one class a text";

/// At most this many names of classes are shown.
const CLASSES: usize = 20;

/// The data set of a table with these columns.
pub fn interpret(
    table: &Table,
    columns: &Columns,
    hints: Hints,
    all: &mut Collector,
) -> Result<Dataset, Error> {
    // Why scores that were given are not used.
    let mut unread = None;
    let mut data = match &columns.texts {
        texts if let Some(column) = teacher(table, columns) => targets(table, texts, column, all)?,
        Texts::Pair(left, right) => pairs(table, columns, [left, right], hints, all)?,
        Texts::Ranking(anchor, positive) => rankings(table, columns, [anchor, positive], all)?,
        Texts::Answer(query, answer) => match judges(table, columns, hints, &mut unread)? {
            true => pairs(table, columns, [query, answer], hints, all)?,
            false => rankings(table, columns, [query, answer], all)?,
        },
        Texts::List(query, documents) => lists(table, columns, [query, documents], all)?,
        Texts::Single(text) => texts(table, columns, text, all)?,
        Texts::Set(column) => sets(table, column, all)?,
    };
    data.named = table.named;
    if !table.named || table.listed {
        let read: Vec<_> = columns.read().map(String::as_str).collect();
        let without = if table.named { "names" } else { "a header" };
        data.notes.push(format!("without {without}, its columns are read as {}", read.join(", ")));
    }
    if columns.read().any(|column| table.titled.contains(column)) {
        data.notes.push("passages are read with their titles before their texts".to_string());
    }
    data.notes.extend(columns.label.as_ref().and_then(|label| named_classes(table, label)));
    let mut unused = columns.unused.clone();
    // A label of a ranking is a teacher's margin, which needs a negative.
    if data.rankings.iter().all(|row| row.margins.is_empty()) && !data.rankings.is_empty() {
        unused.extend(columns.label.iter().chain(&columns.score).cloned());
    }
    if data.teacher_targets.is_empty() {
        unused.extend(columns.embedding.clone());
    }
    if !unused.is_empty() {
        data.notes.push(format!("columns not used: {}", unused.join(", ")));
    }
    data.notes.extend(unread.map(|error| error.to_string()));
    if hints.range.is_some() && data.scale.is_none() && has_numbered_classes(&data) {
        data.notes.push(
            "whole numbers in a column of labels are classes, which --score-range does not change: call the \
             column score if they are scores"
                .to_string(),
        );
    }
    Ok(data)
}

fn has_numbered_classes(data: &Dataset) -> bool {
    let classes = data.pairs.iter().filter_map(|pair| pair.class.as_deref());
    classes.map(str::parse::<i64>).any(|class| class.is_ok())
}

/// What the numbers of a column stand for.
fn named_classes(table: &Table, column: &str) -> Option<String> {
    let names = table.class_names.get(column)?;
    let shown = names.iter().take(CLASSES).enumerate();
    let shown: Vec<_> = shown.map(|(class, name)| format!("{class} is {name}")).collect();
    let more = names.len().saturating_sub(CLASSES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Some(format!("classes of {column}: {}{more}", shown.join(", ")))
}

/// Whether labels or scores say which answers belong to their queries: scores on a known scale, or classes that
/// say so of each. Anything else, such as a topic or votes, is of no use; `unread` takes the reason if the scale
/// is unknown.
fn judges(
    table: &Table,
    columns: &Columns,
    hints: Hints,
    unread: &mut Option<Error>,
) -> Result<bool, Error> {
    // One label cannot say which answers of a list are right.
    let texts = columns.texts.columns();
    let first = table.first.as_ref();
    if texts.iter().any(|name| first.and_then(|row| row.get(name)).is_some_and(Value::is_array)) {
        return Ok(false);
    }
    if let Some(score) = &columns.score {
        // A score that cannot be read is a mistake in its row, and no reason to leave all others out.
        table.rows().try_for_each(|row| row?.number(score).map(|_| ()))?;
    }
    let labels = match Labels::of(table, columns, hints) {
        Ok(labels) => labels,
        // Votes, say, but not what is there to tell which answers are right.
        Err(error) if hints.range.is_none() && !is_relevance(columns) => {
            *unread = Some(error);
            return Ok(false);
        }
        Err(error) => return Err(error),
    };
    if labels.range.is_some() {
        return Ok(true);
    }
    // Right answers alone say nothing of the others, unless the training data has some of each.
    let trained = hints.training.is_some_and(|training| !training.pairs.is_empty());
    let (mut right, mut others) = (false, trained);
    for row in table.rows() {
        match labels.class(&*row?)?.as_deref().map(belongs) {
            Some(Some(true)) => right = true,
            // Also a row without a label is not right.
            Some(Some(false)) | None => others = true,
            Some(None) => return Ok(false),
        }
    }
    Ok(right && others)
}

fn is_relevance(columns: &Columns) -> bool {
    columns.score.as_deref().is_some_and(|name| plain(name) == "relevance")
}

fn pairs(
    table: &Table,
    columns: &Columns,
    [left, right]: [&String; 2],
    hints: Hints,
    all: &mut Collector,
) -> Result<Dataset, Error> {
    let labels = Labels::of(table, columns, hints)?;
    let mut data = Dataset { scale: labels.range, ..Dataset::default() };
    let mut without = 0;
    for row in table.rows() {
        let row = &*row?;
        let (left, right) = (all.add(&row.text(left)?)?, all.add(&row.text(right)?)?);
        let place = row.place.clone();
        if !labels.exist() {
            data.rankings.push(Ranking::of(place, left, right));
            continue;
        }
        match (labels.score(row)?, labels.class(row)?) {
            (None, None) => without += 1,
            (score, class) => data.pairs.push(Pair { place, left, right, score, class }),
        }
    }
    data.leave_out(without, "a score or a class");
    if let Some(range) = labels.range {
        data.notes.push(format!("scores are on the scale {range}"));
    }
    Ok(data)
}

fn rankings(
    table: &Table,
    columns: &Columns,
    [anchor, positive]: [&String; 2],
    all: &mut Collector,
) -> Result<Dataset, Error> {
    let mut data = Dataset::default();
    let mut repeated = Repeated::default();
    for row in table.rows() {
        let row = &*row?;
        let mut negatives = Vec::new();
        for column in &columns.negatives {
            negatives.extend(row.texts(column)?);
        }
        let anchor = row.text(anchor)?;
        let positives = row.texts(positive)?;
        if positives.is_empty() {
            // Says why.
            row.text(positive)?;
        }
        repeated.count(&anchor, &positives, &negatives).map_err(|reason| row.error(reason))?;
        let numbers = teacher_numbers(row, columns)?;
        let (anchor, negatives) = (all.add(&anchor)?, all.add_all(&negatives)?);
        for (place, positive) in all.add_all(&positives)?.into_iter().enumerate() {
            let [margins, scores] = taught(row, columns, &numbers, place, negatives.len())?;
            data.rankings.push(Ranking {
                margins,
                scores,
                negatives: negatives.clone(),
                ..Ranking::of(row.place.clone(), anchor, positive)
            });
        }
    }
    Ok(data)
}

/// Queries with documents, and a label for each.
fn lists(
    table: &Table,
    columns: &Columns,
    [query, documents]: [&String; 2],
    all: &mut Collector,
) -> Result<Dataset, Error> {
    let named = shell::column("anchor", &format!("{query},positive=NAME"));
    let first = table.first.as_ref().and_then(|row| row.get(documents));
    if first.is_some_and(Value::is_object) {
        return Err(table.error(format!(
            "`{documents}` is an object: write its texts as a list, and a number for each into `labels`; if another \
             column holds the positive, name it with --columns, as {named}"
        )));
    }
    let labels = columns.label.as_ref().or(columns.score.as_ref()).ok_or_else(|| {
        table.error(format!(
            "next to `{documents}` a column `labels` must say how relevant each is; if another column holds the \
             positive, name it with --columns, as {named}"
        ))
    })?;
    let mut data = Dataset::default();
    let mut without = 0;
    for row in table.rows() {
        let row = &*row?;
        let (texts, numbers) = (row.texts(documents)?, row.numbers(labels)?);
        if texts.len() != numbers.len() {
            let (texts, numbers) = (texts.len(), numbers.len());
            return Err(row.error(format!(
                "`{documents}` has {texts} texts, and `{labels}` {numbers} labels: give a label for each"
            )));
        }
        if texts.is_empty() {
            without += 1;
            continue;
        }
        data.lists.push(List {
            place: row.place.clone(),
            query: all.add(&row.text(query)?)?,
            documents: all.add_all(&texts)?,
            labels: numbers.into_iter().map(|label| label as f32).collect(),
        });
    }
    data.leave_out(without, "a document");
    Ok(data)
}

/// A teacher's scores of the positives and of the negatives of a row, or the numbers of its label.
fn teacher_numbers(row: &Row, columns: &Columns) -> Result<[Vec<f64>; 2], Error> {
    if columns.negatives.is_empty() {
        return Ok([Vec::new(), Vec::new()]);
    }
    match (&columns.teacher_scores, columns.label.as_ref().or(columns.score.as_ref())) {
        (Some([positives, negatives]), _) => Ok([row.numbers(positives)?, row.numbers(negatives)?]),
        (None, Some(column)) => Ok([row.numbers(column)?, Vec::new()]),
        (None, None) => Ok([Vec::new(), Vec::new()]),
    }
}

/// A margin for each negative, as MarginMSELoss takes them, and the scores whose differences they are, of the
/// positive and of each negative. There may be margins alone, or nothing.
fn taught(
    row: &Row,
    columns: &Columns,
    [high, low]: &[Vec<f64>; 2],
    place: usize,
    negatives: usize,
) -> Result<[Vec<f32>; 2], Error> {
    let scored = |high: f64, low: &[f64]| {
        let margins: Result<_, _> = low.iter().map(|low| row.margin(high, *low)).collect();
        let scores = std::iter::once(high).chain(low.iter().copied());
        Ok([margins?, scores.map(|score| score as f32).collect()])
    };
    let nothing = [Vec::new(), Vec::new()];
    if let Some([of_positives, of_negatives]) = &columns.teacher_scores {
        return match high.get(place) {
            Some(high) if low.len() == negatives => scored(*high, low),
            None if high.is_empty() && low.is_empty() => Ok(nothing),
            _ => {
                let (positive, found) = (place + 1, low.len());
                Err(row.error(format!(
                    "expected a score in `{of_positives}` for positive {positive} and {negatives} in \
                     `{of_negatives}`, found {} and {found}",
                    high.len()
                )))
            }
        };
    }
    let Some(column) = columns.label.as_ref().or(columns.score.as_ref()) else {
        return Ok(nothing);
    };
    let numbers = high;
    match numbers.len().checked_sub(negatives) {
        _ if numbers.is_empty() || negatives == 0 => Ok(nothing),
        Some(0) => Ok([numbers.iter().map(|margin| *margin as f32).collect(), Vec::new()]),
        Some(1) => scored(numbers[0], &numbers[1..]),
        _ => {
            let found = numbers.len();
            Err(row.error(format!("`{column}` has {found} numbers for {negatives} negatives")))
        }
    }
}

/// The column of a teacher's embeddings, if the rows are texts with the embedding that each should have:
/// as MSELoss takes one text, or parallel texts that share an embedding.
fn teacher<'a>(table: &Table, columns: &'a Columns) -> Option<&'a String> {
    let first = table.first.as_ref();
    let first = |column: &String| first.and_then(|row| row.get(column));
    let is_list = |column: &&String| first(column).is_some_and(Value::is_array);
    let label = columns.label.as_ref();
    let embeddings = label.filter(is_list);
    match columns.texts {
        Texts::Single(_) => embeddings.or(columns.embedding.as_ref()),
        Texts::Set(_) | Texts::List(..) => None,
        // Next to negatives, a list of labels holds a teacher's margins.
        _ if !columns.negatives.is_empty() => None,
        _ if label.or(columns.score.as_ref()).is_some() => embeddings,
        _ => columns.embedding.as_ref(),
    }
}

fn targets(
    table: &Table,
    texts: &Texts,
    column: &str,
    all: &mut Collector,
) -> Result<Dataset, Error> {
    let texts = texts.columns();
    let mut data = Dataset::default();
    for row in table.rows() {
        let row = &*row?;
        require_numbers(row, column)?;
        for text in &texts {
            data.teacher_targets.push(teacher_target(row, text, column, all)?);
        }
    }
    same_width(&data.teacher_targets)?;
    Ok(data)
}

fn texts(
    table: &Table,
    columns: &Columns,
    text: &str,
    all: &mut Collector,
) -> Result<Dataset, Error> {
    let label = columns.label.as_ref();
    let mut data = Dataset::default();
    let mut without = 0;
    for row in table.rows() {
        let row = &*row?;
        let (place, text) = (row.place.clone(), all.add(&row.text(text)?)?);
        match label {
            None => data.bare.push(text),
            Some(label) => match row.class(label)? {
                Some(class) => data.sentences.push(Sentence { place, text, class }),
                None => without += 1,
            },
        }
    }
    data.leave_out(without, "a class");
    Ok(data)
}

/// Refuses a list with anything but numbers, which is no embedding.
fn require_numbers(row: &Row, column: &str) -> Result<(), Error> {
    let cells = row.get(column).and_then(Value::as_array);
    let mut cells = cells.into_iter().flatten();
    let whole = is_label(column) && cells.clone().all(Value::is_i64);
    match cells.find(|cell| cell::number(cell).is_none()) {
        None if whole => Err(row.error(format!(
            "`{column}` is a list of whole numbers, which is no teacher's embedding; {ONE_CLASS}"
        ))),
        None => Ok(()),
        Some(cell) => Err(row.error(format!(
            "`{column}` is a list, which would be a teacher's embedding, but {cell} in it is no number; {ONE_CLASS}"
        ))),
    }
}

fn teacher_target(
    row: &Row,
    text: &str,
    column: &str,
    all: &mut Collector,
) -> Result<TeacherTarget, Error> {
    let embedding: Vec<f32> = row.numbers(column)?.into_iter().map(|it| it as f32).collect();
    if embedding.is_empty() {
        return Err(row.error(format!("`{column}` is an empty list")));
    }
    Ok(TeacherTarget {
        place: row.place.clone(),
        text: all.add(&row.text(text)?)?,
        embedding: all.add_vector(&embedding)?,
    })
}

fn same_width(targets: &[TeacherTarget]) -> Result<(), Error> {
    let width = targets.first().map_or(0, |target| target.embedding.width());
    match targets.iter().find(|target| target.embedding.width() != width) {
        Some(target) => {
            let found = target.embedding.width();
            let reason =
                format!("the embedding has {found} numbers, the first row {width}; {ONE_CLASS}");
            Err(target.place.error(reason))
        }
        None => Ok(()),
    }
}

/// Each text of a set belongs to the first.
fn sets(table: &Table, column: &str, all: &mut Collector) -> Result<Dataset, Error> {
    let mut data = Dataset::default();
    let mut repeated = Repeated::default();
    for row in table.rows() {
        let row = &*row?;
        let texts = row.texts(column)?;
        let Some((anchor, others)) = texts.split_first().filter(|(_, others)| !others.is_empty())
        else {
            return Err(row.error(format!("`{column}` must have at least two texts")));
        };
        repeated.count(anchor, others, &[]).map_err(|reason| row.error(reason))?;
        let (anchor, others) = (all.add(anchor)?, all.add_all(others)?);
        let ranking = |text| Ranking::of(row.place.clone(), anchor, text);
        data.rankings.extend(others.into_iter().map(ranking));
    }
    Ok(data)
}
