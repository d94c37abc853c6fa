use std::io::{self, Write};
use std::process::ExitCode;

/// Writes to standard output; whoever reads it may have gone, as `head` does.
pub(super) fn print(text: &str) -> ExitCode {
    let mut output = io::stdout().lock();
    match output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush())
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Says on standard error what went wrong. If that cannot be written either, the exit code has to
/// do.
pub(super) fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "dragoman: {text}");
}

/// Text of somebody else, without the control characters a terminal would obey.
pub(super) fn harmless(text: &str) -> String {
    text.chars()
        .filter(|letter| !letter.is_control() || matches!(letter, '\n' | '\t'))
        .collect()
}
