//! Whatever is said comes back as it was said.

use locus_exec::history::{PrunePolicy, Recorder};
use proptest::prelude::*;

use super::support::{Observe, Project, recorder};

/// A turn: a prompt, and the pieces of the answer.
type Turns = Vec<(String, Vec<String>)>;

/// Texts with everything that JSON, lines and people find difficult.
fn text() -> impl Strategy<Value = String> {
    let difficult =
        ["\n", "\r\n", "\u{2028}", "\0", "\\", "\"", "{\"type\":\"turn\"}\n", "é", "漢", "😀", "\u{feff}"];
    let piece = prop_oneof![any::<String>(), prop::sample::select(difficult.to_vec()).prop_map(Into::into)];
    prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

fn turns() -> impl Strategy<Value = Turns> {
    prop::collection::vec((text(), prop::collection::vec(text(), 0..5)), 1..4)
}

fn expected(turns: &Turns) -> Vec<String> {
    turns.iter().flat_map(|(prompt, pieces)| [prompt.clone(), pieces.concat()]).collect()
}

fn stored(project: &Project, id: &str) -> Vec<String> {
    let session = project.store.read(id).unwrap();
    assert_eq!(session.problems, []);
    session.messages.into_iter().map(|message| message.content).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_session_comes_back_from_every_form(turns in turns(), reopened in any::<bool>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let project = Project::new();
        let mut writing = recorder(&project.store, "one");
        for (number, (prompt, pieces)) in turns.iter().enumerate() {
            let run = format!("run-{number}");
            writing.prompt(&run, prompt);
            for piece in pieces {
                writing.text(&run, piece);
            }
            writing.end(&run, "");
            if reopened {
                runtime.block_on(writing.close()).unwrap();
                writing = Recorder::open(&project.store, "one").unwrap();
            }
        }
        runtime.block_on(writing.close()).unwrap();
        let expected = expected(&turns);
        prop_assert_eq!(&stored(&project, "one"), &expected);

        let copy = project.store.import(&project.store.export("one").unwrap()).unwrap();
        prop_assert_eq!(&stored(&project, &copy), &expected);
        let fork = project.store.fork("one", None).unwrap();
        prop_assert_eq!(&stored(&project, &fork), &expected);
        let policy = PrunePolicy { keep: None, max_age_days: None, compress_after_days: Some(0), ..PrunePolicy::default() };
        project.store.prune(&policy).unwrap();
        prop_assert!(project.file("one.jsonl.zst").exists());
        prop_assert_eq!(&stored(&project, "one"), &expected);
        project.store.rename("one", "x").unwrap();
        prop_assert_eq!(&stored(&project, "one"), &expected);
    }

    /// Cut anywhere, the file gives all that was whole, and takes more.
    #[test]
    fn a_file_cut_anywhere_is_mended(turns in turns(), cut in any::<prop::sample::Index>()) {
        let project = Project::new();
        let pairs: Vec<(String, String)> =
            turns.iter().map(|(prompt, pieces)| (prompt.clone(), pieces.concat())).collect();
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        project.put("one", 5, &pairs);
        let whole = std::fs::read(project.file("one.jsonl")).unwrap();
        let cut = cut.index(whole.len() + 1);
        std::fs::write(project.file("one.jsonl"), &whole[..cut]).unwrap();
        project.store.rename("one", "mended").unwrap();
        let mended = project.store.read("one").unwrap();
        prop_assert!(mended.problems.len() <= 1);
        prop_assert_eq!(mended.summary.title.as_deref(), Some("mended"));
        let now = std::fs::read(project.file("one.jsonl")).unwrap();
        let kept = whole[..cut].iter().rposition(|byte| *byte == b'\n').map_or(0, |index| index + 1);
        prop_assert_eq!(&now[..kept], &whole[..kept]);
    }
}
