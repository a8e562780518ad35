//! Which sessions stay, and which of them are compressed.
//!
//! The decisions are pure: [`decide`] looks at each session's age and place, [`excess`] at how much all that is left takes
//! together, when it is compressed. Only sessions of this package are touched, and none that is open.

use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::Path;

use serde::{Deserialize, Deserializer, Serialize};

use super::conversation::remove_if_there;
use super::folder::{COMPRESSED, MARK, PLAIN, create_new, open_read};
use super::id::SessionId;
use super::mark::OpenMark;
use super::store::{ListFilter, Store};
use super::transcript::{Format, SessionSummary};
use super::{failure, now};
use crate::error::Result;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// What a history may take by default, in bytes. Thirty conversations are a few megabytes; this is for those that ran wild.
const DEFAULT_MAX_BYTES: u64 = 256 * 1000 * 1000;

/// How hard zstd tries: text shrinks to about a fifth at any level.
const LEVEL: i32 = 6;

/// What is kept. Each limit counts for itself; `None` is no limit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PrunePolicy {
    /// So many of the newest.
    #[serde(deserialize_with = "limit")]
    pub keep: Option<usize>,
    /// Those that changed in so many days.
    #[serde(deserialize_with = "limit")]
    pub max_age_days: Option<u64>,
    /// Those that did not change in so many days are compressed.
    #[serde(deserialize_with = "limit")]
    pub compress_after_days: Option<u64>,
    /// The newest one, and of the others the newest that together take no more bytes than this, compressed as they are;
    /// those that are open count.
    #[serde(deserialize_with = "limit")]
    pub max_bytes: Option<u64>,
    /// Whether it is only to be told what would be done.
    pub dry_run: bool,
}

impl Default for PrunePolicy {
    fn default() -> Self {
        Self {
            keep: Some(30),
            max_age_days: Some(30),
            compress_after_days: Some(7),
            max_bytes: Some(DEFAULT_MAX_BYTES),
            dry_run: false,
        }
    }
}

/// A limit that is there: a number or, for none, null. One that is not given has its default.
fn limit<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer)
}

/// What was done, or would be.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PruneOutcome {
    /// The ids of the sessions that were removed, newest first.
    pub removed: Vec<String>,
    /// The ids of those that were compressed.
    pub compressed: Vec<String>,
    /// How many bytes less there are; for a dry run only those of the removed, and nothing is taken to be compressed.
    pub bytes_freed: u64,
}

/// What is to become of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Keep,
    Compress,
    Remove,
}

/// What is to become of each of `sessions`, which come newest first, by its age and its place among them.
fn decide<'a>(
    sessions: &'a [SessionSummary],
    policy: &'a PrunePolicy,
    now: u64,
) -> impl Iterator<Item = (&'a SessionSummary, Fate)> {
    let older = move |session: &SessionSummary, days: Option<u64>| {
        days.is_some_and(|days| now.saturating_sub(session.updated_at) > days.saturating_mul(DAY_MS))
    };
    let open = sessions.iter().filter(|session| session.open).count();
    sessions.iter().filter(|session| is_ours(session) && !session.open).enumerate().map(
        move |(index, session)| {
            let fate = if policy.keep.is_some_and(|keep| index + open >= keep)
                || older(session, policy.max_age_days)
            {
                Fate::Remove
            } else if session.format == Format::LocusExec
                && !session.compressed
                && older(session, policy.compress_after_days)
            {
                Fate::Compress
            } else {
                Fate::Keep
            };
            (session, fate)
        },
    )
}

/// Whether the session is in this package's folder: what is elsewhere is not ours to count or to touch.
fn is_ours(session: &SessionSummary) -> bool {
    matches!(session.format, Format::LocusExec | Format::PlanJson)
}

/// Those of `sessions`, which come newest first, that have to go so that all take `max_bytes` at most: the oldest, and
/// none more than needed. `open_bytes` are taken by sessions that have to stay; where there are none the newest stays and
/// does not count, so that a conversation that ran wild costs neither itself nor all others.
fn excess(sessions: &[(String, u64)], open_bytes: u64, max_bytes: Option<u64>) -> &[(String, u64)] {
    let Some(max_bytes) = max_bytes else { return &[] };
    let newest = usize::from(open_bytes == 0).min(sessions.len());
    let mut total = open_bytes;
    let stay = sessions[newest..].iter().take_while(|(_, size)| {
        total = total.saturating_add(*size);
        total <= max_bytes
    });
    &sessions[newest + stay.count()..]
}

