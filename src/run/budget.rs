//! What a turn and a session may use, and whether it is too much; pure.
//!
//! It is looked at whenever the agent tells what it used: when a model request begins or ends. What one request uses
//! comes on top.

use std::fmt;

use crate::error::ErrorKind;
use crate::usage::{Usage, rounded};

/// Limits; an absent one is none.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Budget {
    /// US dollars.
    pub cost_usd: Option<f64>,
    /// Tokens of all kinds: sent, generated, read from the cache and written to it.
    pub tokens: Option<u64>,
    /// Model requests of the main agent.
    pub turns: Option<u64>,
}

/// Whose budget it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// One turn's.
    Turn,
    /// That of the whole conversation.
    Session,
}

/// A limit that was exceeded, and what was used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Figures {
    /// US dollars. Where `partial` is set, at least so many were used.
    #[expect(missing_docs, reason = "named after what they are")]
    CostUsd { limit: f64, used: f64, partial: bool },
    /// Tokens of all kinds.
    #[expect(missing_docs, reason = "named after what they are")]
    Tokens { limit: u64, used: u64 },
    /// Model requests.
    #[expect(missing_docs, reason = "named after what they are")]
    Turns { limit: u64, used: u64 },
}

/// That a budget was exceeded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exceeded {
    /// Whose budget.
    pub scope: Scope,
    /// Which limit, and by how much.
    pub figures: Figures,
}

impl Budget {
    /// The first limit that `used` is above.
    fn exceeded(&self, used: &Usage) -> Option<Figures> {
        self.first(used, |used, limit| used > limit, |used, limit| used > limit)
    }

    /// The first limit of which `used` leaves nothing.
    fn used_up(&self, used: &Usage) -> Option<Figures> {
        self.first(used, |used, limit| used >= limit, |used, limit| used >= limit)
    }

    fn first(
        &self,
        usage: &Usage,
        dollars: impl Fn(f64, f64) -> bool,
        count: impl Fn(u64, u64) -> bool,
    ) -> Option<Figures> {
        let cost = self.cost_usd.zip(usage.cost_usd).filter(|(limit, used)| dollars(*used, *limit));
        let tokens = self.tokens.filter(|limit| count(usage.tokens(), *limit));
        let turns = self.turns.filter(|limit| count(usage.requests, *limit));
        let cost = cost.map(|(limit, used)| Figures::CostUsd { limit, used, partial: usage.cost_partial });
        cost.or_else(|| tokens.map(|limit| Figures::Tokens { limit, used: usage.tokens() }))
            .or_else(|| turns.map(|limit| Figures::Turns { limit, used: usage.requests }))
    }
}

/// The budgets of a turn and of its session, and what the session used before the turn.
#[derive(Debug, Clone, Default)]
pub(super) struct Account {
    pub(super) turn: Budget,
    pub(super) session: Budget,
    pub(super) before: Usage,
}

impl Account {
    /// Whether a turn that has used so much is to be stopped: its own budget is looked at first.
    pub(super) fn exceeded(&self, used: &Usage) -> Option<Exceeded> {
        let turn = self.turn.exceeded(used).map(|figures| Exceeded { scope: Scope::Turn, figures });
        turn.or_else(|| {
            let figures = self.session.exceeded(&self.before.plus(used))?;
            Some(Exceeded { scope: Scope::Session, figures })
        })
    }

    /// The limit at which the agent stopped by itself, which it was started with.
    pub(super) fn exceeded_for_agent(&self, kind: ErrorKind, used: &Usage) -> Option<Exceeded> {
        let (turn, session) = (&self.turn, &self.session);
        match kind {
            ErrorKind::MaxTurns => turn.turns.map(|limit| Exceeded {
                scope: Scope::Turn,
                figures: Figures::Turns { limit, used: used.requests },
            }),
            ErrorKind::BudgetExceeded => session.cost_usd.map(|limit| {
                let all = self.before.plus(used);
                let (used, partial) = (all.cost_usd.unwrap_or(0.0), all.cost_partial || all.is_unpriced());
                Exceeded { scope: Scope::Session, figures: Figures::CostUsd { limit, used, partial } }
            }),
            _ => None,
        }
    }

