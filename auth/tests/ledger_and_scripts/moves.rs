//! A user who moves between the stores notices nothing.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use auth::ledger::Ledger;
use auth::redis::{ReadConsistency, Redis};
use auth::session::Subject;
use auth::store::{
    Command, CommandResult, Parcel, Place, Transfer, TransferResult, apply_moving, carry_over,
};
use auth::time::Timestamp;
use proptest::prelude::*;

use super::moment;
use super::places::{Clock, Hash, Memory, closed, wait};
use super::server::Server;
use super::steps::*;

/// What happens before a command.
#[derive(Clone, Copy, Debug)]
enum Move {
    None,
    /// The main store is now the other one, and the user comes.
    Switch,
    /// All of it, at once.
    Carry,
    /// Whoever carried the records was stopped after so many steps.
    Stopped(u8),
    /// An old parcel arrives once more.
    Late,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        6 => Just(Move::None),
        2 => Just(Move::Switch),
        1 => Just(Move::Carry),
        2 => (1_u8..3).prop_map(Move::Stopped),
        1 => Just(Move::Late),
    ];
    prop::collection::vec(one, 80)
}

/// Carries as far as it gets.
fn carry_partly(from: &dyn Place, to: &dyn Place, steps: u8) -> Option<Parcel> {
    let TransferResult::Taken(Some(parcel)) = wait(from.transfer(Transfer::Take)).unwrap() else {
        return None;
    };
    if steps > 1 {
        wait(to.transfer(Transfer::Receive(parcel.clone()))).unwrap();
    }
    Some(*parcel)
}

/// Records that are no longer needed are deleted at a move, and at a command that writes. When the user was seen is noted
/// once a day, and at a move.
fn without_what_is_over(answer: CommandResult, now: Timestamp) -> CommandResult {
    match answer {
        CommandResult::Found(Some(it)) if now >= it.forget_at() => CommandResult::Found(None),
        CommandResult::Listed(mut all) => {
            all.retain(|it| now < it.forget_at());
            CommandResult::Listed(all)
        }
        CommandResult::User { mut record, live, ended } => {
            record.seen = None;
            record.block.take_if(|block| !block.holds(now));
            CommandResult::User { record, live, ended }
        }
        answer => answer,
    }
}

#[test]
fn commands_around_any_moves_are_answered_as_if_there_were_none() {
    let server = RefCell::new(Server::start());
    let users = Cell::new(0);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let verdict = runner.run(&(steps(), moves()), |(steps, moves)| {
        users.set(users.get() + 1);
        let clock: Clock = Rc::default();
        let redis = Hash {
            server: &server,
            redis: Redis::new("test:", ReadConsistency::Strong),
            user: Subject::try_from(format!("user {}", users.get())).unwrap(),
            clock: Rc::clone(&clock),
        };
        let memory = Memory { clock: Rc::clone(&clock), ..Memory::default() };
        let (mut main, mut before): (&dyn Place, &dyn Place) = (&redis, &memory);
        let mut alone = Ledger::default();
        let mut old: Vec<(bool, Parcel)> = Vec::new();
        let mut is_switched = false;
        // No year without the user: what lasts that long ends up to a day later, because a move is noted.
        let steps: Vec<(u64, Step)> =
            steps.into_iter().map(|(pause, step)| (pause % 100_000_000, step)).collect();
        for (command, it) in commands(&steps).iter().zip(moves) {
            clock.set(clock.get().max(moment(command)));
            match it {
                Move::None => {}
                Move::Switch => {
                    std::mem::swap(&mut main, &mut before);
                    is_switched = !is_switched;
                }
                Move::Carry => drop(wait(carry_over(before, main)).unwrap()),
                Move::Stopped(steps) => {
                    let parcel = carry_partly(before, main, steps);
                    old.extend(parcel.filter(|_| steps > 1).map(|parcel| (is_switched, parcel)));
                }
                Move::Late => {
                    let late = old.last().filter(|(switched, _)| *switched == is_switched);
                    if let Some((_, parcel)) = late {
                        let again = Transfer::Receive(Box::new(parcel.clone()));
                        wait(main.transfer(again)).unwrap();
                    }
                }
            }
            alone.forget_old(clock.get());
            let expected = alone.apply(command).0;
            let answer = wait(apply_moving(main, before, command)).unwrap();
            let [answer, expected] =
                [answer, expected].map(|answer| without_what_is_over(answer, clock.get()));
            prop_assert_eq!(answer, expected, "{:?}", command);
        }
        Ok(())
    });
    if let Err(error) = verdict {
        panic!("{error}");
    }
}

#[test]
fn a_store_whose_records_are_elsewhere_says_so_to_every_command() {
    let server = RefCell::new(Server::start());
    let now = Timestamp::from_millis(START);
    let clock: Clock = Rc::new(Cell::new(now));
    let redis = Hash {
        server: &server,
        redis: Redis::new("test:", ReadConsistency::Strong),
        user: Subject::try_from("ada".to_owned()).unwrap(),
        clock,
    };
    wait(redis.transfer(Transfer::Take)).unwrap();
    let mut ledger = Ledger::default().with_passage(closed());
    let idle = |sid| Step::Check { sid, token: 0, idle: true };
    let admit = Step::Admit {
        sid: 0,
        age: 0,
        lifetime: 9_000,
        idle: 900,
        limit: 0,
        kind: 0,
        text: String::new(),
    };
    let open =
        Step::Open { lifetime: 9_000, idle: false, limit: 0, end: vec![], text: String::new() };
    let steps = [
        idle(0),
        open,
        admit,
        Step::Refresh { sid: 0, token: 0, age: 0, idle: false },
        Step::SetData { sid: 0, kind: auth::session::DataKind::Data, old: 0, new: 1 },
        Step::SetRights { sid: Some(0), roles: 1, scopes: 0, claims: 0 },
        Step::SetRights { sid: None, roles: 1, scopes: 0, claims: 0 },
        Step::End { which: 4, sid: 0, unseen: None, admits_unseen: true },
        Step::Block { kind: 2 },
        Step::User,
        Step::List,
    ];
    let mut all: Vec<Command> = steps.iter().map(|step| command(step, 0, now)).collect();
    all.push(Command::ChangedAt { at: now });
    for command in all {
        assert_eq!(wait(redis.apply(&command)).unwrap(), CommandResult::Moved, "{command:?}");
        assert_eq!(ledger.apply(&command).0, CommandResult::Moved, "{command:?}");
    }
}
