//! How this machine reaches its package index: the certificates and pip settings that the test
//! image needs as well. Everything else in a pip configuration is about this machine only.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};

use crate::environment::Environment;

/// Where the certificates stand in the image. Not the system's own file, which Debian's tools would
/// write anew when a project installs packages.
const CERTIFICATES: &str = "/opt/lab/certificates.pem";

/// The variables that programs in the image read the path of the certificates from: OpenSSL and uv,
/// pip, requests, curl, git.
const CERTIFICATE_VARIABLES: [&str; 5] =
    ["SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO"];

/// The variables that name proxies, in the spellings in use.
const PROXY_VARIABLES: [&str; 8] = [
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
];

/// Where systems keep the certificates that they trust.
const SYSTEM_CERTIFICATES: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// The pip settings that say where packages come from.
const SETTINGS: [&str; 9] = [
    "index-url",
    "extra-index-url",
    "find-links",
    "trusted-host",
    "proxy",
    "timeout",
    "default-timeout",
    "retries",
    "cert",
];

/// The sections whose settings matter for installing.
const SECTIONS: [&str; 4] = ["global", "install", "download", "wheel"];

/// What the image gets so that pip and uv work in it as they do here.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Network {
    /// Files, by their absolute path in the image.
    pub(crate) files: BTreeMap<Utf8PathBuf, String>,
    /// Environment variables of the image.
    pub(crate) environment: BTreeMap<String, String>,
    /// Environment variables for making it. Engines hand them to containers as they see fit, and
    /// they may hold passwords, so they do not become a part of it.
    pub(crate) proxies: BTreeMap<String, String>,
}

impl Network {
    /// Reads the settings that are in effect on this machine.
    ///
    /// # Errors
    /// The certificates that the environment names cannot be read.
    pub(crate) fn of_this_machine(environment: &Environment) -> Result<Self> {
        let texts: Vec<String> = configuration_files(environment)
            .iter()
            .filter_map(|path| fs::read_to_string(path).ok())
            .collect();
        let settings =
            Settings::merged(texts.iter().map(String::as_str), &environment.starting_with("PIP_"));
        let certificates = certificates(environment, &settings)
            .map(|path| fs::read_to_string(&path).with_context(|| format!("cannot read {path}")))
            .transpose()?;
        let proxies = PROXY_VARIABLES
            .iter()
            .filter_map(|&name| Some((name.to_owned(), environment.get(name)?.to_owned())))
            .collect();
        Ok(Self { proxies, ..Self::new(&settings, certificates) })
    }

    fn new(settings: &Settings, certificates: Option<String>) -> Self {
        let mut network = Self::default();
        if let Some(text) = certificates {
            network.files.insert(CERTIFICATES.into(), text);
            for name in CERTIFICATE_VARIABLES {
                network.environment.insert(name.to_owned(), CERTIFICATES.to_owned());
            }
        }
        for (path, text) in
            [("/etc/pip.conf", settings.for_pip()), ("/etc/uv/uv.toml", settings.for_uv())]
        {
            if !text.is_empty() {
                network.files.insert(path.into(), text);
            }
        }
        network
    }
}

/// The files that pip reads, in its order: later ones win.
fn configuration_files(environment: &Environment) -> Vec<Utf8PathBuf> {
    let named = environment.get("PIP_CONFIG_FILE");
    if named == Some("/dev/null") {
        return Vec::new();
    }
    let home = environment.get("HOME").map(Utf8Path::new);
    let shared = environment.get("XDG_CONFIG_DIRS").unwrap_or("/etc/xdg").split(':');
    let own = match environment.get("XDG_CONFIG_HOME") {
        Some(folder) => Some(Utf8PathBuf::from(folder)),
        None => home.map(|home| home.join(".config")),
    };
    shared
        .map(|folder| Utf8Path::new(folder).join("pip/pip.conf"))
        .chain([Utf8PathBuf::from("/etc/pip.conf")])
        .chain(home.map(|home| home.join(".pip/pip.conf")))
        .chain(own.map(|own| own.join("pip/pip.conf")))
        .chain(named.map(Utf8PathBuf::from))
        .collect()
}

