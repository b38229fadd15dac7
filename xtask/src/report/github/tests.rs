use super::*;

#[test]
fn an_annotation_is_one_line_whatever_is_in_it() {
    let line = annotation(Level::Error, "a, b: 100%\n::", "one\r\n::error::two\n50%\x1b[2J");
    assert_eq!(
        line,
        "::error title=a%2C b%3A 100%25\\n%3A%3A::one%0A::error::two%0A50%25\\u{1b}[2J"
    );
    assert!(!line.contains('\n'));
}

#[test]
fn no_line_of_our_own_is_a_command() {
    for (text, expected) in [
        ("a::b", "a::b"),
        ("::error::x", "\\::error::x"),
        ("  ::set-output name=a::b", "\\  ::set-output name=a::b"),
        ("fine\n::add-mask::x", "fine\n\\::add-mask::x"),
        ("##[error]x", "##\\[error]x"),
        ("a\rb", "a\\rb"),
    ] {
        assert_eq!(inert(text), expected);
    }
}

#[test]
fn colours_stay_and_everything_else_goes() {
    for (line, expected) in [
        ("plain\ttext", "plain\ttext"),
        ("\x1b[1;31mred\x1b[0m", "\x1b[1;31mred\x1b[0m\x1b[0m"),
        ("\x1b[2J\x1b[Hx\x07", "x"),
        ("\x1b]0;title\x07x", "]0;titlex"),
        ("\x1b[", "["),
        ("##[group]x", "##\\[group]x"),
        ("#\x1b[0m#\x08[error]", "#\x1b[0m#\\[error]\x1b[0m"),
        ("###[x]", "###\\[x]"),
        ("# [x] #[y]", "# [x] #[y]"),
        ("\x1b[38;5;196mä", "\x1b[38;5;196mä\x1b[0m"),
    ] {
        assert_eq!(shown(line), expected, "{line:?}");
    }
}

fn grouped(log: &[u8]) -> Vec<String> {
    let mut out = Vec::new();
    group(&mut out, "cp312: built", log, "TOKEN").unwrap();
    String::from_utf8(out).unwrap().lines().map(ToOwned::to_owned).collect()
}

#[test]
fn a_log_is_whole_and_between_its_marks() {
    let lines = grouped(b"one\n\n::error::two\r\nthree\r::add-mask::four");
    let expected = [
        "::group::cp312: built",
        "::stop-commands::TOKEN",
        "one",
        "",
        "::error::two",
        "three",
        "::add-mask::four",
        "::TOKEN::",
        "::endgroup::",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn a_line_of_a_megabyte_is_shown_in_pieces() {
    let lines = grouped(&vec![b'x'; 1024 * 1024]);
    assert_eq!(lines.iter().map(String::len).max(), Some(16 * 1024));
    assert_eq!(lines.iter().filter(|line| line.starts_with('x')).count(), 64);
}

#[test]
fn each_token_is_another() {
    assert_ne!(token().unwrap(), token().unwrap());
    assert_eq!(token().unwrap().len(), 32);
}

#[test]
fn outputs_are_appended_and_cannot_end_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let file = Utf8Path::from_path(folder.path()).unwrap().join("output");
    fs::write(&file, "before=1\n").unwrap();
    append_outputs(&file, &[("a", "x\nEOF\nb=2".to_owned()), ("cold", "true".to_owned())]).unwrap();
    let text = fs::read_to_string(&file).unwrap();
    let lines: Vec<_> = text.lines().collect();
    let end = lines[1].strip_prefix("a<<").unwrap();
    assert_eq!(lines[..6], ["before=1", &format!("a<<{end}"), "x", "EOF", "b=2", end]);
    let end = lines[6].strip_prefix("cold<<").unwrap();
    assert_eq!(lines[7..], ["true", end]);
}
