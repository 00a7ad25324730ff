use super::Response;
use std::{
    io::{ErrorKind, Read},
    time::{Duration, Instant},
};

/// Most bytes of the first line and the headers.
pub(crate) const MOST_HEAD: usize = 16 * 1024;
/// Most bytes of a body: an answer is a few hundred.
pub(crate) const MOST_BODY: usize = 64 * 1024;
/// Most headers.
const MOST_HEADERS: usize = 64;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// A resource.
    Get,
    /// The head of its answer.
    Head,
    /// Something is to be done.
    Post,
}

/// A request that keeps all limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// What is asked.
    pub(crate) method: Method,
    /// The target as it came, beginning with `/`.
    pub(crate) target: String,
    /// Names in lower case, and values.
    headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: Vec<u8>,
}

/// A source of bytes that can be told how long it may take.
pub(crate) trait Patient: Read {
    /// The next read gives up after so long.
    fn wait_at_most(&mut self, wait: Duration) -> std::io::Result<()>;
}

impl Patient for std::net::TcpStream {
    fn wait_at_most(&mut self, wait: Duration) -> std::io::Result<()> {
        self.set_read_timeout(Some(wait.max(Duration::from_millis(1))))
    }
}

impl Request {
    /// Reads one request, as a whole before `until`; none when the other side closes without a word.
    ///
    /// # Errors
    /// The response to give when it is malformed, too large or too slow.
    pub(crate) fn read(stream: &mut impl Patient, until: Instant) -> Result<Option<Self>, Response> {
        let mut bytes = Vec::with_capacity(2048);
        loop {
            if let Some((mut request, used, length)) = Self::head(&bytes)? {
                while bytes.len() < used + length {
                    if more(stream, &mut bytes, until)? == 0 {
                        return Err(Response::refused(400, "the body ends too soon"));
                    }
                }
                request.body = bytes[used..used + length].to_vec();
                return Ok(Some(request));
            }
            if bytes.len() >= MOST_HEAD {
                return Err(Response::refused(431, "the head is too large"));
            }
            if more(stream, &mut bytes, until)? == 0 {
                let silent = bytes.is_empty();
                return if silent { Ok(None) } else { Err(Response::refused(400, "the head ends too soon")) };
            }
        }
    }

    /// The head of a request, how many bytes it has, and the length of the body; none when more bytes are needed.
    fn head(bytes: &[u8]) -> Result<Option<(Self, usize, usize)>, Response> {
        let mut slots = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut parsed = httparse::Request::new(&mut slots);
        let used = match parsed.parse(bytes) {
            Ok(httparse::Status::Complete(used)) => used,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(httparse::Error::TooManyHeaders) => return Err(Response::refused(431, "too many headers")),
            Err(_) => return Err(Response::refused(400, "this is no request of HTTP/1.1")),
        };
        if used > MOST_HEAD {
            return Err(Response::refused(431, "the head is too large"));
        }
        let method = match parsed.method {
            Some("GET") => Method::Get,
            Some("HEAD") => Method::Head,
            Some("POST") => Method::Post,
            _ => return Err(Response::refused(405, "only GET, HEAD and POST")),
        };
        let target = parsed.path.filter(|p| p.starts_with('/'));
        let target = target.ok_or_else(|| Response::refused(400, "the target must begin with /"))?.to_owned();
        let text = |value: &[u8]| String::from_utf8_lossy(value).trim().to_owned();
        let headers = parsed.headers.iter().map(|h| (h.name.to_ascii_lowercase(), text(h.value))).collect();
        let request = Self { method, target, headers, body: Vec::new() };
        let length = request.length()?;
        Ok(Some((request, used, length)))
    }

    /// The length of the body. Two ways to tell it are one too many: what lies between might read it otherwise.
    fn length(&self) -> Result<usize, Response> {
        if self.headers.iter().any(|(name, _)| name == "transfer-encoding") {
            return Err(Response::refused(501, "no transfer encodings"));
        }
        let mut lengths = self.headers.iter().filter(|(name, _)| name == "content-length").map(|(_, value)| value);
        let length = match (lengths.next(), lengths.next()) {
            (Some(_), Some(_)) => return Err(Response::refused(400, "more than one length")),
            (None, _) if self.method == Method::Post => return Err(Response::refused(411, "the length is missing")),
            (None, _) => 0,
            (Some(length), None) if !length.is_empty() && length.bytes().all(|b| b.is_ascii_digit()) => {
                length.parse().unwrap_or(usize::MAX)
            }
            _ => return Err(Response::refused(400, "the length is no number")),
        };
        match length {
            0 => Ok(0),
            _ if self.method != Method::Post => Err(Response::refused(400, "a body has no place here")),
            length if length > MOST_BODY => Err(Response::refused(413, "the body is too large")),
            length => Ok(length),
        }
    }