    /// Whether no turn is to begin any more.
    pub(super) fn used_up(&self) -> Option<Exceeded> {
        let figures = self.session.used_up(&self.before)?;
        Some(Exceeded { scope: Scope::Session, figures })
    }

    /// Whether there is a limit in dollars that cannot be kept, because it is not known what all of it costs.
    pub(super) fn is_blind(&self, used: &Usage) -> bool {
        (self.turn.cost_usd.is_some() || self.session.cost_usd.is_some())
            && (used.is_unpriced() || used.cost_partial)
    }

    /// What the session may still cost when the turn has used so much.
    pub(super) fn left_usd(&self, used: &Usage) -> Option<f64> {
        let used = self.before.plus(used).cost_usd.unwrap_or(0.0);
        Some(rounded((self.session.cost_usd? - used).max(0.0)))
    }
}

impl fmt::Display for Exceeded {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whose = match self.scope {
            Scope::Turn => "the turn",
            Scope::Session => "the session",
        };
        match self.figures {
            Figures::CostUsd { limit, used, partial } => {
                let at_least = if partial { "at least " } else { "" };
                let (used_text, limit_text) = (dollars(used), dollars(limit));
                write!(out, "{whose} used {at_least}{used_text} of {limit_text}")?;
                over(out, used > limit, || dollars(rounded(used - limit)))
            }
            Figures::Tokens { limit, used } => {
                write!(out, "{whose} used {used} of {limit} tokens")?;
                over(out, used > limit, || used.saturating_sub(limit).to_string())
            }
            Figures::Turns { limit, used } => {
                write!(out, "{whose} made {used} of {limit} model requests")?;
                over(out, used > limit, || used.saturating_sub(limit).to_string())
            }
        }
    }
}

fn over(out: &mut fmt::Formatter<'_>, is_over: bool, by: impl Fn() -> String) -> fmt::Result {
    if is_over { write!(out, ", {} over", by()) } else { Ok(()) }
}

