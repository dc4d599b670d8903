//! The checks on every seed and on random changes to it: a short run that needs no other compiler.

use std::collections::BTreeMap;
use std::fs::{self, DirEntry};
use std::panic::{catch_unwind, resume_unwind};
use std::path::Path;

use checks::{ALL, Check};
use mutatis::Session;

/// How many changed inputs each check sees in all.
const CHANGED: usize = 20_000;
/// How many changes are piled up before the seed is taken anew.
const PILED: usize = 12;

/// The seeds of one check, by the names of their files.
fn seeds(name: &str) -> BTreeMap<String, Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../seeds").join(name);
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap());
    let named = |file: &DirEntry| file.file_name().into_string().unwrap();
    files.map(|file| (format!("{name}/{}", named(&file)), fs::read(file.path()).unwrap())).collect()
}

/// Says which input it was if the check fails.
fn run(check: Check, origin: &str, data: &[u8]) {
    if let Err(panic) = catch_unwind(|| check(data)) {
        eprintln!("{origin}: {:?}", String::from_utf8_lossy(data));
        resume_unwind(panic);
    }
}

#[test]
fn every_seed_is_answered() {
    for (name, check) in ALL {
        let seeds = seeds(name);
        assert!(seeds.len() >= 10, "{name} has too few seeds");
        seeds.iter().for_each(|(seed, data)| run(check, seed, data));
    }
}

#[test]
fn every_changed_seed_is_answered() {
    for (name, check) in ALL {
        let seeds = seeds(name);
        let rounds = (CHANGED / PILED / seeds.len()) as u64;
        for (seed, data) in &seeds {
            (0..rounds).for_each(|random| pile_up(check, seed, data, random));
        }
    }
}

fn pile_up(check: Check, seed: &str, data: &[u8], random: u64) {
    let mut session = Session::new().seed(random);
    let mut data = data.to_vec();
    for _ in 0..PILED {
        session.mutate(&mut data).unwrap();
        run(check, &format!("{seed}, changed with random seed {random}"), &data);
    }
}
