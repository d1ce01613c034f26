//! A network an instrument, the clock by which it steps, and the alerts that its neurons raise.
//!
//! It is given what an [`Encoder`](super::encoder::Encoder) has seen, and knows of devices what [`Device`] says: nothing in it is of
//! the software twin.

use super::encoder::{Places, RATE, RESTART};
use super::file::{Coding, DetectorError, Settings, Time};
use crate::spikes::encode::Rate;
use crate::spikes::{Device, Spike};
use firelane_gateway::base::{InstrumentId, LoadError, Reader, Save, State};

/// What is said of an instrument: an alert, or how its detector is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Raised {
    /// The alert's number in the detector's file, from 1 on; or [`LAGGING`], or [`WARM`].
    pub code: u32,
    /// Of an alert, the value of the neuron's spike; of [`LAGGING`], how many steps were missed; of [`WARM`], steps taken.
    pub first: i64,
    /// When its step began: nanoseconds since midnight by a clock, else the number of the step.
    pub second: i64,
}

/// As a code: a silence was longer than is caught up. The detector starts over, and raises nothing until it is warm.
pub const LAGGING: u32 = 1_001;
/// As a code: it is warm, and raises alerts.
pub const WARM: u32 = 1_002;
/// The most that is said of one event; what is beyond is counted.
pub const SAID: usize = 8;

/// What a watcher has counted, over all instruments.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct WatcherCounters {
    /// Steps.
    pub steps: u64,
    /// Of these in silence, caught up.
    pub silent: u64,
    /// Alerts raised.
    pub alerts: u64,
    /// Spikes of alerts that were part of an alert raised shortly before.
    pub merged: u64,
    /// Spikes of alerts while it was not warm.
    pub cold: u64,
    /// Silences that were longer than is caught up.
    pub lagging: u64,
    /// Steps that were missed so.
    pub missed: u64,
    /// Times that a network started over for what was missing: events of the market, or records of the tape.
    pub restarts: u64,
    /// Records of the tape that were missing.
    pub lost: u64,
    /// Values of events that were cut to what the network takes.
    pub clipped: u64,
    /// What was to be said of an event beyond the most.
    pub unsaid: u64,
    /// Steps that the device refused.
    pub faults: u64,
    /// What was seen of instruments beyond those that there are networks for.
    pub unwatched: u64,
}

firelane_gateway::value! {
    WatcherCounters {
        steps, silent, alerts, merged, cold, lagging, missed, restarts, lost, clipped, unsaid, faults, unwatched,
    }
}

