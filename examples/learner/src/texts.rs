//! The data sets: questions with answers, and sentences with topics. Both are made from a few templates, so
//! that the example needs no files.

/// A question and a text that answers it.
#[derive(Debug, Clone)]
pub struct Pair {
    /// Its subject. Pairs about one subject answer each other's questions.
    pub subject: usize,
    /// The question.
    pub question: String,
    /// The answer, in other words.
    pub answer: String,
}

/// A sentence and its topic.
#[derive(Debug, Clone)]
pub struct Labelled {
    /// The index of the topic.
    pub topic: usize,
    /// The sentence.
    pub text: String,
}

/// Topics, each with subjects as questions and as answers put them.
const TOPICS: [[(&str, &str); 5]; 6] = [
    [
        ("bread", "loaf"),
        ("soup", "broth"),
        ("cake", "pastry"),
        ("noodles", "pasta"),
        ("dessert", "pudding"),
    ],
    [
        ("car", "automobile"),
        ("bike", "bicycle"),
        ("plane", "aircraft"),
        ("ship", "vessel"),
        ("lorry", "truck"),
    ],
    [
        ("doctor", "physician"),
        ("illness", "disease"),
        ("medicine", "drug"),
        ("injury", "wound"),
        ("fever", "temperature"),
    ],
    [
        ("song", "melody"),
        ("singer", "vocalist"),
        ("violin", "fiddle"),
        ("band", "ensemble"),
        ("rhythm", "beat"),
    ],
    [
        ("forest", "woodland"),
        ("sea", "ocean"),
        ("storm", "gale"),
        ("hill", "slope"),
        ("stone", "rock"),
    ],
    [
        ("money", "cash"),
        ("wage", "salary"),
        ("shop", "store"),
        ("bill", "invoice"),
        ("firm", "company"),
    ],
];

/// The number of all subjects.
pub const SUBJECTS: usize = TOPICS.len() * TOPICS[0].len();

const QUESTIONS: [&str; 8] = [
    "what is a good {}",
    "how do i choose the right {}",
    "tell me about the {}",
    "where can one find {}",
    "why does a {} matter",
    "is this {} any good",
    "who knows something about {}",
    "when would you need a {}",
];

const ANSWERS: [&str; 8] = [
    "this page describes every kind of {}",
    "look for a {} that fits",
    "the {} has a long history",
    "most people see a {} each week",
    "an expert explains the {}",
    "pick your {} with care",
    "our guide to the {}",
    "the best {} is the one at hand",
];

/// The last templates of each kind are kept for validation: no such question is in the training data.
const HELD_OUT: usize = 2;

/// All questions with all answers, subject after subject, of the templates for training or of those
/// for validation.
pub fn pairs(held_out: bool) -> Vec<Pair> {
    let templates = part(&QUESTIONS, held_out)
        .iter()
        .flat_map(|question| part(&ANSWERS, held_out).iter().map(move |answer| (question, answer)));
    let pair = |(question, answer): (&&str, &&str), subject: usize| {
        let (asked, answered) = TOPICS.as_flattened()[subject];
        Pair {
            subject,
            question: question.replace("{}", asked),
            answer: answer.replace("{}", answered),
        }
    };
    templates.flat_map(|pair_of| (0..SUBJECTS).map(move |subject| pair(pair_of, subject))).collect()
}

/// All questions and all answers with their topic, of the templates for training or of those for
/// validation.
pub fn labelled(held_out: bool) -> Vec<Labelled> {
    let questions = part(&QUESTIONS, held_out).iter().map(|template| (template, true));
    let answers = part(&ANSWERS, held_out).iter().map(|template| (template, false));
    let text = |(template, asks): (&&str, bool), subject: usize| {
        let (asked, answered) = TOPICS.as_flattened()[subject];
        let word = if asks { asked } else { answered };
        Labelled { topic: subject / TOPICS[0].len(), text: template.replace("{}", word) }
    };
    let templates = questions.chain(answers);
    templates
        .flat_map(|template| (0..SUBJECTS).map(move |subject| text(template, subject)))
        .collect()
}

/// The templates for training, or those held out for validation.
fn part<'a>(templates: &'a [&'static str], held_out: bool) -> &'a [&'static str] {
    let (training, validation) = templates.split_at(templates.len() - HELD_OUT);
    if held_out { validation } else { training }
}
