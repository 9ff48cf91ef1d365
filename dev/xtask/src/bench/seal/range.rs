//! A random MiB out of 10 GiB, by a process of its own, beside a process that does nothing.

use std::path::Path;

use serde_json::{Value, json};

use super::Bench;
use crate::bench::measure::median;
use crate::bench::verdict;
use crate::console::note;
use crate::failure::Outcome;

const CONTENT_BYTES: u64 = 10 << 30;
const RANGE_BYTES: u64 = 1 << 20;
const RANGES: u64 = 101;

/// The aim for one range, in seconds.
const AIM_S: f64 = 0.003;

/// Seals 10 GiB of zeros and reads ranges of it.
pub(super) fn run(bench: &Bench<'_>) -> Outcome<Value> {
    bench.shell("rm -f in out out2 x.* y.*")?;
    bench.shell(&format!("truncate -s {CONTENT_BYTES} in"))?;
    bench.shell(&format!("'{}' seal -R me.pub -o x.veil in; rm in", bench.veilcast.display()))?;
    let (mut range_s, mut start_s) = (Vec::new(), Vec::new());
    for at in 0..RANGES {
        let first = place(at);
        let range = format!("{first}-{}", first + RANGE_BYTES - 1);
        let words = ["open", "-i", "me.txt", "--range", &range, "-o", "-", "x.veil"];
        range_s.push(bench.once(bench.veilcast, &words)?);
        start_s.push(bench.once(Path::new("true"), &[])?);
    }
    let (range_s, start_s) = (median(range_s), median(start_s));
    note(format_args!(
        "1 MiB out of 10 GiB: {:.2} ms, of which a process that does nothing takes {:.2} ms",
        range_s * 1e3,
        start_s * 1e3,
    ));
    verdict(&format!("range {:.2} ms, aim {:.0} ms", range_s * 1e3, AIM_S * 1e3), range_s <= AIM_S);
    Ok(json!({ "range_s": range_s, "start_s": start_s, "aim_s": AIM_S }))
}

/// Places spread over the file: multiples of a large odd number.
fn place(at: u64) -> u64 {
    at.wrapping_mul(0x9e37_79b9_7f4a_7c15) % (CONTENT_BYTES - RANGE_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_lie_inside_the_file_and_far_apart() {
        let mut places: Vec<u64> = (0..RANGES).map(place).collect();
        places.sort_unstable();
        assert!(places.iter().all(|place| place + RANGE_BYTES <= CONTENT_BYTES));
        assert!(places.windows(2).all(|pair| pair[1] - pair[0] > RANGE_BYTES));
    }
}
