//! Pipes that hold more than they do by themselves.

use std::fs::File;

/// As much as anybody may ask for (`/proc/sys/fs/pipe-max-size`): 16 times what a pipe holds by itself.
const PIPE_BYTES: usize = 1 << 20;

/// Lets a pipe hold more, so that both ends wait for each other less often. What is no pipe, or may not, stays as it is.
pub(super) fn widen(file: &File) {
    let _as_it_was = rustix::pipe::fcntl_setpipe_size(file, PIPE_BYTES);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_holds_more_and_a_file_is_left_alone() {
        let (reader, writer) = std::io::pipe().unwrap();
        let writer = File::from(std::os::fd::OwnedFd::from(writer));
        widen(&writer);
        assert_eq!(rustix::pipe::fcntl_getpipe_size(&reader).unwrap(), PIPE_BYTES);
        widen(&tempfile::tempfile().unwrap());
    }
}
