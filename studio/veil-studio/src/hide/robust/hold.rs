//! Frames that wait for their slot to end.
//!
//! Owns: what of them is in memory and what in an unnamed file (decision 60). Refuses to know: what they wait for. Invariant: memory is
//! bounded, whatever the size and the number of frames.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

/// Bytes of frames that are kept in memory.
const MEMORY_BYTES: usize = 44 << 20;

/// Frames in their order, each with what was written before it.
#[derive(Default)]
pub(super) struct Hold {
    waiting: VecDeque<(Vec<u8>, Kept)>,
    in_memory: usize,
    /// Buffers that are free.
    spare: Vec<Vec<u8>>,
    file: Option<File>,
    /// Places in the file that are free, and where the next would be.
    free: Vec<u64>,
    end: u64,
}

enum Kept {
    Nothing,
    Memory(Vec<u8>),
    File { at: u64, bytes: usize },
}

/// What was held: bytes that come before a frame, and the frame.
pub(super) struct Held {
    pub(super) header: Vec<u8>,
    pub(super) frame: Option<Vec<u8>>,
}

impl Hold {
    /// Takes a frame, or what isn't one.
    pub(super) fn push(&mut self, header: Vec<u8>, frame: Option<Vec<u8>>) -> io::Result<()> {
        let kept = match frame {
            None => Kept::Nothing,
            Some(frame) if self.in_memory + frame.len() <= MEMORY_BYTES => {
                self.in_memory += frame.len();
                Kept::Memory(frame)
            }
            Some(frame) => self.put_away(frame)?,
        };
        self.waiting.push_back((header, kept));
        Ok(())
    }

    fn put_away(&mut self, frame: Vec<u8>) -> io::Result<Kept> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile()?),
        };
        let at = self.free.pop().unwrap_or_else(|| {
            let at = self.end;
            self.end += frame.len() as u64;
            at
        });
        file.write_all_at(&frame, at)?;
        let bytes = frame.len();
        self.give_back(frame);
        Ok(Kept::File { at, bytes })
    }

    /// The frame that waits longest.
    pub(super) fn pop(&mut self) -> io::Result<Option<Held>> {
        let Some((header, kept)) = self.waiting.pop_front() else { return Ok(None) };
        let frame = match kept {
            Kept::Nothing => None,
            Kept::Memory(frame) => {
                self.in_memory -= frame.len();
                Some(frame)
            }
            Kept::File { at, bytes } => {
                let mut frame = self.spare.pop().unwrap_or_default();
                frame.resize(bytes, 0);
                self.file.as_ref().ok_or(io::ErrorKind::NotFound)?.read_exact_at(&mut frame, at)?;
                self.free.push(at);
                Some(frame)
            }
        };
        Ok(Some(Held { header, frame }))
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Takes a buffer back that isn't needed any more.
    fn give_back(&mut self, buffer: Vec<u8>) {
        if self.spare.is_empty() {
            self.spare.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_back_in_their_order_from_memory_and_file() {
        let mut hold = Hold::default();
        let frame = |number: u8| vec![number; 9 << 20];
        for round in 0..2 {
            for number in 0..9 {
                hold.push(vec![number], (number != 3).then(|| frame(number + round))).unwrap();
            }
            assert!(hold.in_memory <= MEMORY_BYTES);
            for number in 0..9 {
                let held = hold.pop().unwrap().unwrap();
                assert_eq!(held.header, [number]);
                assert!(held.frame == (number != 3).then(|| frame(number + round)), "{number}");
            }
        }
        assert!(hold.pop().unwrap().is_none());
        assert_eq!((hold.in_memory, hold.end), (0, 4 * (9 << 20)), "places are used again");
    }
}
