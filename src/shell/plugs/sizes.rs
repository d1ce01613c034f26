//! What a strategy's sizes have to do with the gate's limits: for [`Plug::warnings`](crate::shell::plug::Plug::warnings).

use crate::flow::risk::ShortSale;
use crate::shell::config::Config;

/// Orders of `name.size` shares, up to a position of `name.max_position`: what the limits make of them.
#[must_use]
pub fn warnings(name: &str, size: i64, position: i64, config: &Config) -> Vec<String> {
    let mut all = Vec::new();
    let mut warn = |text: String| all.push(text);
    let each = &config.risk.each;
    let of_symbols = config.risk_of.iter().map(|((_, name), limits)| (format!("risk.symbols.{name}"), limits));
    for (table, limits) in std::iter::once(("risk".to_owned(), each)).chain(of_symbols) {
        if size > limits.max_order_qty.0 {
            let most = limits.max_order_qty.0;
            warn(format!(
                "{name}.size = {size} is over {table}.max_order_qty = {most}: every order of that size is refused"
            ));
        }
        if size > limits.max_position.0 {
            let most = limits.max_position.0;
            warn(format!("{name}.size = {size} is over {table}.max_position = {most}: no order passes the gate"));
        } else if position > limits.max_position.0 {
            let most = limits.max_position.0;
            warn(format!(
                "{name}.max_position = {position} is over {table}.max_position = {most}: the gate stops it there"
            ));
        }
    }
    if size > position {
        warn(format!(
            "{name}.size = {size} is over {name}.max_position = {position}: it never asks for its whole size"
        ));
    }
    if each.short == ShortSale::Located && each.locates.0 < size {
        warn(format!("risk.locates = {} is less than {name}.size = {size}: short sales are refused", each.locates.0));
    }
    for (_, venue) in config.venues.iter() {
        if each.short == ShortSale::Located && venue.entry.locate_broker.is_none() {
            let key = venue.key("entry.locate_broker");
            warn(format!("{key} is empty: a venue that asks who located the shares refuses short sales"));
        }
    }
    if each.whole_lots && size % 100 != 0 {
        warn(format!("{name}.size = {size} is no whole lot, which risk.whole_lots = true asks for"));
    }
    all
}
