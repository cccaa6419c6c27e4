//! Rows into the first batch that can take them.

/// Batches that a word tells about.
const WORD: usize = u64::BITS as usize;

/// Batches that are filled at once. What bars a row from a batch never goes away: a batch stays full,
/// a value stays in it. So for rows of equal values the search goes on where it ended before.
#[derive(Debug)]
pub(super) struct FirstFit {
    batch_size: usize,
    batches: Vec<Vec<usize>>,
    /// A bit for each batch: whether it has room. Batches beyond have room.
    open: Vec<u64>,
    /// For each word of `open` a later one, with nothing open before it; itself if it has open ones.
    next: Vec<usize>,
    /// For each value the batches that hold it, as ascending (word, bits).
    used: Vec<Vec<(usize, u64)>>,
    /// For each combination of values the first word that may take it.
    from: Vec<usize>,
}

impl FirstFit {
    pub(super) fn new(batch_size: usize, values: usize, combinations: usize) -> Self {
        Self {
            batch_size,
            batches: Vec::new(),
            open: Vec::new(),
            next: Vec::new(),
            used: vec![Vec::new(); values],
            from: vec![0; combinations],
        }
    }

    pub(super) fn into_batches(self) -> Vec<Vec<usize>> {
        self.batches
    }

    /// Puts a row into the first batch with room and none of its values.
    pub(super) fn place(&mut self, row: usize, combination: usize, values: &[usize]) {
        let mut word = self.next_open(self.from[combination]);
        let free = loop {
            let free = self.open_in(word) & !self.used_in(word, values);
            if free != 0 {
                break free;
            }
            word = self.next_open(word + 1);
        };
        self.from[combination] = word;
        let bit = free.trailing_zeros() as usize;
        for &value in values {
            self.mark(value, word, 1 << bit);
        }
        self.add(row, word, bit);
    }

    fn open_in(&self, word: usize) -> u64 {
        self.open.get(word).copied().unwrap_or(u64::MAX)
    }

    fn used_in(&self, word: usize, values: &[usize]) -> u64 {
        let used = |&value: &usize| {
            let used = &self.used[value];
            used.binary_search_by_key(&word, |&(word, _)| word).map_or(0, |at| used[at].1)
        };
        values.iter().map(used).fold(0, |all, bits| all | bits)
    }

    fn mark(&mut self, value: usize, word: usize, bit: u64) {
        let used = &mut self.used[value];
        match used.binary_search_by_key(&word, |&(word, _)| word) {
            Ok(at) => used[at].1 |= bit,
            Err(at) => used.insert(at, (word, bit)),
        }
    }

    /// The first word from `word` on with an open batch. Shortens the way for those who come after.
    fn next_open(&mut self, mut word: usize) -> usize {
        while word < self.next.len() && self.next[word] != word {
            let next = self.next[word];
            self.next[word] = self.next.get(next).copied().unwrap_or(next);
            word = next;
        }
        word
    }

    fn add(&mut self, row: usize, word: usize, bit: usize) {
        let batch = word * WORD + bit;
        if batch == self.batches.len() {
            self.batches.push(Vec::new());
        }
        if word == self.open.len() {
            self.open.push(u64::MAX);
            self.next.push(word);
        }
        self.batches[batch].push(row);
        if self.batches[batch].len() == self.batch_size {
            self.open[word] &= !(1 << bit);
            if self.open[word] == 0 {
                self.next[word] = word + 1;
            }
        }
    }
}
