use crate::{
    ServeError,
    address::Address,
    api::Api,
    desk::Desk,
    guard::Guard,
    http::{Method, Request, Response, serve_connection},
    pictures::Pictures,
    site::asset,
};
use hybridrepair_label::{Asked, Board, Context};
use hybridrepair_runs::{LedgerFile, RunDir, read_json};
use std::{
    io::ErrorKind,
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

/// Connections at a time; more are told to come back.
const MOST: usize = 512;
/// What a thread that answers one request needs.
const STACK: usize = 2 << 20;

/// How a label page is served.
#[derive(Clone, Copy, Debug)]
pub struct ServeOptions {
    /// The port; the one that this run's page had before, else any that is free.
    pub port: Option<u16>,
    /// Makes a new token, so that addresses that were given away do not work any more.
    pub new_address: bool,
    /// Shows people what the model says, which may sway them.
    pub show_prediction: bool,
    /// How long a request may take as a whole.
    pub patience: Duration,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self { port: None, new_address: false, show_prediction: false, patience: crate::http::PATIENCE }
    }
}

/// A label page that listens. It holds the lock of its run: nobody else writes the ledger meanwhile.
pub struct LabelServer {
    listener: TcpListener,
    address: Address,
    patience: Duration,
    inside: Arc<Inside>,
    _dir: RunDir,
}

/// What all connections share.
struct Inside {
    guard: Guard,
    api: Api,
    pictures: Pictures,
    desk: Mutex<Desk>,
    open: AtomicUsize,
}

impl LabelServer {
    /// Opens the page of a run that asks `asked`.
    ///
    /// # Errors
    /// When the port cannot be had, or a file of the run cannot be read or written.
    pub fn bind(dir: RunDir, asked: Asked, options: &ServeOptions) -> Result<Self, ServeError> {
        let layout = dir.layout();
        let (file, ledger) = LedgerFile::open(&layout.ledger(), asked.images.len() * asked.answers)?;
        let mut context = Context::default();
        if layout.context().is_file() {
            context = read_json(&layout.context())?;
        }
        let mut files = std::mem::take(&mut context.files);
        files.extend(asked.images.iter().map(|image| (image.id, image.file.clone())));
        let tasks = layout.tasks();
        let kept = Address::kept(&tasks);
        let listener = listen(options.port, kept.as_ref().map(|a| a.port))?;
        let port = listener.local_addr().map_err(|source| ServeError::Listen { port: 0, source })?.port();
        let token = match kept.filter(|_| !options.new_address) {
            Some(kept) => kept.token,
            None => Address::new_token()?,
        };
        let address = Address { port, token };
        address.keep(&tasks)?;
        let board = Board::new(asked, ledger.entries());
        let absolute = std::path::absolute(dir.path()).unwrap_or_else(|_| dir.path().to_owned());
        let run = absolute.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        let inside = Inside {
            guard: Guard::new(&address.token, port),
            api: Api {
                run,
                folder: dir.path().display().to_string(),
                context,
                show_prediction: options.show_prediction,
            },
            pictures: Pictures::new(dir.path(), files),
            desk: Mutex::new(Desk::new(board, ledger, file)),
            open: AtomicUsize::new(0),
        };
        Ok(Self { listener, address, patience: options.patience, inside: Arc::new(inside), _dir: dir })
    }

    /// The whole address of the page, with its token.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}/{}/", self.address.port, self.address.token)
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.address.port
    }

    /// Serves until the process ends. It may end at any moment: what was answered is on the disk.
    pub fn run(&self) -> ! {
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => self.begin(stream),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                // too many open files: connections that end make room
                Err(_) => thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    fn begin(&self, stream: TcpStream) {
        let (inside, patience) = (Arc::clone(&self.inside), self.patience);
        let place = Place(inside);
        if place.0.open.fetch_add(1, Ordering::SeqCst) >= MOST {
            let _ = stream.set_write_timeout(Some(Duration::from_millis(50)));
            let _ = Response::refused(503, "too many connections; try again").write(&mut &stream, false);
            return;
        }
        // without a thread the connection is closed, and its place is free again
        let _ = thread::Builder::new()
            .stack_size(STACK)
            .spawn(move || serve_connection(stream, patience, |request| place.0.answer(request)));
    }
}

/// A connection's place among [`MOST`]; free again when the connection ends, however it ends.
struct Place(Arc<Inside>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

/// On the loopback address; on the port that was used before only if it is free.
fn listen(wanted: Option<u16>, before: Option<u16>) -> Result<TcpListener, ServeError> {
    let bind = |port: u16| {
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|source| ServeError::Listen { port, source })
    };
    match (wanted, before) {
        (Some(port), _) => bind(port),
        (None, Some(port)) => bind(port).or_else(|_| bind(0)),
        (None, None) => bind(0),
    }
}

impl Inside {
    fn answer(&self, request: &Request) -> Response {
        let rest = match self.guard.admit(request) {
            Ok(rest) => rest,
            Err(refused) => return refused,
        };
        if request.method == Method::Post {
            let Some(name) = rest.strip_prefix("api/") else { return Response::refused(404, "nothing to do here") };
            let mut desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
            return self.api.call(name, &request.body, &mut desk);
        }
        if let Some(asset) = asset(rest) {
            return asset;
        }
        match rest.split_once('/') {
            Some(("picture", id)) => self.pictures.large(id),
            Some(("small", id)) => self.pictures.small(id),
            _ => Response::refused(404, "nothing here"),
        }
    }
}
