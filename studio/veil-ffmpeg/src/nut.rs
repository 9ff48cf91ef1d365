//! The frames in a NUT stream, as it passes by.
//!
//! Between a decoder and an encoder the pictures go through us, and everything that belongs to them (times, sizes, formats) has to
//! come out as it went in. FFmpeg writes and reads NUT (the format's specification is nut.txt of the NUT project, version 4); so the stream is
//! passed on byte for byte, and only the samples within a frame are changed. Owns: where frames begin and end, and when they are shown. Refuses
//! to know: what a frame's bytes mean, codecs. Invariant: header and payload of all pieces, one behind the other, are the stream.

use std::io::{self, BufReader, Read};

use self::clock::{Clock, signed};

mod clock;

/// What every NUT file begins with.
const FILE_ID: &[u8; 25] = b"nut/multimedia container\0";

/// All start codes begin with it, so no frame does.
const START_BYTE: u8 = b'N';
const MAIN_STARTCODE: u64 = 0x4e4d_7a56_1f5f_04ad;
const STREAM_STARTCODE: u64 = 0x4e53_1140_5bf2_f9db;
const SYNC_POINT_STARTCODE: u64 = 0x4e4b_e4ad_eeca_4569;

/// Longest packet that isn't a frame: headers of one stream have some hundred bytes, an index (which a pipe has none of) more.
const PACKET_BYTES_MAX: u64 = 1 << 20;
/// Longest frame: 16K of 16-bit RGB.
const FRAME_BYTES_MAX: u64 = 1 << 30;

/// A frame is given room for so many bytes at a time, as they come: whoever says that it is long has to send it too.
const STEP_BYTES: usize = 16 << 20;

/// Frames' memory that is kept at most.
const SPARE_MAX: usize = 2;

/// A packet's header has a checksum of its own where its body is longer.
const LONG_PACKET_BYTES: u64 = 4096;
const CHECKSUM_BYTES: usize = 4;

/// Flags of a frame code (§3.4 of the specification).
mod flag {
    pub(super) const CODED_PTS: u64 = 1 << 3;
    pub(super) const STREAM_ID: u64 = 1 << 4;
    pub(super) const SIZE_MSB: u64 = 1 << 5;
    pub(super) const CHECKSUM: u64 = 1 << 6;
    pub(super) const RESERVED: u64 = 1 << 7;
    pub(super) const SIDE_DATA: u64 = 1 << 8;
    pub(super) const HEADER_INDEX: u64 = 1 << 10;
    pub(super) const MATCH_TIME: u64 = 1 << 11;
    pub(super) const CODED: u64 = 1 << 12;
    pub(super) const INVALID: u64 = 1 << 13;
}

/// A part of the stream.
#[derive(Debug)]
pub struct Piece {
    /// Bytes that are no frame's: headers, or a frame's own header.
    pub header: Vec<u8>,
    /// The frame's bytes; `None` for what isn't a frame.
    pub frame: Option<Vec<u8>>,
    /// When the frame is shown, in microseconds of the stream's clock.
    pub time_us: i64,
}

/// Takes a stream apart.
pub struct Frames<R> {
    input: BufReader<R>,
    /// What was read of the present piece's header.
    read: Vec<u8>,
    codes: Vec<FrameCode>,
    clock: Clock,
    began: bool,
    /// Memory for frames that wasn't needed yet: most of what FFmpeg writes between two of them takes none.
    spare: Vec<Vec<u8>>,
}

/// What a frame's first byte stands for.
#[derive(Clone, Copy, Debug, Default)]
struct FrameCode {
    flags: u64,
    time_step: i64,
    size_mul: u64,
    size_lsb: u64,
    reserved: u64,
    header_index: u64,
}

