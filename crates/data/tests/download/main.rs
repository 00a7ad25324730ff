//! Downloads against a server of our own, which does what servers do on bad days.
#![allow(clippy::unwrap_used)]

mod archives;
mod fetch;
mod prepare;
mod server;
mod turns;
