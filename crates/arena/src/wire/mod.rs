//! Entries in processes of their own.

mod contender;
mod duel;
mod guard;
mod host;
mod message;
mod remote;
mod watch;

pub use contender::{Contender, Programs};
pub(crate) use duel::Ground;
use host::answer;
pub use remote::run_entry;
