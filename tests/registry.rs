//! The registry of agents: what files say, how it is laid over each other, and whose word counts.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "the helpers of a test fail by panicking")]

use std::fs;
use std::path::Path;

use locus_exec::agent::registry::{CAPABILITIES, Consents, Origin, Registry};
use locus_exec::agent::{Agent, AgentOptions, agent_named};
use locus_exec::usage::PriceTable;
use locus_exec::{Error, ErrorKind, Result};
use tempfile::TempDir;

/// A project and a user's configuration, both empty.
struct Place {
    project: TempDir,
    config: TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = || tempfile::tempdir().expect("a folder for the test");
        Self { project: folder(), config: folder() }
    }

    fn with(user: &str, project: &str) -> Self {
        let place = Self::new();
        if !user.is_empty() {
            place.user(user);
        }
        if !project.is_empty() {
            place.project(project);
        }
        place
    }

    fn user(&self, text: &str) {
        fs::write(self.config.path().join("agents.toml"), text).unwrap();
    }

    fn project(&self, text: &str) {
        let folder = self.project.path().join(".locus");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("agents.toml"), text).unwrap();
    }

    fn registry(&self, trusted: bool) -> Result<Registry> {
        Registry::of_project(self.project.path(), Some(self.config.path()), trusted)
    }

    fn consents(&self) -> Consents {
        Consents::new(Some(self.config.path()))
    }

    /// How an agent is started.
    fn argv(&self, name: &str) -> Vec<String> {
        let agent = self.registry(true).unwrap().agent(name).unwrap();
        let options = AgentOptions { cwd: self.project.path().to_owned(), ..AgentOptions::default() };
        let command = agent.command(&options).unwrap();
        let words = [command.program].into_iter().chain(command.args);
        words.map(|word| word.into_string().unwrap()).collect()
    }

    /// An error as people read it, wherever the folders are.
    fn told(&self, error: &Error) -> String {
        let name = |text: String, folder: &Path, name: &str| text.replace(&*folder.to_string_lossy(), name);
        let text = name(error.to_string(), self.project.path(), "<project>");
        name(text, self.config.path(), "<config>")
    }
}

fn kind(result: Result<impl Sized>) -> ErrorKind {
    result.err().expect("an error").kind()
}

#[test]
fn agents_that_come_with_this_package_can_be_run() {
    let list = Registry::built_in().list().unwrap();
    assert!(list.iter().any(|agent| agent.entry.name == "claude"));
    let prices = PriceTable::embedded().unwrap();
    for agent in &list {
        let entry = &agent.entry;
        assert_eq!((agent.origin, agent.allowed), (Origin::BuiltIn, true), "{}", entry.name);
        assert_eq!(agent_named(&entry.name).unwrap().name(), entry.name);
        assert!(entry.install.is_some(), "{}", entry.name);
        let can = entry.capabilities.as_ref().expect("its capabilities are said");
        assert!(can.iter().all(|can| CAPABILITIES.contains(&can.as_str())), "{}: {can:?}", entry.name);
        let unpriced: Vec<_> =
            entry.models.iter().filter(|model| prices.price(&model.id).is_none()).collect();
        assert!(unpriced.is_empty() || !matches!(&*entry.name, "claude" | "codex"), "{unpriced:?}");
    }
}

#[test]
fn an_agent_that_is_not_known_is_told_with_those_that_are() {
    let place = Place::with("[agents.mine]\nextends = 'claude'", "[agents.theirs]\nextends = 'codex'");
    let error = place.registry(false).unwrap().agent("hal").unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown provider 'hal'; known providers: acp, claude, codex, copilot, demo, gemini, gemini-json, goose, mine, opencode, opencode-json, qwen, theirs"
    );
}

