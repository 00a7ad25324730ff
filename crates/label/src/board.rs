use crate::{Asked, AskedImage, Verdict, last_answers, take::is_paid};
use hybridrepair_core::{ClassId, Entry, Reply, SampleId};
use std::{collections::BTreeMap, time::Duration};

/// One page that somebody has open: who, and which of that person's pages.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seat {
    /// Who answers.
    pub annotator: String,
    /// The page.
    pub page: String,
}

/// Hands out the questions of a run to several people at once, and takes their answers.
///
/// A picture that is shown on one page is kept for it for a while ([`Board::HELD`]), so that nobody does the work of another.
/// Times are durations since any fixed moment.
///
/// ```
/// use hybridrepair_core::{ClassId, PoolIdx, Purpose, SampleId};
/// use hybridrepair_label::{Asked, AskedImage, Board, Seat};
/// use std::time::Duration;
/// let image = |id| AskedImage {
///     id: SampleId(id), idx: PoolIdx(id as u32), rank: id as usize, purpose: Purpose::Annotate, region: None,
///     reason: String::new(), file: String::new(), predicted: 0, confidence: 0.0,
/// };
/// let classes = vec!["cat".to_owned(), "dog".to_owned()];
/// let asked = Asked { format_version: 1, classes, answers: 1, cannot_tell_costs: true, images: vec![image(0), image(1)] };
/// let mut board = Board::new(asked, &[]);
/// let seat = |name: &str| Seat { annotator: name.into(), page: "1".into() };
/// let now = Duration::ZERO;
/// assert_eq!(board.next(&seat("ann"), now), Some(SampleId(0)));
/// assert_eq!(board.next(&seat("bob"), now), Some(SampleId(1)), "nobody gets what another looks at");
/// let reply = board.answer(&seat("ann"), SampleId(0), Some(ClassId(1)), Some(1.5), now)?.unwrap();
/// assert_eq!(reply.cost, 1.0);
/// # Ok::<(), hybridrepair_label::NotTaken>(())
/// ```
#[derive(Clone, Debug)]
pub struct Board {
    asked: Asked,
    place: BTreeMap<SampleId, usize>,
    /// Per picture, the last answer of each annotator.
    answers: Vec<BTreeMap<String, Option<ClassId>>>,
    /// Per picture, the pages that show it, and until when it is kept for them.
    held: Vec<BTreeMap<Seat, Duration>>,
    /// When (as a count) an annotator has put a picture off.
    skipped: BTreeMap<(String, usize), u64>,
    skips: u64,
    done: usize,
}

/// Why an answer was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// This run does not ask about that picture.
    #[error("this run does not ask about that picture")]
    NotAsked,
    /// There is no such class.
    #[error("there is no such class")]
    NoSuchClass,
    /// Others have given all the answers that are wanted.
    #[error("others have answered on that picture already")]
    Answered,
}

/// How far the labelling is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Pictures that are asked about.
    pub asked: usize,
    /// Those that need no more answers.
    pub done: usize,
    /// Answers of this annotator.
    pub mine: usize,
}

impl Board {
    /// How long a picture is kept for a page that does not give a sign.
    pub const HELD: Duration = Duration::from_secs(120);

    /// The questions of a run, with the answers that its ledger has.
    pub fn new(asked: Asked, entries: &[Entry]) -> Self {
        let place: BTreeMap<_, _> = asked.images.iter().enumerate().map(|(at, image)| (image.id, at)).collect();
        let rows: BTreeMap<_, _> = asked.images.iter().enumerate().map(|(at, image)| (image.idx, at)).collect();
        let n = asked.images.len();
        let mut answers = vec![BTreeMap::new(); n];
        for (idx, said) in last_answers(entries) {
            if let Some(&at) = rows.get(&idx) {
                answers[at] = said.into_iter().map(|(by, class)| (by.to_owned(), class)).collect();
            }
        }
        let (held, skipped) = (vec![BTreeMap::new(); n], BTreeMap::new());
        let mut board = Self { asked, place, answers, held, skipped, skips: 0, done: 0 };
        board.done = (0..n).filter(|&at| board.wanted(at) == 0).count();
        board
    }

    /// What is asked.
    pub fn asked(&self) -> &Asked {
        &self.asked
    }

