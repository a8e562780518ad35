//! What the sanitizer lets through does nothing to a terminal, whatever came in and however it was cut.
#![no_main]

use libfuzzer_sys::fuzz_target;
use locus_exec::terminal::Sanitizer;
use vte::{Params, Parser, Perform};

fn clean(text: &str) -> String {
    Sanitizer::new().push(text)
}

/// The general categories Cc and the bidirectional controls, line separators and other invisible switches of Cf.
fn is_harmless(char: char) -> bool {
    match u32::from(char) {
        9 | 10 => true,
        0..=0x1f | 0x7f..=0x9f => false,
        0x061c | 0x200e | 0x200f | 0x2028..=0x202e | 0x2066..=0x206f | 0xfeff | 0xfff9..=0xfffb => false,
        _ => true,
    }
}

/// Fails at anything that a terminal would not simply print.
struct Terminal;

impl Perform for Terminal {
    fn execute(&mut self, byte: u8) {
        assert!(matches!(byte, b'\n' | b'\t'), "the terminal executes {byte:#x}");
    }

    fn hook(&mut self, _: &Params, _: &[u8], _: bool, action: char) {
        panic!("the terminal enters a device control string {action:?}");
    }

    fn osc_dispatch(&mut self, params: &[&[u8]], _: bool) {
        panic!("the terminal obeys an operating system command {params:?}");
    }

    fn csi_dispatch(&mut self, _: &Params, _: &[u8], _: bool, action: char) {
        panic!("the terminal obeys a control sequence {action:?}");
    }

    fn esc_dispatch(&mut self, _: &[u8], _: bool, byte: u8) {
        panic!("the terminal obeys an escape sequence {byte:#x}");
    }
}

fuzz_target!(|input: (Vec<u8>, &str)| {
    let (cuts, text) = input;
    let shown = clean(text);

    if let Some(char) = shown.chars().find(|char| !is_harmless(*char)) {
        panic!("{char:?} is shown");
    }
    Parser::new().advance(&mut Terminal, shown.as_bytes());
    assert_eq!(clean(&shown), shown, "what is clean stays as it is");
    if text.chars().all(is_harmless) {
        assert_eq!(shown, text, "harmless text was changed");
    }

    // Nothing is made up: what is shown is there in this order.
    let mut source = text.chars();
    assert!(shown.chars().all(|char| source.any(|source| source == char)), "{shown:?} is not in {text:?}");

    // No sequence reaches over the end of a line.
    let lines: Vec<String> = text.split('\n').map(clean).collect();
    assert_eq!(lines.join("\n"), shown, "lines depend on each other");

    let mut sanitizer = Sanitizer::new();
    let mut pieces = String::new();
    let mut rest = text;
    let mut cuts = cuts.into_iter().cycle();
    while !rest.is_empty() {
        let wanted = usize::from(cuts.next().unwrap_or(u8::MAX)).clamp(1, rest.len());
        let cut = (wanted..=rest.len()).find(|cut| rest.is_char_boundary(*cut)).unwrap_or(rest.len());
        pieces.push_str(&sanitizer.push(&rest[..cut]));
        rest = &rest[cut..];
    }
    assert_eq!(pieces, shown, "a cut changed something");
});
