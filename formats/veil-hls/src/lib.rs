//! HLS playlists and CMAF fragments: parse, cut, write, rewrite.

pub mod template;
