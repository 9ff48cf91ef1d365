//! Stores' URLs: what they mean, and what is none.

use proptest::prelude::*;

use super::*;

fn s3(text: &str) -> S3Place {
    match StoreUrl::parse(text) {
        Ok(StoreUrl::S3(place)) => place,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn each_kind_of_store_has_the_address_that_it_expects() {
    let check = |text: &str, host: &str, folder: &str, region: &str| {
        let address = s3(text).address();
        let told = format!("{}://{}", address.endpoint.scheme(), address.endpoint.host());
        assert_eq!(
            (told.as_str(), &*address.folder, &*address.region),
            (host, folder, region),
            "{text}"
        );
    };
    check("s3://videos", "https://videos.s3.us-east-1.amazonaws.com", "/", "us-east-1");
    check(
        "s3://videos/a/b/?region=eu-west-1",
        "https://videos.s3.eu-west-1.amazonaws.com",
        "/a/b/",
        "eu-west-1",
    );
    check(
        "s3://videos?region=cn-north-1",
        "https://videos.s3.cn-north-1.amazonaws.com.cn",
        "/",
        "cn-north-1",
    );
    check("s3://my.videos/v", "https://s3.us-east-1.amazonaws.com", "/my.videos/v/", "us-east-1");
    check(
        "s3://videos/v?style=path",
        "https://s3.us-east-1.amazonaws.com",
        "/videos/v/",
        "us-east-1",
    );
    let r2 = "https://0123456789abcdef.r2.cloudflarestorage.com";
    check(&format!("s3://videos/v?endpoint={r2}"), r2, "/videos/v/", "auto");
    check(
        "s3://videos?endpoint=http://127.0.0.1:3900&region=garage",
        "http://127.0.0.1:3900",
        "/videos/",
        "garage",
    );
    check(
        "s3://videos?endpoint=http://nas.local:9000&style=virtual",
        "http://videos.nas.local:9000",
        "/",
        "us-east-1",
    );
    check(
        "s3://videos?endpoint=https%3A%2F%2Fceph.example.org%2F",
        "https://ceph.example.org",
        "/videos/",
        "us-east-1",
    );
}

#[test]
fn a_text_is_written_back_with_its_parameters_in_one_order() {
    let check = |text: &str, expected: &str| {
        let url = StoreUrl::parse(text).unwrap();
        assert_eq!(url.to_string(), expected);
        assert_eq!(StoreUrl::parse(expected).unwrap(), url);
    };
    check("s3://videos/", "s3://videos");
    check("s3://videos/a/b/", "s3://videos/a/b");
    check(
        "s3://v?profile=a%20b&style=path&region=auto&endpoint=https://HOST:443/",
        "s3://v?endpoint=https://host&region=auto&style=path&profile=a%20b",
    );
    check("file:///a%20b/%C3%A9", "file:///a%20b/%C3%A9");
    check("/a b/é", "file:///a%20b/%C3%A9");
    check("a/b", "a/b");
}

#[test]
fn what_names_no_store_is_refused() {
    let check = |text: &str, expected| assert_eq!(StoreUrl::parse(text), Err(expected), "{text}");
    for text in ["", "https://videos.s3.amazonaws.com", "gs://videos", "S3://videos", "a\0b"] {
        check(text, StoreUrlError::Scheme);
    }
    for text in [
        "s3://AKIA:secret@videos",
        "s3://key@videos/v",
        "s3://v?secret_access_key=s",
        "s3://v?AWSAccessKeyId=a&x-amz-security-token=t",
        "s3://v?endpoint=https://a:b@host",
    ] {
        check(text, StoreUrlError::Credential);
    }
    for text in ["s3://", "s3:///v", "s3://..", "s3://v v", "s3://é"] {
        check(text, StoreUrlError::Bucket);
    }
    for text in [
        "s3://v//a",
        "s3://v/a//",
        "s3://v//",
        "s3://v/../a",
        "s3://v/a%20b",
        "s3://v/a b",
        "s3://v/#",
    ] {
        check(text, StoreUrlError::Prefix);
    }
    for text in ["s3://v?endpoint=", "s3://v?endpoint=host", "s3://v?endpoint=https://host/path"] {
        check(text, StoreUrlError::Endpoint);
    }
    for text in ["s3://v?region=", "s3://v?region=a/b", "s3://v?region=a%0Ab"] {
        check(text, StoreUrlError::Region);
    }
    check("s3://v?style=dns", StoreUrlError::Style);
    for text in
        ["s3://v?profile=", "s3://v?profile=%20a", "s3://v?profile=a%5D", "s3://v?profile=a%0A"]
    {
        check(text, StoreUrlError::Profile);
    }
    for text in ["s3://v?acl=public", "s3://v?region=a&region=b", "s3://v?region=%zz"] {
        check(text, StoreUrlError::Parameter);
    }
    for text in ["file://host/a", "file://", "file://a", "file:///%00", "file:///%zz"] {
        check(text, StoreUrlError::Folder);
    }
}

#[test]
fn no_error_repeats_what_was_given() {
    for text in ["s3://AKIA:hush@v", "s3://v?token=hush", "s3://hush hush", "https://hush"] {
        let error = StoreUrl::parse(text).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hush"));
    }
}

#[test]
fn settings_fill_what_a_place_leaves_open_and_nothing_else() {
    let own = Endpoint::parse("http://nas:9000").unwrap();
    let filled = s3("s3://v").with_defaults(Some(own.clone()), Some("garage"));
    assert_eq!(filled.to_string(), "s3://v?endpoint=http://nas:9000&region=garage");
    let text = "s3://v?endpoint=https://host&region=auto";
    assert_eq!(s3(text).with_defaults(Some(own), Some("garage")).to_string(), text);
    let r2 = "s3://v?endpoint=https://a.r2.cloudflarestorage.com";
    assert_eq!(s3(r2).with_defaults(None, Some("eu-west-1")).address().region, "auto");
    assert_eq!(s3("s3://v").with_defaults(None, Some("a b")).address().region, "us-east-1");
}

#[test]
fn a_place_is_the_same_by_another_region_or_credential_and_no_other_by_another_folder() {
    assert!(s3("s3://v/a?region=x").is_same_place(&s3("s3://v/a/?profile=p")));
    assert!(!s3("s3://v/a").is_same_place(&s3("s3://v/b")));
    assert!(!s3("s3://v/a").is_same_place(&s3("s3://v/a?endpoint=https://host")));
}

proptest! {
    #[test]
    fn whatever_parses_writes_itself_back(
        text in "(s3|file)://[a-z/.]{0,12}(\\?(endpoint=https?://[a-z:0-9]{1,8}|region=[a-z-]{1,4}|style=path|profile=[a-z %0-9]{1,6}|&){0,4})?"
    ) {
        if let Ok(url) = StoreUrl::parse(&text) {
            prop_assert_eq!(StoreUrl::parse(&url.to_string()), Ok(url));
        }
    }
}