#[test]
fn a_file_adds_an_agent_and_changes_one() {
    let place = Place::with(
        "[agents.claude]\nargs = ['--bare']\nmodel = 'opus'\nenv = { A = '1', B = false }\n",
        "[agents.boxed]\nextends = 'claude'\nwrapper = ['docker', 'run', '-i', 'box']\nenv = { B = '2' }\n\
         [agents.own]\ndialect = 'claude'\n",
    );
    assert_eq!(place.argv("claude")[..3], ["claude", "--bare", "--print"]);
    assert_eq!(place.argv("boxed")[..7], ["docker", "run", "-i", "box", "claude", "--bare", "--print"]);
    assert_eq!(place.argv("own")[..2], ["own", "--print"]);
    let registry = place.registry(true).unwrap();
    let boxed = registry.agent("boxed").unwrap();
    assert_eq!((boxed.name(), boxed.default_model()), ("boxed", Some("opus")));
    let env = boxed
        .command(&AgentOptions { env: vec![("A".into(), None)], ..AgentOptions::default() })
        .unwrap()
        .env;
    let last = |name: &str| env.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    assert_eq!((last("A"), last("B")), (Some(None), Some(Some("2".into()))), "the options are stronger");
    let named = |name: &str| ["boxed", "claude", "codex", "own"].contains(&name);
    let agents = registry.list().unwrap().into_iter().filter(|agent| named(&agent.entry.name));
    let origins: Vec<_> = agents.map(|agent| (agent.entry.name, agent.origin)).collect();
    let expected = [
        ("boxed", Origin::Project),
        ("claude", Origin::User),
        ("codex", Origin::BuiltIn),
        ("own", Origin::Project),
    ];
    assert_eq!(origins, expected.map(|(name, origin)| (name.to_owned(), origin)));
}

#[test]
fn a_wrapper_of_the_options_stands_before_that_of_the_registry() {
    let place = Place::with("[agents.claude]\nwrapper = ['inner']", "");
    let agent = place.registry(false).unwrap().agent("claude").unwrap();
    let options = AgentOptions { wrapper: vec!["outer".into(), "-x".into()], ..AgentOptions::default() };
    let command = agent.command(&options).unwrap();
    assert_eq!(command.program, "outer");
    assert_eq!(command.args[..4], ["-x", "inner", "claude", "--print"]);
}

#[test]
fn the_first_program_that_is_found_is_used() {
    let place = Place::with(
        "[agents.any]\ndialect = 'claude'\nprograms = ['locus-no-such-program', 'sh', 'cat']",
        "",
    );
    assert_eq!(place.argv("any")[0], "sh");
    place.user("[agents.any]\ndialect = 'claude'\nprograms = ['locus-no-such-program', 'locus-no-other']");
    assert_eq!(place.argv("any")[0], "locus-no-such-program", "the error names the usual one");
}

#[test]
fn an_agent_can_do_what_its_dialect_can_unless_its_entry_says_less() {
    let place = Place::with(
        "[agents.plain]\ndialect = 'claude'\n[agents.blind]\nextends = 'claude'\ncapabilities = []",
        "",
    );
    let registry = place.registry(false).unwrap();
    for (name, can) in [("claude", true), ("plain", true), ("blind", false), ("demo", false)] {
        let agent = registry.agent(name).unwrap();
        assert_eq!((agent.can_resume(), agent.takes_images()), (can, can), "{name}");
    }
    let claude = registry.agent("claude").unwrap();
    assert!(
        claude.limits_turns()
            && claude.is_held_open()
            && claude.is_read_only("Read")
            && !claude.is_read_only("Write")
    );
    let exec = registry.agent("codex").unwrap().fallback().unwrap();
    assert_eq!((exec.name(), exec.is_held_open(), exec.takes_images()), ("codex", false, false));
}

#[test]
fn another_way_changes_how_an_agent_is_spoken_to_and_nothing_else() {
    let place = Place::with(
        "[agents.boxed]\nextends = 'qwen'\nwrapper = ['box']\notherwise = 'old'\n\
         [agents.old]\ndialect = 'codex'\nargs = ['--old']\nwrapper = ['none']\ncapabilities = []\notherwise = 'older'\n\
         [agents.older]\nextends = 'claude'\n",
        "",
    );
    let told = |agent: &dyn Agent| {
        let command = agent.command(&AgentOptions::default()).unwrap();
        let words = command.args[..2].iter().map(|word| word.to_str().unwrap().to_owned());
        (agent.name().to_owned(), words.collect::<Vec<_>>().join(" "), agent.can_resume())
    };
    let mut agent = place.registry(false).unwrap().agent("boxed").unwrap();
    let mut ways = vec![told(&*agent)];
    while let Some(other) = agent.fallback() {
        ways.push(told(&*other));
        agent = other;
    }
    let expected =
        [("qwen --acp", true), ("qwen --old", false), ("qwen --old", false), ("qwen --print", true)];
    assert_eq!(ways, expected.map(|(words, can)| ("boxed".to_owned(), words.to_owned(), can)));
}

