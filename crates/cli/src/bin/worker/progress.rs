use hybridrepair::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    io::IsTerminal,
    time::{Duration, Instant},
};

/// Progress on standard error: a bar on a terminal, a line per stage elsewhere.
pub(crate) struct Terminal {
    quiet: bool,
    bars: bool,
    bar: Option<ProgressBar>,
    stage: String,
    began: Instant,
}

impl Terminal {
    pub(crate) fn new(no_progress: bool, quiet: bool) -> Self {
        let bars = !no_progress && !quiet && std::io::stderr().is_terminal();
        Self { quiet, bars, bar: None, stage: String::new(), began: Instant::now() }
    }

    #[expect(clippy::print_stderr, reason = "progress goes to standard error, results to standard output")]
    fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None if !self.quiet => eprintln!("{text}"),
            None => {}
        }
    }
}

impl Progress for Terminal {
    fn begin(&mut self, stage: &str, total: Option<u64>) {
        stage.clone_into(&mut self.stage);
        self.began = Instant::now();
        if self.bars {
            let bar = match total {
                Some(total) => ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(5)),
                None => ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(5)),
            };
            bar.set_style(spinner());
            bar.set_prefix(stage.to_owned());
            bar.enable_steady_tick(Duration::from_millis(200));
            self.bar = Some(bar);
        }
    }

    fn advance(&mut self, done: u64, total: Option<u64>, note: &str) {
        if let Some(bar) = &self.bar {
            if let Some(total) = total.filter(|&t| bar.length() != Some(t)) {
                bar.set_length(total);
                bar.set_style(counted());
            }
            bar.set_position(done);
            bar.set_message(note.to_owned());
        }
    }

    fn end(&mut self, cached: bool) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        let how =
            if cached { "  (done before)".to_owned() } else { format!("{:7.1} s", self.began.elapsed().as_secs_f64()) };
        self.line(&format!("  {:<12} {how}", self.stage));
    }

    fn say(&mut self, message: &str) {
        self.line(&format!("  {message}"));
    }
}

fn spinner() -> ProgressStyle {
    style("  {prefix:<12} {spinner} {elapsed}")
}

fn counted() -> ProgressStyle {
    style("  {prefix:<12} [{bar:30}] {pos}/{len}  {eta} left  {msg}")
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
