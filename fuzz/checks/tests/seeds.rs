//! Runs the checks on every seed and on random mutations of it: a short run that needs no nightly compiler.

use std::collections::BTreeMap;
use std::fs::{self, DirEntry};
use std::panic::{catch_unwind, resume_unwind};
use std::path::Path;

use checks::{ALL, Check};
use mutatis::Session;

/// Mutated inputs per check.
const MUTATIONS: usize = 20_000;
/// Successive mutations of one input before the next starts from the seed again.
const CHAIN_LENGTH: usize = 12;

/// The seeds of one check, by file name.
fn seeds(name: &str) -> BTreeMap<String, Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../seeds").join(name);
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap());
    let named = |file: &DirEntry| file.file_name().into_string().unwrap();
    files.map(|file| (format!("{name}/{}", named(&file)), fs::read(file.path()).unwrap())).collect()
}

/// Runs a check, and prints the input if it fails.
fn run(check: Check, origin: &str, data: &[u8]) {
    if let Err(panic) = catch_unwind(|| check(data)) {
        eprintln!("{origin}: {:?}", String::from_utf8_lossy(data));
        resume_unwind(panic);
    }
}

#[test]
fn every_seed_passes_its_check() {
    for (name, check) in ALL {
        let seeds = seeds(name);
        assert!(seeds.len() >= 10, "{name} has too few seeds");
        seeds.iter().for_each(|(seed, data)| run(check, seed, data));
    }
}

#[test]
fn every_mutated_seed_passes_its_check() {
    for (name, check) in ALL {
        let seeds = seeds(name);
        let rounds = (MUTATIONS / CHAIN_LENGTH / seeds.len()) as u64;
        for (seed, data) in &seeds {
            (0..rounds).for_each(|random| mutate(check, seed, data, random));
        }
    }
}

fn mutate(check: Check, seed: &str, data: &[u8], random: u64) {
    let mut session = Session::new().seed(random);
    let mut data = data.to_vec();
    for _ in 0..CHAIN_LENGTH {
        session.mutate(&mut data).unwrap();
        run(check, &format!("{seed}, mutated with random seed {random}"), &data);
    }
}
