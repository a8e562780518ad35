//! What tokens cost: the table that comes with this package (`prices.json`), and what a project puts in its place
//! (`.locus/prices.json`, the same schema).
//!
//! Prices are US dollars per million tokens. A model is found by its id, by an alias of its entry, and by either with a
//! date behind it (`-20250929`, `-2025-08-07`); nothing else is guessed. Tokens of a kind that has no price in the
//! entry make the cost unknown.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

use super::usage::{CostSource, Usage, rounded};
use crate::error::{Error, Result};
use crate::history::open_private;

const EMBEDDED: &str = include_str!("prices.json");

/// The newest schema that is understood.
const SCHEMA: u64 = 1;

/// The longest table that is read, in bytes.
const FILE_LIMIT: u64 = 1024 * 1024;

const KEYS: &[&str] =
    &["input", "output", "cacheRead", "cacheWrite", "cacheWrite1h", "aliases", "date", "source"];

/// What a model costs, in US dollars per million tokens.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Price {
    /// A token that was not in the cache.
    pub input: f64,
    /// A token generated.
    pub output: f64,
    /// A token read from the cache.
    pub cache_read: Option<f64>,
    /// A token written to the cache for the usual time.
    pub cache_write: Option<f64>,
    /// A token written to the cache for an hour.
    pub cache_write_1h: Option<f64>,
    /// Since when it is known.
    pub date: Option<String>,
    /// Where it is published.
    pub source: Option<String>,
}

impl Price {
    /// What a usage costs; `None` where a kind of token has no price.
    pub fn of(&self, usage: &Usage) -> Option<f64> {
        let hour = usage.cache_write_1h.min(usage.cache_write);
        let parts = [
            (usage.input, Some(self.input)),
            (usage.output, Some(self.output)),
            (usage.cache_read, self.cache_read),
            (usage.cache_write - hour, self.cache_write),
            (hour, self.cache_write_1h),
        ];
        #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 tokens")]
        let dollars = parts.into_iter().try_fold(0.0, |sum, (tokens, price)| match (tokens, price) {
            (0, _) => Some(sum),
            (tokens, price) => Some(sum + tokens as f64 * price?),
        })?;
        Some(rounded(dollars / 1e6))
    }
}

/// What models cost.
#[derive(Debug, Clone, Default)]
pub struct PriceTable {
    models: BTreeMap<String, Arc<Price>>,
}

impl PriceTable {
    /// The table that comes with this package.
    pub fn embedded() -> Result<Self> {
        Self::parse(EMBEDDED, "prices.json")
    }

    /// The table of a project: the embedded one, with the entries of `.locus/prices.json` in place of its own.
    pub fn of_project(project: &Path) -> Result<Self> {
        let mut table = Self::embedded()?;
        let path = project.join(".locus").join("prices.json");
        let name = path.to_string_lossy();
        let file = match open_private(&path) {
            Ok(file) => file,
            // A folder that is missing or forbidden is named by the engine, with its own code.
            Err(error)
                if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
                    || !project.is_dir() =>
            {
                return Ok(table);
            }
            Err(error) => return Err(unreadable(&name, &error)),
        };
        let mut text = String::new();
        file.take(FILE_LIMIT + 1).read_to_string(&mut text).map_err(|error| unreadable(&name, &error))?;
        if text.len() as u64 > FILE_LIMIT {
            return Err(bad(&name, "", &format!("a table has at most {FILE_LIMIT} bytes; make it shorter")));
        }
        table.models.extend(Self::parse(&text, &name)?.models);
        Ok(table)
    }