impl Store {
    /// Removes and compresses what the policy says.
    pub fn prune(&self, policy: &PrunePolicy) -> Result<PruneOutcome> {
        let sessions = self.list(&ListFilter::default())?.sessions;
        let mut outcome = PruneOutcome::default();
        let mut left = Vec::new();
        for (session, fate) in decide(&sessions, policy, now()) {
            let mut size = session.size_bytes;
            match fate {
                Fate::Keep => {}
                Fate::Remove => {
                    if self.prune_one(&session.id, size, policy, &mut outcome)? {
                        continue;
                    }
                }
                Fate::Compress => {
                    let id = SessionId::parse(&session.id)?;
                    let freed = if policy.dry_run { Some(0) } else { self.compress(&id)? };
                    if let Some(freed) = freed {
                        outcome.compressed.push(session.id.clone());
                        outcome.bytes_freed += freed;
                        size = size.saturating_sub(freed);
                    }
                }
            }
            left.push((session.id.clone(), size));
        }
        let open = sessions.iter().filter(|session| is_ours(session) && session.open);
        let open_bytes = open.map(|session| session.size_bytes).sum();
        let older = std::mem::take(&mut outcome.removed);
        for (id, size) in excess(&left, open_bytes, policy.max_bytes) {
            if self.prune_one(id, *size, policy, &mut outcome)? {
                outcome.compressed.retain(|compressed| compressed != id);
            }
        }
        outcome.removed.extend(older);
        Ok(outcome)
    }

    /// Removes a session whose file has this size, unless it has changed or been opened meanwhile; whether it did, or
    /// would have.
    fn prune_one(
        &self,
        id: &str,
        size: u64,
        policy: &PrunePolicy,
        outcome: &mut PruneOutcome,
    ) -> Result<bool> {
        let removed = policy.dry_run || self.try_remove(&SessionId::parse(id)?, Some(size))?;
        if removed {
            outcome.removed.push(id.to_owned());
            outcome.bytes_freed += size;
        }
        Ok(removed)
    }

    /// Compresses a session's file unless the session is open; how many bytes less it has.
    fn compress(&self, id: &SessionId) -> Result<Option<u64>> {
        let mark = self.folder().file(id, MARK);
        let Some(_alone) = OpenMark::try_alone(&mark).map_err(failure("lock", &mark))? else {
            return Ok(None);
        };
        let plain = self.folder().file(id, PLAIN);
        let target = self.folder().file(id, COMPRESSED);
        if !plain.exists() {
            // Somebody else did it, or removed it.
            return Ok(None);
        }
        let temporary = self.folder().file(id, ".zst.tmp");
        // Whoever left it died; the lock says that nobody is at it.
        remove_if_there(&temporary)?;
        let written = compress_file(&plain, &temporary).and_then(|sizes| {
            fs::rename(&temporary, &target)?;
            Ok(sizes)
        });
        let (before, after) = written.map_err(|error| {
            // What is left of it is in nobody's way.
            let _ = fs::remove_file(&temporary);
            failure("compress", &plain)(error)
        })?;
        // Only when the new one is sure to be there may the old one go; while both are, the old one counts.
        self.folder().sync()?;
        remove_if_there(&plain)?;
        Ok(Some(before.saturating_sub(after)))
    }
}

