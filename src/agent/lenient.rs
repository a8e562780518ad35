//! Objects of which only what matters is read, and nothing is fatal.
//!
//! They are read with more patience than serde has by itself, so that what is odd in a line costs that and nothing
//! else: of a key that is there twice the last counts, and what is not of the type that is expected counts as absent.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::Deserializer;
use serde_json::Map;
use serde_json::value::RawValue;

use super::json::CheckedJson;
use crate::stream::{Json, json_of};

/// A string that borrows from the line where it has no escapes; a bare `Option<Cow<str>>` would not.
#[derive(Debug, Deserialize)]
pub(in crate::agent) struct Text<'a>(#[serde(borrow)] pub(in crate::agent) Cow<'a, str>);

impl Text<'_> {
    pub(in crate::agent) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Defines objects, each by its fields, their types and their keys (`"a" | "b"` where a key has two spellings).
macro_rules! objects {
    ($($(#[$meta:meta])* $name:ident $(<$de:lifetime>)? {
        $($(#[$field_meta:meta])* $field:ident: $type:ty = $key:pat,)+
    })+) => {$(
        $(#[$meta])*
        #[derive(Debug, Default)]
        pub(super) struct $name $(<$de>)? {
            $($(#[$field_meta])* pub(super) $field: Option<$type>,)+
        }

        impl<'de> $crate::agent::lenient::Object<'de> for $name $(<$de>)? {
            fn set(&mut self, key: &str, value: $crate::agent::json::CheckedJson<'de>) {
                match key {
                    $($key => self.$field = $crate::agent::lenient::Value::of(value),)+
                    _ => {}
                }
            }
        }
    )+};
}

/// What is read from an object: all its fields are optional.
pub(in crate::agent) trait Object<'de>: Default {
    fn set(&mut self, key: &str, value: CheckedJson<'de>);
}

/// What the object that `json` is holds; `None` if it is none.
#[inline(never)]
pub(in crate::agent) fn object<'de, T: Object<'de>>(json: CheckedJson<'de>) -> Option<T> {
    let mut object = T::default();
    json.each_member(&mut |key, value| object.set(key, value)).then_some(object)
}

/// A type that a value turns out to be of, or not.
pub(in crate::agent) trait Value<'de>: Sized {
    fn of(json: CheckedJson<'de>) -> Option<Self>;
}

impl<'de, T: Object<'de>> Value<'de> for T {
    fn of(json: CheckedJson<'de>) -> Option<Self> {
        object(json)
    }
}

impl<'de> Value<'de> for CheckedJson<'de> {
    fn of(json: CheckedJson<'de>) -> Option<Self> {
        (json.as_str() != "null").then_some(json)
    }
}

/// Lets these types be fields, as serde reads them.
macro_rules! values {
    ($($type:ty,)+) => {$(
        impl<'de> $crate::agent::lenient::Value<'de> for $type {
            // There are many fields of few types, and a size to keep to.
            #[inline(never)]
            fn of(json: $crate::agent::json::CheckedJson<'de>) -> Option<Self> {
                serde_json::from_str(json.as_str()).ok()
            }
        }
    )+};
}

values![bool, u16, i64, u64, f64, Vec<Maybe<String>>,];

impl<'de> Value<'de> for Text<'de> {
    fn of(json: CheckedJson<'de>) -> Option<Self> {
        json.string().map(Self)
    }
}

impl<'de> Value<'de> for String {
    fn of(json: CheckedJson<'de>) -> Option<Self> {
        json.string().map(Cow::into_owned)
    }
}

pub(in crate::agent) use {objects, values};

/// An item of a list, which may be odd without harm to the others.
#[derive(Debug)]
pub(in crate::agent) struct Maybe<T>(pub(in crate::agent) Option<T>);

impl<'de, T: Value<'de>> Deserialize<'de> for Maybe<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&RawValue>::deserialize(deserializer).map(|json| Self(T::of(CheckedJson::of(json))))
    }
}

/// The text, or nothing.
pub(in crate::agent) fn text<'a>(text: Option<&'a Text<'_>>) -> &'a str {
    text.map_or("", Text::as_str)
}

/// An object of the facts that there are: null and an empty text are none.
pub(in crate::agent) fn facts<const N: usize>(facts: [(&str, serde_json::Value); N]) -> Json<'static> {
    let is_there = |value: &serde_json::Value| !value.is_null() && *value != "";
    let facts: Map<_, _> = facts
        .into_iter()
        .filter(|(_, value)| is_there(value))
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
    json_of(&facts)
}