    /// A picture that is asked about.
    pub fn image(&self, id: SampleId) -> Option<&AskedImage> {
        self.place.get(&id).map(|&at| &self.asked.images[at])
    }

    /// What an annotator has said of a picture: nothing yet, "cannot tell", or a class.
    pub fn said(&self, annotator: &str, id: SampleId) -> Option<Option<ClassId>> {
        self.answers[*self.place.get(&id)?].get(annotator).copied()
    }

    /// The next picture for a page, which is kept for it: the one that it shows already, else the first that is open, else
    /// one that this annotator has put off. None when nothing is open for this annotator now.
    pub fn next(&mut self, seat: &Seat, now: Duration) -> Option<SampleId> {
        let open = |at: &usize| self.is_open(*at, seat, now);
        let shown = (0..self.held.len()).find(|at| self.held[*at].contains_key(seat) && open(at));
        let put_off = |at: &usize| self.skipped.get(&(seat.annotator.clone(), *at)).copied();
        let first = || (0..self.held.len()).find(|at| put_off(at).is_none() && open(at));
        let least = || (0..self.held.len()).filter(open).min_by_key(put_off);
        let at = shown.or_else(first).or_else(least)?;
        self.hold(at, seat, now);
        Some(self.asked.images[at].id)
    }

    /// Keeps a picture for a page, for instance to correct an earlier answer on it; the page lets go of others.
    pub fn show(&mut self, seat: &Seat, id: SampleId, now: Duration) -> Option<&AskedImage> {
        let at = *self.place.get(&id)?;
        self.hold(at, seat, now);
        Some(&self.asked.images[at])
    }

    /// The page is still there: keeps its picture for longer.
    pub fn alive(&mut self, seat: &Seat, now: Duration) {
        for until in self.held.iter_mut().filter_map(|h| h.get_mut(seat)) {
            *until = now + Self::HELD;
        }
    }

    /// Puts a picture off: this annotator sees it again when nothing else is open.
    pub fn skip(&mut self, seat: &Seat, id: SampleId) {
        if let Some(&at) = self.place.get(&id) {
            self.skips += 1;
            self.skipped.insert((seat.annotator.clone(), at), self.skips);
            self.held[at].remove(seat);
        }
    }

    /// Takes an answer, and says what is to be noted in the ledger: nothing when the annotator has said the same before.
    ///
    /// # Errors
    /// When there is no such picture or class, or others have given all answers that are wanted.
    pub fn answer(
        &mut self,
        seat: &Seat,
        id: SampleId,
        class: Option<ClassId>,
        seconds: Option<f64>,
        now: Duration,
    ) -> Result<Option<Reply>, NotTaken> {
        let at = *self.place.get(&id).ok_or(NotTaken::NotAsked)?;
        if class.is_some_and(|c| c.column() >= self.asked.classes.len()) {
            return Err(NotTaken::NoSuchClass);
        }
        let before = self.answers[at].get(&seat.annotator).copied();
        self.held[at].remove(seat);
        if before == Some(class) {
            return Ok(None);
        }
        if before.is_none() && !self.is_open(at, seat, now) {
            return Err(NotTaken::Answered);
        }
        let was_done = self.wanted(at) == 0;
        let free = before.is_some_and(|said| is_paid(said, &self.asked)) || !is_paid(class, &self.asked);
        let cost = if free { 0.0 } else { 1.0 };
        self.answers[at].insert(seat.annotator.clone(), class);
        self.skipped.remove(&(seat.annotator.clone(), at));
        match (was_done, self.wanted(at) == 0) {
            (false, true) => self.done += 1,
            // a correction may make a tie
            (true, false) => self.done -= 1,
            _ => {}
        }
        let image = &self.asked.images[at];
        let (what, by) = ("label page".to_owned(), seat.annotator.clone());
        Ok(Some(Reply { idx: image.idx, class, purpose: image.purpose, what, by, seconds, cost, answered: None }))
    }

    /// The other pictures of the same region that are open for this page, in order of purchase.
    pub fn rest_of_region(&self, seat: &Seat, id: SampleId, now: Duration) -> Vec<SampleId> {
        let Some(region) = self.image(id).and_then(|i| i.region) else { return Vec::new() };
        let images = self.asked.images.iter().enumerate();
        let rest = images.filter(|(at, i)| i.region == Some(region) && i.id != id && self.is_open(*at, seat, now));
        rest.map(|(_, i)| i.id).collect()
    }

