// Where a replica stands and moves, for problems that the memory of a workgroup can't hold. It is stored anyhow.

fn place(plane: u32, replica: u32, site: u32) -> u32 {
    return (plane * job.replicas + replica) * job.sites + site;
}

fn now(plane: u32, replica: u32, site: u32) -> u32 {
    return state[place(plane, replica, site)];
}

fn put(plane: u32, replica: u32, site: u32, value: u32) {
    state[place(plane, replica, site)] = value;
}

fn fetch(plane: u32, replica: u32, site: u32) {}

fn store(plane: u32, replica: u32, site: u32) {}

fn meet() {
    storageBarrier();
    workgroupBarrier();
}
