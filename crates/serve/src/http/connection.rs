use super::{Method, Request, Response};
use std::{
    io::{Read, Write},
    net::{Shutdown, TcpStream},
    time::{Duration, Instant},
};

/// How long a whole request may take, and how long the other side may take to fetch the answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// What a client may still send after it has got its answer, before the connection is cut.
const REST: usize = 256 * 1024;
const REST_WAIT: Duration = Duration::from_millis(500);

/// Reads one request, answers it, and ends the connection.
pub(crate) fn serve_connection(mut stream: TcpStream, patience: Duration, answer: impl FnOnce(&Request) -> Response) {
    let _ = stream.set_nodelay(true);
    let _ = stream.set_write_timeout(Some(patience));
    let (response, head_only) = match Request::read(&mut stream, Instant::now() + patience) {
        Ok(None) => return,
        Ok(Some(request)) => (answer(&request), request.method == Method::Head),
        Err(response) => (response, false),
    };
    // nobody is there any more: nothing to be done about it
    if response.write(&mut stream, head_only).and_then(|()| stream.flush()).is_ok() {
        drain(&mut stream);
    }
}

/// A connection that is closed with unread bytes is reset, and the answer may be lost on the way.
fn drain(stream: &mut TcpStream) {
    let until = Instant::now() + REST_WAIT;
    let (mut block, mut read) = ([0u8; 4096], 0);
    if stream.shutdown(Shutdown::Write).is_err() {
        return;
    }
    while let (Some(left), true) = (until.checked_duration_since(Instant::now()), read < REST) {
        if stream.set_read_timeout(Some(left.max(Duration::from_millis(1)))).is_err() {
            return;
        }
        match stream.read(&mut block) {
            Ok(0) | Err(_) => return,
            Ok(n) => read += n,
        }
    }
}
