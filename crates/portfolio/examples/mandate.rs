//! A portfolio from numbers of one's own: a universe, a mandate, the best weights, and whole lots of them.
//!
//! ```text
//! cargo run -p firelane-portfolio --example mandate
//! ```

use firelane_portfolio::lots::{Terms, round};
use firelane_portfolio::mandate::{Count, Mandate, Sector, Span};
use firelane_portfolio::model::Problem;
use firelane_portfolio::search::{Annealed, Options};
use firelane_portfolio::universe::Universe;
use std::error::Error;
use std::ops::ControlFlow;

fn main() -> Result<(), Box<dyn Error>> {
    let (text, _) = portfolio()?;
    print!("{text}");
    Ok(())
}

/// What is said of it, and the cash left over in cents.
fn portfolio() -> Result<(String, i64), Box<dyn Error>> {
    let names = ["oil", "gas", "bank", "bond"].map(str::to_owned).to_vec();
    let (deviation, mean) = ([0.06, 0.07, 0.05, 0.01], vec![0.008, 0.009, 0.006, 0.002]);
    let correlation = [[1.0, 0.8, 0.3, 0.0], [0.8, 1.0, 0.25, 0.0], [0.3, 0.25, 1.0, 0.1], [0.0, 0.0, 0.1, 1.0]];
    let covariance = (0..16).map(|at| correlation[at / 4][at % 4] * deviation[at / 4] * deviation[at % 4]).collect();
    let universe = Universe::new(names, mean, covariance)?;

    // Three names, a tenth each at least, and of energy no more than a third.
    let mandate = Mandate {
        count: Count::Exactly(3),
        long: Span { min: 0.1, max: 0.6 },
        sectors: vec![Sector { name: "energy".into(), members: vec![0, 1], net: Span { min: 0.0, max: 0.33 } }],
        ..Mandate::default()
    };
    let problem = Problem::new(&universe, &mandate, 0.7)?;
    let found = problem.solve(&Options::default(), &mut Annealed::new(1, 100), &mut |_| ControlFlow::Continue(()))?;

    let terms = Terms { price: vec![8_215, 4_130, 10_050, 9_980], lot: vec![1, 1, 1, 10], capital: 10_000_000 };
    let lots = round(&universe, &mandate, &found.portfolio.weights, &terms)?;
    let mut text = String::new();
    for name in found.portfolio.held() {
        let (weight, shares) = (found.portfolio.weights[name], lots.shares[name]);
        text += &format!("{:<5} {weight:.4} {shares:>6} shares\n", universe.names()[name]);
    }
    text += &format!("{}.{:02} of cash are left over\n", lots.cash / 100, lots.cash % 100);
    Ok((text, lots.cash))
}

#[test]
fn it_keeps_to_its_mandate() {
    let (text, cash) = portfolio().unwrap();
    assert!(text.lines().count() == 4 && text.contains("bank") && (0..=100_000).contains(&cash), "{text}");
}
