//! The allocator, and giving memory back.
//!
//! Owns the choice of jemalloc (decision 30) and its settings: pages that are free for a while go back to the
//! system by themselves, and all at once when the operator asks. Refuses to know what the memory was for.

use tikv_jemalloc_ctl::{Access, AsName as _, arenas, background_thread};
use tikv_jemallocator::Jemalloc;

#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// How long free pages of an arena are kept, in milliseconds; 0 gives them back at once.
const KEPT_MS: &[u8] = b"arena.0.dirty_decay_ms\0";

/// Lets a thread of the allocator give pages back that nobody uses, even when nobody allocates.
pub(crate) fn settle() {
    if let Err(error) = background_thread::write(true) {
        tracing::debug!(%error, "the allocator has no thread of its own");
    }
}

/// Gives back every page that is free now.
pub(crate) fn release() {
    let Ok(mut kept_ms) = KEPT_MS.name().mib::<[usize; 3]>() else { return };
    for arena in 0..arenas::narenas::read().unwrap_or(0) {
        kept_ms[1] = arena as usize;
        // An arena that was never used has nothing, and says so by an error.
        if let Ok(before) = Access::<isize>::update(&kept_ms, 0) {
            let _ = Access::<isize>::write(&kept_ms, before);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::hint::black_box;

    use super::*;

    fn resident_pages() -> usize {
        let text = fs::read_to_string("/proc/self/statm").unwrap();
        text.split(' ').nth(1).unwrap().parse().unwrap()
    }

    #[test]
    fn what_was_freed_is_given_back_when_asked() {
        // Blocks of the size of a playlist, on this thread and on another.
        let fill = || {
            let blocks: Vec<Vec<u8>> = (0..4096).map(|_| vec![7; 8 << 10]).collect();
            black_box(&blocks);
        };
        let before = resident_pages();
        fill();
        std::thread::spawn(fill).join().unwrap();
        release();
        let after = resident_pages();
        // 64 MiB were used, and less than 8 are left.
        assert!(after < before + (8 << 20) / 4096, "{before} pages, then {after}");
    }
}
