//! What the history costs: `cargo bench --bench history`; `-- many_sessions` measures only that part. Prints a table of
//! figures and their goals; no test.
//!
//! Times are medians over repeated calls of one process. RSS is the peak during a part above what the process had when
//! the part began (Linux only).

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program that prints, or fails")]

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use locus_exec::event::{Event, Fact, Payload};
use locus_exec::history::{
    Conversation, Header, Line, ListFilter, NewSession, Record, Recorder, Redactor, SCHEMA, Store, Turn,
};
use locus_exec::stream::Chunk;
use serde_json::json;

fn main() {
    println!("| what | measured | goal |\n| --- | --- | --- |");
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let parts: [(&str, fn()); 6] = [
        ("append", append),
        ("observe", observe),
        ("recordings", recordings),
        ("many_sessions", many_sessions),
        ("much_text", much_text),
        ("big_files", big_files),
    ];
    for (name, part) in parts {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            part();
        }
    }
}

/// A 2 KB message: secrets looked for, serialized, appended under the lock.
fn append() {
    let project = tempfile::tempdir().unwrap();
    let store = store(project.path());
    let mut conversation = Conversation::create(store.folder(), header("append")).unwrap();
    let message = Words::new(1).text(2000);
    let mut times = Vec::new();
    let mut lines = Vec::new();
    for _ in 0..20_000 {
        let began = Instant::now();
        lines.clear();
        let content = store.redactor().redact(&message).into_owned();
        Record::Text { run_id: "run".to_owned(), content }.write(1, &mut lines);
        conversation.append(&lines).unwrap();
        times.push(began.elapsed());
    }
    let (p50, p99) = (at(&mut times, 50), at(&mut times, 99));
    row("append of a 2 KB message, not synced", &format!("p50 {p50:.1?}, p99 {p99:.1?}"), "p50 ≤ 15 µs");
}

/// What the hot path pays for each piece of text.
fn observe() {
    const PIECES: u32 = 1_000_000;
    let project = tempfile::tempdir().unwrap();
    let store = store(project.path());
    let session = NewSession { id: "observe".into(), provider: "claude".into(), ..NewSession::default() };
    let mut recorder = Recorder::create(&store, session).unwrap();
    let mut see = |payload| recorder.observe(&Event { seq: 1, timestamp: 1, payload }, "run");
    see(Fact::PromptSubmitted { prompt: "hi", images: &[] }.into());
    let began = Instant::now();
    for _ in 0..PIECES {
        see(Payload::Chunk(Chunk::TextDelta { content: "a word ".into(), parent_tool_use_id: None }));
    }
    let each = began.elapsed() / PIECES;
    let mut plain = String::new();
    let began = Instant::now();
    for _ in 0..PIECES {
        black_box(&mut plain).push_str(black_box("a word "));
    }
    let push = began.elapsed() / PIECES;
    row(
        "a piece of text observed (1,000,000)",
        &format!("{each:?} (push_str alone: {push:?})"),
        "a push_str",
    );
}

