//! Mark: bare frames in, each in two variants out.
//!
//! What a mark is: `docs/format/mark.md`, `veil_stego::mark`. Owns the threads between the run that decodes and the two that encode.
//! Refuses to know FFmpeg and keys. Invariant: both encoders get every frame, in order; memory holds a few frames, whatever the
//! length, since who reads waits for the slower of both.

use std::io::{self, Read, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Scope, ScopedJoinHandle};

use veil_ffmpeg::Slots;
use veil_stego::mark::Marker;

use crate::StudioError;
use crate::trace::likeness::{Likeness, Onlooker};

/// Frames that wait for an encoder.
const WAITING: usize = 2;

/// What is marked, and how.
pub struct Marked {
    /// Puts the mark into planes of luma.
    pub marker: Marker,
    /// Sees what the picture looks like.
    pub onlooker: Onlooker,
    /// How the picture is divided.
    pub slots: Slots,
    /// Samples of luma, the beginning of a frame.
    pub luma_bytes: usize,
    /// Bytes of a frame.
    pub frame_bytes: usize,
}

/// Marks every frame of `source` and hands it to both `sinks`; returns what they looked like.
///
/// # Errors
/// [`StudioError::Pipe`] when an end fails or the frames end in the middle of one.
pub fn run<S: Write + Send>(
    mut marked: Marked,
    mut source: impl Read,
    sinks: [S; 2],
) -> Result<Likeness, StudioError> {
    std::thread::scope(|scope| {
        let [first, second] = sinks.map(|sink| Writer::start(scope, sink, marked.frame_bytes));
        let passed = pass(&mut marked, &mut source, [&first, &second]);
        // Whoever closed a pipe has more to say than who wrote to it.
        let ended = [first.finish(), second.finish()];
        passed?;
        ended.into_iter().collect::<Result<(), _>>()?;
        Ok(marked.onlooker.finish())
    })
    .map_err(StudioError::Pipe)
}

