//! Who may use which tool.

/// A question of an agent: may it use this tool with this input?
#[derive(Debug, Clone)]
pub struct PermissionRequest {
    /// The id of the question.
    pub id: String,
    /// The tool's name.
    pub tool: String,
    /// The tool's input as JSON.
    pub parameters: Box<serde_json::value::RawValue>,
    /// The id of the tool use.
    pub tool_use_id: Option<String>,
    /// Rules that the agent suggests, as JSON in its own shape.
    pub suggestions: Option<Box<serde_json::value::RawValue>>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It may.
    Allow {
        /// Another input to use in place of the one asked about, as JSON.
        updated_input: Option<String>,
    },
    /// It may not.
    Deny {
        /// The reason that the agent is given.
        message: String,
    },
}

/// What is decided without asking anybody.
#[derive(Debug, Clone, Default)]
pub struct PermissionPolicy {
    /// Every question is answered with allow.
    pub allow_all: bool,
    /// Tools that may be used: names, or rules in the agent's own syntax such as `Bash(git *)`.
    pub allowed: Vec<String>,
    /// Tools that may not be used; stronger than the others.
    pub denied: Vec<String>,
    /// Whether somebody is there to be asked.
    pub can_ask: bool,
}

impl PermissionPolicy {
    /// The decision and who made it (`policy` or `default`); `None` when somebody is to be asked.
    ///
    /// Only bare tool names are looked at here. Rules with a pattern are given to the agent, which knows their
    /// meaning and then does not ask.
    pub fn decide(&self, request: &PermissionRequest) -> Option<(Decision, &'static str)> {
        let names = |list: &[String]| list.contains(&request.tool);
        let deny = |message: String| Decision::Deny { message };
        if names(&self.denied) {
            return Some((deny(format!("{} is denied by the user's settings", request.tool)), "policy"));
        }
        if self.allow_all || names(&self.allowed) {
            return Some((Decision::Allow { updated_input: None }, "policy"));
        }
        if self.can_ask {
            return None;
        }
        Some((deny(format!("{} needs permission and nobody is there to be asked", request.tool)), "default"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(policy: &PermissionPolicy) -> Option<(bool, &'static str)> {
        let request = PermissionRequest {
            id: "1".into(),
            tool: "Bash".into(),
            parameters: serde_json::value::RawValue::from_string("{}".into()).unwrap(),
            tool_use_id: None,
            suggestions: None,
        };
        policy.decide(&request).map(|(decision, by)| (matches!(decision, Decision::Allow { .. }), by))
    }

    #[test]
    fn a_denial_is_strongest_and_nobody_to_ask_means_no() {
        let bash = || vec!["Bash".to_owned()];
        let none = PermissionPolicy::default();
        assert_eq!(decide(&none), Some((false, "default")));
        assert_eq!(decide(&PermissionPolicy { can_ask: true, ..none.clone() }), None);
        assert_eq!(decide(&PermissionPolicy { allowed: bash(), ..none.clone() }), Some((true, "policy")));
        assert_eq!(decide(&PermissionPolicy { allow_all: true, ..none.clone() }), Some((true, "policy")));
        let both = PermissionPolicy { allow_all: true, denied: bash(), allowed: bash(), can_ask: true };
        assert_eq!(decide(&both), Some((false, "policy")));
    }

    #[test]
    fn a_rule_with_a_pattern_is_not_taken_for_a_name() {
        let policy = PermissionPolicy { allowed: vec!["Bash(git *)".into()], ..PermissionPolicy::default() };
        assert_eq!(decide(&policy), Some((false, "default")));
    }
}
