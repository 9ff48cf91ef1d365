//! Playlists of every shape through the template: byte-exact, or refused with the line's number.

use proptest::prelude::*;

use super::*;

const VOD: &str = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n#EXT-X-PLAYLIST-TYPE:VOD\n\
    #EXT-X-MAP:URI=\"init\"\n#EXTINF:2.000000,\nseg0\n#EXTINF:2.000000,\nseg1\n#EXT-X-ENDLIST\n";

fn parse(text: &str) -> Template {
    Template::parse(text.as_bytes(), Limits::default()).unwrap()
}

/// Emits each URI as it stands in the source.
fn emit(template: &Template, variables: &[Variable<'_>]) -> Result<Vec<u8>, PlaylistError> {
    let playlists: Vec<_> = template.playlists().collect();
    let objects: Vec<_> = template.objects().collect();
    let mut out = Vec::new();
    template.emit(variables, &mut out, |target, out| {
        let reference = match target {
            Target::Playlist(at) => &playlists[at],
            Target::Object(at) => &objects[at],
        };
        out.extend_from_slice(reference.uri.as_bytes());
    })?;
    Ok(out)
}

fn identity(template: &Template) -> Vec<u8> {
    emit(template, &[]).unwrap()
}

/// Emits `<uri>` for objects and `[uri]` for playlists.
fn marked(text: &str) -> String {
    let template = parse(text);
    let (playlists, objects): (Vec<_>, Vec<_>) =
        (template.playlists().collect(), template.objects().collect());
    let mut out = Vec::new();
    let mark = |target, out: &mut Vec<u8>| {
        let text = match target {
            Target::Playlist(at) => format!("[{}]", playlists[at].uri),
            Target::Object(at) => format!("<{}>", objects[at].uri),
        };
        out.extend_from_slice(text.as_bytes());
    };
    template.emit(&[], &mut out, mark).unwrap();
    String::from_utf8(out).unwrap()
}

fn refused(text: &str, expected: PlaylistError) {
    let error = Template::parse(text.as_bytes(), Limits::default()).err();
    assert_eq!(error, Some(expected), "{text:?}");
}

#[test]
fn uri_lines_and_uri_attributes_become_slots_and_nothing_else_does() {
    let text = VOD.replace("init", "<init>").replace("seg0", "<seg0>").replace("seg1", "<seg1>");
    assert_eq!(marked(VOD), text);
    assert_eq!(parse(VOD).objects().len(), 3);
}

#[test]
fn every_tag_of_the_table_is_rewritten() {
    for (tag, attribute) in URI_TAGS {
        let text = format!("#EXTM3U\n{tag}:A=1,{attribute}=\"x/a.m3u8\",B=\"2\"");
        let expected = format!("#EXTM3U\n{tag}:A=1,{attribute}=\"[x/a.m3u8]\",B=\"2\"");
        assert_eq!(marked(&text), expected);
    }
}

#[test]
fn unknown_tags_comments_and_foreign_places_stay_as_they_are() {
    let text = "#EXTM3U\n# URI=\"a\"\n#EXT-X-FOO:URI=\"../a\"\n#EXT-X-DATERANGE:X-ASSET-URI=\"a\"\n\
        #EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"skd://a\"\n#EXT-X-MAP:URI=\"data:video/mp4;base64,AA\"\n\
        #EXT-X-KEY:METHOD=NONE\nhttps://example.com/a.ts?b={c}\n\n \t\nurn:a:b\n";
    assert_eq!(marked(text), text);
    assert_eq!(parse(text).foreign_count(), 4);
}

#[test]
fn line_ends_byte_order_mark_and_a_missing_last_line_end_survive() {
    for text in [
        "\u{feff}#EXTM3U\r\n#EXTINF:2,\r\na.ts\r\n",
        "#EXTM3U\n#EXTINF:2,\na.ts",
        "#EXTM3U\r\na.ts",
        "#EXTM3U",
        "#EXTM3U \n  a.ts  \n\n\n",
        "#EXTM3U\n#EXT-X-TWITCH:A=\"\u{1f3ac}\"\né.ts\n",
    ] {
        assert_eq!(identity(&parse(text)), text.as_bytes());
    }
    assert_eq!(marked("\u{feff}#EXTM3U\r\n  a.ts \r\n"), "\u{feff}#EXTM3U\r\n  <a.ts> \r\n");
}

#[test]
fn one_uri_is_one_object_for_byte_range_continuation() {
    let text = "#EXTM3U\n#EXT-X-MAP:URI=\"a.mp4\",BYTERANGE=\"10@0\"\n#EXT-X-BYTERANGE:10@10\na.mp4\n\
        #EXT-X-BYTERANGE:10\na.mp4\nb.mp4\n";
    let template = parse(text);
    let uris: Vec<&str> = template.objects().map(|reference| reference.uri).collect();
    assert_eq!(uris, ["a.mp4", "b.mp4"]);
    assert_eq!(identity(&template), text.as_bytes());
}

#[test]
fn a_reference_has_its_name_in_the_folder_and_what_follows_it() {
    let template = parse("#EXTM3U\na%20b.ts?c=%20#d\ne.m3u8\n");
    let object = template.objects().next().unwrap();
    assert_eq!((object.path, object.suffix), ("a b.ts", "?c=%20#d"));
    let playlist = template.playlists().next().unwrap();
    assert_eq!((playlist.path, playlist.suffix), ("e.m3u8", ""));
}

#[test]
fn what_is_no_playlist_is_refused() {
    for text in ["", "\n", "EXTM3U\n", "#EXTM3U8\n", " #EXTM3U\n", "\n#EXTM3U\n", "\u{feff}"] {
        refused(text, PlaylistError::NoHeader);
    }
    refused("\u{feff}\u{feff}#EXTM3U\n", PlaylistError::NoHeader);
    let error = Template::parse(b"#EXTM3U\n\xff", Limits::default()).err();
    assert_eq!(error, Some(PlaylistError::NotUtf8));
}

#[test]
fn a_line_that_players_read_differently_is_refused_by_its_number() {
    let line = 2;
    refused("#EXTM3U\na\rb\n", PlaylistError::AmbiguousLine { line });
    refused("#EXTM3U\na\r\r\n", PlaylistError::AmbiguousLine { line });
    refused("#EXTM3U\n#a\0\n", PlaylistError::AmbiguousLine { line });
    refused("#EXTM3U\n #EXT-X-ENDLIST\n", PlaylistError::AmbiguousLine { line });
    let fault = AttributeFault::Unquoted;
    refused("#EXTM3U\n#EXT-X-MAP:URI=a\n", PlaylistError::Attribute { line, fault });
    let fault = ReferenceFault::Escape;
    refused("#EXTM3U\n../a\n", PlaylistError::Reference { line, fault });
    refused("#EXTM3U\n#EXT-X-MAP:URI=\"/a\"\n", PlaylistError::Reference { line, fault });
    let error = PlaylistError::Reference { line, fault }.to_string();
    assert_eq!(error, "line 2 of the playlist: the URI leaves the playlist's folder");
}

#[test]
fn each_limit_is_kept() {
    let check = |limits: Limits, expected: Option<PlaylistError>| {
        assert_eq!(Template::parse(VOD.as_bytes(), limits).err(), expected);
    };
    let limits = Limits::default();
    let playlist_bytes = VOD.len();
    check(Limits { playlist_bytes, line_bytes: 24, slot_count: 3, ..limits }, None);
    let limit_bytes = playlist_bytes - 1;
    let too_long = PlaylistError::TooLong { limit_bytes };
    check(Limits { playlist_bytes: limit_bytes, ..limits }, Some(too_long));
    check(Limits { slot_count: 2, ..limits }, Some(PlaylistError::TooManyUris { limit: 2 }));
    check(Limits { line_bytes: 23, ..limits }, Some(PlaylistError::LineTooLong { line: 4 }));
}

#[test]
fn playlists_without_a_segment_and_with_ten_thousand_are_rewritten() {
    assert_eq!(marked("#EXTM3U\n#EXT-X-ENDLIST\n"), "#EXTM3U\n#EXT-X-ENDLIST\n");
    let long: String = (0..10_000).map(|i| format!("#EXTINF:2,\nseg{i}\n")).collect();
    let long = format!("#EXTM3U\n{long}#EXT-X-ENDLIST\n");
    assert_eq!(parse(&long).objects().len(), 10_000);
    assert_eq!(identity(&parse(&long)), long.as_bytes());
}

#[test]
fn what_comes_out_is_bounded() {
    let check = |emitted_bytes, expected: Result<(), PlaylistError>| {
        let limits = Limits { emitted_bytes, ..Limits::default() };
        let template = Template::parse(VOD.as_bytes(), limits).unwrap();
        assert_eq!(emit(&template, &[]).map(|_| ()), expected);
    };
    check(VOD.len(), Ok(()));
    for limit_bytes in [0, 70, VOD.len() - 1] {
        check(limit_bytes, Err(PlaylistError::EmittedTooLong { limit_bytes }));
    }
    let mut out = vec![b' '; 1000];
    let limits = Limits { emitted_bytes: VOD.len(), ..Limits::default() };
    let template = Template::parse(VOD.as_bytes(), limits).unwrap();
    let error = template.emit(&[], &mut out, |_, out| out.extend_from_slice(&[b'x'; 60]));
    assert_eq!(error, Err(PlaylistError::EmittedTooLong { limit_bytes: VOD.len() }));
}

const VARIABLES: [Variable<'static>; 2] = [("base", "https://a/"), ("q", "?b=%2F&c=")];

fn with_variables(text: &str) -> Result<String, PlaylistError> {
    emit(&parse(text), &VARIABLES).map(|bytes| String::from_utf8(bytes).unwrap())
}

#[test]
fn variables_are_defined_after_the_first_line_in_its_line_end_and_raise_the_version() {
    let check = |text: &str, expected: &str| {
        assert_eq!(with_variables(text).unwrap(), expected);
        assert_eq!(identity(&parse(text)), text.as_bytes());
    };
    let defines = "#EXT-X-DEFINE:NAME=\"base\",VALUE=\"https://a/\"\n\
        #EXT-X-DEFINE:NAME=\"q\",VALUE=\"?b=%2F&c=\"\n";
    check(
        "#EXTM3U\n#EXT-X-VERSION:7\na.ts\n",
        &format!("#EXTM3U\n{defines}#EXT-X-VERSION:8\na.ts\n"),
    );
    check(
        "#EXTM3U\n#EXT-X-VERSION:12\na.ts\n",
        &format!("#EXTM3U\n{defines}#EXT-X-VERSION:12\na.ts\n"),
    );
    check("#EXTM3U\na.ts", &format!("#EXTM3U\n#EXT-X-VERSION:8\n{defines}a.ts"));
    let crlf = format!("\u{feff}#EXTM3U\n#EXT-X-VERSION:8\n{defines}a.ts\n").replace('\n', "\r\n");
    check("\u{feff}#EXTM3U\r\na.ts\r\n", &crlf);
    check("#EXTM3U", "#EXTM3U");
}

#[test]
fn a_variable_that_the_playlist_has_or_that_no_tag_can_hold_is_refused() {
    for define in ["NAME=\"q\",VALUE=\"1\"", "IMPORT=\"q\"", "QUERYPARAM=\"q\"", "NAME=\"x"] {
        let text = format!("#EXTM3U\n#EXT-X-DEFINE:{define}\na.ts\n");
        let name = if define.ends_with('x') { "base" } else { "q" }.to_owned();
        assert_eq!(with_variables(&text), Err(PlaylistError::VariableTaken { name }), "{define}");
        assert_eq!(identity(&parse(&text)), text.as_bytes());
    }
    assert!(with_variables("#EXTM3U\n#EXT-X-DEFINE:NAME=\"x\",VALUE=\"q\"\n").is_ok());
    for bad in [("", "a"), ("a b", "c"), ("a", "\""), ("a", "b\nc")] {
        let name = bad.0.to_owned();
        assert_eq!(emit(&parse(VOD), &[bad]), Err(PlaylistError::BadVariable { name }));
    }
}

/// Lines of every kind, sound and odd.
fn any_line() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("#EXTINF:2.0,".to_owned()),
        "[a-z0-9]{1,12}(\\.m3u8|\\.m4s)?",
        "#EXT-X-(MAP|KEY|MEDIA|FOO):([A-Z]{1,5}=[a-z0-9]{0,4},){0,3}URI=\"[a-z0-9/.]{0,9}\"",
        "#.{0,30}",
        ".{0,20}",
        "https://[a-z]{1,9}/[a-z]{0,9}",
    ]
}

