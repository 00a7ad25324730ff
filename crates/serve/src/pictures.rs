//! Pictures by the number of their sample. No path ever comes from outside.

use crate::http::{Kind, Response};
use hybridrepair_core::SampleId;
use hybridrepair_data::{
    folder::{InputSize, Resize, decode},
    jpeg,
};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// Larger files are shown smaller.
const MOST_AS_IS: u64 = 24 << 20;
/// The longest side of what is shown smaller, or is in a format that browsers do not show.
const LARGE: usize = 1280;
/// A neighbour's side, and the size up to which its file is small enough as it is.
const SMALL: usize = 128;
const SMALL_AS_IS: u64 = 12 << 10;
/// Small pictures that are kept in memory: some 6 KB each.
const KEPT: usize = 4000;

/// The pictures of a run that a label page may show.
pub(crate) struct Pictures {
    run: PathBuf,
    files: BTreeMap<SampleId, String>,
    small: Mutex<BTreeMap<SampleId, Vec<u8>>>,
}

impl Pictures {
    pub(crate) fn new(run: &Path, files: BTreeMap<SampleId, String>) -> Self {
        Self { run: run.to_owned(), files, small: Mutex::default() }
    }

    /// The picture for a person to look at.
    pub(crate) fn large(&self, id: &str) -> Response {
        self.file(id).and_then(|(_, path)| shown(&path, MOST_AS_IS, LARGE)).unwrap_or_else(|refused| refused)
    }

    /// The picture beside another one.
    pub(crate) fn small(&self, id: &str) -> Response {
        let (id, path) = match self.file(id) {
            Ok(found) => found,
            Err(refused) => return refused,
        };
        let kept = || self.small.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bytes) = kept().get(&id) {
            return Response::ok(Kind::Jpeg, bytes.clone());
        }
        // not under the lock: pictures are decoded side by side
        match small(&path) {
            Ok(Small::AsIs(response)) => response,
            Ok(Small::Made(bytes)) => {
                let mut kept = kept();
                if kept.len() >= KEPT {
                    kept.clear();
                }
                kept.insert(id, bytes.clone());
                Response::ok(Kind::Jpeg, bytes)
            }
            Err(refused) => refused,
        }
    }

    fn file(&self, id: &str) -> Result<(SampleId, PathBuf), Response> {
        let digits = (1..=20).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_digit());
        let id = digits.then(|| id.parse().ok().map(SampleId)).flatten();
        let found = id.and_then(|id| Some((id, self.run.join(self.files.get(&id)?))));
        found.ok_or_else(|| Response::refused(404, "no such picture"))
    }
}

enum Small {
    AsIs(Response),
    Made(Vec<u8>),
}

fn small(path: &Path) -> Result<Small, Response> {
    let bytes = read(path)?;
    match kind(&bytes) {
        Some(kind) if bytes.len() as u64 <= SMALL_AS_IS => Ok(Small::AsIs(Response::ok(kind, bytes))),
        _ => made(&bytes, SMALL).map(Small::Made),
    }
}

fn shown(path: &Path, as_is: u64, side: usize) -> Result<Response, Response> {
    let bytes = read(path)?;
    match kind(&bytes) {
        Some(kind) if bytes.len() as u64 <= as_is => Ok(Response::ok(kind, bytes)),
        _ => made(&bytes, side).map(|bytes| Response::ok(Kind::Jpeg, bytes)),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Response> {
    let gone = |_| Response::refused(404, "the picture's file cannot be read");
    // to open a pipe is to wait for its other end: one in a picture's place must not hold the page
    if !fs::metadata(path).map_err(gone)?.is_file() {
        return Err(Response::refused(404, "the picture's file is no file"));
    }
    let mut bytes = Vec::new();
    File::open(path).map_err(gone)?.take(1 << 28).read_to_end(&mut bytes).map_err(gone)?;
    Ok(bytes)
}

/// Decoded, made smaller, and as JPEG: for what browsers do not show, or would take long over.
fn made(bytes: &[u8], side: usize) -> Result<Vec<u8>, Response> {
    let size = InputSize { height: side, width: side, resize: Resize::FitPad };
    let mut pixels = vec![0; size.stride()];
    decode(bytes, &size, &mut pixels).map_err(|_| Response::refused(404, "the file is no picture"))?;
    jpeg(&pixels, side, side).map_err(|_| Response::refused(404, "the picture cannot be shown"))
}

/// What browsers show, by the first bytes. SVG is not among it: it may hold scripts.
fn kind(bytes: &[u8]) -> Option<Kind> {
    match bytes {
        [0xff, 0xd8, 0xff, ..] => Some(Kind::Jpeg),
        [0x89, b'P', b'N', b'G', ..] => Some(Kind::Png),
        [b'G', b'I', b'F', b'8', ..] => Some(Kind::Gif),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Kind::Webp),
        [b'B', b'M', ..] => Some(Kind::Bmp),
        _ => None,
    }
}
