//! Reads lines from a child without ever holding a long one.
//!
//! Owns: the bound. Refuses to know: what a line says. FFmpeg reads hostile files; once taken over,
//! it could write a line without an end.

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Longest line that is handed on; ffprobe's numbers and FFmpeg's `key=value` are below 64 bytes.
const LINE_BYTES_MAX: usize = 256;

/// Calls `take` with every line up to the end; longer ones are left out.
pub(crate) async fn each_line(
    mut reader: impl AsyncRead + Unpin,
    mut take: impl FnMut(&str),
) -> std::io::Result<()> {
    let mut buffer = vec![0; 8192];
    let mut line = Vec::with_capacity(LINE_BYTES_MAX);
    loop {
        let count = reader.read(&mut buffer).await?;
        let bytes = buffer.get(..count).unwrap_or_default();
        for byte in bytes {
            match byte {
                b'\n' => {
                    if line.len() < LINE_BYTES_MAX
                        && let Ok(text) = str::from_utf8(&line)
                    {
                        take(text);
                    }
                    line.clear();
                }
                byte if line.len() < LINE_BYTES_MAX => line.push(*byte),
                _ => {}
            }
        }
        if count == 0 {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_line_without_an_end_is_left_out() {
        let text = format!("a=1\n{}\nb=2\nrest", "x".repeat(LINE_BYTES_MAX * 100));
        let mut lines = Vec::new();
        each_line(text.as_bytes(), |line| lines.push(line.to_owned())).await.unwrap();
        assert_eq!(lines, ["a=1", "b=2"]);
    }
}
