use serde::Serialize;
use std::io::{self, Write};

/// What a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Html,
    Css,
    JavaScript,
    Json,
    Png,
    Jpeg,
    Gif,
    Webp,
    Bmp,
    Svg,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Text => "text/plain; charset=utf-8",
            Self::Html => "text/html; charset=utf-8",
            Self::Css => "text/css; charset=utf-8",
            Self::JavaScript => "text/javascript; charset=utf-8",
            Self::Json => "application/json",
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Gif => "image/gif",
            Self::Webp => "image/webp",
            Self::Bmp => "image/bmp",
            Self::Svg => "image/svg+xml",
        }
    }

    /// Whether a browser may keep it: a picture never changes.
    fn lasts(self) -> bool {
        matches!(self, Self::Png | Self::Jpeg | Self::Gif | Self::Webp | Self::Bmp)
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    kind: Kind,
    body: Vec<u8>,
}

/// What a browser must not do with any of our answers: run or load anything of others, guess what it is, show it in a frame,
/// tell others the address (the token is in it), or give it to pages of other origins.
const SAFETY: &str = "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n\
    X-Content-Type-Options: nosniff\r\n\
    X-Frame-Options: DENY\r\n\
    Referrer-Policy: no-referrer\r\n\
    Cross-Origin-Opener-Policy: same-origin\r\n\
    Cross-Origin-Resource-Policy: same-origin\r\n";

impl Response {
    /// Done, with this.
    pub(crate) fn ok(kind: Kind, body: impl Into<Vec<u8>>) -> Self {
        Self { status: 200, kind, body: body.into() }
    }

    /// Done, with a value.
    pub(crate) fn json<T: Serialize>(value: &T) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => Self::ok(Kind::Json, body),
            Err(error) => Self::refused(500, &error.to_string()),
        }
    }

    /// Not done, and why.
    pub(crate) fn refused(status: u16, why: &str) -> Self {
        Self { status, kind: Kind::Text, body: format!("{why}\n").into_bytes() }
    }

    /// Writes it; of an answer to HEAD the head alone.
    ///
    /// # Errors
    /// When the other side does not take it.
    pub(crate) fn write(&self, out: &mut impl Write, head_only: bool) -> io::Result<()> {
        let cache = if self.kind.lasts() && self.status == 200 { "private, max-age=3600" } else { "no-store" };
        let mut all = format!(
            "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\nCache-Control: {cache}\r\n{SAFETY}{}\r\n",
            self.status,
            reason(self.status),
            self.kind.name(),
            self.body.len(),
            if self.status == 405 { "Allow: GET, HEAD, POST\r\n" } else { "" }
        )
        .into_bytes();
        if !head_only {
            all.extend_from_slice(&self.body);
        }
        out.write_all(&all)
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        411 => "Length Required",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        421 => "Misdirected Request",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    }
}
