//! The two stores of a move: a ledger, as a Durable Object has it, and a redis-server.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use auth::ledger::Ledger;
use auth::redis::Redis;
use auth::session::Subject;
use auth::store::{
    Command, CommandResult, Passage, Pending, Place, StoreError, Transfer, TransferResult,
};
use auth::time::Timestamp;

use super::server::Server;

/// The present moment of both stores.
pub type Clock = Rc<Cell<Timestamp>>;

/// A step that takes one poll, so that others come in between.
pub struct Turn(bool);

impl Future for Turn {
    type Output = ();

    fn poll(mut self: std::pin::Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        match std::mem::replace(&mut self.0, true) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}

pub fn turn() -> Turn {
    Turn(false)
}

/// Waits for what needs nobody else.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
    }
}

/// A ledger in memory.
#[derive(Default)]
pub struct Memory {
    pub ledger: RefCell<Ledger>,
    pub clock: Clock,
}

impl Place for Memory {
    fn apply<'a>(&'a self, command: &'a Command) -> Pending<'a, CommandResult> {
        Box::pin(async move {
            turn().await;
            Ok(self.ledger.borrow_mut().apply(command).0)
        })
    }

    fn transfer(&self, step: Transfer) -> Pending<'_, TransferResult> {
        Box::pin(async move {
            turn().await;
            Ok(self.ledger.borrow_mut().transfer(&step, self.clock.get()).0)
        })
    }
}

/// One user's hash in a redis-server.
pub struct Hash<'a> {
    pub server: &'a RefCell<Server>,
    pub redis: Redis,
    pub user: Subject,
    pub clock: Clock,
}

impl Hash<'_> {
    fn step(&self, step: &Transfer) -> Result<TransferResult, StoreError> {
        loop {
            let reply = self.server.borrow_mut().send(&self.redis.fields(&self.user));
            let fields = Redis::fields_answer(200, &reply).unwrap();
            let (result, swap) =
                self.redis.transfer(&self.user, &fields, step, self.clock.get())?;
            let Some(swap) = swap else { return Ok(result) };
            let reply = self.server.borrow_mut().send(&swap);
            if Redis::swapped(200, &reply).unwrap_or_else(|error| panic!("{error:?} {reply}")) {
                return Ok(result);
            }
        }
    }
}

impl Place for Hash<'_> {
    fn apply<'a>(&'a self, command: &'a Command) -> Pending<'a, CommandResult> {
        Box::pin(async move {
            let request = self.redis.request_with_text(&self.user, command);
            let reply = self.server.borrow_mut().send(&request);
            Ok(Redis::answer(command, 200, &reply)
                .unwrap_or_else(|error| panic!("{error:?} {reply}")))
        })
    }

    fn transfer(&self, step: Transfer) -> Pending<'_, TransferResult> {
        Box::pin(async move { self.step(&step) })
    }
}

/// What a closed store must say to any command.
pub fn closed() -> Passage {
    Passage { gone: true, until: Timestamp::FAR_FUTURE, ..Passage::default() }
}
