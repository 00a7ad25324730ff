use super::dataset::{Dataset, Splits};
use std::collections::BTreeMap;

/// The words of a text as numbers: 0 for every rare word, 1 for the end of a line.
pub(crate) struct Words {
    text: Vec<u32>,
    symbols: usize,
}

/// Words that have a number of their own.
const KNOWN: usize = 1000;
/// Most words of a text that are used: a task of minutes.
const MOST: usize = 60_000;
/// Fewest sequences of a split.
const FEWEST: usize = 20;

impl Words {
    /// Words of a sequence.
    pub(crate) const STEPS: usize = 32;

    /// Lower-cased; letters and digits make words, every other sign is one of its own.
    pub(crate) fn of(text: &str) -> Self {
        let mut words: Vec<String> = Vec::new();
        'lines: for line in text.lines() {
            let mut open = false;
            for c in line.chars().flat_map(char::to_lowercase).chain(['\n']) {
                if c.is_alphanumeric() {
                    match words.last_mut().filter(|_| open) {
                        Some(word) => word.push(c),
                        None => words.push(c.to_string()),
                    }
                    open = true;
                } else {
                    open = false;
                    if c == '\n' || !c.is_whitespace() {
                        words.push(c.to_string());
                    }
                }
            }
            if words.len() >= MOST {
                break 'lines;
            }
        }
        words.truncate(MOST);
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for word in words.iter().filter(|w| *w != "\n") {
            *counts.entry(word).or_default() += 1;
        }
        let mut frequent: Vec<(&str, usize)> = counts.into_iter().collect();
        // equally frequent words in the order of the alphabet
        frequent.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let numbers: BTreeMap<&str, u32> =
            frequent.iter().take(KNOWN).zip(2..).map(|((word, _), number)| (*word, number)).collect();
        let number = |w: &String| if w == "\n" { 1 } else { numbers.get(w.as_str()).copied().unwrap_or(0) };
        Self { text: words.iter().map(number).collect(), symbols: numbers.len() + 2 }
    }

    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    /// Different numbers.
    pub(crate) fn symbols(&self) -> usize {
        self.symbols
    }

    /// Eight tenths train, a tenth judges, a tenth is the holdout; none if the text is too short.
    pub(crate) fn splits(&self) -> Option<Splits> {
        let n = self.text.len().saturating_sub(1) / Self::STEPS;
        let tenth = n / 10;
        if tenth < FEWEST {
            return None;
        }
        let inputs = self.text[..n * Self::STEPS].iter().map(|&s| s as f32).collect();
        let labels = self.text[1..=n * Self::STEPS].to_vec();
        let all = Dataset { inputs, features: Self::STEPS, labels, places: Self::STEPS };
        Some(Splits::cut(all, n - 2 * tenth, tenth))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequent_words_have_numbers() {
        let words = Words::of("The cat, the dog.\nThe end");
        // the: 2; the others by the alphabet: "," "." cat dog end
        assert_eq!(words.text, [2, 5, 3, 2, 6, 4, 1, 2, 7, 1]);
        assert_eq!(words.symbols(), 8);
        assert!(words.splits().is_none());
        let long = Words::of(&"one two three four\n".repeat(2000));
        let splits = long.splits().unwrap();
        assert_eq!((long.len(), splits.train.len(), splits.holdout.len()), (10_000, 250, 31));
    }
}
