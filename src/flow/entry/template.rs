//! Requests that are framed once, at the start, and completed where they leave: in the outbox.
//!
//! Of an enter's 50 to 71 bytes some thirty are the same from order to order, or follow from a few bits of it. They are copied
//! whole, and the fields that differ are written over the copy: a message made field by field beside the outbox would be read
//! back by wide loads that have to wait for its narrow stores.

use super::ouch::OuchConfig;
use crate::base::SessionId;
use crate::flow::action::SellMark;
use crate::flow::outbox::{Class, Outbox};
use crate::flow::wire::ouch50::{
    AppendageBuilder, AppendageOption, CrossType, EnterOrder, InterMarketSweep, MessageType, ReplaceOrder,
};
use crate::flow::wire::soupbintcp::{header, letter};
use core::marker::PhantomData;
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout, Unaligned};

/// The session's packet: a length of two bytes, and a letter.
const PACKET: usize = 3;
/// An appendage with its length: Length (2), Firm (6), Post Only (3), Shares Located (3), Locate Broker (6), AIQ Strategy (3).
const TAIL: usize = 23;
/// The longest request.
const ROOM: usize = PACKET + size_of::<EnterOrder>() + TAIL;

const _: () = assert!(size_of::<ReplaceOrder>() <= size_of::<EnterOrder>());
const _: () = assert!(Outbox::HEADER + ROOM <= Outbox::MESSAGE);

/// A request with its appendage, in the session's packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Template<M> {
    bytes: [u8; ROOM],
    length: usize,
    message: PhantomData<fn() -> M>,
}

impl<M: FromBytes + IntoBytes + KnownLayout + Immutable + Unaligned> Template<M> {
    fn new(message: &M, options: &[Option<AppendageOption>]) -> Self {
        let mut built = AppendageBuilder::<TAIL>::new();
        for option in options.iter().flatten() {
            // The sum above is the most there can be.
            let _fits = built.push(*option);
        }
        let options = built.appendage().bytes();
        #[allow(clippy::cast_possible_truncation)] // below TAIL
        let tail = (options.len() as u16).to_be_bytes();
        let body = [message.as_bytes(), &tail, options];
        let length = body.iter().fold(0usize, |sum, part| sum.saturating_add(part.len()));
        let packet = header(letter::UNSEQUENCED, length).unwrap_or_default();
        let mut bytes = [0; ROOM];
        let parts = packet.iter().chain(body.into_iter().flatten());
        bytes.iter_mut().zip(parts).for_each(|(to, from)| *to = *from);
        Template { bytes, length: length.saturating_add(PACKET), message: PhantomData }
    }

    /// Sends a copy; answers its message, to be completed. `None`: there is no room, and nothing was written.
    #[inline(always)]
    pub(super) fn send<'o>(&self, out: &'o mut Outbox) -> Option<&'o mut M> {
        let packet = out.send_template(SessionId::ORDERS, Class::Order, &self.bytes, self.length)?;
        let (_, body) = packet.split_first_chunk_mut::<PACKET>()?;
        M::mut_from_prefix(body).ok().map(|(message, _)| message)
    }
}

/// All kinds of enters and replaces.
#[derive(Clone, Copy, Debug)]
pub(super) struct Templates {
    /// By post-only (1) and located (2).
    enter: [Template<EnterOrder>; 4],
    /// By located. A replace keeps every option of its order but Shares Located and Locate Broker.
    replace: [Template<ReplaceOrder>; 2],
}

impl Templates {
    pub(super) fn new(config: &OuchConfig) -> Self {
        let located = |yes: bool| {
            let broker = config.locate_broker.filter(|_| yes);
            [yes.then_some(AppendageOption::SharesLocated(b'Y')), broker.map(AppendageOption::LocateBroker)]
        };
        // What is left out is written on the way.
        let enter = EnterOrder {
            message_type: MessageType::NEW,
            display: config.display,
            capacity: config.capacity,
            inter_market_sweep: InterMarketSweep::NOT_ELIGIBLE,
            cross_type: CrossType::CONTINUOUS,
            ..FromZeros::new_zeroed()
        };
        let enter = |kind: u8| {
            let [shares, broker] = located(kind & 2 != 0);
            let options = [
                config.firm.map(AppendageOption::Firm),
                (kind & 1 != 0).then_some(AppendageOption::PostOnly(b'P')),
                shares,
                broker,
                config.aiq.map(AppendageOption::AiqStrategy),
            ];
            Template::new(&enter, &options)
        };
        let replace = ReplaceOrder {
            message_type: MessageType::NEW,
            display: config.display,
            inter_market_sweep: InterMarketSweep::NOT_ELIGIBLE,
            ..FromZeros::new_zeroed()
        };
        Templates {
            enter: [enter(0), enter(1), enter(2), enter(3)],
            replace: [false, true].map(|yes| Template::new(&replace, &located(yes))),
        }
    }

    /// That of an enter.
    #[inline(always)]
    pub(super) fn enter(&self, post_only: bool, mark: SellMark) -> &Template<EnterOrder> {
        let [plain, post, found, both] = &self.enter;
        match (post_only, is_located(mark)) {
            (false, false) => plain,
            (true, false) => post,
            (false, true) => found,
            (true, true) => both,
        }
    }

    /// That of a replace.
    #[inline(always)]
    pub(super) fn replace(&self, mark: SellMark) -> &Template<ReplaceOrder> {
        let [plain, found] = &self.replace;
        if is_located(mark) { found } else { plain }
    }
}

#[inline(always)]
fn is_located(mark: SellMark) -> bool {
    mark == SellMark::Short { located: true }
}
