use super::*;
use crate::report::pictures::Point;
use crate::run::evaluation::Score;

/// The names of all tags, after a check that each is closed where it should be.
fn tags(html: &str) -> Vec<String> {
    let (mut open, mut all) = (Vec::new(), Vec::new());
    for part in html.split('<').skip(1) {
        let (tag, text) = part.split_once('>').expect("a tag ends");
        assert!(!text.contains('>'), "{text}");
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        let name = |tag: &str| tag.split_whitespace().next().unwrap_or_default().to_string();
        if let Some(closed) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name(closed)), "{part}");
        } else if !tag.ends_with('/') && !tag.starts_with('!') {
            open.push(name(tag));
            all.push(name(tag));
        }
    }
    assert!(open.is_empty(), "{open:?}");
    all
}

fn evaluation(value: f64, classes: &[&str]) -> Evaluation {
    let point = |(x, class): (f64, &&str)| Point { at: [x, -x], class: Some(class.to_string()) };
    let places = std::iter::successors(Some(0.0), |x| Some(x + 1.0));
    let view = View {
        positives: vec![0.5, 1.0],
        negatives: vec![-0.2, value],
        map: places.zip(classes).map(point).collect(),
        shares: [0.5, 0.25],
        of: [2, 4001, classes.len()],
    };
    let mut evaluation = Evaluation::seen_as(view);
    evaluation.insert(Measure::Spearman, Some(Score { value, rows: 7 }));
    evaluation
}

fn page(history: &History, classes: &[&str]) -> String {
    let [before, after] = [0.25, 0.75].map(|value| evaluation(value, classes));
    let page = Page {
        loss: "TripletLoss",
        settings: vec![("seed".into(), "<4 & 2>".into())],
        data: ["<i>rows</i>.csv".into(), "dev.csv".into()],
        steps: 3,
        kept: 2,
        history,
        before: &before,
        after: &after,
    };
    page.html()
}

fn history() -> History {
    let mut history = History { losses: vec![3.0, 2.0, 1.0], evaluations: Vec::new() };
    for (step, value) in [(0, 0.25), (2, 0.75), (2, 0.9)] {
        history.evaluated(step, &evaluation(value, &[]));
    }
    history
}

#[test]
fn a_page_is_well_formed_and_needs_nothing_else() {
    let html = page(&history(), &["a", "b"]);
    let tags = tags(&html);
    let count = |name: &str| tags.iter().filter(|tag| *tag == name).count();
    // The loss, the evaluation, the similarities and the map twice each.
    assert_eq!((count("svg"), count("table"), count("script")), (6, 2, 0));
    for outside in ["src=", "href=", "url(", "@import", "<link", "<img"] {
        assert!(!html.contains(outside), "{outside}");
    }
    assert!(html.contains("<td>0.2500</td><td>0.7500</td><td>+0.5000</td><td>7</td>"));
    assert!(html.contains("3 steps, evaluated on dev.csv; step 2 was kept"));
    assert!(html.contains("do not (2 of 4001)"), "what is left out is said");
}

#[test]
fn texts_are_no_markup() {
    let html = page(&history(), &["<script>alert(1)</script>", "\"&"]);
    tags(&html);
    assert!(html.contains("&lt;i&gt;rows&lt;/i&gt;.csv") && html.contains("&lt;4 &amp; 2&gt;"));
    assert!(html.contains("&lt;script&gt;alert(1)") && html.contains("&quot;&amp;"));
}

#[test]
fn an_evaluation_is_drawn_once_a_step() {
    assert_eq!(history().curve(Measure::Spearman), [(0.0, 0.25), (2.0, 0.75)]);
    assert!(history().curve(Measure::Triplets).is_empty());
}

#[test]
fn without_steps_there_is_no_curve() {
    let html = page(&History::default(), &[]);
    let tags = tags(&html);
    assert_eq!(tags.iter().filter(|tag| *tag == "svg").count(), 2, "only the similarities");
}

#[test]
fn rare_classes_share_a_colour() {
    let classes: Vec<_> = (0..12).map(|class| format!("class {class:02}")).collect();
    let classes: Vec<_> = classes.iter().map(String::as_str).collect();
    let html = page(&history(), &classes);
    assert!(html.contains("class 06") && html.contains("other classes"));
    assert!(!html.contains("class 07"));
    assert!(!page(&history(), &classes[..8]).contains("other classes"));
}
