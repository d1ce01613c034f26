//! The task of Masquelier, Guyonneau and Thorpe (PLoS ONE 3(1), e1377, 2008): one neuron with STDP hears 2,000 Poisson trains. A pattern of
//! 50 ms, of half of them, comes again and again, a quarter of the time; nothing but repetition tells it from the rest. Here all trains have one
//! rate at all times, as in Masquelier (Neuroscience 389, 133, 2018), so that the theory of that paper applies.

use firelane_kernels::spikes::{
    Connection, Device, Kind, Learning, Network, Population, Program, Reset, Rules, Software, Spike, Variable,
};
use rand::{Rng, RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// The task, and the neuron. A step is a millisecond.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Task {
    /// Trains, and how many of them take part in the pattern.
    pub(crate) inputs: usize,
    pub(crate) involved: usize,
    /// Spikes a second: those that the pattern has, and others beside them at all times.
    pub(crate) pattern_rate: f64,
    pub(crate) noise_rate: f64,
    /// Milliseconds of the pattern, and how much a spike of it comes early or late (a standard deviation).
    pub(crate) length: usize,
    pub(crate) jitter: f64,
    /// Milliseconds of the membrane's time constant.
    pub(crate) tau: f64,
    /// The threshold, in parts of the voltage that the weights at the start bring by themselves.
    pub(crate) threshold: f64,
}

impl Default for Task {
    fn default() -> Self {
        Task {
            inputs: 2_000,
            involved: 1_000,
            pattern_rate: 54.0,
            noise_rate: 10.0,
            length: 50,
            jitter: 1.0,
            tau: 10.0,
            threshold: 0.45,
        }
    }
}

/// The weight at the start, of 255.
const START: i64 = 121;
/// What the sum of a step is shifted by: 2,000 weights of 255 then stay below what is proved not to overflow.
const EXPONENT: i64 = -2;

/// How a neuron has done, in the last third of its time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outcome {
    /// Times that the pattern came, and that the neuron fired in it (up to 5 ms after its end).
    pub(crate) patterns: u64,
    pub(crate) hits: u64,
    /// Spikes that were not in a pattern, and milliseconds outside of patterns.
    pub(crate) false_alarms: u64,
    pub(crate) silence: u64,
    /// Weights above the middle, and their mean delay in the pattern.
    pub(crate) selected: usize,
    /// Milliseconds from the start of the pattern to the first spike, in the mean.
    pub(crate) latency: f64,
    /// Signal-to-noise ratio of the voltage without a threshold, with these weights.
    pub(crate) snr: f64,
}

impl Outcome {
    /// The criterion of the paper: more than 98 % of the patterns, and no false alarm.
    pub(crate) fn learnt(&self) -> bool {
        self.hits * 100 > self.patterns * 98 && self.false_alarms == 0
    }

    pub(crate) fn hit_rate(&self) -> f64 {
        self.hits as f64 / self.patterns.max(1) as f64
    }

    /// False alarms a second.
    pub(crate) fn alarm_rate(&self) -> f64 {
        1_000.0 * self.false_alarms as f64 / self.silence.max(1) as f64
    }
}

/// The trains of a seed, millisecond by millisecond.
pub(crate) struct Trains {
    task: Task,
    rng: Xoshiro256PlusPlus,
    /// Spikes of the pattern: millisecond and unit.
    pattern: Vec<(usize, u16)>,
    /// Spikes that are still to come, in a ring of milliseconds: those of patterns that have begun.
    ahead: Vec<Vec<u16>>,
    now: usize,
    /// Milliseconds for which the pattern goes on, or there is none.
    phase: (bool, usize),
}

/// Where a millisecond lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Outside,
    /// In the pattern, so many milliseconds after its start.
    Inside(usize),
}

impl Trains {
    /// How far ahead a spike can be put: the pattern, and five deviations.
    const RING: usize = 128;

    pub(crate) fn new(task: Task, seed: u64) -> Self {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut pattern = Vec::new();
        for at in 0..task.length {
            fire(&mut rng, task.involved, task.pattern_rate, |unit| pattern.push((at, unit)));
        }
        let ahead = vec![Vec::new(); Self::RING];
        Trains { task, rng, pattern, ahead, now: 0, phase: (false, task.length) }
    }

