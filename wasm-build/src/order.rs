//! Orders the functions of a wasm module so that similar ones are adjacent. gzip's window is 32 KB, so it then finds more
//! repetitions: the Worker becomes 5 % smaller.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fs;

use anyhow::Result;
use wasm_encoder::{Module, NameMap, NameSection, RawSection};
use wasmparser::{Parser, Payload, TypeRef};

/// The length of the byte sequences (grams) that are compared.
const GRAM: usize = 6;

/// gzip's window in bytes, less some room for the next function.
const WINDOW: usize = 30_000;

/// Added to the weight of a function, so that the smallest functions do not always come first.
const SMALL: f64 = 4.0;

/// Writes a copy in which each function's name is its position in the order, for
/// `wasm-opt --reorder-functions-by-name`.
pub fn name_functions(wasm: &str, out: &str) -> Result<()> {
    let bytes = fs::read(wasm)?;
    let (mut copy, mut imported, mut bodies) = (Module::new(), 0, Vec::new());
    for payload in Parser::new(0).parse_all(&bytes) {
        let payload = payload?;
        match &payload {
            Payload::ImportSection(imports) => {
                for import in imports.clone().into_imports() {
                    imported += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                }
            }
            Payload::CodeSectionEntry(body) => bodies.push(body.as_bytes()),
            _ => {}
        }
        match payload.as_section() {
            Some((id, range)) if !is_names(&payload) => {
                copy.section(&RawSection { id, data: &bytes[range] });
            }
            _ => {}
        }
    }
    copy.section(&names(imported, &order(&bodies)));
    Ok(fs::write(out, copy.finish())?)
}

fn is_names(payload: &Payload<'_>) -> bool {
    matches!(payload, Payload::CustomSection(section) if section.name() == "name")
}

/// The name section: each function's position, padded so that names sort by it.
fn names(imported: u32, order: &[usize]) -> NameSection {
    let mut places = vec![0; order.len()];
    for (place, function) in order.iter().enumerate() {
        places[*function] = place;
    }
    let (mut names, mut section) = (NameMap::new(), NameSection::new());
    for (index, place) in (imported..).zip(places) {
        names.append(index, &format!("{place:05}"));
    }
    section.functions(&names);
    section
}

/// Orders the functions greedily: starts with the longest; the next is always the one of which the last 32 KB contain the
/// largest share.
fn order(bodies: &[&[u8]]) -> Vec<usize> {
    let mut similarity = Similarity::of(bodies);
    let mut remaining: Vec<usize> = (0..bodies.len()).collect();
    remaining.sort_by_key(|function| Reverse(bodies[*function].len()));
    let mut order = Vec::with_capacity(bodies.len());
    let (mut oldest, mut size) = (0, 0);
    while let Some(place) = similarity.most_similar(&remaining) {
        let next = remaining.remove(place);
        order.push(next);
        similarity.enter(next);
        size += bodies[next].len();
        while size > WINDOW && oldest + 1 < order.len() {
            similarity.leave(order[oldest]);
            size -= bodies[order[oldest]].len();
            oldest += 1;
        }
    }
    order
}

/// How much of each function the functions in the window contain.
struct Similarity {
    /// The distinct grams of each function.
    grams: Vec<Vec<usize>>,
    /// The functions that contain each gram.
    functions: Vec<Vec<usize>>,
    /// The number of functions in the window that contain each gram.
    present: Vec<usize>,
    /// The total weight of each function's grams.
    weights: Vec<f64>,
    /// The weight of each function's grams that are in the window.
    repeated: Vec<f64>,
    /// The weight of each function's grams that are in the last function.
    in_last: Vec<f64>,
}

impl Similarity {
    /// The similarities of these functions, with an empty window.
    fn of(bodies: &[&[u8]]) -> Self {
        let (mut ids, mut functions) = (HashMap::new(), Vec::new());
        let mut id = |function: usize, gram| {
            let id = *ids.entry(gram).or_insert(functions.len());
            functions.resize_with(functions.len().max(id + 1), Vec::new);
            // A function's grams are added in one run, so a duplicate is the last entry.
            if functions[id].last() != Some(&function) {
                functions[id].push(function);
            }
        };
        for (function, body) in bodies.iter().enumerate() {
            body.windows(GRAM).for_each(|gram| id(function, gram));
        }
        let (nothing, mut grams) = (vec![0.0; bodies.len()], vec![Vec::new(); bodies.len()]);
        for (gram, functions) in functions.iter().enumerate() {
            functions.iter().for_each(|function| grams[*function].push(gram));
        }
        let present = vec![0; functions.len()];
        let (repeated, in_last) = (nothing.clone(), nothing.clone());
        let mut similarity =
            Self { grams, functions, present, weights: nothing, repeated, in_last };
        similarity.weights =
            similarity.grams.iter().map(|grams| similarity.weight(grams)).collect();
        similarity
    }

    /// Common grams weigh less than rare ones; a gram that only one function contains weighs nothing.
    fn weight(&self, grams: &[usize]) -> f64 {
        let counts = grams.iter().map(|gram| self.functions[*gram].len());
        counts.filter(|count| *count > 1).map(weight_of).sum()
    }

    /// The position in `remaining` of the next function.
    fn most_similar(&self, remaining: &[usize]) -> Option<usize> {
        let share = |function: &usize| {
            let repeated = self.repeated[*function] + self.in_last[*function] / 2.0;
            repeated / (self.weights[*function] + SMALL)
        };
        let shares = remaining.iter().map(share).enumerate();
        shares.rev().max_by(|(_, one), (_, other)| one.total_cmp(other)).map(|(place, _)| place)
    }

    fn enter(&mut self, function: usize) {
        self.in_last.fill(0.0);
        for gram in &self.grams[function] {
            let functions = &self.functions[*gram];
            let weight = weight_of(functions.len());
            self.present[*gram] += 1;
            let is_new = self.present[*gram] == 1;
            for function in functions {
                self.in_last[*function] += weight;
                self.repeated[*function] += if is_new { weight } else { 0.0 };
            }
        }
    }

    fn leave(&mut self, function: usize) {
        for gram in &self.grams[function] {
            self.present[*gram] -= 1;
            if self.present[*gram] == 0 {
                let functions = &self.functions[*gram];
                let weight = weight_of(functions.len());
                functions.iter().for_each(|function| self.repeated[*function] -= weight);
            }
        }
    }
}

fn weight_of(functions: usize) -> f64 {
    (functions as f64).sqrt().recip()
}
