// Simulated annealing: a thread is a replica, and goes from site to site. Spins are a bit each, and a word of all replicas lies side by side, so that
// lanes read side by side; which links are read is the same for all.

fn up(replica: u32, site: u32) -> bool {
    return ((state[(site / 32u) * job.replicas + replica] >> (site % 32u)) & 1u) == 1u;
}

fn sign_through(replica: u32, at: u32) -> i32 {
    let link = link_at(at);
    return select(-link.y, link.y, up(replica, u32(link.x)));
}

fn felt(replica: u32, row: Row) -> i32 {
    var sum = row.field;
    // There is room for a multiple of four.
    for (var at = row.start; at < row.start + 32u * row.degree; at += 128u) {
        let two = sign_through(replica, at) + sign_through(replica, at + 32u);
        sum += two + sign_through(replica, at + 64u) + sign_through(replica, at + 96u);
    }
    return sum;
}

// The spins of eight sites where a replica begins: the top bits of eight numbers of 16 bits.
fn eight(replica: u32, block: u32) -> u32 {
    let drawn = philox(vec4<u32>(job.first + replica, 0u, block, START));
    let even = vec4<u32>((drawn >> vec4<u32>(15u)) & vec4<u32>(1u)) << vec4<u32>(0u, 2u, 4u, 6u);
    let odd = vec4<u32>(drawn >> vec4<u32>(31u)) << vec4<u32>(1u, 3u, 5u, 7u);
    let bits = even | odd;
    return bits.x | bits.y | bits.z | bits.w;
}

fn begin(replica: u32) {
    for (var word = 0u; word < job.words; word++) {
        var bits = 0u;
        for (var block = 0u; block < 4u; block++) {
            bits |= eight(replica, 4u * word + block) << (8u * block);
        }
        state[word * job.replicas + replica] = bits;
    }
}

// What may be paid for a flip: half of the rise in energy.
fn allowed(temperature: u32, number: u32) -> i32 {
    let logarithm = (logarithms[number / 2u] >> (16u * (number % 2u))) & 0xffffu;
    return i32(min((logarithm * (temperature & 0xffffu)) >> (temperature >> 16u), 0x7fffffffu));
}

fn sweep(replica: u32, step: u32) {
    let temperature = schedule[step - job.begin];
    for (var block = 0u; 8u * block < job.sites; block++) {
        let drawn = philox(vec4<u32>(job.first + replica, step, block, FLIP));
        for (var site = 8u * block; site < min(8u * block + 8u, job.sites); site++) {
            let number = (drawn[(site % 8u) / 2u] >> (16u * (site % 2u))) & 0xffffu;
            let field = felt(replica, rows[site]);
            let against = select(-field, field, up(replica, site));
            if against <= allowed(temperature, number) {
                state[(site / 32u) * job.replicas + replica] ^= 1u << (site % 32u);
            }
        }
    }
}

// Twice minus the energy.
fn seen(replica: u32) -> vec2<u32> {
    var sum = vec2<u32>(0u, 0u);
    for (var site = 0u; site < job.sites; site++) {
        let row = rows[site];
        let sign = select(-1, 1, up(replica, site));
        sum = added(sum, widened(sign * felt(replica, row)));
        sum = added(sum, widened(sign * row.field));
    }
    return sum;
}

@compute @workgroup_size(THREADS)
fn anneal(@builtin(global_invocation_id) id: vec3<u32>) {
    let replica = id.x;
    if replica >= job.replicas {
        return;
    }
    var most = NOTHING_SEEN;
    if job.fresh == 0u {
        most = best[replica];
    } else {
        begin(replica);
    }
    var number = 0u;
    for (var step = job.begin; step < job.end; step++) {
        sweep(replica, step);
        if looked_at(step + 1u) {
            let sum = seen(replica);
            if above(sum, most) {
                most = sum;
                for (var word = 0u; word < job.words; word++) {
                    spins[word * job.replicas + replica] = state[word * job.replicas + replica];
                }
            }
            looks[number * job.replicas + replica] = sum;
            number += 1u;
        }
    }
    best[replica] = most;
}
