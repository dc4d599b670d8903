//! Two stores as one, while users move from one to the other.
//!
//! Each Worker has a main store. Before a command that may change something, or that the main store knows nothing
//! about, it brings the user's records from the other one. Two Workers may do so at once, also in opposite
//! directions: see `docs/moving-stores.md`.

use std::pin::Pin;

use super::{Command, CommandResult, Parcel, StoreError, Transfer, TransferResult};

/// A result that takes a round trip.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + 'a>>;

/// The records of one user in one store.
pub trait Place {
    /// Applies one command.
    fn apply<'a>(&'a self, command: &'a Command) -> Pending<'a, CommandResult>;

    /// Takes one step of a move.
    fn transfer(&self, step: Transfer) -> Pending<'_, TransferResult>;
}

/// How many parcels are carried in a row, and how often a command is tried: more are needed only while others carry the
/// user's records to and fro.
const TRIES: usize = 4;

/// Brings the user's records to the main store, and applies a command there.
///
/// # Errors
/// A store did not answer. The command may have been applied.
pub async fn apply_moving(
    main: &dyn Place,
    before: &dyn Place,
    command: &Command,
) -> Result<CommandResult, StoreError> {
    carry_over(before, main).await?;
    for _ in 0..TRIES {
        match main.apply(command).await? {
            CommandResult::Moved => bring_back(main, before).await?,
            answer => return Ok(answer),
        }
    }
    Err(restless())
}

/// The same for a backup or its restoration.
///
/// # Errors
/// A store did not answer. The step may have been taken.
pub async fn transfer_moving(
    main: &dyn Place,
    before: &dyn Place,
    step: &Transfer,
) -> Result<TransferResult, StoreError> {
    carry_over(before, main).await?;
    for _ in 0..TRIES {
        match main.transfer(step.clone()).await? {
            TransferResult::Moved => bring_back(main, before).await?,
            result => return Ok(result),
        }
    }
    Err(restless())
}

/// Carries all records of the user from one store to the other. Returns how many of them are of sessions; `None` if
/// there were none at all.
///
/// # Errors
/// A store did not answer. Whoever tries again goes on where this ended.
pub async fn carry_over(from: &dyn Place, to: &dyn Place) -> Result<Option<usize>, StoreError> {
    let mut carried = None;
    for _ in 0..TRIES {
        match from.transfer(Transfer::Take).await? {
            TransferResult::Taken(None) => return Ok(carried),
            TransferResult::Taken(Some(parcel)) => {
                carried = Some(carried.unwrap_or_default() + parcel.records.sessions.len());
                deliver(*parcel, from, to).await?;
            }
            _ => return Err(StoreError::other_answer()),
        }
    }
    Err(restless())
}

/// Opens a main store whose records were taken away, with all that the other one has.
async fn bring_back(main: &dyn Place, before: &dyn Place) -> Result<(), StoreError> {
    let TransferResult::Passage { gone, parcel } = main.transfer(Transfer::Look).await? else {
        return Err(StoreError::other_answer());
    };
    // What was taken away reaches the other store first: somebody may be carrying it there, and each parcel arrives once.
    if let Some(parcel) = parcel {
        deliver(*parcel, main, before).await?;
    }
    carry_over(before, main).await?;
    match gone {
        Some(number) => done(main, Transfer::Open(number)).await,
        None => Ok(()),
    }
}

async fn deliver(parcel: Parcel, from: &dyn Place, to: &dyn Place) -> Result<(), StoreError> {
    let number = parcel.number;
    done(to, Transfer::Receive(Box::new(parcel))).await?;
    done(from, Transfer::Confirm(number)).await
}

async fn done(place: &dyn Place, step: Transfer) -> Result<(), StoreError> {
    match place.transfer(step).await? {
        TransferResult::Done => Ok(()),
        _ => Err(StoreError::other_answer()),
    }
}

/// Others carry the records to and fro.
fn restless() -> StoreError {
    StoreError::Unreachable("the user's records are moving between the stores".into())
}
