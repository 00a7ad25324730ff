//! What Label Studio exports as JSON (tasks with annotations) and as JSON-MIN (one flat object per annotation).

use super::read::{Answers, Source};
use super::row::{Row, Sample, filled, possible};
use crate::LabelError;
use hybridrepair_core::SampleId;
use serde_json::{Map, Value};
use std::path::Path;

type Object = Map<String, Value>;

/// Reads a list of tasks, a single task, or the flat objects of JSON-MIN.
pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<Answers, LabelError> {
    let wrong = |why: String| LabelError::Tool { path: path.to_owned(), why };
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let tasks = match serde_json::from_slice(bytes).map_err(|e| wrong(format!("is no JSON: {e}")))? {
        Value::Array(tasks) => tasks,
        task @ Value::Object(_) => vec![task],
        other => return Err(wrong(format!("is no list of tasks: {}", short(&other)))),
    };
    let (mut rows, mut cancelled) = (Vec::new(), 0);
    for (i, task) in tasks.iter().enumerate() {
        let place = |why: String| wrong(format!("task {} of the file: {why}", i + 1));
        let Value::Object(task) = task else { return Err(place(format!("is no object: {}", short(task)))) };
        let (mut given, gone) = one(task).map_err(place)?;
        // a later answer of the same person replaces the earlier one
        given.sort_by(|a, b| a.answered.cmp(&b.answered));
        rows.extend(given.into_iter().map(|row| Row { line: i as u64 + 1, ..row }));
        cancelled += gone;
    }
    Ok(Answers { source: Source::LabelStudio, rows, cancelled })
}

/// The answers of a task, and the number of cancelled ones.
fn one(task: &Object) -> Result<(Vec<Row>, usize), String> {
    match (task.get("annotations"), task.get("data")) {
        (Some(Value::Array(annotations)), Some(Value::Object(data))) => {
            let sample = sample(data)?;
            let (mut rows, mut cancelled) = (Vec::new(), 0);
            for annotation in annotations {
                let Value::Object(annotation) = annotation else {
                    return Err(format!("an annotation is no object: {}", short(annotation)));
                };
                if annotation.get("was_cancelled").and_then(Value::as_bool) == Some(true) {
                    cancelled += 1;
                    continue;
                }
                let label = results(annotation.get("result"))?;
                // a submitted annotation without a choice is no answer either
                match label {
                    Some(label) => rows.push(row(sample.clone(), label, annotation)?),
                    None => cancelled += 1,
                }
            }
            Ok((rows, cancelled))
        }
        (Some(other), _) if !other.is_array() => Err(format!("`annotations` is no list: {}", short(other))),
        (Some(_), _) => Err("no `data`: export with the tasks' data".to_owned()),
        // not annotated yet, in some exports
        (None, Some(Value::Object(data))) => sample(data).map(|_| (Vec::new(), 0)),
        (None, _) => {
            let sample = sample(task)?;
            match task.get("choice").or_else(|| task.get("label")).map(choices).transpose()?.flatten() {
                Some(label) => Ok((vec![row(sample, label, task)?], 0)),
                None => Ok((Vec::new(), 1)),
            }
        }
    }
}

/// Which picture a task is about: `hr_id`, which the export gave it, or the file that it shows.
fn sample(data: &Object) -> Result<Sample, String> {
    match (data.get("hr_id"), data.get("image")) {
        (Some(Value::Number(id)), _) => {
            id.as_u64().map(|id| Sample::Id(SampleId(id))).ok_or_else(|| format!("hr_id {id} is not a number from 0"))
        }
        (Some(Value::String(id)), _) => super::row::sample_id(id).map(Sample::Id),
        (Some(other), _) => Err(format!("hr_id {} is not a number from 0", short(other))),
        (None, Some(Value::String(image))) => Ok(Sample::File(file_of(image))),
        (None, _) => Err("neither hr_id nor image says which picture this is".to_owned()),
    }
}