fn certificates(environment: &Environment, settings: &Settings) -> Option<Utf8PathBuf> {
    let named = CERTIFICATE_VARIABLES.iter().find_map(|name| environment.get(name));
    if let Some(path) = named.or_else(|| settings.get("cert")) {
        return Some(path.into());
    }
    SYSTEM_CERTIFICATES.iter().map(Utf8PathBuf::from).find(|path| path.is_file())
}

/// The settings of a pip configuration that matter in another place than this one.
#[derive(Debug, Default)]
struct Settings {
    sections: BTreeMap<String, BTreeMap<String, String>>,
}

impl Settings {
    /// Merges configuration files, later ones winning, and then pip's variables, which win over
    /// every section of every file.
    fn merged<'a>(
        files: impl Iterator<Item = &'a str>,
        variables: &BTreeMap<String, String>,
    ) -> Self {
        let mut settings = Self::default();
        for (section, name, value) in files.flat_map(parse) {
            settings.set(&section, &name, value);
        }
        for (variable, value) in variables.iter().filter(|(_, value)| !value.is_empty()) {
            let name = variable.trim_start_matches("PIP_").to_lowercase().replace('_', "-");
            if SETTINGS.contains(&name.as_str()) {
                for values in settings.sections.values_mut() {
                    values.remove(&name);
                }
                settings.set("global", &name, value.clone());
            }
        }
        settings
    }

    fn set(&mut self, section: &str, name: &str, value: String) {
        if !SECTIONS.contains(&section) || !SETTINGS.contains(&name) {
            return;
        }
        // A folder of this machine is not there in a container.
        let value = if name == "find-links" { only_addresses(&value) } else { value };
        if !value.is_empty() {
            self.sections.entry(section.to_owned()).or_default().insert(name.to_owned(), value);
        }
    }

    /// The value in effect for `pip install`.
    fn get(&self, name: &str) -> Option<&str> {
        let of = |section: &str| self.sections.get(section)?.get(name).map(String::as_str);
        of("install").or_else(|| of("global"))
    }

    /// `pip.conf`; the certificates are left to the variable, which wins over it anyway.
    fn for_pip(&self) -> String {
        let mut lines = Vec::new();
        for (section, values) in &self.sections {
            let values = values.iter().filter(|(name, _)| *name != "cert");
            let mut own = values
                .map(|(name, value)| format!("{name} = {}\n", value.replace('\n', "\n    ")))
                .peekable();
            if own.peek().is_some() {
                lines.push(format!("[{section}]\n"));
            }
            lines.extend(own);
        }
        lines.concat()
    }

    /// `uv.toml`: uv does not read pip's configuration.
    fn for_uv(&self) -> String {
        let words = |name| self.get(name).unwrap_or_default().split_whitespace().map(quoted);
        let index = |url: String| format!("[[index]]\nurl = {url}\n");
        let hosts: Vec<String> = words("trusted-host").collect();
        let mut lines = Vec::new();
        if !hosts.is_empty() {
            lines.push(format!("allow-insecure-host = [{}]\n", hosts.join(", ")));
        }
        lines.extend(words("extra-index-url").map(index));
        lines.extend(words("index-url").take(1).map(|url| index(url) + "default = true\n"));
        lines.concat()
    }
}

/// A TOML string; JSON's escapes are a part of TOML's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn only_addresses(value: &str) -> String {
    let addresses = value.split_whitespace().filter(|word| word.contains("://"));
    addresses.filter(|word| !word.starts_with("file:")).collect::<Vec<_>>().join("\n")
}