    /// The next millisecond's spikes; says where it lies.
    pub(crate) fn next(&mut self, events: &mut Vec<Spike>) -> Place {
        if self.phase.1 == 0 {
            // Pieces of the pattern's length; a third of those that follow none is the pattern: a quarter of all.
            let begins = !self.phase.0 && self.rng.random_bool(1.0 / 3.0);
            self.phase = (begins, self.task.length);
            if begins {
                self.begin();
            }
        }
        let task = self.task;
        events.clear();
        for unit in std::mem::take(&mut self.ahead[self.now % Self::RING]) {
            events.push(Spike::of(0, unit));
        }
        let both = task.pattern_rate + task.noise_rate;
        let first = if self.phase.0 { task.noise_rate } else { both };
        fire(&mut self.rng, task.involved, first, |unit| events.push(Spike::of(0, unit)));
        let others = task.inputs - task.involved;
        fire(&mut self.rng, others, both, |unit| events.push(Spike::of(0, unit + task.involved as u16)));
        let place = if self.phase.0 { Place::Inside(task.length - self.phase.1) } else { Place::Outside };
        self.phase.1 -= 1;
        self.now += 1;
        place
    }

    fn begin(&mut self) {
        for &(at, unit) in &self.pattern {
            // A sum of twelve uniform numbers is normal enough, and never beyond six deviations.
            let normal: f64 = (0..12).map(|_| self.rng.random_range(0.0..1.0)).sum::<f64>() - 6.0;
            let moved = (at as f64 + 0.5 + normal * self.task.jitter).max(0.0) as usize;
            self.ahead[(self.now + moved) % Self::RING].push(unit);
        }
    }
}

/// Poisson trains of one millisecond: each of `n` units fires with this rate.
fn fire(rng: &mut impl Rng, n: usize, rate: f64, mut each: impl FnMut(u16)) {
    let quiet = (-rate / 1_000.0_f64).exp().ln();
    let mut unit = 0.0;
    loop {
        // Units that are passed over until the next that fires.
        unit += (rng.random_range(f64::MIN_POSITIVE..1.0).ln() / quiet).floor();
        if unit >= n as f64 {
            return;
        }
        each(unit as u16);
        unit += 1.0;
    }
}

impl Task {
    fn decay(self) -> i64 {
        (4_096.0 * (1.0 - (-1.0 / self.tau).exp())).round() as i64
    }

    /// Sums of a step, in the mean, with all weights at the start; the voltage that they bring.
    fn drive(self) -> f64 {
        let rate = (self.pattern_rate + self.noise_rate) / 1_000.0;
        let sum = self.inputs as f64 * (1.0 - (-rate).exp()) * START as f64 * (EXPONENT as f64).exp2();
        sum * 4_096.0 / self.decay() as f64
    }

    /// The neuron; with `learning`, or, without it, one that does not fire.
    fn network(self, learning: Option<Learning>, weights: Vec<i64>) -> Network {
        let vth = (self.threshold * self.drive()).round() as i64;
        let mut network = Network::new("hidden");
        let input = network.input("trains", self.inputs);
        let cell = Population { du: 4_095, dv: self.decay(), vth, ..Population::lif("neuron", 1) };
        let cell = match learning {
            // A spike leaves a voltage below rest, as in the paper.
            Some(_) => Population { reset: Reset::To(-vth * 32), ..cell },
            None => Population { kind: Kind::TernaryLif { vth_hi: (1 << 23) - 1, vth_lo: -(1 << 23) }, ..cell },
        };
        let cell = network.population(cell);
        network.connections.push(Connection {
            weight_exp: EXPONENT,
            learning,
            ..Connection::of(input, cell, vec![weights])
        });
        network
    }

    /// A neuron of this seed, for so many seconds.
    pub(crate) fn run(self, rule: &Learning, seed: u64, seconds: u64) -> Outcome {
        let rule = Learning { seed: 1 + seed as i64, ..rule.clone() };
        let network = self.network(Some(rule), vec![START; self.inputs]);
        let mut device = Software::best();
        let program = Program::check(&network, &Rules::default()).expect("the network is within its limits");
        Device::load(&mut device, &program).expect("software holds it");
        let mut trains = Trains::new(self, seed);
        let mut outcome = Outcome::default();
        let steps = seconds * 1_000;
        let (mut events, mut last, mut latency) = (Vec::new(), 1_000_000_usize, 0);
        let mut hit = true;
        for step in 0..steps {
            let place = trains.next(&mut events);
            let fired = device.step(&events, &mut []).expect("all events are of trains").spikes > 0;
            last += 1;
            if place == Place::Inside(0) {
                (last, hit) = (0, false);
            }
            if step < steps / 3 * 2 {
                continue;
            }
            // A little after its end the last of the pattern is still heard.
            let within = last < self.length + 5;
            outcome.patterns += u64::from(place == Place::Inside(0));
            outcome.silence += u64::from(!within);
            if fired && within && !hit {
                (hit, outcome.hits, latency) = (true, outcome.hits + 1, latency + last);
            }
            outcome.false_alarms += u64::from(fired && !within);
        }
        outcome.latency = latency as f64 / outcome.hits.max(1) as f64;
        let weight = |unit| i64::from(device.weight(0, 0, unit).expect("it says its weights"));
        let weights: Vec<i64> = (0..self.inputs).map(weight).collect();
        outcome.selected = weights.iter().filter(|&&weight| weight > 127).count();
        outcome.snr = self.signal_to_noise(weights, &mut trains);
        outcome
    }