    /// The table in `text`; errors name `file`, the key, and what to do.
    pub fn parse(text: &str, file: &str) -> Result<Self> {
        let value: Value = serde_json::from_str(text.trim_start_matches('\u{feff}'))
            .map_err(|error| bad(file, "", &format!("it is no JSON ({error}); mend it, or remove it")))?;
        let Value::Object(table) = value else {
            return Err(bad(file, "", "it must be an object with `schema` and `models`"));
        };
        if let Some(key) = table.keys().find(|key| !matches!(key.as_str(), "schema" | "models")) {
            return Err(bad(file, key, "it is not known; a table has `schema` and `models`"));
        }
        if table.get("schema").and_then(Value::as_u64) != Some(SCHEMA) {
            return Err(bad(
                file,
                "schema",
                &format!("it must be {SCHEMA}, the one that this version knows"),
            ));
        }
        let Some(Value::Object(entries)) = table.get("models") else {
            return Err(bad(file, "models", "it must be an object of prices by the id of the model"));
        };
        let mut models = BTreeMap::new();
        for (id, entry) in entries {
            let (price, aliases) = entry_of(file, id, entry)?;
            let price = Arc::new(price);
            for name in aliases.into_iter().chain([id.clone()]) {
                models.insert(name, Arc::clone(&price));
            }
        }
        Ok(Self { models })
    }

    /// The ids and aliases that are known, in order, with their prices.
    pub fn models(&self) -> impl Iterator<Item = (&str, &Price)> {
        self.models.iter().map(|(name, price)| (name.as_str(), &**price))
    }

    /// What a model costs, where that is known.
    pub fn price(&self, model: &str) -> Option<&Price> {
        let found = self.models.get(model).or_else(|| self.models.get(without_date(model)?));
        found.map(|price| &**price)
    }

    /// Puts a price on what the agent put none on, model by model.
    pub(crate) fn complete(&self, usage: &mut Usage) {
        for (model, share) in &mut usage.models {
            if share.is_unpriced()
                && let Some(cost) = self.price(model).and_then(|price| price.of(share))
            {
                share.cost_usd = Some(cost);
                share.cost_source = Some(CostSource::Prices);
            }
        }
        if usage.is_unpriced() {
            let sum = usage.models.values().fold(Usage::default(), |sum, share| sum.plus(share));
            usage.cost_usd = sum.cost_usd;
            usage.cost_source = sum.cost_source;
            // Tokens that no model answers for have no price either.
            usage.cost_partial =
                sum.cost_usd.is_some() && (sum.cost_partial || sum.tokens() < usage.tokens());
        }
    }
}

/// The id without the date behind it.
fn without_date(model: &str) -> Option<&str> {
    let bytes = model.as_bytes();
    [&b"-dddddddd"[..], &b"-dddd-dd-dd"[..]].into_iter().find_map(|pattern| {
        let at = bytes.len().checked_sub(pattern.len())?;
        let matches =
            |(byte, form): (&u8, &u8)| if *form == b'd' { byte.is_ascii_digit() } else { byte == form };
        bytes[at..].iter().zip(pattern).all(matches).then(|| &model[..at])
    })
}

fn entry_of(file: &str, id: &str, entry: &Value) -> Result<(Price, Vec<String>)> {
    let key = |name: &str| format!("models.\"{id}\".{name}");
    let Value::Object(entry) = entry else {
        return Err(bad(file, &format!("models.\"{id}\""), "it must be an object with `input` and `output`"));
    };
    if let Some(name) = entry.keys().find(|name| !KEYS.contains(&name.as_str())) {
        return Err(bad(file, &key(name), &format!("it is not known; an entry has {}", KEYS.join(", "))));
    }
    let price = |name: &str| number(file, entry, name, &key(name));
    let needed = |name: &str| {
        price(name)?.ok_or_else(|| bad(file, &key(name), "it is missing; say US dollars per million tokens"))
    };
    let word = |name: &str| match entry.get(name) {
        None => Ok(None),
        Some(Value::String(word)) => Ok(Some(word.clone())),
        Some(_) => Err(bad(file, &key(name), "it must be a text")),
    };
    let aliases = match entry.get("aliases") {
        None => Some(Vec::new()),
        Some(Value::Array(names)) => names.iter().map(|name| name.as_str().map(ToOwned::to_owned)).collect(),
        Some(_) => None,
    };
    let aliases = aliases.ok_or_else(|| bad(file, &key("aliases"), "it must be a list of texts"))?;
    let price = Price {
        input: needed("input")?,
        output: needed("output")?,
        cache_read: price("cacheRead")?,
        cache_write: price("cacheWrite")?,
        cache_write_1h: price("cacheWrite1h")?,
        date: word("date")?,
        source: word("source")?,
    };
    Ok((price, aliases))
}

