//! Two stores, while users move from one to the other (`SESSION_STORE_BEFORE`): see `store/moving.rs` in the core.
//!
//! The check of a session asks the main store alone. All else first brings the user's records from the other one.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use auth::id_token::IssuerSession;
use auth::rate::{Rate, WindowCount};
use auth::session::{Session, Sid, Subject};
use auth::store::{
    self, CheckTemplate, Command, CommandResult, EntryName, Parcel, Pending, Place, StoreError,
    Transfer, TransferResult,
};
use auth::time::Timestamp;
use auth::user_index::{self, Index, IndexQuery};

use super::{LocalBoxFuture, SessionStore, StoreReply, StoreResult};
use crate::{promise, request, stores};

/// The main store, and the one that users come from.
pub struct MovingStore {
    main: Rc<dyn SessionStore>,
    before: Rc<dyn SessionStore>,
    /// Is the main store the first of the two, whichever is main? Claims are made in the same order by all.
    main_first: bool,
}

impl MovingStore {
    /// Users move from `before` to `main`.
    pub fn new(main: Rc<dyn SessionStore>, before: Rc<dyn SessionStore>, main_first: bool) -> Self {
        Self { main, before, main_first }
    }

    /// Moves a user. Returns how many sessions were moved; `None` if the other store knew nothing of the user.
    ///
    /// # Errors
    /// A store did not answer.
    pub async fn move_user(&self, user: &Subject) -> Result<Option<usize>, StoreError> {
        let (main, before) = self.places(user);
        store::carry_over(&before, &main).await
    }

    /// A page of the other store's index.
    pub fn before(&self) -> &dyn SessionStore {
        &*self.before
    }

    fn places<'a>(&'a self, user: &'a Subject) -> (UserPlace<'a>, UserPlace<'a>) {
        (UserPlace::new(&*self.main, user), UserPlace::new(&*self.before, user))
    }

    async fn send(&self, user: &Subject, command: &Command) -> StoreReply {
        if !matches!(command, Command::Check { .. }) {
            self.move_user(user).await?;
        }
        self.main.send_command(user, command).await
    }
}

impl SessionStore for MovingStore {
    fn send_command<'a>(
        &'a self,
        user: &'a Subject,
        command: &'a Command,
    ) -> LocalBoxFuture<'a, StoreReply> {
        Box::pin(self.send(user, command))
    }

    fn check_frame(
        &self,
        user: &Subject,
        sid: &Sid,
        jti: Option<&str>,
        idle_timeout: Option<Duration>,
    ) -> (String, CheckTemplate) {
        self.main.check_frame(user, sid, jti, idle_timeout)
    }

    /// What the main store has not found may be in the other one.
    fn read(&self, command: &Command, reply: &StoreReply) -> Option<StoreResult> {
        let answer = self.main.read(command, reply)?;
        match answer {
            Ok(CommandResult::Moved | CommandResult::Found(None)) => None,
            answer => Some(answer),
        }
    }

    fn apply_on_primary<'a>(
        &'a self,
        user: &'a Subject,
        command: &'a Command,
    ) -> LocalBoxFuture<'a, StoreResult> {
        Box::pin(async move {
            let (main, before) = self.places(user);
            store::apply_moving(&main, &before, command).await
        })
    }

    fn transfer<'a>(
        &'a self,
        user: &'a Subject,
        step: Transfer,
    ) -> LocalBoxFuture<'a, Result<TransferResult, StoreError>> {
        Box::pin(async move {
            let (main, before) = self.places(user);
            store::transfer_moving(&main, &before, &step).await
        })
    }

    fn put_entry<'a>(
        &'a self,
        name: &'a EntryName,
        text: &'a str,
        until: Timestamp,
    ) -> LocalBoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            self.before.put_entry(name, text, until).await?;
            self.main.put_entry(name, text, until).await
        })
    }

    /// Both stores must take it, each time in the same order: of two Workers with other main stores, one succeeds.
    fn put_entry_if_absent<'a>(
        &'a self,
        name: &'a EntryName,
        text: &'a str,
        until: Timestamp,
    ) -> LocalBoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            let mut both = [&self.main, &self.before];
            if !self.main_first {
                both.reverse();
            }
            let [first, second] = both;
            Ok(first.put_entry_if_absent(name, text, until).await?
                && second.put_entry_if_absent(name, text, until).await?)
        })
    }

    fn delete_entry_if_equal<'a>(
        &'a self,
        name: &'a EntryName,
        text: &'a str,
    ) -> LocalBoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            self.before.delete_entry_if_equal(name, text).await?;
            self.main.delete_entry_if_equal(name, text).await
        })
    }

    fn get_entry<'a>(
        &'a self,
        name: &'a EntryName,
    ) -> LocalBoxFuture<'a, Result<Option<String>, StoreError>> {
        Box::pin(async move {
            match self.main.get_entry(name).await? {
                Some(text) => Ok(Some(text)),
                None => self.before.get_entry(name).await,
            }
        })
    }

    fn count<'a>(
        &'a self,
        counter: &'a EntryName,
        rate: &'a Rate,
        window: &'a str,
    ) -> LocalBoxFuture<'a, Result<WindowCount, StoreError>> {
        self.main.count(counter, rate, window)
    }

    fn refund<'a>(
        &'a self,
        counter: &'a EntryName,
        window: &'a str,
    ) -> LocalBoxFuture<'a, StoreReply> {
        self.main.refund(counter, window)
    }

    /// Both know users; the main store writes.
    fn query_index<'a>(
        &'a self,
        index: Index,
        query: &'a IndexQuery,
    ) -> LocalBoxFuture<'a, StoreReply> {
        Box::pin(async move {
            if let IndexQuery::Record { .. } = query {
                return self.main.query_index(index, query).await;
            }
            let (here, there) = promise::both(
                self.main.query_index(index, query),
                self.before.query_index(index, query),
            )
            .await;
            let (here, there) = (self.main.read_index(&here)?, self.before.read_index(&there)?);
            Ok((200, user_index::merge(query, &here, &there)))
        })
    }

    fn read_index(&self, reply: &StoreReply) -> Result<String, StoreError> {
        stores::received(reply).map(|(_, answer)| answer.to_owned())
    }

    fn ping(&self) -> LocalBoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            self.main.ping().await?;
            self.before.ping().await
        })
    }
}

