// Where a replica stands and moves, in the memory of its workgroup: now, and after the step. Half a word each: the position below.

var<workgroup> near: array<u32, 2u * PLANE>;

fn now(plane: u32, replica: u32, site: u32) -> u32 {
    return near[plane * PLANE + site];
}

fn put(plane: u32, replica: u32, site: u32, value: u32) {
    near[plane * PLANE + site] = value;
}

fn fetch(plane: u32, replica: u32, site: u32) {
    near[plane * PLANE + site] = state[replica * job.sites + site];
}

fn store(plane: u32, replica: u32, site: u32) {
    state[replica * job.sites + site] = near[plane * PLANE + site];
}

fn meet() {
    workgroupBarrier();
}
