//! Limits that cannot be met together are named: none that could stay as it is if the others gave.
//!
//! Sums are compared first. What they do not show, a linear relaxation does (a name is held to a part from 0 to 1): every limit
//! is made elastic, and the least sum of what has to give is above zero if they contradict each other. Then one limit after another
//! is left out for good if the rest contradict each other still (the deletion filter of Chinneck and Dravnieks, "Locating minimal
//! infeasible constraint sets in linear programs", ORSA J. Comput. 3(2), 1991).

use crate::mandate::{Count, MOST_WEIGHT, Span};
use crate::model::Problem;
use crate::program::Program;
use std::fmt;

/// What has to give, in sum, is nothing below this.
const GIVES: f64 = 1e-7;

/// A limit of a mandate.
#[derive(Clone, PartialEq, Debug)]
pub enum Limit {
    /// The sum of weights.
    Net(Span),
    /// The sum of sizes.
    Gross(f64),
    /// How many names.
    Count(Count),
    /// The least that a holding may be.
    Least,
    /// The most that a holding may be.
    Most,
    /// A name's own limits.
    Own(String),
    /// A sector's least net weight.
    SectorLeast(String, f64),
    /// A sector's largest net weight.
    SectorMost(String, f64),
    /// What may be traded.
    Turnover(f64),
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Limit::Net(span) => write!(f, "net {span}"),
            Limit::Gross(limit) => write!(f, "gross {limit} or less"),
            Limit::Count(Count::Any) => write!(f, "any number of names"),
            Limit::Count(Count::AtMost(count)) => write!(f, "{count} names or fewer"),
            Limit::Count(Count::Exactly(count)) => write!(f, "exactly {count} names"),
            Limit::Least => write!(f, "the least size of a holding"),
            Limit::Most => write!(f, "the largest size of a holding"),
            Limit::Own(name) => write!(f, "the limits of `{name}` itself"),
            Limit::SectorLeast(name, limit) => write!(f, "sector `{name}` {limit} or more"),
            Limit::SectorMost(name, limit) => write!(f, "sector `{name}` {limit} or less"),
            Limit::Turnover(limit) => write!(f, "turnover {limit} or less"),
        }
    }
}

/// Limits that cannot be met together. Without any one of them the others could (of the relaxation, at least).
#[derive(Clone, PartialEq, Debug)]
pub struct Infeasible {
    /// Which ones.
    pub limits: Vec<Limit>,
}

impl fmt::Display for Infeasible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.limits.iter().map(Limit::to_string).collect();
        match all.as_slice() {
            [one] => write!(f, "this limit can't be met with these names: {one}; loosen it"),
            all => write!(f, "these limits can't be met together: {}; loosen one of them", all.join(", ")),
        }
    }
}

impl std::error::Error for Infeasible {}

impl Problem<'_> {
    /// Limits that sums show to contradict each other.
    #[must_use]
    pub fn counted_out(&self) -> Option<Infeasible> {
        let (mandate, names) = (self.mandate(), self.universe().len());
        let held = |name: &usize| mandate.long_of(*name).is_some() || mandate.short_of(*name).is_some();
        let can = (0..names).filter(held).count();
        let impossible = |limits: Vec<Limit>| Some(Infeasible { limits });
        if matches!(mandate.count, Count::Exactly(count) if count > can) {
            return impossible(vec![Limit::Count(mandate.count)]);
        }
        // Where nothing can be held short, the sum of weights has simple ends.
        if (0..names).any(|name| mandate.short_of(name).is_some()) {
            return None;
        }
        let mut spans: Vec<Span> = (0..names).filter_map(|name| mandate.long_of(name)).collect();
        let count = mandate.most_names(names);
        let of = |limit: Limit| {
            let counted = (mandate.count != Count::Any).then_some(Limit::Count(mandate.count));
            impossible(counted.into_iter().chain([limit, Limit::Net(mandate.net)]).collect())
        };
        if mandate.own.is_empty() {
            spans.sort_by(|a, b| b.max.total_cmp(&a.max));
            if spans.iter().take(count).map(|span| span.max).sum::<f64>() < mandate.net.min - GIVES {
                return of(Limit::Most);
            }
            spans.sort_by(|a, b| a.min.total_cmp(&b.min));
            let least: f64 = spans.iter().take(count).map(|span| span.min).sum();
            if matches!(mandate.count, Count::Exactly(_)) && least > mandate.net.max + GIVES {
                return of(Limit::Least);
            }
        }
        None
    }

    /// Limits that are proved to contradict each other; `None` if the relaxation has a solution, or the solver gave up.
    #[must_use]
    pub fn contradiction(&self) -> Option<Infeasible> {
        if let Some(found) = self.counted_out() {
            return Some(found);
        }
        let rows = Rows::of(self);
        let mut kept: Vec<bool> = vec![true; rows.limits.len()];
        if !rows.contradict(&kept)? {
            return None;
        }
        for at in 0..kept.len() {
            kept[at] = false;
            // Undecided is kept.
            kept[at] = !rows.contradict(&kept).unwrap_or(false);
        }
        let limits = rows.limits.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(limit, _)| limit.clone()).collect();
        Some(Infeasible { limits })
    }
}

