//! A batch of events across the border.

use locus_exec::Error;
use locus_exec::stream::{Arena, Batch};
use napi::bindgen_prelude::Uint32ArraySlice;
use napi::{Env, JsString};

use crate::convert::to_napi;

/// How many words are in front of those of the events.
const HEADER_WORDS: usize = 3;

/// Returns the batch's text and fills `words` with how many words follow, the low and high half of the first event's
/// `seq`, and the words.
pub(crate) fn hand_over<'env>(
    env: &'env Env,
    batch: Batch,
    mut words: Uint32ArraySlice<'_>,
) -> napi::Result<JsString<'env>> {
    // SAFETY: JavaScript runs on this thread and is waiting for this call, so nobody else sees the buffer change.
    let target = unsafe { words.as_mut() };
    let Some((header, space)) = target.split_at_mut_checked(HEADER_WORDS) else {
        return Err(too_small());
    };
    let Some(space) = space.get_mut(..batch.words.len()) else {
        return Err(too_small());
    };
    space.copy_from_slice(&batch.words);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a length below 8192, and the halves of a 64-bit number"
    )]
    header.copy_from_slice(&[
        batch.words.len() as u32,
        batch.first_seq as u32,
        (batch.first_seq >> 32) as u32,
    ]);
    match batch.arena {
        Arena::Latin1(units) => env.create_string_latin1(units),
        Arena::Utf16(units) => env.create_string_utf16(units),
    }
}

fn too_small() -> napi::Error {
    to_napi(Error::Internal("the buffer for drain is too small".into()))
}