/// One user in one store. Whatever names the user or the sessions moves with the records.
struct UserPlace<'a> {
    store: &'a dyn SessionStore,
    user: &'a Subject,
    sent: RefCell<Vec<Session>>,
}

impl<'a> UserPlace<'a> {
    fn new(store: &'a dyn SessionStore, user: &'a Subject) -> Self {
        Self { store, user, sent: RefCell::default() }
    }

    async fn step(&self, step: Transfer) -> Result<TransferResult, StoreError> {
        if let Transfer::Receive(parcel) = &step {
            self.announce(parcel).await?;
        }
        let is_over = matches!(step, Transfer::Confirm(_));
        let result = self.store.transfer(self.user, step).await?;
        if let TransferResult::Taken(Some(parcel)) = &result {
            self.sent.replace(parcel.records.sessions.clone());
        }
        if is_over {
            self.forget().await?;
        }
        Ok(result)
    }

    /// Before the records arrive: the indexes name the user, and a logout at the provider finds whose session it is.
    async fn announce(&self, parcel: &Parcel) -> Result<(), StoreError> {
        let now = request::now();
        for session in parcel.records.sessions.iter().filter(|it| it.is_live(now)) {
            if let (Some(issuer), Some(name)) = (&session.issuer, &session.issuer_sid) {
                let note = IssuerSession::user_note(issuer, name);
                self.store.put_entry(&note, self.user.as_str(), session.expires).await?;
            }
            let query = IndexQuery::record(self.user, Some(session), &[], now);
            self.record(Index::Live, &query).await?;
        }
        if parcel.records.is_lasting() {
            self.record(Index::Kept, &IndexQuery::keep(self.user, now)).await?;
        }
        Ok(())
    }

    /// After they have left.
    async fn forget(&self) -> Result<(), StoreError> {
        let (now, sent) = (request::now(), self.sent.take());
        if !sent.is_empty() {
            let query = IndexQuery::record(self.user, None, &sent, now);
            self.record(Index::Live, &query).await?;
        }
        Ok(())
    }

    async fn record(&self, index: Index, query: &IndexQuery) -> Result<(), StoreError> {
        let reply = self.store.query_index(index, query).await;
        self.store.read_index(&reply).map(drop)
    }
}

impl Place for UserPlace<'_> {
    fn apply<'a>(&'a self, command: &'a Command) -> Pending<'a, CommandResult> {
        match command {
            // A replica may not know yet what was moved.
            Command::Check { .. } => self.store.apply_on_primary(self.user, command),
            _ => Box::pin(stores::apply(self.store, self.user, command)),
        }
    }

    fn transfer(&self, step: Transfer) -> Pending<'_, TransferResult> {
        Box::pin(self.step(step))
    }
}