proptest! {
    #[test]
    fn rendering_slots_as_themselves_gives_the_source_back(
        bom in any::<bool>(),
        lines in proptest::collection::vec((any_line(), any::<bool>()), 0..30),
        cut in any::<bool>(),
    ) {
        let mut text = if bom { "\u{feff}#EXTM3U\n".to_owned() } else { "#EXTM3U\n".to_owned() };
        for (line, crlf) in lines {
            text.push_str(&line);
            text.push_str(if crlf { "\r\n" } else { "\n" });
        }
        if cut {
            text.pop();
        }
        if let Ok(template) = Template::parse(text.as_bytes(), Limits::default()) {
            prop_assert_eq!(identity(&template), text.as_bytes());
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let headed = [b"#EXTM3U\n".as_slice(), &bytes].concat();
        for bytes in [&bytes, &headed] {
            if let Ok(template) = Template::parse(bytes, Limits::default()) {
                prop_assert_eq!(&identity(&template), bytes);
            }
        }
    }
}

#[test]
fn the_duration_is_the_sum_of_what_segments_say() {
    let check = |tags: &[&str], expected_us: u64| {
        let lines: String = tags.iter().map(|tag| format!("#EXTINF:{tag}\na\n")).collect();
        let template = Template::parse(format!("#EXTM3U\n{lines}").as_bytes(), Limits::default());
        assert_eq!(template.unwrap().duration_us(), expected_us, "{tags:?}");
    };
    check(&[], 0);
    check(&["2.000000,", "2,", "1.5,a, b", "0.25"], 5_750_000);
    check(&["0.0000001,"], 1);
    check(&["1.1234560,"], 1_123_456);
    check(&["", ",", "x,", "-1,", "1.x,", "1e3,", "99999999999999999999,"], 0);
    check(&["18446744073709,", "18446744073709,"], u64::MAX);
}

#[test]
fn a_template_says_about_how_much_memory_it_takes() {
    let size = |count: usize| {
        let lines: String = (0..count).map(|i| format!("#EXTINF:2,\n{i:032x}\n")).collect();
        Template::parse(format!("#EXTM3U\n{lines}").as_bytes(), Limits::default())
            .unwrap()
            .size_bytes()
    };
    let per_segment = (size(2000) - size(1000)) / 1000;
    assert!((100..250).contains(&per_segment), "{per_segment}");
}
