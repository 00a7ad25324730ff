//! As much of HTTP/1.1 as a label page needs: one request per connection, small, and soon.

mod connection;
mod request;
mod response;

pub(crate) use connection::{PATIENCE, serve_connection};
pub(crate) use request::{Method, Request};
pub(crate) use response::{Kind, Response};