    /// Pictures that this page will probably show after this one.
    pub fn ahead(&self, seat: &Seat, id: SampleId, now: Duration, most: usize) -> Vec<SampleId> {
        let fresh = |at: &usize| !self.skipped.contains_key(&(seat.annotator.clone(), *at));
        let images = (0..self.held.len()).filter(|at| self.asked.images[*at].id != id);
        let open = images.filter(fresh).filter(|at| self.is_open(*at, seat, now));
        open.map(|at| self.asked.images[at].id).take(most).collect()
    }

    /// How far the labelling is.
    pub fn progress(&self, annotator: &str) -> Progress {
        let mine = self.answers.iter().filter(|a| a.contains_key(annotator)).count();
        Progress { asked: self.asked.images.len(), done: self.done, mine }
    }

    /// Answers that a picture still needs: those that are asked for, and one more on a tie.
    fn wanted(&self, at: usize) -> usize {
        let answers = &self.answers[at];
        let missing = self.asked.answers.saturating_sub(answers.len());
        missing.max(usize::from(!answers.is_empty() && matches!(Verdict::of(answers), Verdict::Tie { .. })))
    }

    /// Whether a page may show this picture: its annotator has not answered, and nobody else is about to.
    fn is_open(&self, at: usize, seat: &Seat, now: Duration) -> bool {
        if self.answers[at].contains_key(&seat.annotator) {
            return false;
        }
        let wanted = self.wanted(at);
        let others = |(other, until): &(&Seat, &Duration)| *other != seat && **until > now;
        let held = self.held[at].iter().filter(others);
        // another page of the same person stands in the way, however many answers are wanted
        let mut by_others = 0;
        for (other, _) in held {
            if other.annotator == seat.annotator {
                return false;
            }
            by_others += usize::from(!self.answers[at].contains_key(&other.annotator));
        }
        wanted > by_others
    }