fn compress_file(plain: &Path, target: &Path) -> io::Result<(u64, u64)> {
    let source = open_read(plain)?;
    let before = source.metadata()?.len();
    let mut encoder = zstd::Encoder::new(create_new(target)?, LEVEL)?;
    encoder.include_checksum(true)?;
    io::copy(&mut BufReader::with_capacity(64 * 1024, source), &mut encoder)?;
    let file: File = encoder.finish()?;
    file.sync_all()?;
    Ok((before, file.metadata()?.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Fate::{Compress, Keep, Remove};
    use super::*;

    fn session(id: usize, days: u64) -> SessionSummary {
        SessionSummary { id: id.to_string(), updated_at: (1000 - days) * DAY_MS, ..SessionSummary::default() }
    }

    fn fates(sessions: &[SessionSummary], policy: &PrunePolicy) -> Vec<Fate> {
        decide(sessions, policy, 1000 * DAY_MS).map(|(_, fate)| fate).collect()
    }

    #[test]
    fn each_limit_counts_for_itself() {
        let sessions: Vec<_> =
            [0, 6, 8, 29, 31].into_iter().enumerate().map(|(id, days)| session(id, days)).collect();
        let all = PrunePolicy::default();
        assert_eq!(fates(&sessions, &all), [Keep, Keep, Compress, Compress, Remove]);
        assert_eq!(
            fates(&sessions, &PrunePolicy { keep: Some(1), ..all.clone() }),
            [Keep, Remove, Remove, Remove, Remove]
        );
        let never = PrunePolicy {
            keep: None,
            max_age_days: None,
            compress_after_days: None,
            ..PrunePolicy::default()
        };
        assert_eq!(fates(&sessions, &never), [Keep; 5]);
    }

    #[test]
    fn null_is_no_limit_and_absence_the_default() {
        let policy: PrunePolicy = serde_json::from_str(r#"{"keep":null,"maxAgeDays":3}"#).unwrap();
        assert_eq!(policy, PrunePolicy { keep: None, max_age_days: Some(3), ..PrunePolicy::default() });
    }

    #[test]
    fn what_is_open_or_of_others_is_left_alone() {
        let sessions = [
            SessionSummary { open: true, ..session(0, 999) },
            SessionSummary { format: Format::Locus026, ..session(1, 999) },
            session(2, 999),
        ];
        let policy = PrunePolicy::default();
        let fates: Vec<_> = decide(&sessions, &policy, 1000 * DAY_MS)
            .map(|(session, fate)| (session.id.as_str(), fate))
            .collect();
        assert_eq!(fates, [("2", Fate::Remove)]);
    }

    fn sized(sizes: &[u64]) -> Vec<(String, u64)> {
        sizes.iter().enumerate().map(|(id, size)| (id.to_string(), *size)).collect()
    }

    fn gone(sizes: &[u64], open_bytes: u64, max_bytes: Option<u64>) -> Vec<u64> {
        excess(&sized(sizes), open_bytes, max_bytes).iter().map(|(_, size)| *size).collect()
    }

    #[test]
    fn the_oldest_go_until_the_rest_is_small_enough() {
        let newest_first = [5, 40, 30, 20];
        for (open, limit, expected) in [
            (0, None, &[][..]),
            (0, Some(90), &[]),
            (0, Some(89), &[20]),
            (0, Some(70), &[20]),
            (0, Some(69), &[30, 20]),
            // A large one takes those with it that are older, however small.
            (0, Some(39), &[40, 30, 20]),
            // The one that was used last is not among them.
            (0, Some(0), &[40, 30, 20]),
            (1, Some(95), &[20]),
            (95, Some(95), &[5, 40, 30, 20]),
            (u64::MAX, Some(95), &[5, 40, 30, 20]),
        ] {
            assert_eq!(gone(&newest_first, open, limit), expected, "{open} open, {limit:?}");
        }
        assert_eq!(gone(&[], 9, Some(0)), [0; 0]);
    }

    proptest! {
        #[test]
        fn a_size_limit_is_kept_and_takes_no_more_than_it_must(
            sizes in prop::collection::vec(prop_oneof![0u64..1000, any::<u64>()], 0..12),
            open in 0u64..2000,
            limit in prop_oneof![0u64..5000, any::<u64>()],
            more in 0u64..2000,
        ) {
            let total = |sizes: &[u64]| sizes.iter().fold(open, |sum, size| sum.saturating_add(*size));
            let gone_at = |limit| gone(&sizes, open, Some(limit)).len();
            let newest = usize::from(open == 0).min(sizes.len());
            let stays = sizes.len() - gone_at(limit) - newest;
            let sizes = &sizes[newest..];
            prop_assert!(stays == 0 || total(&sizes[..stays]) <= limit, "what stays fits");
            prop_assert!(stays == sizes.len() || total(&sizes[..=stays]) > limit, "one more does not");
            prop_assert!(gone_at(limit.saturating_add(more)) <= gone_at(limit), "a larger limit keeps more");
        }
    }
}
