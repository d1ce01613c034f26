//! From losses to value at risk and expected shortfall, each with an interval of 95 %.
//!
//! - *VaR* at a confidence `a` of `n` losses is the one of rank `⌈a n⌉` from below. Its interval are two other ranks, between which the true quantile
//!   lies with the wanted probability whatever the distribution: how many losses are below the quantile is binomial (David and Nagaraja, *Order Statistics*,
//!   section 7.1).
//! - *ES* is the mean of the `(1 - a) n` largest, the one at the rank of VaR with what is left of its share (Acerbi and Tasche, Journal of Banking & Finance 26, 2002,
//!   definition 2.6). Its interval is normal, with the variance `(var(L | L > VaR) + a (ES - VaR)²) / ((1 - a) n)` (Manistre and Hancock, North American Actuarial
//!   Journal 9(2), 2005).
//! - *Of Sobol sequences*, each replicate is estimated by itself, and the mean of all has the interval of Student's t. Their losses are so evenly spread that half a rank counts:
//!   VaR `v` is taken between ranks, at `a n + 1/2`, and ES is `v` and the mean of what is beyond it over `1 - a` (Rockafellar and Uryasev, Journal of Banking & Finance 26, 2002), which
//!   is flat where `v` is right.

use super::book::Book;
use super::plan::{Plan, Sampling};
use super::twin::{Scratch, by_position};

/// What a probability of 95 % leaves on each side.
const BEYOND: f64 = 0.025;
/// The normal quantile that 2.5 % are beyond.
const NORMAL: f64 = 1.959_963_984_540_054;
/// That of Student's t with 15 degrees of freedom.
const STUDENT: f64 = 2.131_449_545_559_323;

/// A figure, and where it lies with a probability of 95 %.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The figure.
    pub value: f64,
    /// From here on; none if there are too few losses to say.
    pub low: Option<f64>,
    /// To here; none if there are too few losses to say.
    pub high: Option<f64>,
}

/// What losses come to. Positive is lost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Risk {
    /// Value at risk.
    pub var: Estimate,
    /// Expected shortfall.
    pub es: Estimate,
}

/// The rank of VaR among so many losses, from 1.
fn rank(count: usize, confidence: f64) -> usize {
    // A product of whole numbers that is one rank too high by its last bit is none.
    let exact = confidence * count as f64;
    ((exact * (1.0 - 4.0 * f64::EPSILON)).ceil() as usize).clamp(1, count)
}

/// How much the loss at the rank of VaR counts among the largest.
fn rest(count: usize, confidence: f64) -> f64 {
    (rank(count, confidence) as f64 - confidence * count as f64).max(0.0)
}

/// Two ranks, from 1, between which the quantile lies with a probability of 95 % at least: the probability that the upper one is not above it
/// is at most 2.5 %, and so is the probability that the lower one is. None where no rank does that.
#[must_use]
pub fn ranks(count: usize, confidence: f64) -> (Option<usize>, Option<usize>) {
    let odds = confidence / (1.0 - confidence);
    let mode = ((count as f64 + 1.0) * confidence).floor().min(count as f64) as usize;
    // The binomial distribution, from its mode on, as far as it is not nothing.
    let mut below = vec![1.0];
    for k in (0..mode).rev() {
        let weight = below[mode - k - 1] * (k + 1) as f64 / ((count - k) as f64 * odds);
        if weight < 1e-20 {
            break;
        }
        below.push(weight);
    }
    let mut above = vec![1.0];
    for k in mode + 1..=count {
        let weight = above[k - mode - 1] * odds * (count - k + 1) as f64 / k as f64;
        if weight < 1e-20 {
            break;
        }
        above.push(weight);
    }
    let all = below.iter().sum::<f64>() + above[1..].iter().sum::<f64>();
    let least = mode + 1 - below.len();
    let weights: Vec<f64> = below.iter().rev().chain(&above[1..]).map(|weight| weight / all).collect();
    // P(B < low) <= 2.5 %: the lower rank is above the quantile only if fewer losses than that are below it.
    let (mut low, mut sum) = (least, 0.0);
    for weight in &weights {
        if sum + weight > BEYOND {
            break;
        }
        sum += weight;
        low += 1;
    }
    // P(B >= high) <= 2.5 %.
    let (mut high, mut sum) = (least + weights.len(), 0.0);
    for weight in weights.iter().rev() {
        if sum + weight > BEYOND {
            break;
        }
        sum += weight;
        high -= 1;
    }
    ((low >= 1).then_some(low), (high <= count).then_some(high))
}

