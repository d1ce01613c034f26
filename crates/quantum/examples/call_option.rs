//! A call option by iterative amplitude estimation: the exact price, what the circuit aims at, and an interval from shots.
//!
//! ```text
//! cargo run --release -p firelane-quantum --example call_option
//! ```

use firelane_quantum::Error;
use firelane_quantum::estimation::{Settings, estimate};
use firelane_quantum::finance::option::Call;
use firelane_quantum::qasm::qasm;

fn main() -> Result<(), Error> {
    print!("{}", report()?);
    Ok(())
}

fn report() -> Result<String, Error> {
    let call = Call { spot: 2.0, volatility: 0.4, rate: 0.05, years: 40.0 / 365.0, strike: 1.896 };
    // Prices on three qubits; the payoff's line is a quarter of the sine's reach.
    let priced = call.priced(3, 0.25)?;
    let mut payoff = priced.payoff()?;
    let aim = priced.value(payoff.amplitude());
    let found = estimate(&mut payoff, &Settings::default())?;
    let price = found.interval.map(|amplitude| priced.value(amplitude));
    let gates = payoff.preparation().operations().len();
    let lines = qasm(payoff.preparation(), true).lines().count();
    Ok(format!(
        "expected payoff {:.6}, what the circuit aims at {aim:.6}\n\
         from {} shots: {:.4} to {:.4}\n\
         {gates} gates on {} qubits, {lines} lines of OpenQASM 3\n",
        priced.exact(),
        found.shots,
        price.low,
        price.high,
        payoff.preparation().qubits(),
    ))
}

#[test]
fn the_interval_holds_what_the_circuit_aims_at() {
    let text = report().unwrap();
    assert!(text.starts_with("expected payoff 0.162276, what the circuit aims at 0.168736\n"), "{text}");
    let ends: Vec<f64> = text.lines().nth(1).unwrap().split(' ').filter_map(|word| word.parse().ok()).collect();
    assert!(ends[1] < 0.168_736 && 0.168_736 < ends[2], "{text}");
}
