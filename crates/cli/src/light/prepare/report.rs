use hybridrepair_data::download::Event;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::cell::RefCell;
use std::io::IsTerminal;
use std::path::Path;
use std::time::{Duration, Instant};

/// What takes less gets no bar.
const SHORT: Duration = Duration::from_secs(2);

/// Tells on standard error what happens: a line for what a person may want to know, on a terminal a bar for the rest.
pub(super) struct Report {
    quiet: bool,
    bars: bool,
    now: RefCell<Now>,
}

/// What is being done.
struct Now {
    what: String,
    began: Instant,
    /// Bytes there at its beginning.
    from: u64,
    total: Option<u64>,
    bar: Option<ProgressBar>,
}

impl Now {
    fn new(what: String, from: u64, total: Option<u64>) -> Self {
        Self { what, began: Instant::now(), from, total, bar: None }
    }
}

impl Report {
    pub(super) fn new(no_progress: bool, quiet: bool) -> Self {
        let bars = !no_progress && !quiet && std::io::stderr().is_terminal();
        Self { quiet, bars, now: RefCell::new(Now::new(String::new(), 0, None)) }
    }

    pub(super) fn event(&self, event: Event<'_>) {
        match event {
            Event::Waiting { path } => {
                self.line(&format!("another process is fetching {}: waiting for it", path.display()));
            }
            Event::Began { url, from, total } => {
                let size = total.map_or("size unknown".to_owned(), megabytes);
                let on = if from > 0 { format!(", going on after {}", megabytes(from)) } else { String::new() };
                self.line(&format!("fetching {url} ({size}{on})"));
                self.begin("fetching", from, total);
            }
            Event::Bytes { done } => self.advance(done),
            Event::Retry { why, wait } => {
                self.clear();
                self.line(&format!("{why}; trying again in {} s", wait.as_secs_f64().ceil()));
            }
            Event::Anew { why } => self.line(&format!("{why}: fetching all of it")),
            Event::Unpacking { path, done, total } => {
                let what = format!("unpacking {}", path.file_name().map_or(path, Path::new).display());
                if self.now.borrow().what != what {
                    self.begin(&what, 0, Some(total));
                }
                self.advance(done);
            }
            _ => {}
        }
    }

    /// Takes the bar away.
    pub(super) fn clear(&self) {
        if let Some(bar) = self.now.borrow_mut().bar.take() {
            bar.finish_and_clear();
        }
    }

    fn begin(&self, what: &str, from: u64, total: Option<u64>) {
        self.clear();
        *self.now.borrow_mut() = Now::new(what.to_owned(), from, total);
    }

    fn advance(&self, done: u64) {
        let mut now = self.now.borrow_mut();
        if self.bars && now.bar.is_none() && now.began.elapsed() > SHORT {
            now.bar = Some(bar(&now));
        }
        if let Some(bar) = &now.bar {
            bar.set_position(done);
        }
    }

    #[expect(clippy::print_stderr, reason = "progress goes to standard error, results to standard output")]
    fn line(&self, text: &str) {
        match &self.now.borrow().bar {
            Some(bar) => bar.println(text),
            None if !self.quiet => eprintln!("{text}"),
            None => {}
        }
    }
}

fn bar(now: &Now) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(now.total, ProgressDrawTarget::stderr_with_hz(5));
    let template = match now.total {
        Some(_) => "  {prefix} [{bar:30}] {decimal_bytes}/{decimal_total_bytes}  {decimal_bytes_per_sec}  {eta} left",
        None => "  {prefix} {spinner} {decimal_bytes}  {decimal_bytes_per_sec}",
    };
    bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_prefix(now.what.clone());
    // the speed is that of this download, without what was there before
    bar.set_position(now.from);
    bar.reset_eta();
    bar
}

/// Bytes as people say them.
pub(super) fn megabytes(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_said_as_people_say_them() {
        let said = [999, 4_542, 170_052_171, 2_640_397_119].map(megabytes);
        assert_eq!(said, ["999 B", "4.5 kB", "170.1 MB", "2.64 GB"]);
    }
}