fn pass(marked: &mut Marked, source: &mut impl Read, to: [&Writer<'_>; 2]) -> io::Result<()> {
    let mut frame = vec![0; marked.frame_bytes];
    let mut count = 0;
    while read_frame(source, &mut frame)? {
        let slot = u32::try_from(marked.slots.slot_of(count)).map_err(io::Error::other)?;
        let (luma, chroma) = frame.split_at(marked.luma_bytes);
        marked.onlooker.push(marked.slots.time_us(count), luma);
        let [mut first, mut second] = [to[0].buffer()?, to[1].buffer()?];
        for one in [&mut first, &mut second] {
            one[marked.luma_bytes..].copy_from_slice(chroma);
        }
        let planes = [&mut first[..marked.luma_bytes], &mut second[..marked.luma_bytes]];
        let [plane, twin] = planes;
        marked.marker.mark(slot, luma, plane, twin);
        to[0].send(first)?;
        to[1].send(second)?;
        count += 1;
    }
    Ok(())
}

/// Reads one frame; `false` where the stream ends before it.
fn read_frame(source: &mut impl Read, frame: &mut [u8]) -> io::Result<bool> {
    let mut filled = 0;
    while filled < frame.len() {
        match source.read(&mut frame[filled..]) {
            Ok(0) if filled == 0 => return Ok(false),
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

/// A thread that writes frames to an encoder, and hands their memory back.
struct Writer<'s> {
    frames: SyncSender<Vec<u8>>,
    spare: Receiver<Vec<u8>>,
    thread: ScopedJoinHandle<'s, io::Result<()>>,
}

impl<'s> Writer<'s> {
    fn start<'e, S: Write + Send + 's>(
        scope: &'s Scope<'s, 'e>,
        mut sink: S,
        frame_bytes: usize,
    ) -> Self {
        let (frames, waiting) = sync_channel::<Vec<u8>>(WAITING);
        // One frame is being written and one is being marked while the others wait.
        let (back, spare) = sync_channel(WAITING + 2);
        for _ in 0..WAITING + 2 {
            let _ = back.send(vec![0; frame_bytes]);
        }
        let thread = scope.spawn(move || {
            for frame in waiting {
                sink.write_all(&frame)?;
                let _ = back.send(frame);
            }
            sink.flush()
        });
        Self { frames, spare, thread }
    }

    /// Memory for a frame, once there is some.
    fn buffer(&self) -> io::Result<Vec<u8>> {
        self.spare.recv().map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    fn send(&self, frame: Vec<u8>) -> io::Result<()> {
        self.frames.send(frame).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    /// Closes the encoder's pipe behind the last frame.
    fn finish(self) -> io::Result<()> {
        drop(self.frames);
        self.thread.join().unwrap_or_else(|_| Err(io::Error::other("a writer of frames gave up")))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use veil_ffmpeg::probe::Rate;
    use veil_stego::mark::{Strength, TracingKey};
    use veil_stego::{Depth, Picture};

    use super::*;

    const WIDTH: u32 = 64;
    const HEIGHT: u32 = 48;
    const LUMA_BYTES: usize = (WIDTH * HEIGHT) as usize;
    const FRAME_BYTES: usize = LUMA_BYTES * 3 / 2;

    /// Takes so many bytes, and closes then.
    #[derive(Clone, Default)]
    struct Sink {
        taken: Arc<Mutex<Vec<u8>>>,
        most: Option<usize>,
    }

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut taken = self.taken.lock().unwrap();
            if self.most.is_some_and(|most| taken.len() >= most) {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            taken.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn marked() -> Marked {
        let picture = Picture::new(WIDTH, HEIGHT, Depth::Eight, true).unwrap();
        Marked {
            marker: Marker::new(&TracingKey::new([7; 32]), picture, Strength::Standard),
            onlooker: Onlooker::new(picture),
            slots: Slots::new(Rate { num: 5, den: 1 }, Some(60_000_000)),
            luma_bytes: LUMA_BYTES,
            frame_bytes: FRAME_BYTES,
        }
    }

    /// Frames of one picture with something in it; their chroma says which they are.
    fn frames(count: usize) -> Vec<u8> {
        let luma = |at: usize| 60 + u8::try_from(at * 7 % 101).unwrap();
        let frame = |number: usize| {
            let chroma =
                std::iter::repeat_n(u8::try_from(number).unwrap(), FRAME_BYTES - LUMA_BYTES);
            (0..LUMA_BYTES).map(luma).chain(chroma).collect::<Vec<u8>>()
        };
        (0..count).flat_map(frame).collect()
    }

    #[test]
    fn both_encoders_get_every_frame_and_the_mark_changes_with_the_slot() {
        let source = frames(12);
        let sinks = [Sink::default(), Sink::default()];
        let seen = run(marked(), source.as_slice(), sinks.clone()).unwrap();
        assert_eq!(seen.steps.len(), 5, "twelve frames are 2.4 s");
        let [first, second] = sinks.map(|sink| sink.taken.lock().unwrap().clone());
        assert_eq!((first.len(), second.len()), (source.len(), source.len()));
        let luma = |bytes: &[u8], at: usize| bytes[at * FRAME_BYTES..][..LUMA_BYTES].to_vec();
        for at in 0..12 {
            let chroma = at * FRAME_BYTES + LUMA_BYTES..(at + 1) * FRAME_BYTES;
            assert_eq!(
                (&first[chroma.clone()], &second[chroma.clone()]),
                (&source[chroma.clone()], &source[chroma])
            );
            assert_ne!(luma(&first, at), luma(&second, at), "frame {at}");
            assert_eq!(luma(&first, at) == luma(&first, 0), at < 5, "frame {at}");
        }
    }

    #[test]
    fn frames_that_end_too_early_and_an_encoder_that_closes_are_told() {
        let source = frames(40);
        let sinks = [Sink::default(), Sink::default()];
        let cut = run(marked(), &source[..source.len() - 1], sinks).unwrap_err();
        assert!(
            matches!(cut, StudioError::Pipe(error) if error.kind() == io::ErrorKind::UnexpectedEof)
        );
        let closing = Sink { most: Some(FRAME_BYTES), ..Sink::default() };
        let closed = run(marked(), source.as_slice(), [Sink::default(), closing]).unwrap_err();
        assert!(
            matches!(closed, StudioError::Pipe(error) if error.kind() == io::ErrorKind::BrokenPipe)
        );
        let nothing = run(marked(), io::empty(), [Sink::default(), Sink::default()]);
        assert_eq!(nothing.unwrap(), Likeness::default());
    }
}