/// Of losses that are independent of each other. `losses` are sorted by it.
///
/// # Panics
/// Never, of one loss and a confidence between 0 and 1; of no loss at all the figures are NaN.
#[must_use]
pub fn independent(losses: &mut [f64], confidence: f64) -> Risk {
    losses.sort_unstable_by(f64::total_cmp);
    let count = losses.len();
    if count == 0 {
        let none = Estimate { value: f64::NAN, low: None, high: None };
        return Risk { var: none, es: none };
    }
    let (var, es) = figures(losses, confidence);
    let (low, high) = ranks(count, confidence);
    let at = |rank: Option<usize>| rank.map(|rank| losses[rank - 1]);
    let tail = &losses[rank(count, confidence) - 1..];
    let mean = tail.iter().sum::<f64>() / tail.len() as f64;
    let spread = tail.iter().map(|loss| (loss - mean) * (loss - mean)).sum::<f64>() / (tail.len() as f64 - 1.0);
    let of_es = ((spread + confidence * (es - var) * (es - var)) / ((1.0 - confidence) * count as f64)).sqrt();
    // Of a tail of one there is no variance.
    let off = |sign: f64| (tail.len() > 1).then_some(es + sign * NORMAL * of_es);
    Risk {
        var: Estimate { value: var, low: at(low), high: at(high) },
        es: Estimate { value: es, low: off(-1.0), high: off(1.0) },
    }
}

/// VaR and ES of sorted losses.
fn figures(sorted: &[f64], confidence: f64) -> (f64, f64) {
    let (count, rank) = (sorted.len(), rank(sorted.len(), confidence));
    let var = sorted[rank - 1];
    let beyond = (1.0 - confidence) * count as f64;
    (var, (sorted[rank..].iter().sum::<f64>() + rest(count, confidence) * var) / beyond)
}

/// The quantile of sorted losses, each of which stands for as large a part of all.
fn between_ranks(sorted: &[f64], confidence: f64) -> f64 {
    let at = (confidence * sorted.len() as f64 - 0.5).clamp(0.0, sorted.len() as f64 - 1.0);
    let (low, share) = (at.floor() as usize, at.fract());
    let high = (low + 1).min(sorted.len() - 1);
    sorted[low] + share * (sorted[high] - sorted[low])
}

/// Of groups of as many losses each, which are independent of each other as a whole. `losses` are sorted within each by it.
#[must_use]
pub fn replicated(losses: &mut [f64], groups: usize, confidence: f64) -> Risk {
    let size = (losses.len() / groups.max(1)).max(1);
    losses.chunks_mut(size).for_each(|group| group.sort_unstable_by(f64::total_cmp));
    let mean = |figures: &mut dyn Iterator<Item = f64>| {
        let figures: Vec<f64> = figures.collect();
        let count = figures.len() as f64;
        let value = figures.iter().sum::<f64>() / count;
        let spread = figures.iter().map(|one| (one - value) * (one - value)).sum::<f64>() / (count - 1.0);
        let off = STUDENT * (spread / count).sqrt();
        Estimate { value, low: Some(value - off), high: Some(value + off) }
    };
    let var = mean(&mut losses.chunks(size).map(|group| between_ranks(group, confidence)));
    let beyond = |group: &[f64]| group.iter().map(|loss| (loss - var.value).max(0.0)).sum::<f64>() / group.len() as f64;
    let es = mean(&mut losses.chunks(size).map(|group| var.value + beyond(group) / (1.0 - confidence)));
    Risk { var, es }
}

/// VaR and ES of a job's losses, by how they were drawn.
#[must_use]
pub fn of(plan: &Plan, losses: &mut [f64], confidence: f64) -> Risk {
    match plan.job.sampling {
        Sampling::Pseudo => independent(losses, confidence),
        Sampling::Sobol => replicated(losses, plan.groups().0 as usize, confidence),
    }
}

