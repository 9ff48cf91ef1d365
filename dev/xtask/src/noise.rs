//! Bytes that no compression makes smaller, the same every time: what is hidden in benches and in attacks.

/// So many bytes of a sequence (xorshift, Marsaglia 2003); another seed gives another.
pub(crate) fn noise(count: usize, seed: u64) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ seed;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..count).map(|_| next()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_as_long_as_asked_and_has_all_bytes() {
        let noise = noise(20_000, 0);
        assert_eq!(noise.len(), 20_000);
        assert!((0..=255).all(|byte| noise.contains(&byte)));
        assert_ne!(noise, super::noise(20_000, 1));
    }
}
