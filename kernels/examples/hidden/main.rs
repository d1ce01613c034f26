//! One neuron finds a pattern that repeats among 2,000 Poisson trains: hit and false-alarm rates over seeds, and what it has come to beside the
//! optimum of theory.
//!
//! ```text
//! cargo run --release -p firelane-kernels --example hidden -- [SEEDS] [SECONDS] [TAU THRESHOLD LOSS]
//! ```

mod task;

use task::{LOSS, Outcome, Task, rule};

fn main() {
    let arguments: Vec<f64> =
        std::env::args().skip(1).map(|one| one.parse().expect("numbers: SEEDS SECONDS TAU THRESHOLD LOSS")).collect();
    let of = |at: usize, default: f64| arguments.get(at).copied().unwrap_or(default);
    let defaults = Task::default();
    let (seeds, seconds) = (of(0, 100.0) as u64, of(1, 200.0) as u64);
    let task = Task { tau: of(2, defaults.tau), threshold: of(3, defaults.threshold), ..defaults };
    println!(
        "{seeds} seeds, {seconds} s each, the last third counts; tau {} ms, threshold {}",
        task.tau, task.threshold
    );
    let rule = rule(of(4, LOSS));
    let mut all = Vec::new();
    // The first hundred were there to choose the constants.
    for seed in 100..100 + seeds {
        let one = task.run(&rule, seed, seconds);
        println!(
            "seed {seed:>3}: hits {:>5.1} %, false alarms {:.3} Hz, {} trains, first spike after {:.1} ms, SNR {:.1}{}",
            100.0 * one.hit_rate(),
            one.alarm_rate(),
            one.selected,
            one.latency,
            one.snr,
            if one.learnt() { "" } else { "  not learnt" }
        );
        all.push(one);
    }
    summary(&task, &all);
}

fn summary(task: &Task, all: &[Outcome]) {
    let learnt: Vec<&Outcome> = all.iter().filter(|one| one.learnt()).collect();
    let mean = |of: fn(&Outcome) -> f64| learnt.iter().map(|one| of(one)).sum::<f64>() / learnt.len().max(1) as f64;
    println!("learnt by {} of {}", learnt.len(), all.len());
    let (selected, snr) = (mean(|one| one.selected as f64), mean(|one| one.snr));
    println!("of those: hits {:.2} %, {selected:.0} trains, SNR {snr:.1}", 100.0 * mean(Outcome::hit_rate));
    let (best, window, trains) = task.best_window(task.tau);
    println!("theory, tau {} ms: SNR {best:.1} with the {trains:.0} trains of {window} ms", task.tau);
    let taus = (1..=80).map(|half| f64::from(half) / 2.0).map(|tau| (task.best_window(tau), tau));
    let ((best, window, trains), tau) =
        taus.fold(((0.0, 0.0, 0.0), 0.0), |best, one| if one.0.0 > best.0.0 { one } else { best });
    println!("theory, optimum: tau {tau} ms, SNR {best:.1} with the {trains:.0} trains of {window} ms");
}
