use super::folder;
use super::report::megabytes;
use crate::args::ListArgs;
use crate::say;
use hybridrepair_data::Dataset;
use hybridrepair_data::download::{DATA_HOME, PUBLISHED, Published, data_home, is_there, published};
use serde_json::{Value, json};
use std::process::ExitCode;

/// A line of the list: what is known of a data set by its reader, by the table of addresses, or by both.
struct Row {
    name: &'static str,
    dataset: Option<&'static Dataset>,
    published: Option<&'static Published>,
}

/// `data list`
pub(crate) fn list(args: &ListArgs) -> ExitCode {
    let rows = rows();
    if args.json {
        let rows = rows.iter().map(as_json).collect::<Vec<_>>();
        say!("{}", json!({ "format_version": 1, "data_home": data_home(), "datasets": rows }));
        return ExitCode::SUCCESS;
    }
    say!("{:<16} {:>7} {:>9} {:>11}  {:<8}  about", "name", "classes", "pictures", "download", "there");
    for row in &rows {
        let classes = row.classes().map_or("-".to_owned(), |n| n.to_string());
        let Some(set) = row.published else {
            let there = if row.dataset.is_some_and(|d| d.folder.is_none()) { "built in" } else { "-" };
            say!("{:<16} {classes:>7} {:>9} {:>11}  {there:<8}  {}", row.name, "-", "-", row.about());
            continue;
        };
        // without a home nobody knows where it would be
        let there = folder(None, set).map_or("-", |dir| if is_there(set, &dir) { "yes" } else { "no" });
        let (bytes, all) = set.bytes();
        let size = format!("{}{}", if all { "" } else { ">" }, megabytes(bytes));
        say!("{:<16} {classes:>7} {:>9} {size:>11}  {there:<8}  {}", row.name, set.pictures, set.title);
        say!("{:<16} {:>37}    use: {}", "", "", set.licence);
    }
    say!();
    if data_home().is_none() {
        say!("neither {DATA_HOME} nor HOME is set: `hybridrepair data prepare NAME --data-dir DIR` fetches into DIR");
    }
    if let Some(home) = data_home() {
        say!(
            "`hybridrepair data prepare NAME` fetches into {} ({DATA_HOME} changes that)",
            home.join("NAME").display()
        );
    }
    ExitCode::SUCCESS
}

fn rows() -> Vec<Row> {
    let read = Dataset::all().iter().map(|d| Row { name: d.name, dataset: Some(d), published: published(d.name).ok() });
    let only = PUBLISHED.iter().filter(|set| Dataset::named(set.name).is_err());
    read.chain(only.map(|set| Row { name: set.name, dataset: None, published: Some(set) })).collect()
}

impl Row {
    fn classes(&self) -> Option<usize> {
        self.published.map(|set| set.classes).or_else(|| self.dataset?.classes)
    }

    fn about(&self) -> &'static str {
        self.published.map(|set| set.title).or_else(|| Some(self.dataset?.about)).unwrap_or_default()
    }
}

fn as_json(row: &Row) -> Value {
    let mut value = json!({
        "name": row.name,
        "about": row.about(),
        "classes": row.classes(),
        "built_in": row.dataset.is_some_and(|d| d.folder.is_none()),
        "published": null,
    });
    if let Some(set) = row.published {
        let dir = folder(None, set).ok();
        let files = set.parts.iter().map(|part| {
            let source = &part.source;
            json!({
                "url": source.url,
                "file": source.file,
                "bytes": source.bytes,
                source.checksum.kind(): source.checksum.digits(),
                "makes": part.makes,
            })
        });
        value["published"] = json!({
            "pictures": set.pictures,
            "licence": set.licence,
            "page": set.page,
            "bytes": set.bytes().0,
            "dir": dir,
            "there": dir.as_deref().map(|dir| is_there(set, dir)),
            "files": files.collect::<Vec<_>>(),
        });
    }
    value
}
