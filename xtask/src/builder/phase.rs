//! The phases of a build, read off cibuildwheel's log.

/// The phase that a line of the log begins, if it does.
///
/// A build's own output could contain such a line; the worst that comes of it is a wrong bar in a
/// timeline.
pub(crate) fn begun_by(line: &[u8]) -> Option<&'static str> {
    const STEPS: [(&str, &str); 10] = [
        ("Starting container image ", "container"),
        ("Copying project into container...", "copy-in"),
        // Without containers, by our own driver.
        ("Copying project to where it is built...", "copy-in"),
        ("Running before_all...", "before-all"),
        ("Setting up build environment...", "environment"),
        ("Running before_build...", "before-build"),
        ("Building wheel...", "build"),
        ("Repairing wheel...", "repair"),
        ("Testing wheel...", "test"),
        ("Copying wheels back to host...", "copy-out"),
    ];
    let line = without_colour(line);
    STEPS.iter().find(|(start, _)| line.starts_with(start.as_bytes())).map(|&(_, name)| name)
}

/// The identifier whose build begins with a line of the log, if one does.
pub(super) fn build_begun_by(line: &[u8]) -> Option<&[u8]> {
    let rest = without_colour(line).strip_prefix(b"Building ")?;
    let end = rest.iter().position(|&byte| byte == b' ')?;
    rest[end..].starts_with(b" wheel").then_some(&rest[..end])
}

/// Whether everything is compiled when this phase begins.
pub(super) fn follows_compilation(name: &str) -> bool {
    matches!(name, "repair" | "test" | "copy-out")
}

/// The line without a colour sequence at its start: on some CI systems cibuildwheel colours its
/// output though nobody watches.
fn without_colour(mut line: &[u8]) -> &[u8] {
    while let Some(rest) = line.strip_prefix(b"\x1b[") {
        let Some(end) = rest.iter().position(|&byte| byte == b'm') else { break };
        line = &rest[end + 1..];
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_recognised_with_and_without_colour() {
        assert_eq!(begun_by(b"Building wheel...\n"), Some("build"));
        assert_eq!(begun_by(b"\x1b[1m\x1b[34mTesting wheel...\x1b[0m\n"), Some("test"));
        assert_eq!(begun_by(b"Starting container image quay.io/x...\n"), Some("container"));
    }

    #[test]
    fn the_line_before_a_build_names_it() {
        let line = b"\x1b[1m\x1b[34mBuilding cp312-manylinux_x86_64 wheel\x1b[0m\n";
        assert_eq!(build_begun_by(line), Some(&b"cp312-manylinux_x86_64"[..]));
        for line in [&b"Building wheel...\n"[..], b"Building CXX object x.o\n", b"Building", b""] {
            assert_eq!(build_begun_by(line), None);
        }
    }

    #[test]
    fn other_lines_begin_nothing() {
        for line in [&b"  Building wheel...\n"[..], b"", b"\x1b[1", b"Building CXX object x.o\n"] {
            assert_eq!(begun_by(line), None);
        }
    }
}
