//! What a running venue answers on its control socket: how it is doing, so that both sides can be compared.

use super::{Reply, Status};
use crate::venue::{gone, unanswered};
use firelane_sim::server::{Phase, VenueConfig, VenueHandle};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How a venue is doing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct VenueState {
    /// Its process.
    pub(crate) pid: u32,
    /// Where its day stands: trading, stopped, ended, over.
    pub(crate) phase: String,
    /// Since its day began, on its clock.
    pub(crate) venue_seconds: f64,
    /// The market-data session.
    pub(crate) session: String,
    /// Messages published, over all sessions.
    pub(crate) published: u64,
    /// The number that the next message will get.
    pub(crate) next_sequence: u64,
    /// Snapshots served to the end.
    pub(crate) snapshots: u64,
    /// Re-requests answered.
    pub(crate) rerequests: u64,
    /// Re-requests without a reply, by why.
    pub(crate) rerequests_unanswered: BTreeMap<String, u64>,
    /// Connections that are gone, by why.
    pub(crate) gone: BTreeMap<String, u64>,
    /// Connections closed at once because there were too many.
    pub(crate) full: u64,
    /// Order entry.
    pub(crate) ports: Vec<PortState>,
}

/// One order port.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct PortState {
    /// Its client's name.
    pub(crate) username: String,
    /// Is it logged in?
    pub(crate) logged_in: bool,
    /// Orders that were accepted, replacements included.
    pub(crate) orders: u64,
    /// Of these in the market.
    pub(crate) live_orders: u64,
    /// Executions that were not broken.
    pub(crate) fills: u64,
    /// Shares in them.
    pub(crate) shares: u64,
    /// Messages of its session.
    pub(crate) messages: u64,
    /// Requests that had no effect, or were rejected, by what was wrong.
    pub(crate) requests_without_effect: BTreeMap<String, u64>,
    /// Net shares by symbol, where there are any.
    pub(crate) positions: BTreeMap<String, i64>,
}

fn text(padded: &[u8]) -> String {
    padded.trim_ascii().escape_ascii().to_string()
}

/// Answers for a venue.
pub(crate) fn venue(handle: VenueHandle, config: &VenueConfig) -> impl FnMut(&str) -> Reply + Send + use<> {
    let usernames: Vec<String> = config.ports.iter().map(|port| text(&port.username)).collect();
    move |line| match line {
        "status" => Reply::status(Status::Venue(Box::new(state(&handle, &usernames)))),
        other => Reply::unknown(other, &["status (this is a venue)"]),
    }
}

fn state(handle: &VenueHandle, usernames: &[String]) -> VenueState {
    let status = handle.status();
    let ports = status.ports.clone().into_iter().zip(usernames).map(|(port, username)| PortState {
        username: username.clone(),
        logged_in: port.logged_in,
        orders: port.orders as u64,
        live_orders: port.live as u64,
        fills: port.fills as u64,
        shares: port.shares,
        messages: port.messages as u64,
        requests_without_effect: port.remarks,
        positions: port
            .positions
            .into_iter()
            .filter(|(_, shares)| *shares != 0)
            .map(|(symbol, shares)| (symbol.to_string(), shares))
            .collect(),
    });
    VenueState {
        pid: std::process::id(),
        phase: match status.phase {
            Phase::Trading => "trading",
            Phase::Stopped => "stopped",
            Phase::Ended | Phase::Said => "ended",
            Phase::Over => "over",
        }
        .to_owned(),
        venue_seconds: status.at.0 as f64 / 1e9,
        session: text(&status.session),
        published: status.far_end.published,
        next_sequence: status.next_sequence,
        snapshots: status.far_end.glimpse.completed,
        rerequests: status.far_end.rerequest.answered,
        rerequests_unanswered: unanswered(&status),
        gone: gone(&status),
        full: status.full,
        ports: ports.collect(),
    }
}
