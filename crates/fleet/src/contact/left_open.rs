//! Closes the session that an earlier run left open because it was killed: some BMCs have room for few.

use std::num::NonZeroU32;

use ipmi::command::app::get_session_info::ActiveSession;
use ipmi::command::app::{CloseSession, GetSessionInfo, SessionSelector};

use super::optional;
use crate::call::CallError;
use crate::script::Line;

/// Closes the session that the BMC knows by `id`, if it still has it and says that it is the same user's from the same
/// address as the one that asks. BMCs give IDs again: without that it could be anybody's by now.
pub(super) async fn close(line: &Line, id: NonZeroU32) -> Result<(), CallError> {
    let ask = async |selector| optional(line.call(&GetSessionInfo { selector }).await);
    let Some(other) = ask(SessionSelector::Id(id.get())).await? else {
        return Ok(());
    };
    let Some(session) = other.session else {
        return Ok(());
    };
    let Some(own) = ask(SessionSelector::Current).await? else {
        return Ok(());
    };
    let is_ours = |own: &ActiveSession| {
        let ip = |session: &ActiveSession| session.console.map(|console| console.ip);
        own.user_id == session.user_id && ip(own).is_some() && ip(own) == ip(&session)
    };
    if own.handle != other.handle && own.session.as_ref().is_some_and(is_ours) {
        optional(line.call(&CloseSession::by_id(id.get())).await)?;
    }
    Ok(())
}