    /// The voltage that these weights bring where nothing fires: its largest value in a pattern, in the mean over patterns, against mean and
    /// deviation outside.
    fn signal_to_noise(self, weights: Vec<i64>, trains: &mut Trains) -> f64 {
        let program =
            Program::check(&self.network(None, weights), &Rules::default()).expect("it is the same, without learning");
        let mut device = Software::best();
        Device::load(&mut device, &program).expect("software holds it");
        let mut events = Vec::new();
        let (mut noise, mut squares, mut count) = (0.0, 0.0, 0.0);
        let (mut peaks, mut patterns, mut peak) = (0.0, 0.0, f64::MIN);
        let mut since = 0;
        for step in 0..60_000 {
            let place = trains.next(&mut events);
            device.step(&events, &mut []).expect("all events are of trains");
            let voltage = f64::from(device.probe(Variable::Voltage, 0, 0).expect("there is one neuron"));
            if place != Place::Outside {
                (peak, since) = (voltage.max(peak), 0);
                continue;
            }
            if peak > f64::MIN {
                (peaks, patterns, peak) = (peaks + peak, patterns + 1.0, f64::MIN);
            }
            since += 1;
            // What the pattern has left has gone by then.
            if step > 1_000 && since as f64 > 5.0 * self.tau && since > 5 {
                (noise, squares, count) = (noise + voltage, squares + voltage * voltage, count + 1.0);
            }
        }
        let mean: f64 = noise / count;
        (peaks / patterns - mean) / (squares / count - mean * mean).sqrt()
    }

    /// What theory says of a neuron that has selected the trains which fire in `window` ms of the pattern, all with one weight: SNR, and how many those are.
    ///
    /// As in Masquelier (2018), section "A theoretical optimum": outside, the voltage has the mean tau F M and the variance tau F M / 2 (Campbell's
    /// theorem), where F is the rate of a train and M the trains; in the window all of the pattern's spikes go to trains that are selected. Here
    /// with noise beside the pattern, and with jitter as a convolution.
    pub(crate) fn theory(self, tau: f64, window: f64) -> (f64, f64) {
        let (rate, noise) = (self.pattern_rate / 1_000.0, self.noise_rate / 1_000.0);
        let n = self.involved as f64;
        let selected = n * (1.0 - (-rate * window).exp());
        let extra = rate * (n - selected);
        // The window, blurred, through the membrane.
        let (mut voltage, mut peak) = (0.0_f64, 0.0_f64);
        let step = 0.02;
        let mut at = -6.0 * self.jitter;
        while at < window + 6.0 * self.jitter + 1.0 {
            let inside = normal(at / self.jitter) - normal((at - window) / self.jitter);
            voltage += step * (extra * inside - voltage / tau);
            peak = peak.max(voltage);
            at += step;
        }
        (peak / (tau * (rate + noise) * selected / 2.0).sqrt(), selected)
    }

    /// The window with the largest SNR for this time constant: SNR, window, trains.
    pub(crate) fn best_window(self, tau: f64) -> (f64, f64, f64) {
        let all = (1..=100).map(|half| f64::from(half) / 2.0).filter(|&window| window <= self.length as f64);
        let all = all.map(|window| {
            let (snr, selected) = self.theory(tau, window);
            (snr, window, selected)
        });
        all.fold((0.0, 0.0, 0.0), |best, one| if one.0 > best.0 { one } else { best })
    }
}

/// The normal distribution's function, by the expansion 7.1.26 of Abramowitz and Stegun: good to 1e-7.
fn normal(x: f64) -> f64 {
    let z = x.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let poly =
        t * (0.254_829_592 + t * (-0.284_496_736 + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429))));
    let upper = 0.5 * poly * (-z * z).exp();
    if x > 0.0 { 1.0 - upper } else { upper }
}

/// What all weights lose when the neuron fires, in parts of what a spike of the same millisecond adds: a little more than trains by chance make up for.
pub(crate) const LOSS: f64 = 0.61;

/// Potentiation by the nearest spike, over 16.8 ms, up to 1/128 of the largest weight. Depression is what all weights lose when the neuron fires:
/// it goes with the neuron's rate, as potentiation does, so that a neuron that fires often is not carried away.
pub(crate) fn rule(loss: f64) -> Learning {
    let a_plus = 255 * 256 / 128;
    Learning {
        pre_decay: (4_096.0 * (1.0 - (-1.0_f64 / 16.8).exp())).round() as i64,
        a_plus,
        a_fire: (a_plus as f64 * loss).round() as i64,
        ..Learning::default()
    }
}
