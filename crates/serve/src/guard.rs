//! Who may ask at all.

use crate::http::{Method, Request, Response};

/// What a request must show.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    token: String,
    hosts: [String; 2],
}

impl Guard {
    /// For a server on this port.
    pub(crate) fn new(token: &str, port: u16) -> Self {
        Self { token: token.to_owned(), hosts: [format!("127.0.0.1:{port}"), format!("localhost:{port}")] }
    }

    /// The part of the target after the token.
    ///
    /// # Errors
    /// The response to give when the request is for another host (a name that somebody has turned to this machine), comes
    /// from a page of another origin, or does not know the token.
    pub(crate) fn admit<'r>(&self, request: &'r Request) -> Result<&'r str, Response> {
        let host = request.header("host").unwrap_or("");
        if !self.hosts.iter().any(|h| h.eq_ignore_ascii_case(host)) {
            return Err(Response::refused(421, "this page is served to 127.0.0.1 and localhost only"));
        }
        if request.has("origin") {
            let origin = request.header("origin").and_then(|o| o.strip_prefix("http://")).unwrap_or("");
            if !self.hosts.iter().any(|h| h.eq_ignore_ascii_case(origin)) {
                return Err(Response::refused(403, "a page of another origin may not ask this"));
            }
        }
        // what browsers say of who began the request; others do not say it
        let site = request.header("sec-fetch-site").unwrap_or("none");
        if request.has("sec-fetch-site") && !matches!(site, "same-origin" | "none") {
            return Err(Response::refused(403, "a page of another origin may not ask this"));
        }
        let rest = request.target.strip_prefix('/').unwrap_or("");
        let (token, rest) = rest.split_once('/').unwrap_or((rest, ""));
        if !same(token.as_bytes(), self.token.as_bytes()) {
            return Err(Response::refused(
                403,
                "the address lacks its token: use the whole address that `label serve` printed",
            ));
        }
        // a form of another page cannot send this type without asking first
        if request.method == Method::Post && request.header("content-type") != Some("application/json") {
            return Err(Response::refused(415, "the body must be application/json"));
        }
        Ok(rest)
    }
}

/// Compares in a time that does not depend on where the two differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |all, (x, y)| all | (x ^ y)) == 0
}