#[test]
fn a_project_that_changes_another_way_needs_consent() {
    let user = "[agents.mine]\nextends = 'claude'\notherwise = 'codex'\n";
    let place = Place::with(user, "[agents.codex]\nargs = ['--evil']\n");
    let registry = place.registry(false).unwrap();
    assert_eq!(kind(registry.agent("mine")), ErrorKind::AgentNotAllowed);
    let mine = registry.list().unwrap().into_iter().find(|agent| agent.entry.name == "mine").unwrap();
    assert_eq!((mine.origin, mine.allowed), (Origin::Project, false));
}

#[test]
fn an_agent_that_is_said_not_to_resume_is_not_asked_to() {
    let place =
        Place::with("[agents.forgetful]\nextends = 'claude'\ncapabilities = ['deltas', 'telepathy']", "");
    let registry = place.registry(false).unwrap();
    assert!(!registry.agent("forgetful").unwrap().can_resume());
    assert!(registry.agent("claude").unwrap().can_resume());
}

#[test]
fn a_projects_agents_need_consent() {
    let place = Place::with("[agents.mine]\nextends = 'claude'", "[agents.claude]\nprograms = ['./evil']\n");
    let refused = |name: &str| kind(place.registry(false).unwrap().agent(name));
    assert_eq!(refused("claude"), ErrorKind::AgentNotAllowed);
    assert_eq!(refused("mine"), ErrorKind::AgentNotAllowed, "it is made of what the project changed");
    let registry = place.registry(false).unwrap();
    assert_eq!(registry.agent("codex").unwrap().name(), "codex", "of which the project says nothing");
    let error = registry.agent("claude").unwrap_err();
    insta::assert_snapshot!(place.told(&error), @"the project's '<project>/.locus/agents.toml' says how 'claude' is run, and you have not allowed that file as it is; look at it, then allow it with `locus exec agents allow` in the project, or once with --trust-project (option `trustProject`)");
    assert!(place.registry(true).unwrap().agent("claude").is_ok());
}

#[test]
fn consent_is_for_one_text_at_one_place() {
    let text = "[agents.x]\nextends = 'claude'\n";
    let (place, other) = (Place::with("", text), Place::with("", text));
    let path = place.registry(false).unwrap().project_file().unwrap().path.clone();
    place.consents().allow(&path, text).unwrap();
    assert!(place.registry(false).unwrap().agent("x").is_ok());
    let elsewhere = Registry::of_project(other.project.path(), Some(place.config.path()), false).unwrap();
    assert_eq!(kind(elsewhere.agent("x")), ErrorKind::AgentNotAllowed);

    place.project("[agents.x]\nextends = 'codex'\n");
    assert_eq!(kind(place.registry(false).unwrap().agent("x")), ErrorKind::AgentNotAllowed);
    assert_eq!(place.consents().allowed(&path).unwrap().as_deref(), Some(text), "what changed can be shown");
    place.project(text);
    assert!(place.registry(false).unwrap().agent("x").is_ok());

    assert!(place.consents().revoke(&path).unwrap());
    assert!(!place.consents().revoke(&path).unwrap());
    assert_eq!(kind(place.registry(false).unwrap().agent("x")), ErrorKind::AgentNotAllowed);
}

#[cfg(unix)]
#[test]
fn what_is_allowed_is_the_users_alone() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::with("", "[agents.x]\nextends = 'claude'\n");
    let consents = Consents::new(Some(&place.config.path().join("not/yet")));
    consents.allow(&place.project.path().join(".locus/agents.toml"), "text").unwrap();
    let mode =
        |path: &str| fs::metadata(place.config.path().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("not/yet"), mode("not/yet/allowed-agents.json")), (0o700, 0o600));
}

#[test]
fn consents_that_cannot_be_read_allow_nothing() {
    let place = Place::with("", "[agents.x]\nextends = 'claude'\n");
    fs::write(place.config.path().join("allowed-agents.json"), "{").unwrap();
    assert_eq!(kind(place.registry(false)), ErrorKind::InvalidInput);
}

#[cfg(unix)]
#[test]
fn a_projects_file_is_not_read_through_a_link_and_the_users_is() {
    let place = Place::with("", "[agents.x]\nextends = 'claude'\n");
    let file = place.project.path().join(".locus/agents.toml");
    let real = place.project.path().join("real.toml");
    fs::rename(&file, &real).unwrap();
    std::os::unix::fs::symlink(&real, &file).unwrap();
    insta::assert_snapshot!(place.told(&place.registry(false).unwrap_err()), @"the agents in '<project>/.locus/agents.toml' cannot be used: it is a symlink, which is not followed; make it readable, or remove it");
    fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink(&real, place.config.path().join("agents.toml")).unwrap();
    assert!(place.registry(false).unwrap().agent("x").is_ok());
}

