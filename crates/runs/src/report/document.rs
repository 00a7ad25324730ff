use super::{Html, Page, RunFolder, html::escaped, pages::PAGES};
use crate::{Environment, RunsError};
use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};
use std::{fmt::Write, path::Path};

const STYLE: &str = include_str!("assets/report.css");
const SCRIPT: &str = include_str!("assets/report.js");

/// One titled part of a document.
pub(super) struct Section {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) html: Html,
}

/// A whole document with one part. The pages of a run make a [`run_report`].
pub fn document(title: &str, subtitle: &str, body: Html) -> String {
    assemble(title, subtitle, &[Section { id: "report".into(), title: String::new(), html: body }])
}

/// A part of a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Its place in the address of the document: small letters, digits and `-`.
    pub id: String,
    /// Its title, also in the list of parts at the top.
    pub title: String,
    /// What it shows.
    pub body: Html,
}

/// A whole document with several parts.
pub fn document_of(title: &str, subtitle: &str, parts: Vec<Part>) -> String {
    let sections = parts.into_iter().map(|Part { id, title, body }| Section { id: escaped(&id), title, html: body });
    assemble(title, subtitle, &sections.collect::<Vec<_>>())
}

/// The report of one run: every page that the run has the files for.
///
/// # Errors
/// When the folder is no run, or a file of it cannot be read or does not fit.
pub fn run_report(path: &Path) -> Result<String, RunsError> {
    let run = RunFolder::open(path)?;
    let sections = sections(&run, PAGES)?;
    let (title, subtitle) = name_of(&run);
    Ok(assemble(&title, &subtitle, &sections))
}

/// The pages that have something to tell.
fn sections(run: &RunFolder, pages: &[&dyn Page]) -> Result<Vec<Section>, RunsError> {
    let mut sections = Vec::new();
    for page in pages.iter().filter(|p| p.needs().iter().all(|name| run.has(name))) {
        let mut html = Html::new();
        page.write(run, &mut html)?;
        if html != Html::new() {
            sections.push(Section { id: page.name().to_owned(), title: page.title().to_owned(), html });
        }
    }
    if sections.is_empty() {
        let mut html = Html::new();
        html.paragraph("This run has written nothing yet that a report could show.");
        sections.push(Section { id: "report".into(), title: String::new(), html });
    }
    Ok(sections)
}

/// What the run is called, and when it began.
pub(super) fn name_of(run: &RunFolder) -> (String, String) {
    let path = run.layout().root();
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let title = absolute.file_name().map_or_else(|| "run".to_owned(), |n| n.to_string_lossy().into_owned());
    let subtitle = match run.json::<Environment>(crate::layout::ENVIRONMENT) {
        Ok(env) => format!("hybridrepair {}, begun {}", env.hybridrepair, env.started),
        Err(_) => "hybridrepair".to_owned(),
    };
    (title, subtitle)
}

pub(super) fn assemble(title: &str, subtitle: &str, sections: &[Section]) -> String {
    // the document runs this script and no other, and asks nobody for anything
    let hash = BASE64_STANDARD.encode(Sha256::digest(SCRIPT.as_bytes()));
    let mut out = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{hash}'\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><link rel=\"icon\" href=\"data:,\">\
         <title>{0}</title><style>{STYLE}</style></head><body><header><h1>{0}</h1><p class=\"sub\">{1}</p></header>",
        escaped(title),
        escaped(subtitle)
    );
    if sections.len() > 1 {
        out.push_str("<nav aria-label=\"Parts of the report\"><ul>");
        for s in sections {
            let _ = write!(out, "<li><a href=\"#{}\">{}</a></li>", s.id, escaped(&s.title));
        }
        out.push_str("</ul></nav>");
    }
    out.push_str("<main>");
    for s in sections {
        let _ = write!(out, "<section id=\"{}\">", s.id);
        if !s.title.is_empty() {
            let _ = write!(out, "<h2>{}</h2>", escaped(&s.title));
        }
        out.push_str(s.html.as_str());
        out.push_str("</section>");
    }
    let _ = write!(
        out,
        "</main><footer><p>Made by hybridrepair {}. This file needs no network and no other file.</p></footer>\
         <script>{SCRIPT}</script></body></html>",
        env!("CARGO_PKG_VERSION")
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    struct Fake;

    impl Page for Fake {
        fn name(&self) -> &'static str {
            "fake"
        }
        fn title(&self) -> &'static str {
            "Fake & true"
        }
        fn needs(&self) -> &'static [&'static str] {
            &["fake.json"]
        }
        fn write(&self, run: &RunFolder, html: &mut Html) -> Result<(), RunsError> {
            html.paragraph(&run.json::<String>("fake.json")?);
            Ok(())
        }
    }

    #[test]
    fn a_page_is_shown_when_its_files_are_there() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(run_report(dir.path()), Err(RunsError::NotARun { .. })));
        fs::write(dir.path().join("config.toml"), "").unwrap();
        assert!(run_report(dir.path()).unwrap().contains("nothing yet"));
        let run = RunFolder::open(dir.path()).unwrap();
        assert_eq!(sections(&run, &[&Fake]).unwrap()[0].id, "report");
        fs::write(dir.path().join("fake.json"), "\"<b>\"").unwrap();
        let found = sections(&run, &[&Fake]).unwrap();
        let page = assemble("<t>", "s", &found);
        assert!(page.contains("<section id=\"fake\"><h2>Fake &amp; true</h2><p>&lt;b&gt;</p></section>"), "{page}");
        assert!(page.contains("<title>&lt;t&gt;</title>") && !page.contains("http://") && !page.contains("https://"));
        fs::write(dir.path().join("fake.json"), "{").unwrap();
        assert!(matches!(sections(&run, &[&Fake]), Err(RunsError::Json { .. })));
    }

    #[test]
    fn the_names_of_pages_are_addresses_and_distinct() {
        let names: std::collections::BTreeSet<_> = PAGES.iter().map(|p| p.name()).collect();
        assert_eq!(names.len(), PAGES.len());
        assert!(names.iter().all(|n| n.chars().all(|c| c.is_ascii_lowercase() || c == '-')));
    }
}
