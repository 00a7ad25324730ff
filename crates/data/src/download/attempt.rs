//! One request: what it may answer, and what that means.

use super::part::Part;
use super::{DownloadError, Event, Options, Source};
use std::io::Read;
use std::time::Duration;
use ureq::http::{Response, header};
use ureq::{Agent, Body, ResponseExt, tls};

/// Why an attempt did not bring the rest of the file.
pub(super) enum Trouble {
    /// Trying again will not help.
    Final(DownloadError),
    /// It may go better next time; the server may have said when.
    Passing { why: String, after: Option<Duration> },
}

impl From<DownloadError> for Trouble {
    fn from(error: DownloadError) -> Self {
        Self::Final(error)
    }
}

fn passing(why: impl Into<String>) -> Trouble {
    Trouble::Passing { why: why.into(), after: None }
}

/// Proxies come from the environment (`https_proxy`, `http_proxy`, `no_proxy`), certificates from the system, so that
/// a company's own are known.
pub(super) fn agent(options: &Options<'_>) -> Agent {
    let roots = tls::TlsConfig::builder().root_certs(tls::RootCerts::PlatformVerifier).build();
    let silence = Some(options.silence);
    Agent::config_builder()
        .tls_config(roots)
        .user_agent(concat!("hybridrepair/", env!("CARGO_PKG_VERSION")))
        .http_status_as_error(false)
        .timeout_resolve(silence)
        .timeout_connect(silence)
        .timeout_recv_response(silence)
        .timeout_per_read(silence)
        .build()
        .into()
}

/// Asks once for what is missing and appends what comes.
pub(super) fn attempt(
    agent: &Agent,
    source: &Source<'_>,
    part: &mut Part,
    options: &Options<'_>,
) -> Result<(), Trouble> {
    let mut request = agent.get(source.url);
    if part.len > 0 {
        request = request.header(header::RANGE, format!("bytes={}-", part.len));
        if let Some(tag) = &part.tag {
            request = request.header(header::IF_RANGE, tag);
        }
    }
    let response = request.call().map_err(|e| no_answer(source, part, e))?;
    let total = match response.status().as_u16() {
        200 => {
            if part.len > 0 {
                let why = "the server sends the file from its beginning";
                (options.report)(Event::Anew { why });
                part.restart(source)?;
            }
            part.note_tag(tag(&response));
            number(text(&response, &header::CONTENT_LENGTH))
        }
        206 if part.len > 0 => match content_range(text(&response, &header::CONTENT_RANGE)) {
            Some((Some(from), total)) if from == part.len => {
                part.patched = true;
                total
            }
            _ => {
                part.restart(source)?;
                return Err(passing("the server sent another part of the file than asked for"));
            }
        },
        416 if part.len > 0 => {
            if matches!(content_range(text(&response, &header::CONTENT_RANGE)), Some((None, Some(n))) if n == part.len)
            {
                return Ok(()); // all of it is there already
            }
            let why = format!("the server has nothing after byte {} (416)", part.len);
            part.restart(source)?;
            return Err(passing(why));
        }
        511 => return Err(page(&answered_by(&response), b"511 Network Authentication Required").into()),
        status @ (408 | 425 | 429 | 500 | 502 | 503 | 504) => {
            let after = number(text(&response, &header::RETRY_AFTER)).map(Duration::from_secs);
            return Err(Trouble::Passing { why: format!("the server answered {status}"), after });
        }
        status => return Err(DownloadError::Status { url: source.url.to_owned(), status }.into()),
    };
    let html = text(&response, &header::CONTENT_TYPE).is_some_and(|t| t.contains("html"));
    let other = total.zip(source.bytes).filter(|(got, expected)| got != expected);
    if html || other.is_some() {
        return Err(something_else(response, source, html, other).into());
    }
    (options.report)(Event::Began { url: source.url, from: part.len, total: total.or(source.bytes) });
    receive(response, source, part, total, options)
}

fn receive(
    response: Response<Body>,
    source: &Source<'_>,
    part: &mut Part,
    total: Option<u64>,
    options: &Options<'_>,
) -> Result<(), Trouble> {
    let url = answered_by(&response);
    let mut body = response.into_body().into_reader();
    let mut buffer = vec![0; 1 << 17];
    loop {
        let n = match body.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => n,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(passing(format!("the connection broke after {} bytes ({e})", part.len))),
        };
        if part.len == 0 && is_page(&buffer[..n]) {
            return Err(page(&url, &buffer[..n.min(80)]).into());
        }
        if let Some(most) = source.bytes
            && part.len + n as u64 > most
        {
            let got = part.len + n as u64;
            part.restart(source)?;
            return Err(DownloadError::Length { url: source.url.to_owned(), got, expected: most }.into());
        }
        part.append(&buffer[..n])?;
        (options.report)(Event::Bytes { done: part.len });
    }
    match total.or(source.bytes) {
        Some(total) if part.len < total => {
            Err(passing(format!("the connection ended after {} of {total} bytes", part.len)))
        }
        _ => Ok(()),
    }
}