    fn hold(&mut self, at: usize, seat: &Seat, now: Duration) {
        for (i, held) in self.held.iter_mut().enumerate() {
            if i != at {
                held.remove(seat);
            }
        }
        self.held[at].insert(seat.clone(), now + Self::HELD);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::{PoolIdx, Purpose, RegionId};

    fn asked(n: u64, answers: usize) -> Asked {
        let image = |id: u64| AskedImage {
            id: SampleId(100 + id),
            idx: PoolIdx(id as u32),
            rank: id as usize,
            purpose: if id == 2 { Purpose::Judge } else { Purpose::Annotate },
            region: Some(RegionId(id as u32 / 3)),
            reason: String::new(),
            file: String::new(),
            predicted: 0,
            confidence: 0.5,
        };
        let classes = ["a", "b", "c"].map(str::to_owned).to_vec();
        Asked { format_version: 1, classes, answers, cannot_tell_costs: false, images: (0..n).map(image).collect() }
    }

    fn seat(annotator: &str, page: &str) -> Seat {
        Seat { annotator: annotator.into(), page: page.into() }
    }

    const T: Duration = Duration::ZERO;

    #[test]
    fn nobody_does_the_work_of_another_and_a_page_that_is_gone_lets_go() {
        let mut board = Board::new(asked(3, 1), &[]);
        let (ann, ann2, bob) = (seat("ann", "1"), seat("ann", "2"), seat("bob", "1"));
        assert_eq!(board.next(&ann, T), Some(SampleId(100)));
        assert_eq!(board.next(&ann, T), Some(SampleId(100)), "the same page gets its picture again");
        assert_eq!(board.next(&ann2, T), Some(SampleId(101)), "two pages of one person show two pictures");
        assert_eq!(board.next(&bob, T), Some(SampleId(102)));
        assert_eq!(board.next(&seat("cleo", "1"), T), None, "all are in somebody's hands");
        board.alive(&bob, Board::HELD);
        let late = Board::HELD + Duration::from_secs(1);
        assert_eq!(board.next(&seat("cleo", "1"), late), Some(SampleId(100)), "ann's page gave no sign");
        assert_eq!(board.next(&seat("dan", "1"), late), Some(SampleId(101)));
        assert_eq!(board.next(&seat("eve", "1"), late), None, "bob's page did");
        // cleo was faster
        board.answer(&seat("cleo", "1"), SampleId(100), Some(ClassId(1)), None, late).unwrap();
        assert_eq!(board.answer(&ann, SampleId(100), Some(ClassId(0)), None, late), Err(NotTaken::Answered));
    }

    #[test]
    fn answers_cost_once_and_corrections_nothing() {
        let mut board = Board::new(asked(3, 1), &[]);
        let ann = seat("ann", "1");
        let mut say = |class| board.answer(&ann, SampleId(102), class, Some(2.0), T);
        assert_eq!(say(None).unwrap().unwrap().cost, 0.0, "cannot tell is free here");
        let reply = say(Some(ClassId(1))).unwrap().unwrap();
        assert_eq!((reply.cost, reply.purpose, reply.seconds), (1.0, Purpose::Judge, Some(2.0)));
        assert_eq!(say(Some(ClassId(1))).unwrap(), None, "said before: a request that came twice");
        assert_eq!(say(Some(ClassId(2))).unwrap().unwrap().cost, 0.0);
        assert_eq!(say(Some(ClassId(3))), Err(NotTaken::NoSuchClass));
        assert_eq!(board.answer(&ann, SampleId(7), None, None, T), Err(NotTaken::NotAsked));
        assert_eq!(board.progress("ann"), Progress { asked: 3, done: 1, mine: 1 });
        assert_eq!(board.said("ann", SampleId(102)), Some(Some(ClassId(2))));
    }

    #[test]
    fn what_is_put_off_comes_last_in_the_order_of_putting_off() {
        let mut board = Board::new(asked(3, 1), &[]);
        let ann = seat("ann", "1");
        for id in [100, 101, 102, 100] {
            assert_eq!(board.next(&ann, T), Some(SampleId(id)));
            board.skip(&ann, SampleId(id));
        }
        assert_eq!(board.next(&ann, T), Some(SampleId(101)));
        assert_eq!(board.next(&seat("bob", "1"), T), Some(SampleId(100)), "for others it is open as before");
    }

    #[test]
    fn several_answers_and_ties_ask_again() {
        let mut board = Board::new(asked(1, 2), &[]);
        let id = SampleId(100);
        assert_eq!(board.next(&seat("ann", "1"), T), Some(id));
        assert_eq!(board.next(&seat("bob", "1"), T), Some(id), "two answers are wanted");
        assert_eq!(board.next(&seat("cleo", "1"), T), None);
        board.answer(&seat("ann", "1"), id, Some(ClassId(0)), None, T).unwrap();
        board.answer(&seat("bob", "1"), id, Some(ClassId(1)), None, T).unwrap();
        assert_eq!(board.progress("ann").done, 0, "they are at odds");
        assert_eq!(board.next(&seat("ann", "1"), T), None);
        assert_eq!(board.next(&seat("cleo", "1"), T), Some(id));
        board.answer(&seat("cleo", "1"), id, Some(ClassId(1)), None, T).unwrap();
        assert_eq!(board.progress("ann").done, 1);
        // bob changes his mind: a majority is a tie again
        board.answer(&seat("bob", "1"), id, None, None, T).unwrap();
        assert_eq!(board.progress("ann").done, 0);
    }

    #[test]
    fn a_ledger_is_taken_up_where_it_ended_and_a_region_is_known() {
        let mut ledger = hybridrepair_core::Ledger::new(9);
        let mut board = Board::new(asked(5, 1), &[]);
        let ann = seat("ann", "1");
        for id in [100, 104] {
            ledger.record(board.answer(&ann, SampleId(id), Some(ClassId(0)), None, T).unwrap().unwrap());
        }
        let again = Board::new(asked(5, 1), ledger.entries());
        assert_eq!(again.progress("ann"), board.progress("ann"));
        assert_eq!(again.rest_of_region(&ann, SampleId(100), T), [SampleId(101), SampleId(102)]);
        assert!(again.rest_of_region(&ann, SampleId(103), T).is_empty(), "the other is answered");
    }
}
