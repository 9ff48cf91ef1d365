//! Who follows what is started, and how it ended.
//!
//! Owns: the line that a person could type. Refuses to know: what is done with it.

use std::ffi::OsStr;
use std::process::ExitStatus;

/// Is told of every child of a launcher. Its methods are called from threads of the runtime, and don't wait.
pub trait Witness: Send + Sync + std::fmt::Debug {
    /// A child runs; `command` is its program with all arguments, quoted for a shell.
    fn started(&self, pid: Option<u32>, command: &str);

    /// A child is gone, reaped. `status` is `None` where the system didn't tell; `ours` where we stopped it; `stderr` are the last lines that it
    /// wrote.
    fn ended(&self, pid: Option<u32>, status: Option<ExitStatus>, ours: bool, stderr: &[String]);
}

/// A program and its arguments as a line for a shell.
pub(crate) fn line<'a>(words: impl Iterator<Item = &'a OsStr>) -> String {
    let quoted: Vec<String> = words.map(quoted).collect();
    quoted.join(" ")
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |sign: char| sign.is_ascii_alphanumeric() || "-_./:=,+@%".contains(sign);
    if !word.is_empty() && word.chars().all(plain) {
        return word.into_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_can_be_typed() {
        let words = ["/usr/bin/ffmpeg", "-i", "file:it's a.mov", "", "a=b;c"].map(OsStr::new);
        let expected = r"/usr/bin/ffmpeg -i 'file:it'\''s a.mov' '' 'a=b;c'";
        assert_eq!(line(words.into_iter()), expected);
    }
}
