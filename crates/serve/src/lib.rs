//! The label page: people look at the pictures that a run asks about, in a browser on the same machine, and say what they are.
//!
//! [`LabelServer`] listens on the loopback address only. Every address below it begins with a random token; requests that
//! name another host or come from a page of another origin are refused; pictures are named by the number of their sample and
//! never by a path. An answer is a line of the run's ledger, and on the disk, before the page gets the next picture.
//! The page is plain HTML with one script and one style sheet, all in the program: nothing is asked of any other machine.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod address;
mod api;
mod desk;
mod error;
mod guard;
mod http;
mod pictures;
mod server;
mod site;

pub use error::ServeError;
pub use server::{LabelServer, ServeOptions};