/// What each position contributes to the expected shortfall: its mean loss in the scenarios in which the book loses most, so that the sum of all is ES
/// (Tasche, *Capital allocation to business units and sub-portfolios: the Euler principle*, 2008). The twin goes through those scenarios once more; `losses` are those of
/// the scenarios, in their order. What rounding, or a rank, makes of the sum is spread over all.
#[must_use]
pub fn contributions(plan: &Plan, book: &Book, losses: &[f64], confidence: f64, es: f64) -> Vec<f64> {
    let mut sum = vec![0.0; book.positions().len()];
    let (groups, size) = plan.groups();
    let size = size as usize;
    let (rank, rest) = (rank(size, confidence), rest(size, confidence));
    let each = 1.0 / ((1.0 - confidence) * size as f64 * f64::from(groups));
    let (mut scratch, mut parts) = (Scratch::new(plan), sum.clone());
    for (group, losses) in losses.chunks(size).enumerate() {
        let mut order: Vec<u32> = (0..losses.len() as u32).collect();
        let (_, at, above) = order.select_nth_unstable_by(rank - 1, |a, b| {
            losses[*a as usize].total_cmp(&losses[*b as usize]).then(a.cmp(b))
        });
        for (scenario, weight) in above.iter().map(|one| (*one, 1.0)).chain([(*at, rest)]) {
            by_position(plan, book, (group * size) as u32 + scenario, &mut scratch, &mut parts);
            for (sum, part) in sum.iter_mut().zip(&parts) {
                *sum += each * weight * part;
            }
        }
    }
    let all: f64 = sum.iter().sum();
    // A book that loses next to nothing has nothing to be spread.
    let scale = if (all - es).abs() < 0.1 * es.abs() { es / all } else { 1.0 };
    sum.iter_mut().for_each(|part| *part *= scale);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_by_hand() {
        // Of 10 losses at 75 %: rank 8, and of the 2.5 largest half of the eighth.
        let mut losses: Vec<f64> = (1..=10).map(f64::from).collect();
        let risk = independent(&mut losses, 0.75);
        assert_eq!(risk.var.value, 8.0);
        assert!((risk.es.value - (10.0 + 9.0 + 0.5 * 8.0) / 2.5).abs() < 1e-12);
        // At 80 % the rank is 8 as it stands, and two are beyond.
        let risk = independent(&mut losses, 0.8);
        assert_eq!(risk.var.value, 8.0);
        assert!((risk.es.value - 9.5).abs() < 1e-12);
        assert_eq!(rank(1_000_000, 0.99), 990_000);
        assert_eq!((rank(1_000, 0.999), rank(3, 0.999), rank(1, 0.5)), (999, 3, 1));
    }

    #[test]
    fn ranks_are_those_of_the_tables() {
        // Of 11 losses the 2nd and the 10th hold the median with 98.8 %; the 3rd and the 9th with 93.5 %.
        assert_eq!(ranks(11, 0.5), (Some(2), Some(10)));
        // 5 losses: all of them have 93.75 %.
        assert_eq!(ranks(5, 0.5), (None, None));
        assert_eq!(ranks(6, 0.5), (Some(1), Some(6)));
        // 99 %: 368 are the fewest whose largest is above the quantile with 97.5 %.
        assert_eq!(ranks(367, 0.99).1, None);
        assert_eq!(ranks(368, 0.99).1, Some(368));
        // Many: as the normal distribution has it.
        let (low, high) = ranks(1_000_000, 0.99);
        let deviation = (1e6_f64 * 0.99 * 0.01).sqrt() * NORMAL;
        assert!((low.unwrap() as f64 - (990_000.0 - deviation)).abs() < 2.0);
        assert!((high.unwrap() as f64 - (990_000.0 + deviation)).abs() < 2.5);
        assert!(ranks(1 << 26, 0.9999).1.is_some());
    }

    #[test]
    fn nothing_and_one_loss_are_no_panic() {
        assert!(independent(&mut [], 0.99).var.value.is_nan());
        let one = independent(&mut [3.0], 0.99);
        assert_eq!(
            (one.var.value, one.var.low, one.var.high, one.es.high),
            (3.0, Some(3.0), None, None),
            "it is below the quantile with 99 %"
        );
        assert!((one.es.value - 3.0).abs() < 1e-9);
    }
}
