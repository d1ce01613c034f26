// What a site feels, 32 links at a time: couplings of one size, a bit for each that is there and a bit for its sign. `links` has both words
// of a site side by side, and the sites of 32 others after one another.

var<workgroup> signs: array<u32, PLANE / 32u>;

fn gather(plane: u32, replica: u32, thread: u32) {
    for (var word = thread; word < job.words; word += THREADS) {
        signs[word] = shown(plane, replica, word);
    }
    workgroupBarrier();
}

fn felt(plane: u32, replica: u32, site: u32) -> i32 {
    var alike = 0u;
    for (var word = 0u; word < job.words; word++) {
        let at = 2u * (word * job.sites + site);
        alike += countOneBits(links[at] & ~(links[at + 1u] ^ signs[word]));
    }
    return job.size * (2 * i32(alike) - i32(rows[site].degree));
}

// This form has signs alone.
fn pushed(plane: u32, replica: u32, site: u32) -> i32 {
    return felt(plane, replica, site);
}