/// The settings of an INI file as `(section, name, value)`; a value's further lines are indented.
fn parse(text: &str) -> Vec<(String, String, String)> {
    let mut section = String::new();
    let mut settings: Vec<(String, String, String)> = Vec::new();
    for line in text.lines() {
        let plain = line.trim();
        if plain.is_empty() || plain.starts_with(['#', ';']) {
            continue;
        }
        if line.starts_with([' ', '\t'])
            && let Some((_, _, value)) = settings.last_mut()
        {
            let separator = if value.is_empty() { "" } else { "\n" };
            *value = format!("{value}{separator}{plain}");
        } else if let Some(name) = plain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            name.clone_into(&mut section);
        } else if let Some((name, value)) = plain.split_once(['=', ':']) {
            let name = name.trim().to_lowercase().replace('_', "-");
            settings.push((section.clone(), name, value.trim().to_owned()));
        }
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    fn merged(files: &[&str], pairs: &[(&str, &str)]) -> Settings {
        Settings::merged(files.iter().copied(), &variables(pairs))
    }

    const FILE: &str = "# ours\n[global]\nindex-url = https://one.example/simple\n\
        cert = /etc/own.pem\ncache-dir = /somewhere\nextra_index_url =\n  \
        https://two.example/simple\n  https://three.example/simple\n[freeze]\ntimeout = 9\n\
        [install]\nfind-links: /srv/wheels https://links.example/ file:///x\n";

    #[test]
    fn only_what_says_where_packages_come_from_goes_into_the_image() {
        assert_eq!(
            merged(&[FILE], &[("PIP_REQUIRE_VIRTUALENV", "1"), ("PIP_DEFAULT_TIMEOUT", "180")])
                .for_pip(),
            "[global]\ndefault-timeout = 180\n\
             extra-index-url = https://two.example/simple\n    https://three.example/simple\n\
             index-url = https://one.example/simple\n\
             [install]\nfind-links = https://links.example/\n"
        );
    }

    #[test]
    fn later_files_win_and_variables_win_over_every_section() {
        let later = "[install]\nindex-url = https://four.example/\n";
        let settings = merged(&[FILE, later], &[]);
        assert_eq!(settings.get("index-url"), Some("https://four.example/"));
        let settings = merged(&[FILE, later], &[("PIP_INDEX_URL", "https://five.example/")]);
        assert_eq!(settings.get("index-url"), Some("https://five.example/"));
        assert!(!settings.for_pip().contains("four.example"));
    }

    #[test]
    fn uv_is_told_the_same_indexes() {
        let settings = merged(&[FILE], &[("PIP_TRUSTED_HOST", "one.example two.example")]);
        let text = settings.for_uv();
        let table: toml::Table = text.parse().unwrap();
        let index = table["index"].as_array().unwrap();
        assert_eq!(index.len(), 3);
        assert_eq!(index[2]["url"].as_str(), Some("https://one.example/simple"));
        assert_eq!(index[2]["default"].as_bool(), Some(true));
        assert_eq!(table["allow-insecure-host"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn a_plain_machine_adds_certificates_and_no_settings() {
        let network =
            Network::new(&merged(&["[global]\ncert = /x\n"], &[]), Some("PEM".to_owned()));
        assert_eq!(network.files.keys().collect::<Vec<_>>(), [CERTIFICATES]);
        assert_eq!(network.environment["SSL_CERT_FILE"], CERTIFICATES);
        assert_eq!(network.environment.len(), CERTIFICATE_VARIABLES.len());
    }

    #[test]
    fn the_environment_decides_which_files_and_certificates_count() {
        let here =
            |pairs: &[(&str, &str)]| -> Environment { variables(pairs).into_iter().collect() };
        assert!(configuration_files(&here(&[("PIP_CONFIG_FILE", "/dev/null")])).is_empty());
        let files = configuration_files(&here(&[("HOME", "/h"), ("PIP_CONFIG_FILE", "/p.conf")]));
        assert_eq!(
            files,
            [
                "/etc/xdg/pip/pip.conf",
                "/etc/pip.conf",
                "/h/.pip/pip.conf",
                "/h/.config/pip/pip.conf",
                "/p.conf"
            ]
        );
        let settings = merged(&["[global]\ncert = /conf.pem\n"], &[]);
        let found = certificates(&here(&[("SSL_CERT_FILE", "/own.pem")]), &settings);
        assert_eq!(found.unwrap(), "/own.pem");
        assert_eq!(certificates(&here(&[]), &settings).unwrap(), "/conf.pem");
    }
}
