//! What the page asks and is told, as JSON.

use crate::{
    desk::{Desk, Failed},
    http::Response,
};
use hybridrepair_core::{ClassId, SampleId};
use hybridrepair_label::{Board, Context, Seat};
use serde::{Deserialize, Serialize};

/// Letters of an annotator's name.
const MOST_NAME: usize = 80;
/// An answer that took longer was a break.
const MOST_SECONDS: f64 = 3600.0;
/// Pictures that the page may fetch ahead.
const AHEAD: usize = 2;

/// What the page may say. Fields that a question does not need are left out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ask {
    annotator: String,
    page: String,
    #[serde(default)]
    id: Option<SampleId>,
    /// Null is "cannot tell"; an answer must say one or the other.
    #[serde(default, deserialize_with = "present")]
    #[expect(clippy::option_option, reason = "no answer is something else than \"cannot tell\"")]
    class: Option<Option<ClassId>>,
    #[serde(default)]
    seconds: Option<f64>,
    /// The same for the whole region.
    #[serde(default)]
    region: bool,
}

/// What never changes while the page is open.
#[derive(Serialize)]
struct Hello<'a> {
    run: &'a str,
    /// The folder of the run as it was given on the command line.
    folder: &'a str,
    classes: &'a [String],
    answers: usize,
    asked: usize,
}

/// What the page shows next.
#[derive(Serialize)]
struct Turn {
    card: Option<Card>,
    ahead: Vec<SampleId>,
    asked: usize,
    done: usize,
    mine: usize,
    /// Mean seconds per answer of this annotator.
    pace: Option<f64>,
    /// Answers that this request has brought into the ledger.
    taken: usize,
    /// What is worth saying.
    note: Option<String>,
}

/// A picture to look at.
#[derive(Serialize)]
struct Card {
    id: SampleId,
    number: usize,
    file: String,
    reason: String,
    /// What this annotator has said of it: absent, null for "cannot tell", or a class.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[expect(clippy::option_option, reason = "no answer is something else than \"cannot tell\"")]
    said: Option<Option<ClassId>>,
    /// Pictures of its region in all, and others of it that are asked about and open.
    region_size: Option<usize>,
    region_open: usize,
    region: Vec<SampleId>,
    nearest: Vec<SampleId>,
    /// What the model says, where people may see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    predicted: Option<(ClassId, f32)>,
}

/// The page's questions, answered.
pub(crate) struct Api {
    pub(crate) run: String,
    pub(crate) folder: String,
    pub(crate) context: Context,
    pub(crate) show_prediction: bool,
}

impl Api {
    /// The answer to a question of this name.
    pub(crate) fn call(&self, name: &str, body: &[u8], desk: &mut Desk) -> Response {
        let ask: Ask = match serde_json::from_slice(body) {
            Ok(ask) => ask,
            Err(error) => return Response::refused(400, &format!("not understood: {error}")),
        };
        let seat = match seat(&ask) {
            Ok(seat) => seat,
            Err(why) => return Response::refused(400, why),
        };
        let now = desk.now();
        match (name, ask.id) {
            ("hello", _) => {
                let asked = desk.board.asked();
                let (classes, answers) = (&asked.classes[..], asked.answers);
                Response::json(&Hello {
                    run: &self.run,
                    folder: &self.folder,
                    classes,
                    answers,
                    asked: asked.images.len(),
                })
            }
            ("next", _) => self.next(desk, &seat, 0, None),
            ("alive", _) => {
                desk.board.alive(&seat, now);
                Response::json(&serde_json::json!({}))
            }
            ("skip", Some(id)) => {
                desk.board.skip(&seat, id);
                self.next(desk, &seat, 0, None)
            }
            ("look", Some(id)) => match desk.board.show(&seat, id, now).map(|image| image.id) {
                Some(id) => self.turn(desk, &seat, Some(id), 0, None),
                None => Response::refused(404, "this run does not ask about that picture"),
            },
            ("answer", Some(id)) => match ask.class {
                Some(class) => self.answer(desk, &seat, id, class, &ask),
                None => Response::refused(400, "an answer names a class, or null for \"cannot tell\""),
            },
            _ => Response::refused(404, "no such question"),
        }
    }

    fn answer(&self, desk: &mut Desk, seat: &Seat, id: SampleId, class: Option<ClassId>, ask: &Ask) -> Response {
        let seconds = ask.seconds.filter(|s| s.is_finite() && *s >= 0.0).map(|s| s.min(MOST_SECONDS));
        match desk.answer(seat, id, class, seconds, ask.region) {
            Ok(taken) => self.next(desk, seat, taken, None),
            // somebody was faster: the page goes on
            Err(Failed::NotTaken(why @ hybridrepair_label::NotTaken::Answered)) => {
                self.next(desk, seat, 0, Some(why.to_string()))
            }
            Err(Failed::NotTaken(why)) => Response::refused(400, &why.to_string()),
            Err(Failed::Disk(why)) => Response::refused(500, &why),
        }
    }

    fn next(&self, desk: &mut Desk, seat: &Seat, taken: usize, note: Option<String>) -> Response {
        let now = desk.now();
        let id = desk.board.next(seat, now);
        self.turn(desk, seat, id, taken, note)
    }

    fn turn(&self, desk: &Desk, seat: &Seat, id: Option<SampleId>, taken: usize, note: Option<String>) -> Response {
        let board = &desk.board;
        let progress = board.progress(&seat.annotator);
        let card = id.and_then(|id| self.card(desk, seat, id));
        let ahead = id.map(|id| board.ahead(seat, id, desk.now(), AHEAD)).unwrap_or_default();
        let (asked, done, mine) = (progress.asked, progress.done, progress.mine);
        Response::json(&Turn { card, ahead, asked, done, mine, pace: desk.pace(&seat.annotator), taken, note })
    }

    fn card(&self, desk: &Desk, seat: &Seat, id: SampleId) -> Option<Card> {
        let board: &Board = &desk.board;
        let image = board.image(id)?;
        let around = self.context.images.get(&id).cloned().unwrap_or_default();
        // the name alone: where it lies is nobody's business
        let file = image.file.rsplit(['/', '\\']).next().unwrap_or("").to_owned();
        Some(Card {
            id,
            number: image.rank + 1,
            file,
            reason: image.reason.clone(),
            said: board.said(&seat.annotator, id),
            region_size: around.region_size,
            region_open: board.rest_of_region(seat, id, desk.now()).len(),
            region: around.region,
            nearest: around.nearest,
            predicted: self.show_prediction.then_some((ClassId(image.predicted), image.confidence)),
        })
    }
}

/// Tells a field that is null from one that is missing.
#[expect(clippy::option_option, reason = "no answer is something else than \"cannot tell\"")]
fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Option<ClassId>>, D::Error> {
    Option::deserialize(from).map(Some)
}

fn seat(ask: &Ask) -> Result<Seat, &'static str> {
    let annotator = ask.annotator.trim();
    if annotator.is_empty() || annotator.chars().count() > MOST_NAME || annotator.chars().any(char::is_control) {
        return Err("a name has 1 to 80 letters");
    }
    if ask.page.is_empty() || ask.page.len() > 64 || !ask.page.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return Err("the page does not say which it is");
    }
    Ok(Seat { annotator: annotator.to_owned(), page: ask.page.clone() })
}