impl WatcherCounters {
    /// Each, by the name that reports have for it.
    pub fn each(&self, put: &mut dyn FnMut(&'static str, u64)) {
        let WatcherCounters { steps, silent, alerts, merged, cold, lagging, missed, restarts, .. } = *self;
        let WatcherCounters { lost, clipped, unsaid, faults, unwatched, .. } = *self;
        put("network_steps", steps);
        put("network_silent", silent);
        put("network_alerts", alerts);
        put("network_merged", merged);
        put("network_cold", cold);
        put("network_lagging", lagging);
        put("network_missed", missed);
        put("network_restarts", restarts);
        put("network_lost", lost);
        put("network_clipped", clipped);
        put("network_unsaid", unsaid);
        put("network_faults", faults);
        put("network_unwatched", unwatched);
    }
}

/// The events of the step that is not taken yet: one a unit.
#[derive(Debug)]
struct Waiting {
    events: Box<[Spike]>,
    len: usize,
}

impl State for Waiting {
    fn save(&self, into: &mut dyn Save) {
        into.count(self.len);
        for spike in self.events.iter().take(self.len) {
            into.u16(spike.node);
            into.u16(spike.unit);
            into.u32(spike.value.cast_unsigned());
        }
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError> {
        self.len = from.count(self.events.len())?;
        for place in self.events.iter_mut().take(self.len) {
            *place = Spike { node: from.u16()?, unit: from.u16()?, value: from.u32()?.cast_signed() };
        }
        Ok(())
    }
}

impl Waiting {
    /// Adds an event, to that of its unit if there is one. True: the sum was cut to `most`.
    #[inline]
    fn add(&mut self, event: Spike, most: i32) -> bool {
        let len = self.len;
        let there = self.events.iter_mut().take(len).find(|one| (one.node, one.unit) == (event.node, event.unit));
        let (sum, place) = match there {
            Some(place) => (place.value.saturating_add(event.value), place),
            None => {
                let Some(place) = self.events.get_mut(len) else { return true };
                self.len += 1;
                (event.value, place)
            }
        };
        *place = Spike { value: sum.clamp(-most, most), ..event };
        place.value != sum
    }
}

/// A network and its clock.
#[derive(Debug)]
struct Copy<D> {
    device: D,
    /// Has it a time?
    begun: bool,
    /// The step that waits, by a clock: since midnight.
    now: u64,
    /// Steps since it was started.
    run: u64,
    warm: bool,
    waiting: Waiting,
    /// In how many of 65,536 steps each channel fires.
    rates: Box<[u32]>,
    /// The step of each alert that was told of last; 0: none.
    told: Box<[u64]>,
    /// Until when an alert holds the instrument: nanoseconds since midnight.
    until: u64,
    holds: bool,
}

firelane_gateway::state! {
    [D: State] Copy[D] { device, begun, now, run, warm, waiting, rates, told, until, holds }
}

/// What a watcher is built by: the same for all its networks.
#[derive(Debug)]
struct Rules {
    settings: Settings,
    /// The alert of each neuron, by population; 255: none.
    alert_of: Box<[Box<[u8]>]>,
    /// The largest value that an event of each input may have.
    most: Box<[i32]>,
}

/// What was said of the event at hand.
#[derive(Debug)]
struct Saying {
    list: [Raised; SAID],
    len: usize,
}

impl Saying {
    fn say(&mut self, raised: Raised) -> bool {
        let Some(place) = self.list.get_mut(self.len) else { return false };
        *place = raised;
        self.len += 1;
        true
    }
}

/// Networks for as many instruments as the settings say: those that are seen first.
#[derive(Debug)]
pub struct Watcher<D> {
    rules: Rules,
    places: Places,
    copies: Box<[Copy<D>]>,
    /// Spikes of a step.
    fired: Box<[Spike]>,
    saying: Saying,
    counters: WatcherCounters,
}

firelane_gateway::state! {
    [D: State] Watcher[D] { places, copies, counters } without { rules, fired, saying }
}

impl<D: Device> Watcher<D> {
    /// For instruments 0 to `instruments` - 1, with devices that `device` makes. Everything is allocated here.
    ///
    /// # Errors
    /// [`DetectorError::Refused`]: the device can't take the program.
    pub fn new(settings: &Settings, instruments: usize, device: impl Fn() -> D) -> Result<Self, DetectorError> {
        let program = &settings.program;
        let places = Places::new(instruments, settings.copies);
        let units: usize = program.inputs().iter().map(|(_, units)| units).sum();
        let read: Vec<usize> = settings.alerts.iter().map(|alert| alert.population.into()).collect();
        let copy = || {
            let mut device = device();
            device.load(program)?;
            device.read_out(&read)?;
            Ok(Copy {
                device,
                begun: false,
                now: 0,
                run: 0,
                warm: false,
                waiting: Waiting { events: vec![Spike::default(); units].into_boxed_slice(), len: 0 },
                rates: vec![0; settings.channels.len()].into_boxed_slice(),
                told: vec![0; settings.alerts.len()].into_boxed_slice(),
                until: 0,
                holds: false,
            })
        };
        let copies = (0..places.most()).map(|_| copy()).collect::<Result<_, DetectorError>>()?;
        let mut alert_of: Box<[Box<[u8]>]> =
            program.cells().iter().map(|cells| vec![u8::MAX; cells.n].into_boxed_slice()).collect();
        for (n, alert) in (0..).zip(&settings.alerts) {
            alert_of[usize::from(alert.population)][usize::from(alert.unit)] = n;
        }
        let most = (0..program.inputs().len()).map(|input| program.most_value(input)).collect();
        Ok(Watcher {
            rules: Rules { settings: settings.clone(), alert_of, most },
            places,
            copies,
            fired: vec![Spike::default(); program.neurons()].into_boxed_slice(),
            saying: Saying { list: [Raised::default(); SAID], len: 0 },
            counters: WatcherCounters::default(),
        })
    }

