// What every kernel is given. Before this stand constants that the host decides: see `kernel.rs`.

struct Job {
    // The number of the first replica of this group, which is half of a counter of random numbers.
    first: u32,
    replicas: u32,
    sites: u32,
    // Of 32 spins.
    words: u32,
    key: vec2<u32>,
    // The steps of this submission: from `begin`, before `end`.
    begin: u32,
    end: u32,
    look_every: u32,
    // The step after which there is a look in any case.
    last: u32,
    // 1: the replicas begin here. 0: they go on from what is stored.
    fresh: u32,
    // Bits of a position that are not heard, and what a field is multiplied with in their stead.
    deaf: u32,
    whole: i32,
    // How a field becomes a force.
    shift: u32,
    gain: i32,
    clip: i32,
    // The size of all couplings, where they have one.
    size: i32,
}

// A site: its links are those at `start`, `start + 32`, and so on; a warp reads those of 32 sites side by side. Behind the last there may be links of 0, so that
// there are places for a multiple of four.
struct Row {
    start: u32,
    degree: u32,
    field: i32,
}

@group(0) @binding(0) var<uniform> job: Job;
@group(0) @binding(1) var<storage, read> links: array<u32>;
@group(0) @binding(2) var<storage, read> rows: array<Row>;
// For each step of this submission: the pull, or the temperature.
@group(0) @binding(3) var<storage, read> schedule: array<u32>;
@group(0) @binding(4) var<storage, read_write> state: array<u32>;
// Of each replica, the most that a look saw: twice minus the energy.
@group(0) @binding(5) var<storage, read_write> best: array<vec2<u32>>;
// The spins of that look, a bit each.
@group(0) @binding(6) var<storage, read_write> spins: array<u32>;
// What each look of this submission saw, replica by replica.
@group(0) @binding(7) var<storage, read_write> looks: array<vec2<u32>>;
// Logarithms, two to a word.
@group(0) @binding(8) var<storage, read> logarithms: array<u32>;

// A link: the other site, and the coupling.
fn link_at(at: u32) -> vec2<i32> {
    if WIDE {
        return vec2<i32>(bitcast<i32>(links[2u * at]), bitcast<i32>(links[2u * at + 1u]));
    }
    let both = links[at];
    return vec2<i32>(bitcast<i32>(both >> 12u), bitcast<i32>(both << 20u) >> 20u);
}

fn looked_at(after: u32) -> bool {
    return after % job.look_every == 0u || after == job.last;
}

// Numbers of 64 bits: the lower half, and the upper one.

fn widened(number: i32) -> vec2<u32> {
    return vec2<u32>(bitcast<u32>(number), bitcast<u32>(number >> 31u));
}

fn added(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    let low = a.x + b.x;
    return vec2<u32>(low, a.y + b.y + select(0u, 1u, low < a.x));
}

fn above(a: vec2<u32>, b: vec2<u32>) -> bool {
    return bitcast<i32>(a.y) > bitcast<i32>(b.y) || (a.y == b.y && a.x > b.x);
}

// Below everything that a look can see.
const NOTHING_SEEN = vec2<u32>(0u, 0x80000000u);
