// What a site feels, link by link; four of them at a turn, as there is always room for a multiple of four.

fn gather(plane: u32, replica: u32, thread: u32) {}

fn sign_through(plane: u32, replica: u32, at: u32) -> i32 {
    let link = link_at(at);
    return select(-link.y, link.y, up(now(plane, replica, u32(link.x))));
}

// From the signs of the others.
fn felt(plane: u32, replica: u32, site: u32) -> i32 {
    let row = rows[site];
    var sum = row.field;
    for (var at = row.start; at < row.start + 32u * row.degree; at += 128u) {
        let two = sign_through(plane, replica, at) + sign_through(plane, replica, at + 32u);
        sum += two + sign_through(plane, replica, at + 64u) + sign_through(plane, replica, at + 96u);
    }
    return sum;
}

fn position_through(plane: u32, replica: u32, at: u32) -> i32 {
    let link = link_at(at);
    return link.y * (position(now(plane, replica, u32(link.x))) >> job.deaf);
}

// From where the others are.
fn pushed(plane: u32, replica: u32, site: u32) -> i32 {
    let row = rows[site];
    var sum = row.field * job.whole;
    for (var at = row.start; at < row.start + 32u * row.degree; at += 128u) {
        let two = position_through(plane, replica, at) + position_through(plane, replica, at + 32u);
        sum += two + position_through(plane, replica, at + 64u) + position_through(plane, replica, at + 96u);
    }
    return sum;
}
