//! A playlist with variables means to hls.js what the same playlist with whole URLs means.

use std::path::Path;

use serde_json::{Value, json};
use veil_hls::template::{Limits, Target, Template, Variable};
use veil_hls::write::{ByteRange, FileSegmentLine, SegmentLine, file_playlist, media_playlist};
use veil_testkit::oracle;

const VARIABLES: [Variable<'static>; 2] = [
    ("veil-base", "https://0123456789abcdef.r2.cloudflarestorage.com/b%20c/t/0011223344556677/"),
    (
        "veil-query",
        "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=id%2F20261120%2Fauto%2Fs3%2Faws4_request\
         &X-Amz-Date=20261120T101602Z&X-Amz-Expires=16200&X-Amz-SignedHeaders=host&X-Amz-Signature=",
    ),
];

/// Emits each object as what stands before it, its name, and what stands after it.
fn emit(playlist: &str, variables: &[Variable<'_>], before: &str, after: &str) -> String {
    let template = Template::parse(playlist.as_bytes(), Limits::default()).unwrap();
    let names: Vec<&str> = template.objects().map(|object| object.uri).collect();
    let mut out = Vec::new();
    let write = |target, out: &mut Vec<u8>| {
        let (Target::Object(at) | Target::Playlist(at)) = target;
        out.extend_from_slice(format!("{before}{}{after}{at:064x}", names[at]).as_bytes());
    };
    template.emit(variables, &mut out, write).unwrap();
    String::from_utf8(out).unwrap()
}

/// A playlist over one file, as ours are written.
fn single_file() -> String {
    let range = |offset_bytes| ByteRange { length_bytes: 1000, offset_bytes };
    let segment = |at: u64| FileSegmentLine { range: range(1000 * at), duration_us: 2_000_000 };
    let segments: Vec<_> = (1..4).map(segment).collect();
    file_playlist(&"0".repeat(32), range(0), &segments)
}

#[test]
fn hls_js_reads_variables_as_whole_urls() {
    let names: Vec<String> = (0..20).map(|at| format!("{at:032x}")).collect();
    let segments: Vec<_> =
        names.iter().map(|uri| SegmentLine { uri, duration_us: 2_000_000 }).collect();
    let ours = media_playlist(Some("ffff"), &segments);
    let crlf = ours.replace('\n', "\r\n");
    let ranges = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MAP:URI=\"a\",BYTERANGE=\"9@0\"\n\
        #EXTINF:2,\n#EXT-X-BYTERANGE:9@9\na\n#EXTINF:2,\n#EXT-X-BYTERANGE:9\na\n#EXT-X-ENDLIST\n";
    let file = single_file();
    let sources = [ours.as_str(), &crlf, ranges, &file];
    let [(_, before), (_, after)] = VARIABLES;
    let whole = sources.map(|source| emit(source, &[], before, after));
    let compact = sources.map(|source| emit(source, &VARIABLES, "{$veil-base}", "{$veil-query}"));
    assert!(compact[0].len() * 2 < whole[0].len());

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracles/hls.mjs");
    let cases: Vec<&String> = whole.iter().chain(&compact).collect();
    let read = oracle(&script, &json!({ "cases": cases }));
    for (at, source) in sources.iter().enumerate() {
        let (whole, compact) = (&read[at], &read[at + sources.len()]);
        assert_eq!(whole["error"], Value::Null);
        for part in ["error", "map", "segments"] {
            assert_eq!(whole[part], compact[part], "{source}");
        }
        assert_eq!(compact["version"], 8);
        assert!(whole["map"].as_str().unwrap().starts_with(before));
    }
    let ranges: Vec<&Value> = read[3]["segments"].as_array().unwrap().iter().collect();
    let places = ranges.iter().map(|segment| &segment["byteRange"]);
    assert!(places.eq([json!([1000, 2000]), json!([2000, 3000]), json!([3000, 4000])].iter()));
}
