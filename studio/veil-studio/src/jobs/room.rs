//! Whether the machine has room for another job.
//!
//! Owns: what is measured. Refuses to know: what a run costs (`crate::turns` shares memory and processors among runs).

use crate::data::DataDir;

use super::JobSettings;

/// Why nothing new may begin, if there is anything.
pub(super) fn lack(data: &DataDir, settings: &JobSettings) -> Option<String> {
    let mb = |bytes: u64| bytes / 1_000_000;
    match data.free_bytes() {
        Ok(free) if free < settings.disk_free_min_bytes => {
            let wanted = mb(settings.disk_free_min_bytes);
            return Some(format!("{} MB of disk are free, {wanted} MB are wanted", mb(free)));
        }
        Ok(_) => {}
        Err(error) => return Some(error.to_string()),
    }
    let free = available_bytes()?;
    let wanted = settings.memory_free_min_bytes;
    (free < wanted)
        .then(|| format!("{} MB of memory are free, {} MB are wanted", mb(free), mb(wanted)))
}

/// Bytes that programs can have without swapping, as the kernel estimates them; `None` where it doesn't tell.
fn available_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_begins_without_room() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::open(folder.path()).unwrap();
        let check = |disk: u64, memory: u64| {
            let settings = JobSettings {
                disk_free_min_bytes: disk,
                memory_free_min_bytes: memory,
                ..JobSettings::new(jiff::Timestamp::now)
            };
            lack(&data, &settings)
        };
        assert_eq!(check(0, 0), None);
        assert!(check(u64::MAX, 0).unwrap().contains("of disk are free"));
        assert!(check(0, u64::MAX).unwrap().contains("of memory are free"));
    }
}
