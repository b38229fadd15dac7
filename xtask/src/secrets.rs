//! What a setting must not tell: values under names like `API_TOKEN`, and passwords in addresses.

/// What a name has, in capitals, that stands for a secret.
const TELLING: [&str; 8] =
    ["TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIAL", "API_KEY", "PRIVATE_KEY"];
/// What stands in its place.
const MASK: &str = "***";

/// The text without secrets.
pub(crate) fn masked(text: &str) -> String {
    without_passwords(&without_values(text))
}

/// `NAME=value` and `NAME="value"` without the value, where the name tells that it is secret. A value
/// that only names a variable stays.
fn without_values(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('=') {
        masked.push_str(before);
        masked.push('=');
        rest = after;
        if !is_telling(before) {
            continue;
        }
        let quote = after.chars().next().filter(|first| matches!(first, '"' | '\''));
        let value = match quote {
            Some(quote) => after[1..].split(quote).next().unwrap_or_default(),
            None => after.split([' ', '\t', '\n', ';', ',', '"', '\'']).next().unwrap_or_default(),
        };
        if value.is_empty() || value.starts_with('$') {
            continue;
        }
        masked.extend(quote);
        masked.push_str(MASK);
        rest = &after[quote.map_or(0, char::len_utf8) + value.len()..];
    }
    masked.push_str(rest);
    masked
}

/// Whether the text ends with a name that stands for a secret.
fn is_telling(text: &str) -> bool {
    let is_of_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let name = text.rsplit(|character| !is_of_name(character)).next().unwrap_or_default();
    let name = name.to_ascii_uppercase();
    TELLING.iter().any(|telling| name.contains(telling))
}

/// `scheme://user:password@host` without user and password.
fn without_passwords(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        masked.push_str(before);
        masked.push_str("://");
        let end = after.find(['/', ' ', '\t', '\n', '"', '\'']).unwrap_or(after.len());
        rest = match after[..end].rsplit_once('@') {
            Some((who, _)) => {
                masked.push_str(MASK);
                &after[who.len()..]
            }
            None => after,
        };
    }
    masked.push_str(rest);
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_and_nothing_else_is() {
        for (text, shown) in [
            ("A=1 MY_TOKEN=abc B=2", "A=1 MY_TOKEN=*** B=2"),
            ("pypi_password='a b' C=1", "pypi_password='***' C=1"),
            ("SECRET=\"x\"; make", "SECRET=\"***\"; make"),
            ("TOKEN=$TOKEN D=1", "TOKEN=$TOKEN D=1"),
            ("TOKEN= D=1", "TOKEN= D=1"),
            ("TOKENS are == nothing", "TOKENS are == nothing"),
            ("--env=API_KEY=k --name=x", "--env=API_KEY=*** --name=x"),
            ("URL=https://me:pw@host/simple D=1", "URL=https://***@host/simple D=1"),
            ("https://host/a@b", "https://host/a@b"),
            ("TOKEN=é", "TOKEN=***"),
        ] {
            assert_eq!(masked(text), shown);
        }
    }
}
