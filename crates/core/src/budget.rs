use crate::CoreError;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// How many labels may be bought: a share of the pool (`0.01`, `1%`) or a count (`350`).
///
/// An integer is always a count, so `1` is one label and `1.0` is the whole pool.
///
/// ```
/// use hybridrepair_core::Budget;
/// let one_percent: Budget = "1%".parse()?;
/// assert_eq!(one_percent.count(35_000)?, 350);
/// assert_eq!("0.01".parse::<Budget>()?.count(35_000)?, 350);
/// assert_eq!("350".parse::<Budget>()?.count(35_000)?, 350);
/// assert!("0".parse::<Budget>().is_err());
/// # Ok::<(), hybridrepair_core::CoreError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Budget {
    /// Share of the pool in (0, 1]; the count is rounded down, as in `floor(p * N / 100)`.
    Share(f64),
    /// Number of labels, at least 1.
    Count(usize),
}

impl Budget {
    /// Labels that this budget buys in a pool of `pool` samples.
    ///
    /// # Errors
    /// When the share buys not even one label, or the count is above the pool.
    pub fn count(self, pool: usize) -> Result<usize, CoreError> {
        let wrong = |why: String| CoreError::Budget { given: self.to_string(), why };
        match self {
            Self::Count(n) if n > pool => Err(wrong(format!("is above the pool of {pool} samples"))),
            Self::Count(n) => Ok(n),
            // 0.29 * 100 is 28.999...: a nudge of 1e-9 keeps exact percentages exact
            Self::Share(s) => match (s * pool as f64 + 1e-9).floor() as usize {
                0 => Err(wrong(format!("buys no label in a pool of {pool} samples"))),
                n => Ok(n.min(pool)),
            },
        }
    }
}

impl FromStr for Budget {
    type Err = CoreError;

    fn from_str(text: &str) -> Result<Self, CoreError> {
        let given = text.trim();
        let wrong = |why: &str| CoreError::Budget { given: text.to_owned(), why: why.to_owned() };
        if let Ok(n) = given.parse::<u64>() {
            return match n {
                0 => Err(wrong("buys no label")),
                n => usize::try_from(n).map(Self::Count).map_err(|_| wrong("is too large")),
            };
        }
        let (number, scale) = given.strip_suffix('%').map_or((given, 1.0), |p| (p.trim_end(), 100.0));
        let share = number.parse::<f64>().map_err(|_| wrong("is not a number"))? / scale;
        match share {
            s if !s.is_finite() => Err(wrong("is not a finite number")),
            s if s <= 0.0 => Err(wrong("is not above 0")),
            s if s > 1.0 => Err(wrong("is above the whole pool (write a count as an integer)")),
            s => Ok(Self::Share(s)),
        }
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Rust prints a float with the fewest digits that read back equal; 1.0 must not print as the count 1
            Self::Share(s) if *s == 1.0 => f.write_str("100%"),
            Self::Share(s) => write!(f, "{s}"),
            Self::Count(n) => write!(f, "{n}"),
        }
    }
}

impl TryFrom<String> for Budget {
    type Error = CoreError;
    fn try_from(text: String) -> Result<Self, CoreError> {
        text.parse()
    }
}

impl From<Budget> for String {
    fn from(budget: Budget) -> Self {
        budget.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_percentages_are_exact() {
        for p in 1..=100usize {
            assert_eq!(format!("{p}%").parse::<Budget>().unwrap().count(35_000).unwrap(), p * 350);
            assert_eq!(format!("{p}%").parse::<Budget>().unwrap().count(100).unwrap(), p);
        }
    }

    #[test]
    fn nonsense_is_refused_with_a_reason() {
        for bad in
            ["0", "-1", "-0.5", "0.0", "1.5", "200%", "nan", "inf", "", "many", "1e400", "%", "99999999999999999999"]
        {
            let error = bad.parse::<Budget>().expect_err(bad);
            assert!(error.to_string().starts_with("budget "), "{error}");
        }
        assert!(Budget::Count(11).count(10).is_err());
        assert!(Budget::Share(0.01).count(99).is_err());
    }

    #[test]
    fn text_round_trips() {
        for text in ["350", "0.01", "100%"] {
            assert_eq!(text.parse::<Budget>().unwrap().to_string(), text);
        }
    }
}
