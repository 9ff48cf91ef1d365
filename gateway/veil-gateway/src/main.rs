//! The blind gateway: signs playlists, serves sealed objects and the watch page.
fn main() {}