    /// What was seen of an event of an instrument, stamped `at` (nanoseconds since midnight, exchange time).
    pub fn on_seen(&mut self, instrument: InstrumentId, at: u64, seen: &[Spike]) {
        self.saying.len = 0;
        let Watcher { rules, places, copies, fired, saying, counters } = self;
        let Some(copy) = places.give(instrument).and_then(|place| copies.get_mut(place)) else {
            counters.unwatched += 1;
            return;
        };
        let mut run = Run { rules, instrument, at, copy, fired, saying, counters };
        if seen.first().is_some_and(|first| first.node == RESTART) {
            run.restart();
            run.copy.rates.fill(0);
        }
        match run.rules.settings.time {
            Time::Event => {
                run.hear(seen);
                run.step();
            }
            Time::Dt(dt) => {
                run.clock(at / dt, dt);
                run.hear(seen);
            }
        }
        run.copy.holds = at < run.copy.until;
    }

    /// What was said of it: of each event no more than [`SAID`].
    #[inline]
    #[must_use]
    pub fn raised(&self) -> &[Raised] {
        self.saying.list.get(..self.saying.len).unwrap_or_default()
    }

    /// Something is missing of what was seen: every network starts over, and raises nothing until it is warm.
    pub fn on_lost(&mut self, records: u64) {
        self.counters.lost = self.counters.lost.saturating_add(records);
        let Watcher { copies, counters, .. } = self;
        for copy in copies {
            copy.restart(counters);
            copy.rates.fill(0);
        }
    }

    /// Does an alert hold the instrument, as of its last event?
    #[inline]
    #[must_use]
    pub fn holds(&self, instrument: InstrumentId) -> bool {
        let copy = self.places.get(instrument).and_then(|place| self.copies.get(place));
        copy.is_some_and(|copy| copy.holds)
    }

    /// What it has counted.
    #[must_use]
    pub fn counters(&self) -> &WatcherCounters {
        &self.counters
    }

    /// What it goes by.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.rules.settings
    }

    /// The device of an instrument, to be looked at; `None`: it has none.
    #[must_use]
    pub fn device(&self, instrument: InstrumentId) -> Option<&D> {
        Some(&self.copies.get(self.places.get(instrument)?)?.device)
    }
}

impl<D: Device> Copy<D> {
    /// Back to before its first step. What channels say still holds.
    fn restart(&mut self, counters: &mut WatcherCounters) {
        // A device that has loaded a program can always start over.
        counters.faults += u64::from(self.device.restart().is_err());
        counters.restarts += 1;
        (self.begun, self.run, self.warm) = (false, 0, false);
        (self.until, self.holds, self.waiting.len) = (0, false, 0);
        self.told.fill(0);
    }
}

/// A network at work on an event.
struct Run<'a, D> {
    rules: &'a Rules,
    instrument: InstrumentId,
    at: u64,
    copy: &'a mut Copy<D>,
    fired: &'a mut [Spike],
    saying: &'a mut Saying,
    counters: &'a mut WatcherCounters,
}