#[test]
fn a_bad_file_is_told_with_its_place_and_what_to_do() {
    let cases = [
        "[agents.claude\n",
        "agents = 1",
        "[agnets.claude]",
        "[agents.Claude]\n",
        "[agents.a-name-that-is-longer-than-32-bytes]\n",
        "[agents.x]\nextends = 'claude'\nprogramms = ['x']\n",
        "[agents.x]\nextends = 'claude'\nfrobnicate = true\n",
        "[agents.x]\ndialect = 'cluade'\n",
        "[agents.x]\n\n",
        "[agents.x]\nextends = 'hal'\n",
        "[agents.x]\nextends = 'y'\n[agents.y]\nextends = 'x'\n",
        "[agents.claude]\nextends = 'claude'\n",
        "[agents.x]\nextends = 'claude'\n[agents.y]\nextends = 'x'\notherwise = 'hal'\n",
        "[agents.x]\nextends = 'claude'\notherwise = 'x'\n",
        "[agents.x]\nextends = 'claude'\notherwise = 'y'\n[agents.y]\nextends = 'z'\n[agents.z]\nextends = 'claude'\notherwise = 'x'\n",
        "[agents.x]\nextends = 'claude'\notherwise = ['y']\n",
        "[agents.claude]\nargs = '--bare'\n",
        "[agents.claude]\nargs = ['--bare', 1]\n",
        "[agents.claude]\nmodel = ''\n",
        "[agents.claude]\nmodels = [{ id = 'x', contxt = 1 }]\n",
        "[agents.claude]\nmodels = [{ id = 'x', context = -1 }]\n",
        "[agents.claude]\nmodels = [{ context = 1 }]\n",
        "[agents.claude]\nmodels = 'x'\n",
        "[agents.claude.env]\nA = 1\n",
        "[agents.claude.env]\n'A=' = 'x'\n",
        "[agents.claude]\nprograms = ['bin/claude']\n",
    ];
    let told: Vec<String> = cases
        .iter()
        .map(|text| {
            let place = Place::with(text, "");
            let error = place.registry(false).expect_err(text);
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            format!("{}\n{}", text.trim_end(), place.told(&error))
        })
        .collect();
    insta::assert_snapshot!(told.join("\n\n"));
}

#[test]
fn agents_do_not_extend_each_other_without_end() {
    let entries = (0..500).map(|n| format!("[agents.a{n}]\nextends = 'a{}'\n", n + 1));
    let chain = entries.collect::<Vec<_>>().concat();
    let error =
        Place::with(&format!("{chain}[agents.a500]\nextends = 'claude'"), "").registry(false).unwrap_err();
    assert!(error.to_string().contains("more than 8 agents extend each other"), "{error}");
}

#[test]
fn a_file_that_is_too_long_is_not_read() {
    let error = Place::with(&"#".repeat(70_000), "").registry(false).unwrap_err();
    assert!(error.to_string().ends_with("such a file has at most 65536 bytes; make it shorter"), "{error}");
}

#[test]
fn a_path_in_a_projects_file_is_relative_to_the_project() {
    let place = Place::with("", "[agents.x]\ndialect = 'claude'\nprograms = ['tools/agent']\n");
    assert_eq!(place.argv("x")[0], "tools/agent");
}

#[test]
fn a_folder_that_is_missing_is_for_the_engine_to_tell() {
    let missing = Path::new("/locus-exec/no/such/folder");
    assert!(Registry::of_project(missing, None, false).unwrap().agent("claude").is_ok());
}

#[test]
fn the_example_of_the_documentation_can_be_used() {
    let page = include_str!("../docs/agents.md");
    let example = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let place = Place::with(example, "");
    assert_eq!(place.argv("boxed")[..2], ["docker", "run"]);
    assert_eq!(place.argv("far")[..5], ["ssh", "build-host", "cd work &&", "codex", "app-server"]);
    assert_eq!(place.argv("mine")[..3], ["mine", "chat", "--print"]);
    assert_eq!(
        place.registry(false).unwrap().agent("claude").unwrap().default_model(),
        Some("claude-opus-5-5")
    );
}