/// The path in an address such as `/data/local-files/?d=images%20a/1.png`.
fn file_of(image: &str) -> String {
    let path = image.split_once("?d=").map_or(image, |(_, path)| path);
    let mut bytes = Vec::with_capacity(path.len());
    let raw = path.as_bytes();
    let mut at = 0;
    while at < raw.len() {
        let escaped = (raw[at] == b'%').then(|| raw.get(at + 1..at + 3)).flatten();
        let byte = escaped.and_then(|hex| u8::from_str_radix(str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(raw[at]));
        at += if byte.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The one class in the results of an annotation.
fn results(result: Option<&Value>) -> Result<Option<String>, String> {
    let Some(Value::Array(results)) = result else { return Ok(None) };
    let mut found: Option<String> = None;
    for item in results {
        let kind = item.get("type").and_then(Value::as_str).unwrap_or_default();
        let Some(value) = item.get("value").and_then(|v| v.get("choices")) else {
            // comments and ratings beside the choice are left alone; shapes are another task
            if kind.contains("labels") || ["rectangle", "polygon", "brush", "keypoint"].contains(&kind) {
                return Err(format!("a result of type {kind:?}: one class for the whole picture is wanted"));
            }
            continue;
        };
        if let Some(label) = choices(value)? {
            match &found {
                Some(first) if *first != label => return Err(two(first, &label)),
                _ => found = Some(label),
            }
        }
    }
    Ok(found)
}

/// A choice as text, as a list of one, or as `{"choices": [..]}`.
fn choices(value: &Value) -> Result<Option<String>, String> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(filled(Some(text))),
        Value::Number(n) => Ok(Some(n.to_string())),
        Value::Array(list) => match &list[..] {
            [] => Ok(None),
            [one @ (Value::String(_) | Value::Number(_))] => choices(one),
            [first, second, ..] => Err(two(&short(first), &short(second))),
            [other] => Err(format!("a choice is no text: {}", short(other))),
        },
        Value::Object(inner) if inner.contains_key("choices") => match &inner["choices"] {
            Value::Object(_) => Err("choices in choices".to_owned()),
            list => choices(list),
        },
        other => Err(format!("a choice is no text: {}", short(other))),
    }
}

fn two(first: &str, second: &str) -> String {
    format!("two classes in one answer, {first} and {second}: one class for the whole picture is wanted")
}

fn row(sample: Sample, label: String, about: &Object) -> Result<Row, String> {
    let text = |key: &str| about.get(key).and_then(Value::as_str).and_then(|t| filled(Some(t)));
    let seconds = possible("lead_time", about.get("lead_time").and_then(Value::as_f64))?;
    let annotator = about.get("completed_by").or_else(|| about.get("annotator")).and_then(annotator);
    Ok(Row {
        sample,
        label: Some(label),
        annotator,
        seconds,
        cost: None,
        answered: text("updated_at").or_else(|| text("created_at")),
        line: 0,
    })
}

/// A person by number, by address, or as an object of both.
fn annotator(value: &Value) -> Option<String> {
    match value {
        Value::String(name) => filled(Some(name)),
        Value::Number(n) => Some(format!("label-studio user {n}")),
        Value::Object(person) => match person.get("email").and_then(Value::as_str) {
            Some(email) => filled(Some(email)),
            None => person.get("id").and_then(|id| if id.is_object() { None } else { annotator(id) }),
        },
        _ => None,
    }
}

/// The beginning of a value, for messages.
fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((cut, _)) => format!("{}...", &text[..cut]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Answers, LabelError> {
        read(Path::new("x.json"), text.as_bytes())
    }

    #[test]
    fn tasks_with_annotations_are_read() {
        let answers = parse(include_str!("../../tests/fixtures/label_studio.json")).unwrap();
        let told: Vec<_> = answers
            .rows
            .iter()
            .map(|r| (r.sample.to_string(), r.label.as_deref().unwrap(), r.annotator.as_deref().unwrap_or("-")))
            .collect();
        let person = "label-studio user 10";
        assert_eq!(
            told,
            [
                ("sample 41".to_owned(), "stop", person),
                ("sample 41".to_owned(), "yield", "ann@example.org"),
                ("sample 7".to_owned(), "stop", person),
                ("sample 7".to_owned(), "yield", person),
                ("file \"field/a b.png\"".to_owned(), "cannot tell", person),
            ]
        );
        assert_eq!(answers.cancelled, 2, "one cancelled, one without a choice");
        assert_eq!(answers.rows[0].seconds, Some(4.3));
        assert_eq!(answers.rows[3].answered.as_deref(), Some("2026-11-20T11:00:00.000000Z"), "corrections come last");
    }

    #[test]
    fn the_flat_form_is_read() {
        let answers = parse(include_str!("../../tests/fixtures/label_studio_min.json")).unwrap();
        let labels: Vec<_> = answers.rows.iter().map(|r| r.label.as_deref().unwrap()).collect();
        assert_eq!(labels, ["stop", "yield", "3"]);
        assert_eq!(answers.cancelled, 1);
    }

    #[test]
    fn what_is_no_choice_is_told_with_its_place() {
        for (text, want) in [
            ("{", "is no JSON"),
            ("3", "is no list of tasks"),
            ("[3]", "task 1 of the file: is no object"),
            (r#"[{"annotations": 3}]"#, "task 1 of the file: `annotations` is no list"),
            (r#"[{"annotations": []}]"#, "no `data`"),
            (r#"[{"choice": "a"}]"#, "neither hr_id nor image"),
            (r#"[{"hr_id": -1, "choice": "a"}]"#, "hr_id -1"),
            (r#"[{"hr_id": 1, "choice": ["a", "b"]}]"#, "two classes"),
            (r#"[{"hr_id": 1, "choice": {"choices": [["a"]]}}]"#, "is no text"),
            (r#"[{"hr_id": 1, "choice": "a", "lead_time": -1}]"#, "lead_time -1"),
            (
                r#"[{"data": {"hr_id": 1}, "annotations": [{"result": [{"type": "rectanglelabels", "value": {}}]}]}]"#,
                "rectanglelabels",
            ),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(want), "{text}: {error}");
        }
        assert_eq!(parse("[]").unwrap().rows, []);
    }
}
