//! A small version of the task in `examples/hidden`: a neuron with STDP finds a pattern, and one that does not learn does not.

#[path = "../examples/hidden/task.rs"]
mod task;

use firelane_kernels::spikes::Learning;
use task::{LOSS, Task, rule};

/// Half of the trains, and 45 seconds: a neuron learns in the first ten.
fn small() -> Task {
    Task { inputs: 1_000, involved: 500, threshold: 0.5, ..Task::default() }
}

#[test]
fn one_neuron_finds_the_pattern_that_repeats() {
    let task = small();
    let all: Vec<_> = (0..4).map(|seed| task.run(&rule(LOSS), seed, 45)).collect();
    let learnt = all.iter().filter(|one| one.learnt()).count();
    assert!(learnt >= 3, "{all:#?}");
    for one in all.iter().filter(|one| one.learnt()) {
        // Some of the 500, with a signal near to what theory allows. Where in the pattern it fires moves to the front with time.
        assert!((60..200).contains(&one.selected) && one.latency < 55.0, "{one:?}");
        let (best, ..) = task.best_window(task.tau);
        assert!(one.snr > 0.7 * best && one.snr < 1.2 * best, "{one:?} {best}");
        assert!(one.hit_rate() > 0.98 && one.alarm_rate() == 0.0);
    }
}

/// What learns is the rule: without potentiation, or without a pattern that is one, nothing is found.
#[test]
fn without_a_rule_or_a_pattern_nothing_is_found() {
    let task = small();
    let still = task.run(&Learning::default(), 0, 15);
    assert!(!still.learnt() && still.alarm_rate() > 1.0 && still.snr < 5.0, "{still:?}");
    // Every spike of the pattern somewhere in 30 ms: no millisecond of it repeats.
    let blurred = Task { jitter: 15.0, length: 20, ..task }.run(&rule(LOSS), 0, 45);
    assert!(!blurred.learnt(), "{blurred:?}");
}

/// The optimum is where the paper has it: a time constant that is much shorter than the pattern, and an SNR that falls off on both sides.
#[test]
fn the_theory_has_its_optimum_at_a_short_time_constant() {
    let task = Task::default();
    let snr = |tau: f64| task.best_window(tau).0;
    assert!(snr(4.0) > snr(1.0) && snr(4.0) > snr(15.0) && snr(15.0) > snr(50.0));
    // Without jitter, by hand: rate x (n - M) x tau x (1 - exp(-w / tau)) / sqrt(tau F M / 2).
    let sharp = Task { jitter: 1e-3, ..task };
    let (window, tau) = (8.0, 10.0);
    let selected = 1_000.0 * (1.0 - f64::exp(-0.054 * window));
    let peak = 0.054 * (1_000.0 - selected) * tau * (1.0 - f64::exp(-window / tau));
    let expected = peak / (tau * 0.064 * selected / 2.0_f64).sqrt();
    let found = sharp.theory(tau, window);
    assert!((found.0 / expected - 1.0).abs() < 0.01 && (found.1 - selected).abs() < 1e-9, "{found:?} {expected}");
}
