// Philox4x32-10: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.

// What a number is drawn for: the last word of a counter.
const START = 0u;
const FLIP = 1u;

// The upper half of a product.
fn high(a: u32, b: u32) -> u32 {
    let low = (a & 0xffffu) * (b & 0xffffu);
    let left = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
    let right = (a & 0xffffu) * (b >> 16u) + (left & 0xffffu);
    return (a >> 16u) * (b >> 16u) + (left >> 16u) + (right >> 16u);
}

fn philox(counter: vec4<u32>) -> vec4<u32> {
    var c = counter;
    var key = job.key;
    for (var round = 0u; round < 10u; round++) {
        c = vec4<u32>(
            high(c.z, 0xcd9e8d57u) ^ c.y ^ key.x,
            c.z * 0xcd9e8d57u,
            high(c.x, 0xd2511f53u) ^ c.w ^ key.y,
            c.x * 0xd2511f53u,
        );
        key += vec2<u32>(0x9e3779b9u, 0xbb67ae85u);
    }
    return c;
}
