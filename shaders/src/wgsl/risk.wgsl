// What a book loses, scenario by scenario: a thread is one. The arithmetic is that of `firelane_kernels::risk::twin`, in f32; how far it may be from it,
// operation by operation, is in `firelane_kernels::risk::bound`. Amounts of money are parts of the book's gross value. ASSETS stands before this.

struct Job {
    // The first scenario of this submission.
    first: u32,
    scenarios: u32,
    key: vec2<u32>,
    times: u32,
    options: u32,
}

// A stock: what is held of it, and where its options are.
struct Asset {
    stock: f32,
    begin: u32,
    end: u32,
}

// What an option is worth at a time.
struct Term {
    // LIVES, EXPIRES or GONE.
    state: u32,
    // 1 of a call, -1 of a put.
    sign: f32,
    slope: f32,
    offset: f32,
    spread: f32,
    spot: f32,
    strike: f32,
    // What it is worth now.
    now: f32,
}

const LIVES = 0u;
const EXPIRES = 1u;
const GONE = 2u;
// What random numbers are drawn for.
const SCENARIO = 3u;

@group(0) @binding(0) var<uniform> job: Job;
@group(0) @binding(1) var<storage, read> assets: array<Asset>;
// Roots of the spans between times; for each time, the mean returns of all assets; rows of the triangle.
@group(0) @binding(2) var<storage, read> numbers: array<f32>;
// For each time, those of all options.
@group(0) @binding(3) var<storage, read> terms: array<Term>;
// At the horizon, and the most at any time.
@group(0) @binding(4) var<storage, read_write> losses: array<vec2<f32>>;

// The quantile of a word: Wichura, Algorithm AS 241, Applied Statistics 37 (1988), PPND7. The distance from the nearer end is exact.
fn normal(word: u32) -> f32 {
    let above = (word >> 31u) == 1u;
    let rest = select(word, ~word, above);
    let zeros = countLeadingZeros(rest);
    let dropped = select(0u, 9u - zeros, zeros < 9u);
    let middle = f32(2u * (rest >> dropped) + 1u);
    let probability = middle * f32(1u << dropped) * (1.0 / 8589934592.0);
    let centred = 0.5 - probability;
    var size = 0.0;
    if centred <= 0.425 {
        let r = 0.180625 - centred * centred;
        let over = ((59.109374720 * r + 159.29113202) * r + 50.434271938) * r + 3.3871327179;
        let under = ((67.187563600 * r + 78.757757664) * r + 17.895169469) * r + 1.0;
        size = centred * (over / under);
    } else {
        let r = sqrt(-log(probability)) - 1.6;
        let over = ((0.17023821103 * r + 1.3067284816) * r + 2.7568153900) * r + 1.4234372777;
        let under = (0.12021132975 * r + 0.73700164250) * r + 1.0;
        size = over / under;
    }
    return select(-size, size, above);
}

// The probability of what is below: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.2.17.
fn below(at: f32) -> f32 {
    // Nothing is beyond 10.
    let d = min(abs(at), 10.0);
    let t = 1.0 / (1.0 + 0.2316419 * d);
    let series = ((((1.330274429 * t - 1.821255978) * t + 1.781477937) * t - 0.356563782) * t + 0.319381530) * t;
    let tail = 0.3989422804 * exp(-0.5 * d * d) * series;
    return select(tail, 1.0 - tail, at > 0.0);
}

fn worth(term: Term, x: f32, grown: f32) -> f32 {
    if term.state == LIVES {
        let d = term.offset + term.slope * x;
        let spot = term.spot * grown * below(term.sign * d);
        return term.sign * (spot - term.strike * below(term.sign * (d - term.spread)));
    }
    let pays = term.sign * (term.spot * grown - term.strike);
    return select(min(pays, 0.0), max(pays, 0.0), term.strike > 0.0);
}

@compute @workgroup_size(THREADS)
fn value(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= job.scenarios {
        return;
    }
    var walk = array<f32, ASSETS>();
    var settled = 0.0;
    var end = 0.0;
    var deepest = -3.0e38;
    let means = job.times;
    let triangle = means + job.times * ASSETS;
    for (var time = 0u; time < job.times; time++) {
        let root = numbers[time];
        for (var block = 0u; 4u * block < ASSETS; block++) {
            let words = philox(vec4<u32>(job.first + id.x, time, block, SCENARIO));
            for (var asset = 4u * block; asset < min(4u * block + 4u, ASSETS); asset++) {
                walk[asset] += root * normal(words[asset % 4u]);
            }
        }
        var gained = 0.0;
        for (var asset = 0u; asset < ASSETS; asset++) {
            let own = assets[asset];
            var x = 0.0;
            let row = triangle + asset * (asset + 1u) / 2u;
            for (var factor = 0u; factor <= asset; factor++) {
                x += numbers[row + factor] * walk[factor];
            }
            x += numbers[means + time * ASSETS + asset];
            let grown = exp(x);
            gained += own.stock * (grown - 1.0);
            for (var option = own.begin; option < own.end; option++) {
                let term = terms[time * job.options + option];
                if term.state == GONE {
                    continue;
                }
                let change = worth(term, x, grown) - term.now;
                if term.state == EXPIRES {
                    settled += change;
                } else {
                    gained += change;
                }
            }
        }
        end = -(gained + settled);
        deepest = max(deepest, end);
    }
    losses[id.x] = vec2<f32>(end, deepest);
}
