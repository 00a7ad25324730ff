use crate::{Asked, CANNOT_TELL_NAME};
use serde_json::{Value, json};
use std::fmt::Write;

/// A picture as Label Studio shall find it.
#[derive(Clone, Debug, PartialEq)]
pub struct StudioTask {
    /// Its path below the folder that Label Studio serves (`LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT`).
    pub path: String,
}

/// The labelling interface: one choice among the classes and "cannot tell".
pub fn studio_config(asked: &Asked) -> String {
    let mut text = String::from(
        "<View>\n  <Image name=\"image\" value=\"$image\"/>\n  <Choices name=\"choice\" toName=\"image\" choice=\"single\" showInLine=\"true\">\n",
    );
    let cannot_tell = asked.classes.iter().all(|c| c != CANNOT_TELL_NAME).then_some(CANNOT_TELL_NAME);
    for name in asked.classes.iter().map(String::as_str).chain(cannot_tell) {
        let _ = writeln!(text, "    <Choice value=\"{}\"/>", escaped(name));
    }
    text.push_str("  </Choices>\n</View>\n");
    text
}

/// The tasks to import, in order of purchase; `tasks` has one place per picture. The id travels in `data.hr_id`, because
/// uploaded files are renamed. With `show_prediction` the model's own answer is shown, which may sway people.
pub fn studio_tasks(asked: &Asked, tasks: &[StudioTask], show_prediction: bool) -> Value {
    let one = |(image, task): (&crate::AskedImage, &StudioTask)| {
        let address = format!("/data/local-files/?d={}", percent_encoded(&task.path));
        let region = image.region.map(|r| r.0);
        let mut value = json!({
            "data": {"image": address, "hr_id": image.id.0, "hr_rank": image.rank, "hr_region": region},
        });
        if let Some(class) = asked.classes.get(image.predicted as usize).filter(|_| show_prediction) {
            value["predictions"] = json!([{
                "model_version": "hybridrepair",
                "score": image.confidence,
                "result": [{
                    "id": format!("p{}", image.id.0), "from_name": "choice", "to_name": "image", "type": "choices",
                    "value": {"choices": [class]},
                }],
            }]);
        }
        value
    };
    asked.images.iter().zip(tasks).map(one).collect()
}

/// XML text: the five signs that mean something there, and control characters, which it cannot hold, left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// A path in an address: everything but letters, digits and `/-._~` as `%XX`.
fn percent_encoded(path: &str) -> String {
    path.bytes().fold(String::with_capacity(path.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::take::tests::asked;

    #[test]
    fn names_full_of_markup_stay_names() {
        let mut asked = asked();
        asked.classes[0] = "<b>&\"x\"</b>".to_owned();
        let config = studio_config(&asked);
        assert!(config.contains("<Choice value=\"&lt;b&gt;&amp;&quot;x&quot;&lt;/b&gt;\"/>"), "{config}");
        assert!(config.contains("<Choice value=\"cannot tell\"/>"));
    }

    #[test]
    fn tasks_carry_the_id_and_an_address_that_the_server_takes() {
        let asked = asked();
        let tasks = (0..4).map(|i| StudioTask { path: format!("a b/ä#{i}.png") }).collect::<Vec<_>>();
        let value = studio_tasks(&asked, &tasks, false);
        assert_eq!(value[1]["data"]["image"], "/data/local-files/?d=a%20b/%C3%A4%231.png");
        assert_eq!(value[1]["data"]["hr_id"], 101);
        assert!(value[1].get("predictions").is_none(), "nobody is swayed unless that is asked for");
        let shown = studio_tasks(&asked, &tasks, true);
        assert_eq!(shown[0]["predictions"][0]["result"][0]["value"]["choices"][0], "30");
    }
}