/// What an answer is that cannot be the file: a page, or a file of another length.
fn something_else(
    response: Response<Body>,
    source: &Source<'_>,
    html: bool,
    lengths: Option<(u64, u64)>,
) -> DownloadError {
    let url = answered_by(&response);
    let mut begin = Vec::new();
    let _ = response.into_body().into_reader().take(80).read_to_end(&mut begin);
    match lengths {
        Some((got, expected)) if !html && !is_page(&begin) => {
            DownloadError::Length { url: source.url.to_owned(), got, expected }
        }
        _ => page(&url, &begin),
    }
}

fn no_answer(source: &Source<'_>, part: &Part, error: ureq::Error) -> Trouble {
    use ureq::Error;
    let lasting = match &error {
        // a certificate that is not trusted, or no TLS at all
        Error::Io(e) => e.kind() == std::io::ErrorKind::InvalidData,
        other => matches!(
            other,
            Error::Tls(_)
                | Error::Rustls(_)
                | Error::BadUri(_)
                | Error::Http(_)
                | Error::InvalidProxyUrl
                | Error::RedirectFailed
                | Error::TooManyRedirects
                | Error::RequireHttpsOnly(_)
        ),
    };
    let why = match error {
        Error::Io(e) => e.to_string(),
        other => other.to_string(),
    };
    if lasting {
        let (url, kept) = (source.url.to_owned(), part.len);
        return Trouble::Final(DownloadError::Network { url, why, tries: 1, kept });
    }
    passing(why)
}

fn text<'r>(response: &'r Response<Body>, name: &header::HeaderName) -> Option<&'r str> {
    response.headers().get(name)?.to_str().ok()
}

fn number(text: Option<&str>) -> Option<u64> {
    text?.trim().parse().ok()
}

/// `bytes FROM-TO/TOTAL` or `bytes */TOTAL` (RFC 9110, 14.4): from, total.
fn content_range(text: Option<&str>) -> Option<(Option<u64>, Option<u64>)> {
    let (range, total) = text?.trim().strip_prefix("bytes")?.trim_start().split_once('/')?;
    let from = match range.split_once('-') {
        Some((from, _)) => Some(number(Some(from))?),
        None if range == "*" => None,
        None => return None,
    };
    Some((from, number(Some(total))))
}

/// What `If-Range` takes: a strong `ETag`, else the date (RFC 9110, 13.1.5).
fn tag(response: &Response<Body>) -> Option<String> {
    let strong = text(response, &header::ETAG).filter(|tag| tag.starts_with('"'));
    strong.or_else(|| text(response, &header::LAST_MODIFIED)).map(str::to_owned)
}

fn is_page(begin: &[u8]) -> bool {
    let begin = begin.trim_ascii_start();
    let starts = |word: &[u8]| begin.len() >= word.len() && begin[..word.len()].eq_ignore_ascii_case(word);
    starts(b"<!doctype html") || starts(b"<html")
}

/// The address that answered in the end, after redirects.
fn answered_by(response: &Response<Body>) -> String {
    response.get_uri().to_string()
}

fn page(url: &str, begin: &[u8]) -> DownloadError {
    DownloadError::Page { url: url.to_owned(), begin: String::from_utf8_lossy(begin).trim().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_or_refused() {
        for (text, expected) in [
            ("bytes 5-9/10", Some((Some(5), Some(10)))),
            (" bytes 0-0/* ", Some((Some(0), None))),
            ("bytes */10", Some((None, Some(10)))),
            ("bytes -9/10", None),
            ("bytes 5/10", None),
            ("bytes 99999999999999999999-1/2", None),
            ("items 5-9/10", None),
            ("bytes 5-9", None),
            ("", None),
        ] {
            assert_eq!(content_range(Some(text)), expected, "{text}");
        }
    }

    #[test]
    fn pages_are_told_by_their_beginning() {
        for page in ["<!DOCTYPE HTML>", "\r\n <!doctype html public", "<html lang=en>"] {
            assert!(is_page(page.as_bytes()), "{page}");
        }
        for data in [&b"\x1f\x8b\x08"[..], b"PK\x03\x04", b"MATLAB 5.0 MAT-file", b"<htm", b""] {
            assert!(!is_page(data));
        }
    }
}