    /// The value of a header that occurs once; none when it is missing or ambiguous.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_str());
        let first = found.next();
        if found.next().is_some() { None } else { first }
    }

    /// Whether a header occurs at all.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(n, _)| n == name)
    }
}

/// Reads what is there; 0 when the other side has closed.
fn more(stream: &mut impl Patient, bytes: &mut Vec<u8>, until: Instant) -> Result<usize, Response> {
    let slow = || Response::refused(408, "the request takes too long");
    let mut block = [0u8; 4096];
    loop {
        let left = until.checked_duration_since(Instant::now()).ok_or_else(slow)?;
        stream.wait_at_most(left).map_err(|_| Response::refused(400, "the connection is lost"))?;
        match stream.read(&mut block) {
            Ok(n) => {
                bytes.extend_from_slice(&block[..n]);
                return Ok(n);
            }
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return Err(slow()),
            Err(_) => return Err(Response::refused(400, "the connection is lost")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that come in pieces.
    struct Pieces(Vec<Vec<u8>>);

    impl Read for Pieces {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            if self.0.is_empty() {
                return Ok(0);
            }
            let mut piece = self.0.remove(0);
            if piece.len() > out.len() {
                self.0.insert(0, piece.split_off(out.len()));
            }
            out[..piece.len()].copy_from_slice(&piece);
            Ok(piece.len())
        }
    }

    impl Patient for Pieces {
        fn wait_at_most(&mut self, _: Duration) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn read(text: &[u8], piece: usize) -> Result<Option<Request>, u16> {
        let mut pieces = Pieces(text.chunks(piece).map(<[u8]>::to_vec).collect());
        Request::read(&mut pieces, Instant::now() + Duration::from_secs(5)).map_err(|r| r.status)
    }

    #[test]
    fn requests_come_whole_however_they_are_cut() {
        let text = b"POST /x HTTP/1.1\r\nHost: a\r\nX-Y:  z \r\nContent-Length: 5\r\n\r\nhello and more";
        for piece in [1, 2, 7, 1000] {
            let request = read(text, piece).unwrap().unwrap();
            assert_eq!(
                (request.method, request.target.as_str(), &request.body[..]),
                (Method::Post, "/x", &b"hello"[..])
            );
            assert_eq!((request.header("x-y"), request.header("none")), (Some("z"), None));
        }
        assert_eq!(read(b"", 9).unwrap(), None);
    }

    #[test]
    fn what_breaks_the_rules_is_refused_with_its_number() {
        let long = |n: usize| "a".repeat(n);
        let cases: Vec<(String, u16)> = vec![
            ("GET\r\n\r\n".into(), 400),
            ("GET / HTTP/1.1\r\nHost".into(), 400),
            ("\x16\x03\x01\x02\x00\x01\x00\x01".into(), 400),
            ("GET /\0 HTTP/1.1\r\n\r\n".into(), 400),
            ("GET http://evil/ HTTP/1.1\r\n\r\n".into(), 400),
            ("DELETE / HTTP/1.1\r\n\r\n".into(), 405),
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into(), 400),
            ("POST / HTTP/1.1\r\n\r\n".into(), 411),
            ("POST / HTTP/1.1\r\nContent-Length: 65537\r\n\r\n".into(), 413),
            ("POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n".into(), 413),
            ("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n".into(), 400),
            ("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na".into(), 400),
            ("POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nshort".into(), 400),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\na".into(), 501),
            ("GET / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc".into(), 400),
            (format!("GET /{} HTTP/1.1\r\n\r\n", long(20_000)), 431),
            (format!("GET / HTTP/1.1\r\nA: {}\r\n\r\n", long(20_000)), 431),
            (format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(100)), 431),
        ];
        for (text, status) in cases {
            assert_eq!(read(text.as_bytes(), 4096), Err(status), "{text:.60}");
        }
    }
}
