//! Keeps a user out, and lets the user in again.

use auth::admin::{self, Permission};
use auth::body_format::BodyFormat;
use auth::http::Head;
use auth::refusal::Refusal;
use auth::session::{Block, Subject};
use auth::store::Command;
use serde::Serialize;
use web_sys::{Request, Response};

use super::{Admin, bad_body, user_record};
use crate::app::App;
use crate::request::{self, RequestHead};
use crate::response::{self, NO_STORE};
use crate::services::{end_sessions, session_data};

/// A user's block in the API. Times are RFC 3339.
#[derive(Default, Serialize)]
pub struct BlockView<'a> {
    /// Left out where only a block that is in force is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    blocked: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blocked_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    /// How many sessions the call has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<usize>,
}

impl<'a> BlockView<'a> {
    /// A block that is in force.
    pub fn of(block: &'a Block) -> Self {
        Self {
            blocked_at: Some(block.at.to_string()),
            until: block.until.map(|until| until.to_string()),
            reason: block.reason.as_deref(),
            ..Self::default()
        }
    }
}

/// `GET admin/users/{sub}/block`.
pub async fn show(app: &App, user: &Subject) -> Result<Response, Refusal> {
    let (record, ..) = user_record(app, user).await?;
    let block = record.block.as_ref().filter(|block| block.holds(request::now()));
    let view = block.map(BlockView::of).unwrap_or_default();
    let body = BlockView { blocked: Some(block.is_some()), ..view };
    Ok(response::json(200, &body, &[]))
}

/// `PUT admin/users/{sub}/block`. A second call replaces the first one's reason and end.
pub async fn put(
    app: &App,
    request: &Request,
    head: &RequestHead,
    admin: &Admin,
    user: &Subject,
) -> Result<Response, Refusal> {
    admin.require_block(user)?;
    let body = session_data::read_body(request).await?;
    let format = BodyFormat::of(head.header("content-type").as_deref());
    if !body.is_empty() && format != Some(BodyFormat::Json) {
        return Err(Refusal::BadRequest("Send the block as `application/json`."));
    }
    let block = admin::block(&body, request::now()).map_err(|error| bad_body(&error))?;
    let ended = begin(app, admin, user, &block).await?;
    let body = BlockView { blocked: Some(true), ended: Some(ended), ..BlockView::of(&block) };
    Ok(response::json(200, &body, &[]))
}

/// `DELETE admin/users/{sub}/block`.
pub async fn delete(app: &App, admin: &Admin, user: &Subject) -> Result<Response, Refusal> {
    lift(app, admin, user).await?;
    Ok(response::response(204, "", &[NO_STORE]))
}

/// Ends the user's sessions, and admits none until the block is lifted or over. Returns how many have ended.
pub async fn begin(
    app: &App,
    admin: &Admin,
    user: &Subject,
    block: &Block,
) -> Result<usize, Refusal> {
    admin.require_block(user)?;
    let command = Command::Block { block: Some(block.clone()), now: block.at };
    Ok(end_sessions::end_sessions(app, user, &command).await?.len())
}

/// Lets the user in again.
pub async fn lift(app: &App, admin: &Admin, user: &Subject) -> Result<(), Refusal> {
    admin.credential.require(Permission::Block { oneself: false })?;
    let command = Command::Block { block: None, now: request::now() };
    end_sessions::end_sessions(app, user, &command).await.map(drop)
}
