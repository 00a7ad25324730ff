use crate::Exit;
use std::{
    fmt,
    io::{ErrorKind, Write, stdout},
};

/// Prints one line of a command's result to standard output, as `println!` does.
///
/// When nobody reads any more (`hybridrepair select ... | head`), the program ends quietly instead of panicking.
#[macro_export]
macro_rules! say {
    () => { $crate::print_line(format_args!("")) };
    ($($arg:tt)*) => { $crate::print_line(format_args!($($arg)*)) };
}

/// Tells what reading the data has left out, on standard error, so that a result on standard output stays as it is.
#[expect(clippy::print_stderr, reason = "remarks are no result")]
pub fn remarks(notes: &[String]) {
    for note in notes {
        eprintln!("hybridrepair: data: {note}");
    }
}

/// What [`say!`] calls.
#[expect(clippy::exit, reason = "there is nobody left to tell anything")]
pub fn print_line(line: fmt::Arguments<'_>) {
    match writeln!(stdout().lock(), "{line}") {
        Ok(()) => {}
        Err(e) if e.kind() == ErrorKind::BrokenPipe => std::process::exit(Exit::Done as i32),
        // a full disk behind `> file`: the result is lost, and the exit code must say so
        Err(_) => std::process::exit(Exit::Unexpected as i32),
    }
}
