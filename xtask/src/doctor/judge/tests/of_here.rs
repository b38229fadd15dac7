//! The lines of this machine itself, and of builds without containers.

use super::*;
use crate::fault::Fault;
use crate::plan::facts::{Compiler, Host, HostTools, Interpreter};

fn compiler(name: &str, words: Option<&str>) -> Compiler {
    Compiler { name: name.to_owned(), words: words.map(ToOwned::to_owned) }
}

#[test]
fn git_is_only_asked_for_where_there_is_a_repository() {
    is(&git(Some("/usr/bin/git".into()), true, apt()), State::Ok, "/usr/bin/git", "");
    is(&git(None, false, apt()), State::Ok, "no repository", "");
    let missing = git(None, true, apt());
    bad(&missing, "no git in PATH", "apt-get install --yes --no-install-recommends git");
    assert_eq!(missing.weight, STOPS);
}

#[test]
fn compilers_are_there_or_it_is_said_what_installs_them() {
    let (c, cxx) = (compiler("cc", Some("cc 12.2")), compiler("c++", Some("c++ 12.2")));
    is(&compilers(&[c.clone(), cxx.clone()], apt()), State::Ok, "cc 12.2; c++ 12.2", "");
    let only_c = compilers(&[c, compiler("c++", None)], apt());
    bad(&only_c, "there is no c++", "--no-install-recommends gcc g++");
    assert_eq!(only_c.weight, Weight::Warns);
    let none = compilers(&[compiler("/opt/gcc", None), cxx], apt());
    bad(&none, "there is no /opt/gcc", "gcc g++");
    assert_eq!(none.weight, STOPS);
    let mac = Installer { manager: Some(Manager::Brew), root: false, sudo: true };
    let none = [compiler("cc", None), compiler("c++", None)];
    bad(&compilers(&none, mac), "nothing can be built", "    xcode-select --install");
}

#[test]
fn the_tools_of_builds_without_containers_are_there_or_will_be_installed() {
    is(&host_tools(true, "0.9.1"), State::Ok, "uv 0.9.1", "");
    bad(&host_tools(false, "0.9.1"), "not installed yet", "--setup --builder host");
    is(&no_containers(), State::Ok, "does without containers", "");
}

#[test]
fn interpreters_are_named_and_those_that_cannot_build_as_well() {
    let python = |version: &str| Interpreter {
        python: "/py".into(),
        version: version.to_owned(),
        build: "1.6.1".to_owned(),
    };
    let mut host = Host {
        why: None,
        libc: None,
        compilers: String::new(),
        interpreters: [("cp311-x", "3.11.7"), ("cp312-x", "3.12.1")]
            .map(|(identifier, version)| (identifier.to_owned(), python(version)))
            .into(),
        unfit: std::collections::BTreeMap::new(),
        others: Vec::new(),
        tools: HostTools { uv: "uv".into(), programs: "p".into(), wheels: "w".into() },
    };
    is(&interpreters(&host, None), State::Ok, "3.11.7, 3.12.1", "");
    host.unfit.insert("cp313-x".to_owned(), "/py13 has no headers".to_owned());
    is(&interpreters(&host, None), State::Ok, "3.11.7", "/py13 has no headers");
    let refused = Fault::machine("no interpreter for cp313", "install one, with its headers");
    bad(&interpreters(&host, Some(&refused)), "no interpreter for cp313", "with its headers");
    is(&no_interpreters("it takes uv"), State::Unknown, "it takes uv", "run this again");
}