/// Two hundred sessions at once: a prompt each, then an answer that comes in pieces for a second.
fn recordings() {
    const SESSIONS: usize = 200;
    let project = tempfile::tempdir().unwrap();
    let store = store(project.path());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let see = |recorder: &mut Recorder, payload: Payload<'_>| {
        recorder.observe(&Event { seq: 1, timestamp: 1, payload }, "run");
    };
    let open = |number| {
        let session = NewSession { id: format!("r-{number}"), ..NewSession::default() };
        Recorder::create(&store, session).unwrap()
    };
    let ((mut recorders, durable), memory) = peak(|| {
        let mut recorders: Vec<_> = (0..SESSIONS).map(open).collect();
        let durable = once(|| {
            for recorder in &mut recorders {
                see(recorder, Fact::PromptSubmitted { prompt: "hi", images: &[] }.into());
            }
            for recorder in &recorders {
                runtime.block_on(recorder.sync()).unwrap();
            }
        });
        (recorders, durable)
    });
    let threads = fs::read_dir("/proc/self/task").map_or(0, Iterator::count);
    row("200 sessions at once", &format!("{threads} threads, RSS +{memory}"), "");
    row("the same, all prompts durable", &format!("{durable:.1?}"), "");
    let before = cpu_ticks();
    for _ in 0..100 {
        for recorder in &mut recorders {
            let content = "some words ".into();
            see(recorder, Payload::Chunk(Chunk::TextDelta { content, parent_tool_use_id: None }));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let spent = (cpu_ticks() - before) * 10;
    row("the same, 100 pieces of text each in a second", &format!("{spent} ms of processor"), "");
    for recorder in recorders {
        runtime.block_on(recorder.close()).unwrap();
    }
}

fn many_sessions() {
    let project = tempfile::tempdir().unwrap();
    fill(project.path(), 10_000, 20 * 1024);
    let (rebuilt, memory) = peak(|| once(|| list(&store(project.path()), None)));
    row("index made anew, 10,000 × 20 KB", &format!("{rebuilt:.2?}, RSS +{memory}"), "≤ 3 s, ≤ 32 MB");
    settle();
    let store = store(project.path());
    list(&store, Some(50));
    let (page, memory) = peak(|| median(50, || list(&store, Some(50))));
    row("list of 10,000 sessions, first 50", &format!("{page:.2?}, RSS +{memory}"), "≤ 10 ms, ≤ 32 MB");
    let (all, memory) = peak(|| median(20, || list(&store, None)));
    row("list of 10,000 sessions, all", &format!("{all:.2?}, RSS +{memory}"), "≤ 10 ms, ≤ 32 MB");
    let json = median(20, || {
        black_box(serde_json::to_string(&store.list(&ListFilter::default()).unwrap()).unwrap());
    });
    row("the same, as JSON", &format!("{json:.2?}"), "");
    let opened = median(20, || list(&self::store(project.path()), Some(50)));
    row("the same, first 50, the index opened anew", &format!("{opened:.2?}"), "");
    fs::write(store.folder().path().join("touched"), "").unwrap();
    let scanned = once(|| list(&store, Some(50)));
    row("the same, every file looked at (one came)", &format!("{scanned:.2?}"), "");
}

fn much_text() {
    let project = tempfile::tempdir().unwrap();
    fill(project.path(), 700, 200 * 1024);
    let store = store(project.path());
    list(&store, Some(1));
    settle();
    list(&store, Some(1));
    let bytes: u64 = store.list(&ListFilter::default()).unwrap().sessions.iter().map(|s| s.size_bytes).sum();
    for (name, query_words) in [
        ("a frequent word", vec![1]),
        ("a rare word", vec![19_998]),
        ("three words", vec![20, 300, 4000]),
        ("no match", vec![30_000]),
    ] {
        let mut query = String::new();
        for number in query_words {
            word(number, &mut query);
            query.push(' ');
        }
        let (time, memory) = peak(|| {
            median(20, || {
                black_box(store.search(&query, 20).unwrap());
            })
        });
        let name = format!("search in {} MB of files, {name}", bytes / 1_000_000);
        row(&name, &format!("{time:.2?}, RSS +{memory}"), "≤ 50 ms, ≤ 32 MB");
    }
}

fn big_files() {
    let project = tempfile::tempdir().unwrap();
    fill(project.path(), 1000, 200 * 1024);
    let store = store(project.path());
    list(&store, None);
    settle();
    list(&store, None);
    let listed = median(20, || list(&store, None));
    let read = median(5, || {
        for entry in fs::read_dir(store.folder().path()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                black_box(fs::read(path).unwrap());
            }
        }
    });
    let understood = median(3, || {
        for entry in fs::read_dir(store.folder().path()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                for line in fs::read_to_string(path).unwrap().lines() {
                    black_box(Line::parse(line).unwrap());
                }
            }
        }
    });
    for (what, time) in [("reading every file", read), ("reading and parsing every file", understood)] {
        let factor = time.as_secs_f64() / listed.as_secs_f64();
        row(
            &format!("listing 1,000 × 200 KB against {what}"),
            &format!("{listed:.2?} / {time:.1?}: {factor:.0}×"),
            "≥ 50×",
        );
    }
}