fn number(file: &str, entry: &Map<String, Value>, name: &str, key: &str) -> Result<Option<f64>> {
    let Some(value) = entry.get(name) else { return Ok(None) };
    let price = value.as_f64().filter(|price| price.is_finite() && *price >= 0.0);
    price.map(Some).ok_or_else(|| {
        bad(
            file,
            key,
            "it must be a number, US dollars per million tokens, 0 or more; remove it where it is not known",
        )
    })
}

fn bad(file: &str, key: &str, problem: &str) -> Error {
    let key = if key.is_empty() { String::new() } else { format!(" '{key}'") };
    Error::InvalidInput(Cow::Owned(format!("the prices in '{file}' cannot be used:{key} {problem}")))
}

fn unreadable(file: &str, error: &io::Error) -> Error {
    bad(file, "", &format!("it cannot be read ({error}); make it readable, or remove it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(input: u64, output: u64) -> Usage {
        Usage { input, output, ..Usage::default() }
    }

    #[test]
    fn every_entry_of_ours_has_its_date_its_source_and_a_price_of_the_cache() {
        let table = PriceTable::embedded().unwrap();
        assert!(table.models().count() > 20);
        for (model, price) in table.models() {
            let date = price.date.as_deref().unwrap_or_default();
            assert!(date.len() == 10 && date.starts_with("20"), "{model}: {date}");
            assert!(price.source.as_deref().unwrap_or_default().starts_with("https://"), "{model}");
            assert!(price.cache_read.is_some_and(|read| read < price.input), "{model}");
            assert!(price.output > price.input && price.input > 0.0, "{model}");
        }
    }

    #[test]
    fn a_model_is_found_by_its_id_an_alias_or_either_with_a_date() {
        let table = PriceTable::embedded().unwrap();
        let input = |model: &str| table.price(model).map(|price| price.input);
        for (model, expected) in [
            ("claude-opus-5-5", Some(4.0)),
            ("claude-sonnet-4-5-20250929", Some(3.0)),
            ("claude-sonnet-4-0", Some(3.0)),
            ("claude-sonnet-4-0-20250514", Some(3.0)),
            ("gpt-5-2025-08-07", Some(1.25)),
            ("claude-opus-5-5[1m]", None),
            ("claude-opus-5-5-2026", None),
            ("claude-opus-5-5-é1234567", None),
            ("claude-opus", None),
            ("-20250929", None),
            ("", None),
        ] {
            assert_eq!(input(model), expected, "{model}");
        }
    }

    #[test]
    fn each_kind_of_token_has_its_price() {
        let table = PriceTable::embedded().unwrap();
        let price = table.price("claude-opus-5-5").unwrap();
        let million = 1_000_000;
        let usage = |usage: Usage| price.of(&usage);
        assert_eq!(usage(share(million, 0)), Some(4.0));
        assert_eq!(usage(share(0, million)), Some(20.0));
        assert_eq!(usage(Usage { cache_read: million, ..Usage::default() }), Some(0.2));
        assert_eq!(usage(Usage { cache_write: million, ..Usage::default() }), Some(5.0));
        let hour = Usage { cache_write: million, cache_write_1h: million, ..Usage::default() };
        assert_eq!(usage(hour), Some(8.0));
        // What claude itself says of these figures.
        let told = Usage { input: 25, output: 15, cache_read: 7, cache_write: 3, ..Usage::default() };
        assert_eq!(usage(told), Some(0.000_416_4));
    }

    #[test]
    fn tokens_without_a_price_make_the_cost_unknown() {
        let table = PriceTable::embedded().unwrap();
        let price = table.price("gpt-5").unwrap();
        assert_eq!(price.of(&Usage { cache_write: 1, ..share(1, 1) }), None);
        assert_eq!(price.of(&share(1_000_000, 0)), Some(1.25));
    }

    #[test]
    fn an_unknown_model_is_unknown_and_never_free() {
        let table = PriceTable::embedded().unwrap();
        let completed = |models: &[(&str, Usage)]| {
            let models: BTreeMap<_, _> =
                models.iter().map(|(name, usage)| ((*name).to_owned(), usage.clone())).collect();
            let whole = models.values().fold(Usage::default(), |sum, usage| sum.plus(usage));
            let mut usage = Usage { models, ..whole };
            table.complete(&mut usage);
            (usage.cost_usd, usage.cost_partial, usage.cost_source)
        };
        let million = share(1_000_000, 0);
        assert_eq!(completed(&[("made-up", million.clone())]), (None, false, None));
        let source = Some(CostSource::Prices);
        assert_eq!(completed(&[("claude-opus-5", million.clone())]), (Some(5.0), false, source));
        assert_eq!(
            completed(&[("claude-opus-5", million.clone()), ("made-up", million.clone())]),
            (Some(5.0), true, source)
        );
        let mut nobodys = million;
        table.complete(&mut nobodys);
        assert_eq!(nobodys.cost_usd, None);
    }

    #[test]
    fn what_the_agent_says_stays() {
        let table = PriceTable::embedded().unwrap();
        let told = Usage { cost_usd: Some(0.1), cost_source: Some(CostSource::Agent), ..share(1_000_000, 0) };
        let mut usage = Usage { models: [("claude-opus-5".to_owned(), told.clone())].into(), ..told };
        let before = usage.clone();
        table.complete(&mut usage);
        assert_eq!(usage, before);
    }

    #[test]
    fn errors_name_the_file_the_key_and_what_to_do() {
        let messages = [
            "nonsense",
            "[]",
            r#"{"schema":2,"models":{}}"#,
            r#"{"schema":1}"#,
            r#"{"schema":1,"models":{},"prices":1}"#,
            r#"{"schema":1,"models":{"m":3}}"#,
            r#"{"schema":1,"models":{"m":{"input":1}}}"#,
            r#"{"schema":1,"models":{"m":{"input":"1","output":1}}}"#,
            r#"{"schema":1,"models":{"m":{"input":-1,"output":1}}}"#,
            r#"{"schema":1,"models":{"m":{"input":1,"output":1,"cacheread":1}}}"#,
            r#"{"schema":1,"models":{"m":{"input":1,"output":1,"aliases":"n"}}}"#,
            r#"{"schema":1,"models":{"m":{"input":1,"output":1,"date":1}}}"#,
        ]
        .map(|text| PriceTable::parse(text, "p/.locus/prices.json").unwrap_err().to_string());
        insta::assert_snapshot!(messages.join("\n"));
    }

    #[test]
    fn a_project_overrides_and_adds() {
        let project = tempfile::tempdir().unwrap();
        let locus = project.path().join(".locus");
        assert!(PriceTable::of_project(project.path()).unwrap().price("mine").is_none());
        std::fs::create_dir(&locus).unwrap();
        let text = r#"{"schema":1,"models":{"mine":{"input":1,"output":2},"gpt-5":{"input":7,"output":8}}}"#;
        std::fs::write(locus.join("prices.json"), text).unwrap();
        let table = PriceTable::of_project(project.path()).unwrap();
        let input = |model: &str| table.price(model).map(|price| price.input);
        assert_eq!(["mine", "gpt-5", "claude-opus-5"].map(input), [Some(1.0), Some(7.0), Some(5.0)]);
        std::fs::write(locus.join("prices.json"), "{").unwrap();
        let error = PriceTable::of_project(project.path()).unwrap_err().to_string();
        assert!(error.contains("prices.json") && error.contains("no JSON"), "{error}");
    }
}