/// Dollars, exact to a millionth, with two digits of cents at least.
fn dollars(dollars: f64) -> String {
    let text = format!("${dollars:.6}");
    let digits = text.trim_end_matches('0').len().max(text.len() - "0000".len());
    text[..digits].to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn used(cost_usd: Option<f64>, tokens: u64, requests: u64) -> Usage {
        Usage { input: tokens, requests, cost_usd, ..Usage::default() }
    }

    fn account(turn: Budget, session: Budget, before: Usage) -> Account {
        Account { turn, session, before }
    }

    #[test]
    fn each_limit_is_told_with_its_figures() {
        let none = Budget::default();
        let cost = Budget { cost_usd: Some(0.5), ..none };
        let small = Budget { cost_usd: Some(0.001), ..none };
        let tokens = Budget { tokens: Some(100), ..none };
        let turns = Budget { turns: Some(2), ..none };
        let nothing = Usage::default();
        for (account, usage, expected) in [
            (account(none, none, used(Some(1e9), u64::MAX, 1)), used(Some(1e9), 1 << 40, 99), None),
            (account(cost, none, nothing.clone()), used(Some(0.5), 1, 1), None),
            (account(cost, none, nothing.clone()), used(None, 1 << 40, 99), None),
            (
                account(cost, none, nothing.clone()),
                used(Some(0.75), 1, 1),
                Some("the turn used $0.75 of $0.50, $0.25 over"),
            ),
            (
                account(small, none, nothing.clone()),
                Usage { cost_partial: true, ..used(Some(0.0012), 1, 1) },
                Some("the turn used at least $0.0012 of $0.001, $0.0002 over"),
            ),
            (account(tokens, none, nothing.clone()), used(None, 100, 1), None),
            (
                account(tokens, none, nothing.clone()),
                used(None, 130, 1),
                Some("the turn used 130 of 100 tokens, 30 over"),
            ),
            (account(turns, none, nothing.clone()), used(None, 1, 2), None),
            (
                account(turns, none, nothing.clone()),
                used(None, 1, 3),
                Some("the turn made 3 of 2 model requests, 1 over"),
            ),
            (account(none, cost, used(Some(0.4), 1, 1)), used(Some(0.1), 1, 1), None),
            (
                account(none, cost, used(Some(0.4), 1, 1)),
                used(Some(0.2), 1, 1),
                Some("the session used $0.60 of $0.50, $0.10 over"),
            ),
            (
                account(none, tokens, used(None, 90, 1)),
                used(None, 11, 1),
                Some("the session used 101 of 100 tokens, 1 over"),
            ),
            (
                account(tokens, tokens, used(None, 90, 1)),
                used(None, 101, 1),
                Some("the turn used 101 of 100 tokens, 1 over"),
            ),
        ] {
            assert_eq!(account.exceeded(&usage).map(|over| over.to_string()).as_deref(), expected);
        }
    }

    #[test]
    fn no_turn_begins_when_nothing_is_left() {
        let tokens = Budget { tokens: Some(100), ..Budget::default() };
        let used_up = |tokens_used| {
            account(Budget::default(), tokens, used(None, tokens_used, 1))
                .used_up()
                .map(|over| over.to_string())
        };
        assert_eq!(used_up(99), None);
        assert_eq!(used_up(100).as_deref(), Some("the session used 100 of 100 tokens"));
        assert_eq!(used_up(101).as_deref(), Some("the session used 101 of 100 tokens, 1 over"));
        let only_the_turn = account(tokens, Budget::default(), used(None, 1000, 1));
        assert_eq!(only_the_turn.used_up(), None);
    }

    #[test]
    fn a_limit_in_dollars_needs_a_price() {
        let cost = Budget { cost_usd: Some(1.0), ..Budget::default() };
        let blind = |turn, session, usage: Usage| account(turn, session, Usage::default()).is_blind(&usage);
        let none = Budget::default();
        assert!(blind(cost, none, used(None, 5, 1)));
        assert!(blind(none, cost, used(None, 5, 1)));
        assert!(blind(cost, none, Usage { cost_partial: true, ..used(Some(0.1), 5, 1) }));
        assert!(!blind(none, none, used(None, 5, 1)));
        assert!(!blind(cost, none, used(Some(0.1), 5, 1)));
        assert!(!blind(cost, none, Usage::default()), "nothing was used yet");
    }

    #[test]
    fn what_is_left_is_never_below_nothing() {
        let session = Budget { cost_usd: Some(1.0), ..Budget::default() };
        let left = |before| account(Budget::default(), session, before).left_usd(&used(Some(0.25), 1, 1));
        assert_eq!(left(Usage::default()), Some(0.75));
        assert_eq!(left(used(Some(0.25), 1, 1)), Some(0.5));
        assert_eq!(left(used(Some(7.0), 1, 1)), Some(0.0));
        assert_eq!(Account::default().left_usd(&Usage::default()), None);
    }

    fn any_budget() -> impl Strategy<Value = Budget> {
        let cost = proptest::option::of((0..10_000_000_u32).prop_map(|micro| f64::from(micro) / 1e6));
        let count = || proptest::option::of(0..1000_u64);
        (cost, count(), count()).prop_map(|(cost_usd, tokens, turns)| Budget { cost_usd, tokens, turns })
    }

    fn any_used() -> impl Strategy<Value = Usage> {
        let cost = proptest::option::of((0..20_000_000_u32).prop_map(|micro| f64::from(micro) / 1e6));
        (cost, 0..2000_u64, 0..2000_u64).prop_map(|(cost, tokens, requests)| used(cost, tokens, requests))
    }

    proptest! {
        #[test]
        fn more_is_never_less_over(turn in any_budget(), session in any_budget(), before in any_used(), a in any_used(), b in any_used()) {
            let account = account(turn, session, before);
            if account.exceeded(&a).is_some() {
                prop_assert!(account.exceeded(&a.plus(&b)).is_some());
            }
        }

        #[test]
        fn a_turn_after_one_that_went_over_the_sessions_budget_is_refused(session in any_budget(), before in any_used(), a in any_used()) {
            let running = account(Budget::default(), session, before.clone());
            if running.exceeded(&a).is_some() {
                prop_assert!(account(Budget::default(), session, before.plus(&a)).used_up().is_some());
            }
        }

        #[test]
        fn without_limits_nothing_is_too_much(before in any_used(), a in any_used()) {
            let account = account(Budget::default(), Budget::default(), before);
            prop_assert_eq!(account.exceeded(&a), None);
            prop_assert_eq!(account.used_up(), None);
            prop_assert!(!account.is_blind(&a));
        }
    }
}
