//! Workers of two versions serve one user at once, each with another main store, and some are stopped midway.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Waker};

use auth::session::{SessionEnd, judge_session};
use auth::store::{Command, CommandResult, Place, SessionSelector, apply_moving};
use auth::time::Timestamp;
use proptest::prelude::*;

use super::places::{Clock, Memory};
use super::steps::{START, Step, command, sid};

/// What a client asks for.
#[derive(Clone, Copy, Debug)]
enum Wish {
    LogIn(usize),
    Check(usize),
    LogOut(usize),
    LogOutEverywhere,
}

/// What the clients were told.
#[derive(Default)]
struct Told {
    /// When each session was known to be live: after its login was answered.
    live: BTreeMap<usize, usize>,
    /// When its end was asked for.
    ending: BTreeMap<usize, usize>,
    /// When its end was answered.
    ended: BTreeMap<usize, usize>,
    /// Sessions whose login was asked for, and when.
    begun: BTreeMap<usize, usize>,
    violations: Vec<String>,
}

type Shared = Rc<RefCell<(usize, Told)>>;

/// As a Worker does it: a session that is found is good; all else first brings the records.
async fn serve(main: Rc<Memory>, before: Rc<Memory>, command: Command) -> Option<CommandResult> {
    if let Command::Check { .. } = command {
        match main.apply(&command).await.ok()? {
            CommandResult::Found(Some(found)) => return Some(CommandResult::Found(Some(found))),
            CommandResult::Found(None) | CommandResult::Moved => {}
            other => panic!("{other:?}"),
        }
    }
    apply_moving(&*main, &*before, &command).await.ok()
}

fn now_at(tick: usize) -> Timestamp {
    Timestamp::from_millis(START + tick as u64)
}

async fn client(wish: Wish, main: Rc<Memory>, before: Rc<Memory>, shared: Shared) {
    let started = shared.borrow().0;
    let now = now_at(started);
    match wish {
        Wish::LogIn(number) => {
            shared.borrow_mut().1.begun.insert(number, started);
            let step = Step::Open {
                lifetime: 250_000,
                idle: false,
                limit: 0,
                end: vec![],
                text: String::new(),
            };
            let command = command(&step, number, now);
            if let Some(CommandResult::Ended(_)) = serve(main, before, command).await {
                let mut shared = shared.borrow_mut();
                let tick = shared.0;
                shared.1.live.insert(number, tick);
            }
        }
        Wish::Check(number) => {
            let command = Command::Check {
                sid: sid(number),
                jti: None,
                idle_timeout: None,
                is_use: true,
                now,
            };
            let Some(CommandResult::Found(found)) = serve(main, before, command).await else {
                return;
            };
            let is_live = judge_session(found, now).is_ok();
            let told = &mut shared.borrow_mut().1;
            if is_live && told.ended.get(&number).is_some_and(|ended| *ended < started) {
                told.violations.push(format!("session {number} is in again"));
            }
            let was_live = told.live.get(&number).is_some_and(|live| *live < started);
            if !is_live && was_live && !told.ending.contains_key(&number) {
                told.violations.push(format!("session {number} is logged out"));
            }
        }
        Wish::LogOut(_) | Wish::LogOutEverywhere => {
            let which = match wish {
                Wish::LogOut(number) => SessionSelector::One(sid(number)),
                _ => SessionSelector::All,
            };
            let concerned: Vec<usize> = match wish {
                Wish::LogOut(number) => vec![number],
                _ => (0..200).collect(),
            };
            let known: Vec<usize> = {
                let told = &mut shared.borrow_mut().1;
                for number in &concerned {
                    told.ending.entry(*number).or_insert(started);
                }
                concerned.iter().copied().filter(|it| told.live.contains_key(it)).collect()
            };
            let command = Command::end(which, SessionEnd::Revoked { at: now });
            if let Some(CommandResult::Ends { .. }) = serve(main, before, command).await {
                let mut shared = shared.borrow_mut();
                let tick = shared.0;
                shared.1.ended.extend(known.into_iter().map(|number| (number, tick)));
            }
        }
    }
}

