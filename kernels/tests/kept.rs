//! A device's state: what is saved goes on as it would have, on any path, and what can't be is refused.

use firelane_gateway::base::{Digest, LoadError, Reader, State, Writer};
use firelane_kernels::spikes::random::Random;
use firelane_kernels::spikes::{Device, Overflow, Path, Rules, Schedule, Software, Spike};

fn events_of(random: &mut Random, steps: usize) -> Vec<Vec<Spike>> {
    let step = |_| {
        let mut events = Vec::new();
        random.events(&mut events);
        events
    };
    (0..steps).map(step).collect()
}

fn run(device: &mut Software, events: &[Vec<Spike>], neurons: usize) -> Vec<Spike> {
    let mut all = Vec::new();
    let mut out = vec![Spike::default(); neurons];
    for events in events {
        let spikes = device.step(events, &mut out).unwrap().spikes;
        all.extend_from_slice(&out[..spikes]);
    }
    all
}

#[test]
fn a_device_that_is_saved_goes_on_as_it_would_have_on_any_path() {
    let mut fired = 0;
    for seed in 0..60 {
        let overflow = if seed % 2 == 0 { Overflow::Wrap } else { Overflow::Forbidden };
        let schedule = if seed % 3 == 0 { Schedule::Lava } else { Schedule::Cascade };
        let mut random = Random::of(seed, &Rules { schedule, overflow }, true);
        let (before, after) = (events_of(&mut random, 31), events_of(&mut random, 40));
        let neurons = random.program.neurons();
        let mut device = Software::on(Path::Scalar).unwrap();
        Device::load(&mut device, &random.program).unwrap();
        run(&mut device, &before, neurons);
        let saved = Writer::of(&device);
        let expected = run(&mut device, &after, neurons);
        for path in Software::paths() {
            let mut other = Software::on(path).unwrap();
            Device::load(&mut other, &random.program).unwrap();
            // It has been somewhere else meanwhile.
            run(&mut other, &after[..7], neurons);
            let mut reader = Reader(&saved);
            State::load(&mut other, &mut reader).unwrap();
            assert!(reader.0.is_empty() && Digest::of_state(&other) == Digest::of(&saved), "seed {seed} {path:?}");
            assert_eq!(run(&mut other, &after, neurons), expected, "seed {seed} {path:?}");
            assert_eq!(Digest::of_state(&other), Digest::of_state(&device), "seed {seed} {path:?}");
            assert_eq!(other.counters(), device.counters());
        }
        fired += expected.len();
    }
    assert!(fired > 10_000, "{fired}");
}

/// Whatever is changed in what was saved, it is refused or it is a state: nothing panics, then or later.
#[test]
fn what_is_no_state_is_refused() {
    let (mut refused, mut taken) = (0, 0);
    for seed in 0..20 {
        let mut random = Random::of(seed, &Rules { overflow: Overflow::Forbidden, ..Rules::LAVA }, true);
        let events = events_of(&mut random, 20);
        let neurons = random.program.neurons();
        let mut device = Software::best();
        Device::load(&mut device, &random.program).unwrap();
        run(&mut device, &events, neurons);
        let saved = Writer::of(&device);
        for at in (0..saved.len()).step_by(1 + saved.len() / 150) {
            let mut other = saved.clone();
            other[at] ^= 0x81;
            match State::load(&mut device, &mut Reader(&other)) {
                Ok(()) => {
                    taken += 1;
                    run(&mut device, &events[..3], neurons);
                }
                Err(_) => refused += 1,
            }
            assert_eq!(State::load(&mut device, &mut Reader(&saved[..at])), Err(LoadError::Short));
        }
        State::load(&mut device, &mut Reader(&saved)).unwrap();
        assert_eq!(Writer::of(&device), saved);
    }
    assert!(refused > 100 && taken > 100, "{refused} {taken}");
    let empty = Writer::of(&Software::best());
    let mut random = Random::of(1, &Rules::LAVA, false);
    let mut device = Software::best();
    Device::load(&mut device, &random.program).unwrap();
    run(&mut device, &events_of(&mut random, 1), random.program.neurons());
    let error = State::load(&mut device, &mut Reader(&empty)).unwrap_err();
    assert_eq!(error.to_string(), "Software.program was built for 1, and saved with 0");
}
