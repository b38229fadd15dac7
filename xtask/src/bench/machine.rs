//! What a suite is measured on, in a sentence.

use std::fs;

/// Processors, memory and how busy the machine is.
pub(super) fn told() -> String {
    let processors = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let memory = fs::read_to_string("/proc/meminfo").ok();
    let load = fs::read_to_string("/proc/loadavg").ok();
    sentence(processors, memory.as_deref(), load.as_deref())
}

/// `memory` and `load` are what Linux says of them.
fn sentence(processors: usize, memory: Option<&str>, load: Option<&str>) -> String {
    let mut told = vec![format!("{processors} processors")];
    let memory = memory.and_then(gibibytes);
    told.extend(memory.map(|memory| format!("{memory:.1} GiB of memory")));
    let load = load.and_then(|load| load.split_whitespace().next());
    told.extend(load.map(|load| format!("load {load} before")));
    told.join(", ") + "."
}

fn gibibytes(meminfo: &str) -> Option<f64> {
    let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: f64 = total.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes / 1024.0 / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_told_as_far_as_it_is_known() {
        let meminfo = "MemFree: 1 kB\nMemTotal:       24641536 kB\n";
        assert_eq!(
            sentence(2, Some(meminfo), Some("2.13 2.02 1.94 3/310 1\n")),
            "2 processors, 23.5 GiB of memory, load 2.13 before."
        );
        assert_eq!(sentence(8, Some("odd"), None), "8 processors.");
    }
}