fn damaged(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

impl<R: Read> Frames<R> {
    /// Reads from `input`.
    pub fn new(input: R) -> Self {
        let (input, clock) = (BufReader::new(input), Clock::default());
        let (read, codes, spare) = (Vec::new(), Vec::new(), Vec::new());
        Self { input, read, codes, clock, began: false, spare }
    }

    /// The next piece; `None` at the end of the stream. `frame` is memory to use for a frame.
    ///
    /// # Errors
    /// `InvalidData` for what isn't NUT as FFmpeg writes it, `UnexpectedEof` for a stream that was cut, and those of the input.
    pub fn next(&mut self, frame: Vec<u8>) -> io::Result<Option<Piece>> {
        self.read.clear();
        if frame.capacity() > 0 && self.spare.len() < SPARE_MAX {
            self.spare.push(frame);
        }
        if !self.began {
            self.began = true;
            self.take(FILE_ID.len())?;
            if self.read != FILE_ID {
                return Err(damaged("not a NUT stream"));
            }
            return Ok(Some(self.piece(None)));
        }
        let mut first = [0];
        if self.input.read(&mut first)? == 0 {
            return Ok(None);
        }
        self.read.push(first[0]);
        if first[0] == START_BYTE {
            self.packet()?;
            return Ok(Some(self.piece(None)));
        }
        let bytes = self.frame_header(first[0])?;
        let spare = self.spare.pop().unwrap_or_default();
        let frame = self.payload(bytes, spare)?;
        Ok(Some(self.piece(Some(frame))))
    }

    fn piece(&mut self, frame: Option<Vec<u8>>) -> Piece {
        let time_us = self.clock.time_us();
        Piece { header: std::mem::take(&mut self.read), frame, time_us }
    }

    /// Reads `count` more bytes of the header.
    fn take(&mut self, count: usize) -> io::Result<&[u8]> {
        let start = self.read.len();
        self.read.resize(start + count, 0);
        self.input.read_exact(&mut self.read[start..])?;
        Ok(&self.read[start..])
    }

    /// A number of seven bits a byte, highest first.
    fn number(&mut self) -> io::Result<u64> {
        let mut number = 0_u64;
        loop {
            let byte = self.take(1)?[0];
            let high =
                number.checked_mul(128).ok_or_else(|| damaged("a NUT number is too long"))?;
            number = high | u64::from(byte & 0x7f);
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
    }

    /// A packet that isn't a frame: start code, length, body.
    fn packet(&mut self) -> io::Result<()> {
        self.take(7)?;
        let code = self.read.iter().fold(0_u64, |code, byte| code << 8 | u64::from(*byte));
        let length = self.number()?;
        if length > PACKET_BYTES_MAX {
            return Err(damaged("a NUT header is longer than 1 MiB"));
        }
        if length > LONG_PACKET_BYTES {
            self.take(CHECKSUM_BYTES)?;
        }
        let body = self.read.len();
        let length = usize::try_from(length).map_err(|_| damaged("a NUT header is too long"))?;
        self.take(length)?;
        let (body, clock) = (&self.read[body..], &mut self.clock);
        let senseless = || damaged("a NUT header makes no sense");
        match code {
            MAIN_STARTCODE => self.codes = frame_codes(body, clock).ok_or_else(senseless)?,
            STREAM_STARTCODE => clock.stream_header(body).ok_or_else(senseless)?,
            SYNC_POINT_STARTCODE => clock.sync_point(body).ok_or_else(senseless)?,
            _ => {}
        }
        Ok(())
    }

    /// A frame's header; returns the length of its payload.
    fn frame_header(&mut self, first: u8) -> io::Result<u64> {
        let code = self.codes.get(usize::from(first)).copied();
        let code = code.ok_or_else(|| damaged("a NUT frame before the main header"))?;
        let mut flags = code.flags;
        if flags & flag::CODED != 0 {
            flags ^= self.number()?;
        }
        if flags & flag::INVALID != 0 {
            return Err(damaged("a NUT frame has no code"));
        }
        let mut optional = |has: u64, default: u64| {
            if flags & has != 0 { self.number() } else { Ok(default) }
        };
        optional(flag::STREAM_ID, 0)?;
        let coded = optional(flag::CODED_PTS, 0)?;
        let size_msb = optional(flag::SIZE_MSB, 0)?;
        optional(flag::MATCH_TIME, 0)?;
        let header_index = optional(flag::HEADER_INDEX, code.header_index)?;
        let reserved = optional(flag::RESERVED, code.reserved)?;
        // FFmpeg never leaves the beginning of a raw picture out, and puts side data beside no picture that it decoded.
        if header_index != 0 || flags & flag::SIDE_DATA != 0 || reserved > 16 {
            return Err(damaged("a NUT frame isn't a bare picture"));
        }
        match flags & flag::CODED_PTS {
            0 => self.clock.step(code.time_step),
            _ => self.clock.coded(coded),
        }
        for _ in 0..reserved {
            self.number()?;
        }
        if flags & flag::CHECKSUM != 0 {
            self.take(CHECKSUM_BYTES)?;
        }
        let bytes = size_msb.checked_mul(code.size_mul);
        let bytes = bytes.and_then(|bytes| bytes.checked_add(code.size_lsb));
        bytes
            .filter(|bytes| *bytes <= FRAME_BYTES_MAX)
            .ok_or_else(|| damaged("a NUT frame is longer than 1 GiB"))
    }

    fn payload(&mut self, bytes: u64, mut frame: Vec<u8>) -> io::Result<Vec<u8>> {
        let bytes = usize::try_from(bytes).map_err(|_| damaged("a NUT frame is too long"))?;
        let mut filled = 0;
        while filled < bytes {
            let end = bytes.min(filled + STEP_BYTES);
            if frame.len() < end {
                frame.resize(end, 0);
            }
            self.input.read_exact(&mut frame[filled..end])?;
            filled = end;
        }
        frame.truncate(bytes);
        Ok(frame)
    }
}

/// Reads the 256 frame codes and the time bases out of the main header's body (§3.2 of the specification).
fn frame_codes(body: &[u8], clock: &mut Clock) -> Option<Vec<FrameCode>> {
    let mut numbers = Numbers(body);
    let version = numbers.next()?;
    if version > 3 {
        numbers.next()?;
    }
    numbers.next()?;
    numbers.next()?;
    let bases = numbers.next()?;
    clock.main_header(&mut numbers, bases)?;
    let mut codes = Vec::new();
    let (mut time_step, mut size_mul, mut header_index) = (0, 1, 0);
    while codes.len() < 256 {
        let (flags, fields) = (numbers.next()?, numbers.next()?);
        let mut field =
            |at: u64, default: u64| if fields > at { numbers.next() } else { Some(default) };
        time_step = field(0, time_step)?;
        size_mul = field(1, size_mul)?;
        field(2, 0)?;
        let size = field(3, 0)?;
        let reserved = field(4, 0)?;
        let count = field(5, size_mul.checked_sub(size)?)?;
        field(6, 0)?;
        header_index = field(7, header_index)?;
        for _ in 8..fields.min(1 << 16) {
            numbers.next()?;
        }
        let mut size_lsb = size;
        let mut left = count;
        while left > 0 && codes.len() < 256 {
            if codes.len() == usize::from(START_BYTE) {
                codes.push(FrameCode { flags: flag::INVALID, ..FrameCode::default() });
                continue;
            }
            let time_step = signed(time_step);
            codes.push(FrameCode { flags, time_step, size_mul, size_lsb, reserved, header_index });
            size_lsb += 1;
            left -= 1;
        }
    }
    Some(codes)
}

/// Numbers of seven bits a byte, one behind the other.
struct Numbers<'a>(&'a [u8]);

impl Numbers<'_> {
    fn next(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        loop {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number = number.checked_mul(128)? | u64::from(byte & 0x7f);
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
    }
}