fn wishes() -> impl Strategy<Value = Vec<(Wish, bool)>> {
    let wish = prop_oneof![
        2 => (0_usize..6).prop_map(Wish::LogIn),
        6 => (0_usize..6).prop_map(Wish::Check),
        2 => (0_usize..6).prop_map(Wish::LogOut),
        1 => Just(Wish::LogOutEverywhere),
    ];
    prop::collection::vec((wish, any::<bool>()), 1..40)
}

/// Which of the running clients goes on, and whether it is stopped there.
fn schedule() -> impl Strategy<Value = Vec<(u8, u8)>> {
    prop::collection::vec((any::<u8>(), any::<u8>()), 800)
}

/// Runs the clients, four at once at most. Returns what they were wrongly told.
fn violations(wishes: Vec<(Wish, bool)>, schedule: Vec<(u8, u8)>, stops: bool) -> Vec<String> {
    let clock: Clock = Rc::default();
    let stores =
        [(); 2].map(|()| Rc::new(Memory { clock: Rc::clone(&clock), ..Memory::default() }));
    let shared: Shared = Rc::default();
    let mut waiting = wishes.into_iter().enumerate();
    let mut running: Vec<Pin<Box<dyn Future<Output = ()>>>> = Vec::new();
    for (choice, stop) in schedule {
        shared.borrow_mut().0 += 1;
        clock.set(now_at(shared.borrow().0));
        let begins = running.is_empty() || running.len() < 4 && choice % 5 == 0;
        if begins && let Some((index, (wish, side))) = waiting.next() {
            let wish = match wish {
                // Names are new with every login.
                Wish::LogIn(_) => Wish::LogIn(index),
                Wish::Check(back) => Wish::Check(index.saturating_sub(back)),
                Wish::LogOut(back) => Wish::LogOut(index.saturating_sub(back)),
                Wish::LogOutEverywhere => wish,
            };
            let [main, before] = if side { [0, 1] } else { [1, 0] };
            let [main, before] = [main, before].map(|it: usize| Rc::clone(&stores[it]));
            running.push(Box::pin(client(wish, main, before, Rc::clone(&shared))));
        }
        if running.is_empty() {
            break;
        }
        let chosen = usize::from(choice) % running.len();
        let mut context = Context::from_waker(Waker::noop());
        let is_over = running[chosen].as_mut().poll(&mut context).is_ready();
        if is_over || stops && stop % 16 == 0 {
            drop(running.swap_remove(chosen));
        }
    }
    shared.take().1.violations
}

/// Two stores that were empty are both open. Their parcels cross, and the second arrives before the first: its store must
/// not be open before it has what it has sent.
#[test]
fn a_store_does_not_open_by_a_parcel_while_its_own_is_on_its_way() {
    use Wish::{Check, LogIn, LogOut};
    let wishes = [
        (Check(0), true),
        (LogOut(0), true),
        (LogOut(0), false),
        (Check(0), false),
        (LogOut(0), false),
        (LogIn(0), true),
        (LogIn(0), false),
        (Check(2), false),
        (Check(3), true),
        (Check(0), true),
        (LogIn(0), true),
    ];
    let choices = [
        0, 1, 0, 1, 16, 1, 0, 1, 26, 0, 31, 46, 1, 6, 1, 48, 1, 11, 0, 235, 52, 47, 26, 220, 92,
        19, 18, 57, 25, 51, 108, 90, 30, 8, 20, 25, 11, 89, 10, 71, 69, 49, 179, 29, 107, 12, 11,
        160, 71, 32, 238, 1, 126, 60,
    ];
    let schedule = choices.map(|choice| (choice, 0));
    assert_eq!(violations(wishes.into(), schedule.into(), false), Vec::<String>::new());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whoever_is_ended_stays_out_and_whoever_is_in_stays_in_whatever_races(
        wishes in wishes(),
        schedule in schedule(),
        stops in any::<bool>(),
    ) {
        let violations = violations(wishes, schedule, stops);
        prop_assert!(violations.is_empty(), "{violations:?}");
    }
}
