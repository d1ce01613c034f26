//! What may be said to a running lane. Commands are inputs like any other: logged, numbered, replayed.

use super::record::CommandBody;
use crate::base::VenueId;
use zerocopy::byteorder::little_endian::U64;

/// One command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Command {
    /// Throw the kill switch: every order is cancelled, none may enter. Latched until released.
    Kill,
    /// Release the kill switch.
    Release,
    /// Let the strategies act.
    Enable,
    /// Stop the strategies and cancel what rests; the market goes on being followed.
    Disable,
    /// Stop for good: cancel what rests, wait for the answers, log out.
    Shutdown,
    /// Open order entry: log in, learn what is known of earlier runs, cancel it, then trade.
    Start,
    /// Ask for a snapshot of a venue's market: the splice heals its books.
    Snapshot(VenueId),
    /// The market is not taken for a while: the strategies wait, and nothing rests. The shell's own; whatever else has stopped
    /// the strategies is not touched by it, nor by its end.
    Hold,
    /// It is taken again.
    Resume,
}

impl Command {
    /// As the log holds it.
    #[must_use]
    pub fn to_body(self) -> CommandBody {
        let code = match self {
            Command::Kill => 1,
            Command::Release => 2,
            Command::Enable => 3,
            Command::Disable => 4,
            Command::Shutdown => 5,
            Command::Snapshot(_) => 6,
            Command::Start => 7,
            Command::Hold => 8,
            Command::Resume => 9,
        };
        let argument = if let Command::Snapshot(venue) = self { venue.0.into() } else { 0 };
        CommandBody { code, argument: U64::new(argument) }
    }

    /// Its name in dumps.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Command::Kill => "Kill",
            Command::Release => "Release",
            Command::Enable => "Enable",
            Command::Disable => "Disable",
            Command::Shutdown => "Shutdown",
            Command::Snapshot(_) => "Snapshot",
            Command::Start => "Start",
            Command::Hold => "Hold",
            Command::Resume => "Resume",
        }
    }

    /// From the log. `None`: a command that this build does not know.
    #[must_use]
    pub fn from_body(body: CommandBody) -> Option<Self> {
        let argument = body.argument.get();
        if argument != 0 && body.code != 6 {
            return None;
        }
        Some(match body.code {
            1 => Command::Kill,
            2 => Command::Release,
            3 => Command::Enable,
            4 => Command::Disable,
            5 => Command::Shutdown,
            6 => Command::Snapshot(VenueId(u8::try_from(argument).ok()?)),
            7 => Command::Start,
            8 => Command::Hold,
            9 => Command::Resume,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_survives_the_log() {
        for code in 0..=u8::MAX {
            let body = CommandBody { code, argument: U64::new(0) };
            if let Some(command) = Command::from_body(body) {
                assert_eq!(command.to_body(), body);
            }
        }
    }
}
