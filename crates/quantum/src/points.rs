//! Points of two classes as text: lines of features and, last, a class, 0 or 1, with commas between them.
//!
//! Empty lines and those that begin with # are skipped.

use crate::error::Error;

/// Points and the class of each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Points {
    /// The features of each.
    pub features: Vec<Vec<f64>>,
    /// Is it of the positive class?
    pub classes: Vec<bool>,
}

impl Points {
    /// Reads them.
    ///
    /// # Errors
    ///
    /// A line that is none of these, or has another number of features than the first; no line.
    pub fn parse(text: &str) -> Result<Points, Error> {
        let mut points = Points::default();
        for (number, text) in text.lines().enumerate().map(|(n, line)| (n + 1, line.trim())) {
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let wrong = |why| Error::Line { line: number, why };
            let mut words: Vec<&str> = text.split(',').map(str::trim).collect();
            let class = match words.pop() {
                Some("0") => false,
                Some("1") => true,
                _ => return Err(wrong("must end with a class, 0 or 1")),
            };
            let feature = |word: &&str| word.parse::<f64>().ok().filter(|feature| feature.is_finite());
            let features: Option<Vec<f64>> = words.iter().map(feature).collect();
            let features = features.ok_or(wrong("has a feature that is no finite number"))?;
            if features.is_empty() || points.features.first().is_some_and(|first| first.len() != features.len()) {
                return Err(wrong("must have as many features as every line, and at least one"));
            }
            points.features.push(features);
            points.classes.push(class);
        }
        if points.classes.is_empty() {
            return Err(Error::Line { line: 1, why: "must be a point: features and a class, 0 or 1, as in 0.5,1.5,1" });
        }
        Ok(points)
    }

    /// The first `count` and the rest.
    #[must_use]
    pub fn split(mut self, count: usize) -> (Points, Points) {
        let count = count.min(self.classes.len());
        let rest = Points { features: self.features.split_off(count), classes: self.classes.split_off(count) };
        (self, rest)
    }
}