fn list(store: &Store, limit: Option<usize>) {
    black_box(store.list(&ListFilter { limit, ..ListFilter::default() }).unwrap());
}

fn store(project: &Path) -> Store {
    Store::of_project(project, None, Redactor::default())
}

/// Waits until the file system's clock can tell a change from now on.
fn settle() {
    std::thread::sleep(Duration::from_millis(1100));
}

fn header(id: &str) -> Header {
    let provider = "claude".to_owned();
    Header { schema: SCHEMA, id: id.to_owned(), created_at: 1, provider, ..Header::default() }
}

/// Stores so many sessions of so many bytes: prompts, answers, and tools with their parameters.
fn fill(project: &Path, sessions: u64, bytes: usize) {
    let folder = store(project).folder().path().to_owned();
    fs::create_dir_all(&folder).unwrap();
    let mut words = Words::new(7);
    for session in 0..sessions {
        let id = format!("session-{session:08}");
        let mut lines = Vec::with_capacity(bytes + 8192);
        Record::Session(header(&id)).write(session, &mut lines);
        let mut turn = 0;
        while lines.len() < bytes {
            turn += 1;
            let (run_id, at) = (format!("run-{turn}"), session + turn);
            let (content, provider) = (words.text(300), "claude".to_owned());
            Record::Prompt { run_id: run_id.clone(), content, provider, model: None, images: Vec::new() }
                .write(at, &mut lines);
            let parameters = json!({ "file_path": "src/a.rs", "content": words.text(1000) });
            let (id, tool) = (format!("tool-{turn}"), "Write".to_owned());
            Record::ToolUse { run_id: run_id.clone(), id, tool, parameters, parent_tool_use_id: None }
                .write(at, &mut lines);
            Record::Text { run_id: run_id.clone(), content: words.text(2500) }.write(at, &mut lines);
            Record::Turn(Turn { run_id, success: true, ..Turn::default() }).write(at, &mut lines);
        }
        fs::write(folder.join(format!("{id}.jsonl")), lines).unwrap();
    }
}

/// Appends the word of this number; none is the beginning of another.
fn word(mut number: u64, text: &mut String) {
    const SYLLABLES: [&str; 10] = ["ba", "ce", "di", "fo", "gu", "la", "me", "ni", "po", "ru"];
    while number > 0 {
        text.push_str(SYLLABLES[usize::try_from(number % 10).unwrap()]);
        number /= 10;
    }
    text.push('s');
}

/// Words as in a language: the frequent ones are few. 20,000 of them.
struct Words(u64);

impl Words {
    fn new(seed: u64) -> Self {
        Self(seed)
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is between 1 and 20,000")]
    #[expect(clippy::cast_precision_loss, reason = "53 bits are enough")]
    fn text(&mut self, bytes: usize) -> String {
        let mut text = String::new();
        while text.len() < bytes {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let random = (self.0 >> 11) as f64 / (1u64 << 53) as f64;
            word(20_000f64.powf(random) as u64, &mut text);
            text.push(' ');
        }
        text
    }
}

fn once(work: impl FnOnce()) -> Duration {
    let began = Instant::now();
    work();
    began.elapsed()
}

fn median(times: usize, mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..times).map(|_| once(&mut work)).collect();
    at(&mut times, 50)
}

fn at(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    times[(times.len() - 1) * percent / 100]
}

/// What the work returns, and by how much the process grew meanwhile at most.
fn peak<T>(work: impl FnOnce() -> T) -> (T, String) {
    // Sets the peak back to the present.
    let can = fs::write("/proc/self/clear_refs", "5").is_ok();
    let before = memory("VmRSS:");
    let result = work();
    let grown = memory("VmHWM:").saturating_sub(before);
    (result, if can { format!("{:.1} MB", f64::from(grown) / 1000.0) } else { "?".to_owned() })
}

/// The processor's time that this process has used, in hundredths of a second.
fn cpu_ticks() -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum()
}

/// Kilobytes, as the kernel says.
fn memory(field: &str) -> u32 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_default();
    line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn row(what: &str, measured: &str, goal: &str) {
    println!("| {what} | {measured} | {goal} |");
}
