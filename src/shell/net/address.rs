//! Addresses as a configuration writes them.
//!
//! - A server: `ip:port` or `[::1]:port`; `localhost` is the one name. Others are not resolved: reading a configuration
//!   asks nobody, and a gateway that depends on a name server at start is one more thing that can fail.
//! - A line: `ip:port`, to which the datagrams are sent: an address of this machine, or an IPv4 group
//!   (`239.1.2.3:26401`), which is joined on the interface whose address follows an `@`: `239.1.2.3:26401@10.0.0.5`.
//! - Where the host (`:26401`) or the interface is left out, it is the loopback: nothing listens to the world
//!   unless told to (`0.0.0.0:26401`).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

/// An address that cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AddressError {
    /// No colon with a port behind it.
    #[error("{0:?} is no address: must be ip:port, a port between 0 and 65535")]
    NoPort(String),
    /// A name, or an address that is none.
    #[error("{address:?}: {host:?} must be an IP address (names are not resolved)")]
    NoIp {
        /// All of it.
        address: String,
        /// The part before the port.
        host: String,
    },
    /// An interface behind an address that is no multicast group.
    #[error("{0:?}: an interface (@..) belongs to a multicast group, and this is none")]
    NoGroup(String),
    /// An interface that is no IPv4 address.
    #[error("{address:?}: the interface {interface:?} must be the IPv4 address of one of this machine's interfaces")]
    Interface {
        /// All of it.
        address: String,
        /// The part behind the `@`.
        interface: String,
    },
    /// IPv6 groups.
    #[error("{0:?}: multicast lines are IPv4")]
    Group6(String),
}

/// The address of a server. A host that is left out is the loopback.
///
/// # Errors
/// [`AddressError`]; it quotes the address.
pub fn parse_address(text: &str) -> Result<SocketAddr, AddressError> {
    let no_port = || AddressError::NoPort(text.to_owned());
    let (host, port) = text.rsplit_once(':').ok_or_else(no_port)?;
    // `parse` would take a sign.
    if port.is_empty() || !port.bytes().all(|b| b.is_ascii_digit()) {
        return Err(no_port());
    }
    let port: u16 = port.parse().map_err(|_| no_port())?;
    if host.is_empty() {
        return Ok((Ipv4Addr::LOCALHOST, port).into());
    }
    let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    if let Ok(ip) = bare.parse::<IpAddr>()
        && (ip.is_ipv4() || bare.len() < host.len())
    {
        return Ok((ip, port).into());
    }
    if host == "localhost" {
        return Ok((Ipv4Addr::LOCALHOST, port).into());
    }
    Err(AddressError::NoIp { address: text.to_owned(), host: host.to_owned() })
}

/// Where the datagrams of a line arrive.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LineAddress {
    /// Where they are sent: an address of this machine, or a group.
    pub to: SocketAddr,
    /// The interface on which a group is joined.
    pub interface: Ipv4Addr,
}

impl LineAddress {
    /// Is it a group?
    #[must_use]
    pub fn is_multicast(&self) -> bool {
        self.to.ip().is_multicast()
    }
}

impl FromStr for LineAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (to, interface) = text.split_once('@').map_or((text, None), |(to, i)| (to, Some(i)));
        let to = parse_address(to)?;
        match (to.ip().is_multicast(), to.is_ipv4(), interface) {
            (true, false, _) => return Err(AddressError::Group6(text.to_owned())),
            (false, _, Some(_)) => return Err(AddressError::NoGroup(text.to_owned())),
            _ => {}
        }
        let interface = match interface {
            None => Ipv4Addr::LOCALHOST,
            Some(i) => {
                i.parse().map_err(|_| AddressError::Interface { address: text.to_owned(), interface: i.to_owned() })?
            }
        };
        Ok(LineAddress { to, interface })
    }
}

impl fmt::Display for LineAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to.fmt(f)?;
        if self.is_multicast() { write!(f, "@{}", self.interface) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_servers() {
        assert_eq!(parse_address("10.1.2.3:15000"), Ok(([10, 1, 2, 3], 15_000).into()));
        assert_eq!(parse_address(":15000"), Ok((Ipv4Addr::LOCALHOST, 15_000).into()));
        assert_eq!(parse_address("0.0.0.0:1"), Ok((Ipv4Addr::UNSPECIFIED, 1).into()));
        assert_eq!(parse_address("[::1]:9").unwrap().to_string(), "[::1]:9");
        assert_eq!(parse_address("localhost:7"), Ok((Ipv4Addr::LOCALHOST, 7).into()));
        for bad in ["", "15000", "10.1.2.3", "10.1.2.3:", "10.1.2.3:65536", "10.1.2.3:-1", "10.1.2.3:+1", "a:b"] {
            let error = parse_address(bad).unwrap_err();
            assert!(matches!(error, AddressError::NoPort(_)), "{bad}: {error}");
            assert!(error.to_string().contains(&format!("{bad:?}")), "{error}");
        }
        for bad in ["10.1.2.300:1", "venue.example:1", "::1:9", "[::1:9"] {
            let error = parse_address(bad).unwrap_err();
            assert!(matches!(error, AddressError::NoIp { .. }) && error.to_string().contains(bad), "{bad}: {error}");
        }
    }

    #[test]
    fn addresses_of_lines() {
        let line: LineAddress = "239.1.2.3:26401@10.0.0.5".parse().unwrap();
        assert_eq!((line.to, line.interface), (([239, 1, 2, 3], 26_401).into(), Ipv4Addr::new(10, 0, 0, 5)));
        assert!(line.is_multicast());
        for same in ["239.1.2.3:26401@10.0.0.5", "127.0.0.1:26401", "[::1]:26401"] {
            assert_eq!(same.parse::<LineAddress>().unwrap().to_string(), same);
        }
        let at_home: LineAddress = "239.1.2.3:26401".parse().unwrap();
        assert_eq!(at_home.interface, Ipv4Addr::LOCALHOST);
        assert_eq!(":5".parse::<LineAddress>().unwrap().to.ip(), Ipv4Addr::LOCALHOST);

        let error = |text: &str| text.parse::<LineAddress>().unwrap_err();
        assert!(matches!(error("127.0.0.1:5@10.0.0.5"), AddressError::NoGroup(_)));
        assert!(matches!(error("239.1.2.3:5@eth0"), AddressError::Interface { .. }));
        assert!(matches!(error("239.1.2.3:5@"), AddressError::Interface { .. }));
        assert!(matches!(error("[ff02::1]:5"), AddressError::Group6(_)));
        assert!(matches!(error("239.1.2.3@10.0.0.5"), AddressError::NoPort(_)));
    }
}
