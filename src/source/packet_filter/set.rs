//! Decodes sets and their elements.

use super::attributes::{Attributes, attribute, name, number};
use super::expression::{data, is_limiting};
use crate::model::packet_filter::{Data, Element, Set};

/// `NFT_SET_ELEM_INTERVAL_END` and `NFT_SET_ELEM_CATCHALL`.
const INTERVAL_END: u32 = 1;
const CATCH_ALL: u32 = 2;

/// Decodes a set without its elements.
pub fn decode(attributes: &[u8]) -> Option<Set> {
    let mut set = Set {
        name: name(attribute(attributes, 2)?),
        flags: 0,
        key_bytes: 0,
        fields: Vec::new(),
        elements: Vec::new(),
        complete: false,
    };
    for (kind, value) in Attributes(attributes) {
        match kind {
            3 => set.flags = number(value),
            5 => set.key_bytes = usize::try_from(number(value)).ok()?,
            9 => set.fields = fields(value),
            _ => {}
        }
    }
    Some(set)
}

/// The lengths of the fields of a concatenation, in `NFTA_SET_DESC`.
fn fields(description: &[u8]) -> Vec<usize> {
    Attributes(attribute(description, 2).unwrap_or_default())
        .filter_map(|(_, field)| usize::try_from(number(attribute(field, 1)?)).ok())
        .collect()
}

/// Decodes the elements in one reply and appends them.
pub fn decode_elements(attributes: &[u8], elements: &mut Vec<Element>) {
    let list = attribute(attributes, 3).unwrap_or_default();
    elements.extend(Attributes(list).map(|(_, one)| element(one)));
}

fn element(nest: &[u8]) -> Element {
    let mut element = Element::default();
    let key = |value: &[u8]| match data(value) {
        Some(Data::Value(bytes)) => bytes,
        _ => Box::default(),
    };
    for (kind, value) in Attributes(nest) {
        match kind {
            1 => element.key = key(value),
            2 => element.data = data(value),
            3 => {
                element.is_end = number(value) & INTERVAL_END != 0;
                element.is_catch_all = number(value) & CATCH_ALL != 0;
            }
            7 => element.is_limited |= is_limiting(value),
            9 => element.object = Some(name(value)),
            10 => element.key_end = Some(key(value)),
            11 => element.is_limited |= Attributes(value).any(|(_, one)| is_limiting(one)),
            _ => {}
        }
    }
    element
}
