//! What a suite is measured on, in a sentence.

use std::fs;

use super::figures::Work;

/// Processors, memory and how busy the machine is.
pub(super) fn told() -> String {
    let processors = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let memory = fs::read_to_string("/proc/meminfo").ok();
    let load = fs::read_to_string("/proc/loadavg").ok();
    sentence(processors, memory.as_deref(), load.as_deref())
}

/// How long all processors together have been at work since the machine was started, in seconds;
/// `None` where that is not told.
pub(super) fn busy_seconds() -> Option<f64> {
    busy(&fs::read_to_string("/proc/stat").ok()?)
}

/// What they did since they had been at work for `before`.
pub(super) fn work_since(before: Option<f64>) -> Option<Work> {
    let busy_seconds = busy_seconds()? - before?;
    let processors = std::thread::available_parallelism().ok()?.get();
    Some(Work { busy_seconds, processors })
}

/// The first line of Linux's `stat` in hundredths of a second: user, nice, system, idle, waiting,
/// and what interrupts took. What other guests of the same host took is none of it.
fn busy(stat: &str) -> Option<f64> {
    let words = stat.lines().next()?.split_whitespace().skip_while(|word| *word == "cpu");
    let figures: Vec<f64> = words.map_while(|word| word.parse().ok()).collect();
    let [user, nice, system, _, _, hardware, software, ..] = figures[..] else { return None };
    Some((user + nice + system + hardware + software) / 100.0)
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
    fn work_is_all_but_waiting() {
        let stat = "cpu  100 20 30 4000 500 6 4 70 8 0\ncpu0 1 1 1 1 1 1 1 1\n";
        assert_eq!(busy(stat).map(f64::to_bits), Some(1.6_f64.to_bits()));
        for odd in ["", "cpu", "cpu 1 2 3", "intr 1 2 3 x"] {
            assert_eq!(busy(odd), None, "{odd}");
        }
    }

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
