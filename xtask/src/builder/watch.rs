//! What cibuildwheel's log tells of a build while it runs.
//!
//! A build's own output could hold such lines, too; the worst that comes of it is a wrong bar in a
//! timeline, or a follower that starts too early or too late.

use ccache_validator::wheel;

use super::phase;
use crate::scheduler::News;

/// Follows the log of one process, which may build for several identifiers.
pub(super) struct Watch<'a> {
    identifiers: &'a [&'a str],
    /// The place of the identifier that is being built.
    current: usize,
    /// The last wheel that the log named while it was built is bound to no single Python version.
    is_shared: bool,
}

impl<'a> Watch<'a> {
    pub(super) fn new(identifiers: &'a [&'a str]) -> Self {
        Self { identifiers, current: 0, is_shared: false }
    }

    /// How many of the identifiers are behind it.
    pub(super) fn passed(&self) -> usize {
        self.current
    }

    /// Takes in a line of the log; returns the phase that begins with it and whether everything is
    /// compiled by then.
    pub(super) fn take_in(&mut self, line: &[u8]) -> Vec<News> {
        if let Some(identifier) = phase::build_begun_by(line) {
            let place = self.identifiers.iter().position(|it| it.as_bytes() == identifier);
            // Forwards only: they are built in order.
            self.current = place.unwrap_or(0).max(self.current);
            return Vec::new();
        }
        let Some(name) = phase::begun_by(line) else {
            self.look_for_wheel(line);
            return Vec::new();
        };
        let mut news = vec![News::Phase { place: self.current, name: name.to_owned() }];
        if phase::follows_compilation(name) {
            news.push(News::Compiled { is_shared: self.is_shared });
        }
        news
    }

    /// Build frontends name the wheel that they have made, in words of their own.
    fn look_for_wheel(&mut self, line: &[u8]) {
        const ENDING: &[u8] = b".whl";
        if !line.windows(ENDING.len()).any(|window| window == ENDING) {
            return;
        }
        let text = String::from_utf8_lossy(line);
        let words = text.split(|c: char| c.is_whitespace() || "'\"=,/\\".contains(c));
        if let Some(wheel) = words.filter_map(|word| wheel::parse(word).ok()).next_back() {
            self.is_shared = is_shared(&wheel);
        }
    }
}

/// Whether a wheel may serve other Python versions than the one that it was built with.
pub(super) fn is_shared(wheel: &wheel::Wheel) -> bool {
    wheel.abis.iter().any(|abi| abi == "abi3" || abi == "none")
        && !wheel.platforms.iter().any(|platform| platform == "any")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phase(place: usize, name: &str) -> News {
        News::Phase { place, name: name.to_owned() }
    }

    #[test]
    fn phases_and_the_end_of_compiling_are_told() {
        let mut watch = Watch::new(&["cp311-x"]);
        assert_eq!(watch.take_in(b"Building wheel...\n"), [phase(0, "build")]);
        assert_eq!(watch.take_in(b"Successfully built a-1-cp311-cp311-linux_x86_64.whl\n"), []);
        let compiled = News::Compiled { is_shared: false };
        assert_eq!(watch.take_in(b"Repairing wheel...\n"), [phase(0, "repair"), compiled]);
    }

    #[test]
    fn a_wheel_of_the_stable_abi_is_seen_before_it_is_finished() {
        for line in [
            "Successfully built a-1-cp39-abi3-linux_x86_64.whl",
            "  Created wheel for a: filename=a-1-py3-none-linux_x86_64.whl size=1",
            "*** Created /tmp/out/a-1-cp39-abi3-linux_x86_64.whl",
        ] {
            let mut watch = Watch::new(&["cp311-x"]);
            watch.take_in(line.as_bytes());
            let news = watch.take_in(b"Repairing wheel...\n");
            assert_eq!(news[1], News::Compiled { is_shared: true }, "{line}");
        }
    }

    #[test]
    fn wheels_that_are_only_fetched_do_not_matter_once_the_own_one_is_named() {
        let mut watch = Watch::new(&["cp311-x"]);
        watch.take_in(b"  Downloading ninja-1-py3-none-manylinux_2_12_x86_64.whl\n");
        watch.take_in(b"Successfully built a-1-cp311-cp311-linux_x86_64.whl\n");
        assert_eq!(watch.take_in(b"Repairing wheel...\n")[1], News::Compiled { is_shared: false });
    }

    #[test]
    fn the_identifiers_of_a_process_are_followed_in_order() {
        let mut watch = Watch::new(&["cp311-x", "cp312-x"]);
        assert_eq!(watch.take_in(b"\x1b[1mBuilding cp311-x wheel\x1b[0m\n"), []);
        assert_eq!(watch.take_in(b"Building wheel...\n"), [phase(0, "build")]);
        watch.take_in(b"Building cp312-x wheel\n");
        assert_eq!(watch.passed(), 1);
        assert_eq!(watch.take_in(b"Testing wheel...\n")[0], phase(1, "test"));
        watch.take_in(b"Building cp311-x wheel\n");
        assert_eq!(watch.passed(), 1);
    }
}
