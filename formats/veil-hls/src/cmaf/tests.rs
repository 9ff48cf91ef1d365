//! Tests of the splitter on streams that are built here, box by box.

use proptest::prelude::*;

use super::*;

fn make_box(kind: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let size = u32::try_from(body.len() + 8).unwrap();
    [&size.to_be_bytes(), &kind[..], &body].concat()
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

/// A `moov` with an edit list of `(duration, media time)`.
fn moov(timescale: u32, entry: &[u8], edits: &[(u32, u32)]) -> Vec<u8> {
    let mdhd = make_box(b"mdhd", &[&words(&[0, 0, 0, timescale, 0, 0])]);
    let stsd = make_box(b"stsd", &[&words(&[0, 1]), entry]);
    let minf = make_box(b"minf", &[&make_box(b"stbl", &[&stsd])]);
    let mdia = make_box(b"mdia", &[&mdhd, &minf]);
    let entries: Vec<u32> =
        edits.iter().flat_map(|&(duration, time)| [duration, time, 0x1_0000]).collect();
    let count = u32::try_from(edits.len()).unwrap();
    let elst = make_box(b"elst", &[&words(&[0, count]), &words(&entries)]);
    let edts = if edits.is_empty() { vec![] } else { make_box(b"edts", &[&elst]) };
    // A quarter turn, as a telephone notes it.
    let turned = words(&[0, 0x1_0000, 0, 0xffff_0000, 0, 0, 0, 0, 0x4000_0000]);
    let tkhd = make_box(b"tkhd", &[&words(&[3, 0, 0, 1, 0, 0]), &[0; 16], &turned, &[0; 8]]);
    let trak = make_box(b"trak", &[&tkhd, &edts, &mdia]);
    let trex = make_box(b"trex", &[&words(&[0, 1, 1, 0, 0, 0])]);
    let mvhd = make_box(b"mvhd", &[&words(&[0, 0, 0, 1000, 0])]);
    make_box(b"moov", &[&mvhd, &trak, &make_box(b"mvex", &[&trex])])
}

fn video_init() -> Vec<u8> {
    let avcc = make_box(b"avcC", &[&[1, 0x64, 0, 0x1f, 0xff, 0xe1, 0, 0]]);
    let size = [1280_u16.to_be_bytes(), 720_u16.to_be_bytes()].concat();
    let entry = make_box(b"avc1", &[&[0; 24], &size, &[0; 50], &avcc]);
    [make_box(b"ftyp", &[b"iso6\0\0\0\0cmfc"]), moov(1000, &entry, &[])].concat()
}

fn audio_init(edits: &[(u32, u32)]) -> Vec<u8> {
    let config = [5, 2, 0x11, 0x90];
    let decoder = [&[4, 0x80, 0x80, 0x80, 17, 0x40, 0x15][..], &[0; 11], &config].concat();
    let es = [&[3, 27, 0, 1, 0][..], &decoder, &[6, 1, 2]].concat();
    let esds = make_box(b"esds", &[&[0; 4], &es]);
    let fields = [&[0; 16][..], &[0, 2, 0, 16, 0, 0, 0, 0], &words(&[48_000 << 16])].concat();
    let entry = make_box(b"mp4a", &[&fields, &esds]);
    [make_box(b"ftyp", &[b"iso6"]), moov(48_000, &entry, edits)].concat()
}

/// A fragment with samples of `(duration, composition offset)`, each of three bytes.
fn fragment(start: u64, sync: bool, version: u8, samples: &[(u32, i32)]) -> Vec<u8> {
    let tfhd = make_box(b"tfhd", &[&words(&[0x2_0038, 1, 0, 3, 0x101_0000])]);
    let tfdt = make_box(b"tfdt", &[&words(&[0x100_0000]), &start.to_be_bytes()]);
    let first_flags = if sync { 0x200_0000 } else { 0x101_0000 };
    let count = u32::try_from(samples.len()).unwrap();
    let head = [u32::from(version) << 24 | 0x905, count, 0, first_flags];
    let table: Vec<u32> =
        samples.iter().flat_map(|&(length, offset)| [length, offset.cast_unsigned()]).collect();
    let trun = make_box(b"trun", &[&words(&head), &words(&table)]);
    let traf = make_box(b"traf", &[&tfhd, &tfdt, &trun]);
    let moof = make_box(b"moof", &[&make_box(b"mfhd", &[&[0; 8]]), &traf]);
    [moof, make_box(b"mdat", &[&vec![7; samples.len() * 3]])].concat()
}

/// Eight seconds of video at 10 frames a second, keyframes each second, fragments of 0.5 s.
fn video(version: u8, first_offset: i32) -> Vec<u8> {
    let mut stream = video_init();
    for half in 0..16_u64 {
        stream.extend(make_box(b"emsg", &[b"dropped"]));
        let offsets = [0, 100, -100, 0, 0].map(|offset| (100, offset + first_offset));
        stream.extend(fragment(half * 500, half % 2 == 0, version, &offsets));
    }
    stream.extend(make_box(b"mfra", &[&[0; 40]]));
    stream
}

fn split(stream: &[u8], chunk: usize) -> Result<Vec<Piece>, CmafError> {
    let mut splitter = Splitter::new(SEGMENT_TARGET_US);
    let mut pieces = Vec::new();
    for part in stream.chunks(chunk) {
        splitter.push(part, &mut pieces)?;
    }
    pieces.push(splitter.finish()?);
    Ok(pieces)
}

fn timings(pieces: &[Piece]) -> Vec<(u64, u64)> {
    pieces
        .iter()
        .filter_map(|piece| match piece {
            Piece::Segment { start_us, duration_us, .. } => Some((*start_us, *duration_us)),
            Piece::Init { .. } => None,
        })
        .collect()
}

#[track_caller]
fn refused(stream: &[u8], expected: &str) {
    let error = split(stream, 1 << 16).expect_err("the stream is refused");
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn video_is_cut_at_the_first_sync_sample_of_every_second_second() {
    let pieces = split(&video(1, 0), usize::MAX).unwrap();
    let two = 2_000_000;
    assert_eq!(timings(&pieces), [(0, two), (two, two), (2 * two, two), (3 * two, two)]);
    let Piece::Init { bytes, info } = &pieces[0] else { panic!("the init segment comes first") };
    assert_eq!(bytes.len(), video_init().len());
    assert_eq!(info.codecs, "avc1.64001f");
    assert_eq!(info.media, Media::Video { width: 1280, height: 720 });
}

#[test]
fn boxes_that_players_have_no_use_for_are_dropped() {
    for piece in split(&video(1, 0), usize::MAX).unwrap() {
        let (Piece::Segment { bytes, .. } | Piece::Init { bytes, .. }) = piece;
        for dropped in [b"emsg", b"mfra"] {
            assert!(!bytes.windows(4).any(|window| window == dropped));
        }
    }
}

#[test]
fn the_first_composition_offset_is_taken_out_of_every_sample() {
    let still = split(&video(1, 0), usize::MAX).unwrap();
    assert_eq!(split(&video(1, 200), usize::MAX).unwrap(), still);
    assert_eq!(split(&video(1, -300), usize::MAX).unwrap(), still);
    assert_eq!(split(&video(0, 100), usize::MAX).unwrap(), still, "version 0 becomes version 1");
}

#[test]
fn a_late_keyframe_makes_a_long_segment_and_the_next_cut_returns_to_the_grid() {
    let mut stream = video_init();
    for (start, sync) in [(0, true), (1000, false), (2000, false), (3000, true), (4000, true)] {
        stream.extend(fragment(start, sync, 1, &[(1000, 0)]));
    }
    let pieces = split(&stream, usize::MAX).unwrap();
    assert_eq!(timings(&pieces), [(0, 3_000_000), (3_000_000, 1_000_000), (4_000_000, 1_000_000)]);
}

#[test]
fn audio_is_cut_at_the_nearest_fragment_and_its_durations_do_not_drift() {
    let mut stream = audio_init(&[(0, 1024)]);
    let count = 200_u64;
    for index in 0..count {
        stream.extend(fragment(index * 24_576, true, 0, &[(1024, 0); 24]));
    }
    let pieces = split(&stream, usize::MAX).unwrap();
    let Piece::Init { info, .. } = &pieces[0] else { panic!("the init segment comes first") };
    assert_eq!(info.codecs, "mp4a.40.2");
    let expected = Media::Audio { channels: 2, sample_rate_hz: 48_000, priming: 1024 };
    assert_eq!(info.media, expected);
    let timings = timings(&pieces);
    for (index, (start, _)) in timings.iter().enumerate() {
        assert!(start.abs_diff(index as u64 * SEGMENT_TARGET_US) <= 256_000, "{start}");
    }
    let total: u64 = timings.iter().map(|(_, duration)| duration).sum();
    assert_eq!(total, (count * 24_576 - 1024) * 1_000_000 / 48_000);
}

#[test]
fn a_turn_of_the_source_is_not_applied_twice() {
    let pieces = split(&video(1, 2000), usize::MAX).unwrap();
    let Piece::Init { bytes, .. } = &pieces[0] else { panic!("the init segment comes first") };
    let tkhd = bytes.windows(4).position(|window| window == b"tkhd").unwrap();
    let upright = words(&[0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000]);
    assert_eq!(bytes[tkhd + 44..tkhd + 80], upright);
}

#[test]
fn a_pause_before_the_sound_moves_into_the_decode_times() {
    let mut stream = audio_init(&[(500, u32::MAX), (0, 0)]);
    for index in 0..8_u64 {
        stream.extend(fragment(index * 24_576, true, 0, &[(1024, 0); 24]));
    }
    let pieces = split(&stream, usize::MAX).unwrap();
    let Piece::Init { bytes, .. } = &pieces[0] else { panic!("the init segment comes first") };
    assert!(!bytes.windows(4).any(|window| window == b"edts"));
    let Piece::Segment { bytes, .. } = &pieces[1] else { panic!("then a media segment") };
    let tfdt = bytes.windows(4).position(|window| window == b"tfdt").unwrap();
    assert_eq!(bytes[tfdt + 8..tfdt + 16], 24_000_u64.to_be_bytes());
    // The pause belongs to the first segment, so that the playlist begins at 0.
    let timings = timings(&pieces);
    assert_eq!(timings[0].0, 0);
    let end: u64 = timings.iter().map(|(_, duration)| duration).sum();
    assert_eq!(end, 500_000 + 8 * 512_000);
    assert_eq!(timings[1].0, 500_000 + 3 * 512_000);
}

#[test]
fn streams_that_are_not_one_clean_track_are_refused_with_the_reason() {
    let init = video_init();
    let clip = fragment(0, true, 1, &[(100, 0)]);
    let with = |parts: &[&[u8]]| parts.concat();
    refused(&with(&[&clip]), "no `moov` came before it");
    refused(&with(&[&init, &init]), "has a `moov` already");
    refused(&with(&[&init, &make_box(b"mdat", &[b"x"])]), "no `moof` came before it");
    refused(&with(&[&init, &clip[..clip.len() - 11], &clip]), "`mdat` of the `moof`");
    refused(&with(&[&init, &fragment(0, false, 1, &[(9, 0)])]), "start with a sync sample");
    refused(&with(&[&init, &fragment(9, true, 1, &[(9, 0)])]), "do not start at zero");
    refused(&with(&[&init, &clip, &fragment(50, true, 1, &[(9, 0)])]), "run backwards");
    refused(&with(&[&init, &[0, 0, 0, 3], b"free"]), "size is too small");
    refused(&init, "no samples");
    refused(b"", "no samples");
    refused(&audio_init(&[(0, 1 << 16)]), "cuts the track");
    refused(&audio_init(&[(9, u32::MAX), (0, 1024)]), "both delays and cuts");
    refused(&audio_init(&[(9, u32::MAX)]), "more than a delay and a cut");
    refused(&audio_init(&[(0, 0); 4]), "more than a delay and a cut");
    refused(&audio_init(&[(u32::MAX, u32::MAX), (0, 0)]), "delays for hours");
    let wrong = make_box(b"hev1", &[]);
    refused(&moov(1000, &wrong, &[]), "codec other than");
    refused(&moov(0, &wrong, &[]), "timescale of zero");
    refused(&make_box(b"moov", &[]), "exactly one track");
    let mdat_too_long = with(&[&init, &clip[..clip.len() - 11], &make_box(b"mdat", &[b"1234"])]);
    refused(&mdat_too_long, "not the sum of its samples");
}

#[test]
fn every_limit_is_held_before_the_bytes_arrive() {
    let init = video_init();
    let header =
        |kind: &[u8; 4], size: u64| [&[0, 0, 0, 1][..], kind, &size.to_be_bytes()].concat();
    let limit = |stream: &[u8]| match split(stream, 5) {
        Err(CmafError::TooLarge { limit, .. }) => limit,
        other => panic!("{other:?}"),
    };
    assert_eq!(limit(&header(b"moov", INIT_BYTES_MAX + 1)), INIT_BYTES_MAX);
    let moof = [init.clone(), header(b"moof", MOOF_BYTES_MAX + 1)].concat();
    assert_eq!(limit(&moof), MOOF_BYTES_MAX);
    let skipped = [init.clone(), header(b"free", SEGMENT_BYTES_MAX + 1)].concat();
    assert_eq!(limit(&skipped), SEGMENT_BYTES_MAX);
    // A fragment of 65,535 samples that all take 2 KiB by default.
    let tfhd = make_box(b"tfhd", &[&words(&[0x2_0038, 1, 1, 2048, 0])]);
    let tfdt = make_box(b"tfdt", &[&words(&[0, 0])]);
    let run = |count| make_box(b"trun", &[&words(&[0, count])]);
    let moof = |runs: &[u8]| make_box(b"moof", &[&make_box(b"traf", &[&tfhd, &tfdt, runs])]);
    let bytes = 65_535 * 2048;
    let stream = [init.clone(), moof(&run(65_535)), header(b"mdat", bytes + 16)].concat();
    assert!(limit(&stream) < SEGMENT_BYTES_MAX);
    refused(&[init.clone(), moof(&run(SAMPLES_MAX + 1))].concat(), "too many samples");
    refused(&[init, moof(&run(1).repeat(RUNS_MAX + 1))].concat(), "too many `trun` boxes");
}

#[test]
fn after_an_error_everything_is_refused() {
    let mut splitter = Splitter::new(SEGMENT_TARGET_US);
    let mut pieces = Vec::new();
    assert!(splitter.push(&[0; 8], &mut pieces).is_err());
    assert_eq!(splitter.push(&video(1, 0), &mut pieces), Err(CmafError::Poisoned));
    assert_eq!(splitter.finish(), Err(CmafError::Poisoned));
    assert!(pieces.is_empty());
}

#[test]
fn a_stream_cut_anywhere_is_truncated_or_a_clean_prefix() {
    let stream = video(1, 200);
    let whole = split(&stream, usize::MAX).unwrap();
    for end in 0..stream.len() {
        let mut splitter = Splitter::new(SEGMENT_TARGET_US);
        let mut pieces = Vec::new();
        splitter.push(&stream[..end], &mut pieces).unwrap();
        assert!(whole.starts_with(&pieces), "cut at {end}");
        match splitter.finish() {
            Err(CmafError::Truncated | CmafError::Empty) => {}
            Ok(Piece::Segment { bytes, .. }) => {
                let Piece::Segment { bytes: full, .. } = &whole[pieces.len()] else { panic!() };
                assert!(full.starts_with(&bytes), "cut at {end}");
            }
            other => panic!("cut at {end}: {other:?}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_pieces_do_not_depend_on_how_the_bytes_arrive(cuts in prop::collection::vec(0_usize..4000, 0..40)) {
        let stream = video(1, 200);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(stream.len())).collect();
        cuts.sort_unstable();
        let mut splitter = Splitter::new(SEGMENT_TARGET_US);
        let mut pieces = Vec::new();
        let mut from = 0;
        for to in cuts.into_iter().chain([stream.len()]) {
            splitter.push(&stream[from..to], &mut pieces).unwrap();
            from = to;
        }
        pieces.push(splitter.finish().unwrap());
        prop_assert_eq!(pieces, split(&stream, 1).unwrap());
    }

    #[test]
    fn a_damaged_stream_never_panics(
        audio in any::<bool>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
    ) {
        let mut stream = if audio {
            [audio_init(&[(0, 1024)]), fragment(0, true, 0, &[(1024, 0); 24])].concat()
        } else {
            video(1, 200)
        };
        for (index, value) in damage {
            let at = index.index(stream.len());
            stream[at] = value;
        }
        let _ = split(&stream, 97);
    }

    #[test]
    fn random_bytes_never_panic(stream in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = split(&stream, 7);
    }
}