/// The relaxation: rows, each of which belongs to a limit or holds by definition.
struct Rows {
    limits: Vec<Limit>,
    program: Program,
    /// The limit of each row.
    of: Vec<Option<usize>>,
}

/// Nothing of a relaxation is larger.
const CEILING: f64 = 2.0 * MOST_WEIGHT;

impl Rows {
    fn of(problem: &Problem<'_>) -> Rows {
        let (mandate, universe) = (problem.mandate(), problem.universe());
        let mut rows = Rows { limits: Vec::new(), program: Program::default(), of: Vec::new() };
        // For each name: how much is held long and short, and to what part it is.
        let (mut sizes, mut parts) = (Vec::new(), Vec::new());
        for name in 0..universe.len() {
            let own = mandate.own.iter().any(|own| own.name == name);
            let limit = |general: Limit| if own { Limit::Own(universe.names()[name].clone()) } else { general };
            let mut ends = Vec::new();
            for (sign, span) in [(1.0, mandate.long_of(name)), (-1.0, mandate.short_of(name))] {
                let Some(span) = span else { continue };
                let size = rows.program.variable(0.0, 0.0, CEILING);
                let part = rows.program.variable(0.0, 0.0, 1.0);
                rows.put(limit(Limit::Most), vec![(size, 1.0), (part, -span.max)], f64::NEG_INFINITY, 0.0);
                if span.min > 0.0 {
                    rows.put(limit(Limit::Least), vec![(size, 1.0), (part, -span.min)], 0.0, f64::INFINITY);
                }
                sizes.push((name, size, sign));
                ends.push((part, 1.0));
                parts.push((part, 1.0));
            }
            if ends.len() == 2 {
                rows.always(ends, f64::NEG_INFINITY, 1.0);
            }
        }
        let signed: Vec<(usize, f64)> = sizes.iter().map(|(_, size, sign)| (*size, *sign)).collect();
        rows.put(Limit::Net(mandate.net), signed, mandate.net.min, mandate.net.max);
        if let Some(gross) = mandate.gross {
            let sizes = sizes.iter().map(|(_, size, _)| (*size, 1.0)).collect();
            rows.put(Limit::Gross(gross), sizes, f64::NEG_INFINITY, gross);
        }
        let limit = Limit::Count(mandate.count);
        match mandate.count {
            Count::Any => {}
            Count::AtMost(count) => rows.put(limit, parts, f64::NEG_INFINITY, count as f64),
            Count::Exactly(count) => rows.put(limit, parts, count as f64, count as f64),
        }
        for sector in &mandate.sectors {
            let inside = sizes.iter().filter(|(name, ..)| sector.members.contains(name));
            let terms: Vec<(usize, f64)> = inside.map(|(_, size, sign)| (*size, *sign)).collect();
            let (name, span) = (&sector.name, sector.net);
            rows.put(Limit::SectorLeast(name.clone(), span.min), terms.clone(), span.min, f64::INFINITY);
            rows.put(Limit::SectorMost(name.clone(), span.max), terms, f64::NEG_INFINITY, span.max);
        }
        if let Some(limit) = mandate.turnover {
            let mut traded = Vec::new();
            for name in 0..universe.len() {
                let mut terms: Vec<(usize, f64)> =
                    sizes.iter().filter(|(of, ..)| *of == name).map(|(_, size, sign)| (*size, *sign)).collect();
                let (buy, sell) = (rows.program.variable(0.0, 0.0, CEILING), rows.program.variable(0.0, 0.0, CEILING));
                terms.extend([(buy, -1.0), (sell, 1.0)]);
                traded.extend([(buy, 1.0), (sell, 1.0)]);
                rows.always(terms, mandate.current_of(name), mandate.current_of(name));
            }
            rows.put(Limit::Turnover(limit), traded, f64::NEG_INFINITY, limit);
        }
        rows
    }

    fn always(&mut self, terms: Vec<(usize, f64)>, low: f64, high: f64) {
        self.program.row(terms, low, high);
        self.of.push(None);
    }

    fn put(&mut self, limit: Limit, terms: Vec<(usize, f64)>, low: f64, high: f64) {
        let at = self.limits.iter().position(|other| *other == limit).unwrap_or_else(|| {
            self.limits.push(limit);
            self.limits.len() - 1
        });
        self.program.row(terms, low, high);
        self.of.push(Some(at));
    }

    /// Do the limits that are kept contradict each other? `None`: the solver gave up.
    fn contradict(&self, kept: &[bool]) -> Option<bool> {
        let mut program = Program { rows: Vec::new(), ..self.program.clone() };
        for (row, of) in self.program.rows.iter().zip(&self.of) {
            let mut row = row.clone();
            match of {
                Some(at) if !kept[*at] => continue,
                Some(_) => {
                    for (end, sign) in [(row.low, 1.0), (row.high, -1.0)].into_iter().filter(|(end, _)| end.is_finite())
                    {
                        row.terms
                            .push((program.variable(1.0, 0.0, CEILING * row.terms.len() as f64 + end.abs()), sign));
                    }
                }
                None => {}
            }
            program.rows.push(row);
        }
        let solved = program.solve_roughly().ok()?;
        Some(solved > GIVES)
    }
}
