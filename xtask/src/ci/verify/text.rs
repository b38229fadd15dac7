//! What was checked, as text: the list of hashes, a headline, a section of Markdown.

use std::fmt::Write as _;

use super::{Content, Found, Problem};
use crate::report::markdown;
use crate::text::shown;

/// The lines of `SHA256SUMS` as sha256sum reads them, sorted by name.
pub(crate) fn sums(found: &[Found]) -> String {
    let mut files: Vec<_> = releases(found).collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    files.iter().fold(String::new(), |mut text, file| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}  {}", file.sha256, file.name);
        text
    })
}

/// How much was found, and of which project and version: `4 wheels, 1 sdist: pkg 1.0`.
pub(crate) fn headline(found: &[Found]) -> String {
    let mut wheels = found.iter().filter(|one| matches!(one.content, Content::Wheel(_)));
    let sdists = found.iter().filter(|one| matches!(one.content, Content::Sdist(_)));
    let counts = [(wheels.clone().count(), "wheel"), (sdists.count(), "sdist")];
    let counts = counts.iter().filter(|(count, _)| *count > 0).map(|&(count, noun)| {
        let plural = if count == 1 { "" } else { "s" };
        format!("{count} {noun}{plural}")
    });
    let counts = counts.collect::<Vec<_>>().join(", ");
    match wheels.find_map(|one| ccache_validator::wheel::parse(&one.name).ok()) {
        Some(wheel) => format!("{counts}: {} {}", shown(&wheel.name), shown(&wheel.version)),
        None => counts,
    }
}

/// A section for a job's summary page.
pub(crate) fn summary(found: &[Found], problems: &[Problem]) -> String {
    let mut text = match problems.len() {
        0 => format!("## ✅ {}, all in order\n", markdown::text(&headline(found))),
        1 => "## ❌ 1 problem with the wheels\n\n".to_owned(),
        count => format!("## ❌ {count} problems with the wheels\n\n"),
    };
    for Problem { subject, what, remedy } in problems {
        let [subject, what, remedy] = [subject, what, remedy].map(|part| markdown::text(part));
        let _ = writeln!(text, "- **{subject}**: {what}  \n  {remedy}");
    }
    text.push_str("\n| file | bytes | SHA-256 |\n|---|---:|---|\n");
    for file in releases(found) {
        let name = markdown::text(&shown(&file.name));
        let _ = writeln!(text, "| {name} | {} | {} |", file.size_bytes, file.sha256);
    }
    text.push('\n');
    text
}

/// The wheels and source distributions that are files.
fn releases(found: &[Found]) -> impl Iterator<Item = &Found> {
    found.iter().filter(|one| matches!(one.content, Content::Wheel(_) | Content::Sdist(_)))
}

#[cfg(test)]
mod tests {
    use super::super::Twine;
    use super::*;

    fn found(name: &str, content: Content) -> Found {
        let sha256 = format!("{:02x}", name.len());
        Found { name: name.to_owned(), size_bytes: 9, sha256, content, twine: Twine::Passed }
    }

    fn wheel() -> Content {
        Content::Wheel(Err(String::new()))
    }

    #[test]
    fn sums_are_sorted_by_name_and_list_releases_only() {
        let all = [
            found("b-1.tar.gz", Content::Sdist(Err(String::new()))),
            found("SHA256SUMS", Content::Sums),
            found("b-1-py3-none-any.whl", wheel()),
        ];
        assert_eq!(sums(&all), "14  b-1-py3-none-any.whl\n0a  b-1.tar.gz\n");
        assert_eq!(headline(&all), "1 wheel, 1 sdist: b 1");
        let two = [found("b-1-py3-none-any.whl", wheel()), found("b-1-py2-none-any.whl", wheel())];
        assert_eq!(headline(&two), "2 wheels: b 1");
    }

    #[test]
    fn a_summary_tells_what_is_wrong_and_interprets_nothing() {
        let all = [found("a|<b>_`c`.whl", wheel())];
        let problem = Problem {
            subject: "a|<b>".to_owned(),
            what: "is [not](x) *right*".to_owned(),
            remedy: "mend it".to_owned(),
        };
        let expected = "## ❌ 1 problem with the wheels

- **a&#124;&#60;b&#62;**: is &#91;not&#93;(x) &#42;right&#42;  
  mend it

| file | bytes | SHA-256 |
|---|---:|---|
| a&#124;&#60;b&#62;&#95;&#96;c&#96;.whl | 9 | 0d |

";
        assert_eq!(summary(&all, &[problem]), expected);
        let fine = summary(&[found("b-1-py3-none-any.whl", wheel())], &[]);
        assert!(fine.starts_with("## ✅ 1 wheel: b 1, all in order\n\n| file"), "{fine}");
    }
}
