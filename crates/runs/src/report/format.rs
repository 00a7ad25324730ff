//! Numbers as people read them.

use hybridrepair_core::intervals::Interval;

/// A share as per cent: `91.9 %`.
pub fn percent(share: f64) -> String {
    if share.is_finite() { format!("{:.1} %", 100.0 * share) } else { "–".to_owned() }
}

/// A difference of shares in percentage points, with its sign: `+10.8`.
pub fn points(difference: f64) -> String {
    if difference.is_finite() { format!("{:+.1}", 100.0 * difference).replace('-', "−") } else { "–".to_owned() }
}

/// A difference of shares with its interval, in percentage points: `+10.8 [+9.6, +12.1]`.
pub fn signed_interval(i: &Interval) -> String {
    format!("{} [{}, {}]", points(i.value), points(i.low), points(i.high))
}

/// A whole number with its thousands apart: `126 976`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            // thin, and no place to break the line
            out.push('\u{202f}');
        }
        out.push(c);
    }
    out
}

/// A duration: `38 s`, `4 min 12 s`, `3 h 5 min`.
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "–".to_owned();
    }
    match seconds {
        s if s < 10.0 => format!("{s:.1} s"),
        s if s < 59.5 => format!("{s:.0} s"),
        s if s < 3600.0 => format!("{} min {} s", s.round() as u64 / 60, s.round() as u64 % 60),
        s => format!("{} h {} min", s as u64 / 3600, s as u64 % 3600 / 60),
    }
}

/// A p-value; what is below 0.001 is said so.
pub fn p_value(p: f64) -> String {
    if p < 0.001 { "p < 0.001".to_owned() } else { format!("p = {p:.3}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([percent(0.9190), percent(f64::NAN)], ["91.9 %", "–"]);
        assert_eq!([points(0.1083), points(-0.0042)], ["+10.8", "−0.4"]);
        assert_eq!(
            [count(7), count(1000), count(126_976)].map(|s| s.replace('\u{202f}', " ")),
            ["7", "1 000", "126 976"]
        );
        assert_eq!(
            [duration(0.25), duration(59.6), duration(252.0), duration(11_100.0)],
            ["0.2 s", "1 min 0 s", "4 min 12 s", "3 h 5 min"]
        );
        assert_eq!([p_value(1e-83), p_value(0.04)], ["p < 0.001", "p = 0.040"]);
    }
}
