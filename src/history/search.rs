//! Finding sessions by what was said in them.
//!
//! The index narrows, the file answers: the index knows in which sessions all words occur, the file of such a session
//! says where, and gives the snippet.

use serde::Serialize;

use super::id::SessionId;
use super::source;
use super::store::Store;
use super::transcript::{Role, StoredMessage, Transcript};
use super::words::{Query, words};
use crate::error::Result;

/// What begins a match in a snippet.
pub const MATCH_BEGIN: char = '\u{2}';
/// What ends it.
pub const MATCH_END: char = '\u{3}';

/// How much of a message a snippet shows, in characters.
const SNIPPET: usize = 160;
/// How much of that comes before the first match.
const BEFORE: usize = 40;
/// At most so many hits of one session.
const PER_SESSION: usize = 3;

/// A message in which something was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SearchHit {
    /// The session's id.
    pub id: String,
    /// Its title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The run that the message belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// Who said it.
    pub role: Role,
    /// When, in milliseconds since the epoch.
    pub timestamp: u64,
    /// The message around the first match, one line; matches stand between [`MATCH_BEGIN`] and [`MATCH_END`].
    pub snippet: String,
    /// When something was last said in the session.
    pub updated_at: u64,
}

impl Store {
    /// Messages in which all words of `query` occur (each at the beginning of a word; what stands in quotes, word for
    /// word), those of the newest sessions first, at most `limit`. Where the words are spread over a session, the
    /// first message that has one of them stands for it.
    pub fn search(&self, query: &str, limit: usize) -> Result<Vec<SearchHit>> {
        let query = Query::parse(query);
        let mut hits = Vec::new();
        if query.is_empty() {
            return Ok(hits);
        }
        for id in self.ask(|index| index.candidates(&query))? {
            if hits.len() >= limit {
                break;
            }
            // One that was removed since, or cannot be read, has no hits; `list` tells why.
            let source = source::locate(self.folder(), &SessionId::parse(&id)?)?;
            if let Some(Ok((transcript, _, _))) = source.map(|source| source.transcript()) {
                hits.extend(hits_of(&id, &transcript, &query));
            }
        }
        hits.truncate(limit);
        Ok(hits)
    }
}

fn hits_of(id: &str, session: &Transcript, query: &Query) -> Vec<SearchHit> {
    let summary = session.summary(id);
    let hit = |message: &StoredMessage| SearchHit {
        id: id.to_owned(),
        title: summary.title.clone(),
        run_id: Some(message.run_id.clone()).filter(|id| !id.is_empty()),
        role: message.role,
        timestamp: message.timestamp,
        snippet: snippet(&message.content, query),
        updated_at: summary.updated_at,
    };
    let all = session.messages.iter().filter(|message| query.matches(&message.content));
    let hits: Vec<SearchHit> = all.take(PER_SESSION).map(hit).collect();
    if !hits.is_empty() || query.has_phrases() {
        return hits;
    }
    let titled = summary.title.as_deref().is_some_and(|title| query.matches(title));
    let any = session.messages.iter().find(|message| titled || query.matches_any(&message.content));
    any.map(hit).into_iter().collect()
}

/// The text around its first match, with all matches in it marked.
fn snippet(text: &str, query: &Query) -> String {
    let matched: Vec<(usize, usize)> =
        words(text).filter(|word| query.has_word(&text[word.0..word.1])).collect();
    let first = matched.first().map_or(0, |found| found.0);
    let begin = text[..first].char_indices().rev().nth(BEFORE - 1).map_or(0, |(index, _)| index);
    let end = text[begin..].char_indices().nth(SNIPPET).map_or(text.len(), |(index, _)| begin + index);
    let mut snippet = String::new();
    if begin > 0 {
        snippet.push('…');
    }
    let mut at = begin;
    for (from, to) in matched.into_iter().filter(|(from, to)| *from >= begin && *to <= end) {
        push_line(&mut snippet, &text[at..from]);
        snippet.push(MATCH_BEGIN);
        push_line(&mut snippet, &text[from..to]);
        snippet.push(MATCH_END);
        at = to;
    }
    push_line(&mut snippet, &text[at..end]);
    if end < text.len() {
        snippet.push('…');
    }
    snippet
}

/// Appends a text without line breaks and other control characters.
fn push_line(line: &mut String, text: &str) {
    line.extend(text.chars().map(|c| if c.is_control() { ' ' } else { c }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snippet_shows_the_matches_where_they_are() {
        let text = format!("{} The Plan is\nto plan ahead {}", "before ".repeat(30), "after ".repeat(40));
        let snippet = snippet(&text, &Query::parse("plan"));
        assert!(snippet.contains("The \u{2}Plan\u{3} is to \u{2}plan\u{3} ahead"), "{snippet}");
        assert!(snippet.starts_with('…') && snippet.ends_with('…'), "{snippet}");
        assert!(snippet.chars().count() < SNIPPET + 10);
    }
}
