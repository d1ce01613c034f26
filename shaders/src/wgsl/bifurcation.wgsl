// Simulated bifurcation: a workgroup is a replica, its threads share the sites, and all steps are done within. Goto et al., Science
// Advances 7, eabe7953 (2021).

const ONE = 16384;

var<workgroup> sums: array<vec2<u32>, THREADS>;

fn position(word: u32) -> i32 {
    return bitcast<i32>(word << 16u) >> 16u;
}

fn momentum(word: u32) -> i32 {
    return bitcast<i32>(word) >> 16u;
}

fn joined(position: i32, momentum: i32) -> u32 {
    return (bitcast<u32>(position) & 0xffffu) | (bitcast<u32>(momentum) << 16u);
}

fn up(word: u32) -> bool {
    return position(word) >= 0;
}

fn saturated(value: i32) -> i32 {
    return clamp(value, -32768, 32767);
}

fn rounded(a: i32, b: i32) -> i32 {
    return (a * b + 16384) >> 15u;
}

// Within a tenth of 1.
fn near_nothing(number: u32) -> i32 {
    return ((i32(number) - 32768) * (ONE / 10)) >> 15u;
}

fn begun(replica: u32, site: u32) -> u32 {
    let both = philox(vec4<u32>(job.first + replica, 0u, site / 4u, START))[site % 4u];
    return joined(near_nothing(both & 0xffffu), near_nothing(both >> 16u));
}

fn moved(word: u32, pull: i32, field: i32) -> u32 {
    let force = clamp(field >> job.shift, -job.clip, job.clip) * job.gain;
    let pulled = saturated(momentum(word) - rounded(pull, position(word)));
    let faster = saturated(pulled + force);
    let there = saturated(position(word) + saturated(2 * faster));
    let beyond = abs(there) > ONE;
    return joined(clamp(there, -ONE, ONE), select(faster, 0, beyond));
}

// Thirty-two spins.
fn shown(plane: u32, replica: u32, word: u32) -> u32 {
    var bits = 0u;
    for (var site = 32u * word; site < min(32u * word + 32u, job.sites); site++) {
        bits |= select(0u, 1u, up(now(plane, replica, site))) << (site % 32u);
    }
    return bits;
}

// Twice minus the energy: every pair is counted by both of its sites, and so each field, too.
fn seen(plane: u32, replica: u32, thread: u32) -> vec2<u32> {
    var sum = vec2<u32>(0u, 0u);
    for (var site = thread; site < job.sites; site += THREADS) {
        let sign = select(-1, 1, up(now(plane, replica, site)));
        sum = added(sum, widened(sign * felt(plane, replica, site)));
        sum = added(sum, widened(sign * rows[site].field));
    }
    sums[thread] = sum;
    workgroupBarrier();
    for (var half = THREADS / 2u; half > 0u; half >>= 1u) {
        if thread < half {
            sums[thread] = added(sums[thread], sums[thread + half]);
        }
        workgroupBarrier();
    }
    return workgroupUniformLoad(&sums[0]);
}

@compute @workgroup_size(THREADS)
fn bifurcate(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let replica = group.x;
    var plane = job.begin % 2u;
    // Every thread knows the best.
    var most = NOTHING_SEEN;
    if job.fresh == 0u {
        most = best[replica];
    }
    for (var site = thread; site < job.sites; site += THREADS) {
        if job.fresh == 0u {
            fetch(plane, replica, site);
        } else {
            put(plane, replica, site, begun(replica, site));
        }
    }
    meet();
    gather(plane, replica, thread);
    var number = 0u;
    for (var step = job.begin; step < job.end; step++) {
        let pull = bitcast<i32>(schedule[step - job.begin]);
        for (var site = thread; site < job.sites; site += THREADS) {
            var field = 0;
            if DISCRETE {
                field = felt(plane, replica, site);
            } else {
                field = pushed(plane, replica, site);
            }
            put(1u - plane, replica, site, moved(now(plane, replica, site), pull, field));
        }
        plane = 1u - plane;
        meet();
        gather(plane, replica, thread);
        if looked_at(step + 1u) {
            let sum = seen(plane, replica, thread);
            if above(sum, most) {
                most = sum;
                for (var word = thread; word < job.words; word += THREADS) {
                    spins[replica * job.words + word] = shown(plane, replica, word);
                }
            }
            if thread == 0u {
                looks[number * job.replicas + replica] = sum;
            }
            number += 1u;
        }
    }
    for (var site = thread; site < job.sites; site += THREADS) {
        store(plane, replica, site);
    }
    if thread == 0u {
        best[replica] = most;
    }
}