impl<D: Device> Run<'_, D> {
    fn restart(&mut self) {
        self.copy.restart(self.counters);
    }

    /// Takes in what was seen.
    #[inline]
    fn hear(&mut self, seen: &[Spike]) {
        for &spike in seen {
            match spike.node {
                RESTART => {}
                RATE => {
                    if let Some(rate) = self.copy.rates.get_mut(usize::from(spike.unit)) {
                        *rate = spike.value.max(0).cast_unsigned();
                    }
                }
                node => {
                    let most = self.rules.most.get(usize::from(node)).copied().unwrap_or(0);
                    self.counters.clipped += u64::from(self.copy.waiting.add(spike, most));
                }
            }
        }
    }

    /// It is time for step `now`: those before it are taken, as far as they are to be caught up.
    fn clock(&mut self, now: u64, dt: u64) {
        if !std::mem::replace(&mut self.copy.begun, true) {
            self.copy.now = now;
            return;
        }
        // Stamps may be a little out of order: what is late shares the step at hand. Another day starts over.
        if now < self.copy.now && self.copy.now - now > self.rules.settings.catch_up {
            self.lag(now, 0, dt);
        }
        if now <= self.copy.now {
            return;
        }
        self.step();
        let silent = now - self.copy.now - 1;
        if silent > self.rules.settings.catch_up {
            self.lag(now, silent, dt);
            return;
        }
        self.counters.silent += silent;
        for _ in 0..silent {
            self.copy.now += 1;
            self.step();
        }
        self.copy.now = now;
    }

    /// Steps have been missed.
    #[cold]
    fn lag(&mut self, now: u64, missed: u64, dt: u64) {
        self.counters.lagging += 1;
        self.counters.missed = self.counters.missed.saturating_add(missed);
        self.restart();
        (self.copy.begun, self.copy.now) = (true, now);
        let (first, second) = (missed.cast_signed(), now.saturating_mul(dt).cast_signed());
        self.say(Raised { code: LAGGING, first, second });
    }

    fn say(&mut self, raised: Raised) {
        self.counters.unsaid += u64::from(!self.saying.say(raised));
    }

    /// When the step at hand begins: nanoseconds since midnight, or its number.
    fn when(&self) -> i64 {
        match self.rules.settings.time {
            Time::Event => self.copy.run.cast_signed(),
            Time::Dt(dt) => self.copy.now.saturating_mul(dt).cast_signed(),
        }
    }

    /// The step at hand.
    #[inline]
    fn step(&mut self) {
        self.copy.run += 1;
        self.counters.steps += 1;
        self.draw();
        let Copy { device, waiting, run, .. } = &mut *self.copy;
        let events = waiting.events.get(..waiting.len).unwrap_or_default();
        let (run, step) = (*run, device.step(events, self.fired));
        waiting.len = 0;
        let Ok(step) = step else {
            self.counters.faults += 1;
            return;
        };
        if !self.copy.warm && run > self.rules.settings.warm_up {
            self.copy.warm = true;
            let second = self.when();
            self.say(Raised { code: WARM, first: self.rules.settings.warm_up.cast_signed(), second });
        }
        for n in 0..step.spikes.min(self.fired.len()) {
            let Some(&spike) = self.fired.get(n) else { break };
            let population = self.rules.alert_of.get(usize::from(spike.node));
            let alert = population.and_then(|alerts| alerts.get(usize::from(spike.unit))).copied();
            if let Some(alert) = alert.filter(|alert| *alert != u8::MAX) {
                self.alert(usize::from(alert), spike.value);
            }
        }
    }

    /// The events that channels of a rate make by chance in the step at hand.
    fn draw(&mut self) {
        let settings = &self.rules.settings;
        for (n, channel) in settings.channels.iter().enumerate() {
            let Coding::Rate { units, .. } = channel.coding else { continue };
            let rate = self.copy.rates.get(n).copied().unwrap_or(0);
            if rate == 0 {
                continue;
            }
            let step = if settings.time == Time::Event { self.copy.run } else { self.copy.now };
            let chance = Rate::new(settings.seed ^ u64::from(self.instrument.0) << 32 ^ u64::from(channel.input));
            let most = self.rules.most.get(usize::from(channel.input)).copied().unwrap_or(0);
            for unit in channel.unit..channel.unit.saturating_add(units) {
                if chance.fires(step, u32::from(unit), rate) {
                    self.counters.clipped += u64::from(self.copy.waiting.add(Spike::of(channel.input, unit), most));
                }
            }
        }
    }

    /// A neuron that means an alert has fired.
    fn alert(&mut self, n: usize, value: i32) {
        if !self.copy.warm {
            self.counters.cold += 1;
            return;
        }
        let (Some(alert), Some(told)) = (self.rules.settings.alerts.get(n), self.copy.told.get_mut(n)) else { return };
        let run = self.copy.run;
        if *told > 0 && run - *told <= alert.merge {
            self.counters.merged += 1;
            return;
        }
        *told = run;
        self.counters.alerts += 1;
        if alert.gates {
            self.copy.until = self.copy.until.max(self.at.saturating_add(alert.hold));
        }
        let raised = Raised { code: n as u32 + 1, first: i64::from(value), second: self.when() };
        self.say(raised);
    }
}
