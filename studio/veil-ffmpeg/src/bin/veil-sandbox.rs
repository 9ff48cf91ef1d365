//! The helper that the integration tests confine children with: enters the sandbox, or does nothing.

fn main() {
    veil_ffmpeg::sandbox::enter_if_asked();
}
